"""Writes a task group in front of the statement that awaited a gather."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from awaken.codemods.asyncio.gather_to_taskgroup.payload import GroupCode, Started
from awaken.contract import Surroundings
from awaken.editing.arguments import code, line_break
from awaken.editing.chain_layout import can_be_laid_out, one_line
from awaken.editing.chain_lines import ends_in_comma
from awaken.editing.comments import lost_comments

_COMPREHENSIONS = (cst.ListComp, cst.GeneratorExp, cst.SetComp)


def write_group(
    node: cst.BaseSmallStatement | cst.BaseCompoundStatement,
    data: GroupCode,
    around: Surroundings,
) -> Sequence[cst.BaseStatement]:
    """``a, b = await gather(f(), g())`` → the task group, and ``a, b`` of its results."""
    awaited = _awaited(node, data)
    call = cst.ensure_type(awaited.expression, cst.Call)
    writer = _Writer(data, around)
    body = [
        line
        for argument, started in zip(_arguments(call), data.started, strict=True)
        for line in writer.starting(argument, started)
    ]
    if data.tasks:
        body = writer.listed(_arguments(call))
    statements: list[Any] = [writer.block(body)]
    if data.results:
        rest: Any = node.deep_replace(awaited, cst.parse_expression(data.results))
        statements.append(_without_lines_above(rest))
    lost = lost_comments(code(node), "\n".join(map(code, map(_on_line, statements))))
    above = [cst.EmptyLine(comment=cst.Comment(one)) for one in lost]
    lines_above = [*getattr(node, "leading_lines", ()), *above]
    statements[0] = statements[0].with_changes(leading_lines=lines_above)
    return statements


def _on_line(statement: Any) -> cst.CSTNode:
    is_small = isinstance(statement, cst.BaseSmallStatement)
    return cst.SimpleStatementLine([statement]) if is_small else statement


def _without_lines_above(statement: Any) -> Any:
    has_lines = hasattr(statement, "leading_lines")
    return statement.with_changes(leading_lines=[]) if has_lines else statement


class _Awaits(cst.CSTVisitor):
    """Finds the ``await`` expressions of a statement, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Await] = []

    def visit_Await(self, node: cst.Await) -> None:  # noqa: N802  named by LibCST
        self.found.append(node)


def _awaited(node: cst.CSTNode, data: GroupCode) -> cst.Await:
    search = _Awaits()
    node.visit(search)
    found = search.found[data.awaits]
    call = found.expression
    if not isinstance(call, cst.Call) or code(call.func) != data.func:
        raise ValueError("another rewrite changed the gather")
    return found


# ---------------------------------------------------------------------------------- the arguments
@dataclass(frozen=True, slots=True)
class _Argument:
    """An argument, the comments above it and behind it, and how far its first line is indented."""

    value: cst.BaseExpression
    above: tuple[str, ...]
    behind: str = ""
    indent: str = ""


def _arguments(call: cst.Call) -> Iterator[_Argument]:
    """Yield the arguments of ``call`` with their comments."""
    space: Any = call.whitespace_before_args
    for number, argument in enumerate(call.args):
        is_last = number + 1 == len(call.args)
        after: Any = argument.whitespace_after_arg
        if isinstance(argument.comma, cst.Comma) and (not is_last or not code(after)):
            after = argument.comma.whitespace_after
        broken = isinstance(space, cst.ParenthesizedWhitespace)
        yield _Argument(
            argument.value,
            _lone_comments(space),
            _first_comment(after),
            space.last_line.value if broken and space.indent else "",
        )
        space = after


def _lone_comments(space: Any) -> tuple[str, ...]:
    lines = space.empty_lines if isinstance(space, cst.ParenthesizedWhitespace) else ()
    return tuple(line.comment.value for line in lines if line.comment is not None)


def _first_comment(space: Any) -> str:
    is_broken = isinstance(space, cst.ParenthesizedWhitespace)
    comment = space.first_line.comment if is_broken else None
    return "" if comment is None else str(comment.value)


# -------------------------------------------------------------------------------------- the block
class _Writer:
    """Writes the statements that start the tasks."""

    def __init__(self, data: GroupCode, around: Surroundings) -> None:
        self._data = data
        self._indent = around.indent

    def block(self, body: Sequence[cst.BaseStatement]) -> cst.BaseStatement:
        """Return ``async with``, in the ``try`` that raises the first exception."""
        data = self._data
        template = cst.parse_statement(f"async with {data.opens} as {data.group}:\n    pass\n")
        group: Any = template.with_changes(body=cst.IndentedBlock(body))
        if not data.error:
            return group  # type: ignore[no-any-return]
        handler = (
            "try:\n    pass\n"
            f"except BaseExceptionGroup as {data.error}:\n    raise {data.error}.exceptions[0]\n"
        )
        unwrapping: Any = cst.parse_statement(handler)
        return unwrapping.with_changes(body=cst.IndentedBlock([group]))  # type: ignore[no-any-return]

    def starting(self, argument: _Argument, started: Started) -> Iterator[cst.BaseStatement]:
        """Yield the statement that starts one argument, whose tasks no list holds."""
        if started.how == "loop":
            yield self._commented(argument, self._loop(argument, started))
        elif started.how == "each":
            yield self._commented(argument, self._each(argument, started))
        else:
            task = self._task(argument.value, started, argument.indent)
            small: cst.BaseSmallStatement = cst.Expr(task)
            if started.name:
                target = cst.AssignTarget(cst.Name(started.name))
                small = cst.Assign([target], task)
            yield self._commented(argument, cst.SimpleStatementLine([small]))

    def listed(self, arguments: Iterator[_Argument]) -> list[cst.BaseStatement]:
        """Return the one statement that starts all arguments and keeps their tasks in a list."""
        pairs = list(zip(arguments, self._data.started, strict=True))
        target = cst.AssignTarget(cst.Name(self._data.tasks))
        if len(pairs) == 1 and pairs[0][1].how != "one":
            argument, started = pairs[0]
            value = self._comprehension(argument, started)
            line = cst.SimpleStatementLine([cst.Assign([target], value)])
            return [self._commented(argument, line)]
        elements: list[cst.BaseElement] = []
        comments: list[str] = []
        for argument, started in pairs:
            comments += [*argument.above, *([argument.behind] if argument.behind else [])]
            if started.how == "one":
                elements.append(cst.Element(self._task(argument.value, started, argument.indent)))
            else:
                elements.append(cst.StarredElement(self._comprehension(argument, started)))
        line = cst.SimpleStatementLine([cst.Assign([target], cst.List(elements))])
        return [_with_lines_above(line, comments)]

    def _commented(self, argument: _Argument, statement: Any) -> Any:
        comments = list(argument.above)
        if argument.behind and isinstance(statement, cst.SimpleStatementLine):
            comment = cst.Comment(argument.behind)
            trailing = cst.TrailingWhitespace(cst.SimpleWhitespace("  "), comment)
            statement = statement.with_changes(trailing_whitespace=trailing)
        elif argument.behind:
            comments.append(argument.behind)
        return _with_lines_above(statement, comments)

    # --------------------------------------------------------------------------------- one task
    def _task(self, value: cst.BaseExpression, started: Started, indent: str) -> cst.Call:
        """Return ``tg.create_task(value)``."""
        create = cst.Attribute(cst.Name(self._data.group), cst.Name("create_task"))
        if started.is_task:
            call = cst.ensure_type(value, cst.Call)
            made = call.with_changes(func=create, lpar=(), rpar=())
            made = made.with_changes(args=[_unnamed(one) for one in call.args])
            return made if not _can_be_flat(made) else cst.ensure_type(one_line(made), cst.Call)
        if "\n" not in code(value) and "\r" not in code(value):
            return cst.Call(create, [cst.Arg(value)])
        if _can_be_flat(value):
            return cst.Call(create, [cst.Arg(one_line(value))])
        inner = self._indent
        return cst.Call(
            create,
            [cst.Arg(_moved(value, indent, inner), whitespace_after_arg=_break(""))],
            whitespace_before_args=_break(inner),
        )

    # ------------------------------------------------------------------------------- many tasks
    def _comprehension(self, argument: _Argument, started: Started) -> cst.BaseExpression:
        """Return the list of the tasks of a starred argument."""
        value: Any = argument.value
        if started.how == "each":
            task = self._task(cst.Name(started.name), started, "")
            loop = cst.CompFor(cst.Name(started.name), _flat(value))
            return cst.ListComp(task, loop)
        if isinstance(value, cst.List | cst.Tuple):
            elements = [
                one.with_changes(value=self._task(one.value, started, "")) for one in value.elements
            ]
            return cst.List(elements)
        task = self._task(value.elt, started, argument.indent)
        plain = "\n" not in code(task) and "#" not in code(value)
        loop = _flat_loop(value.for_in) if plain else value.for_in
        listed = cst.ListComp(task, loop)
        if plain:
            return listed
        opening = value.lpar[-1] if isinstance(value, cst.GeneratorExp) else value.lbracket
        closing = value.rpar[0] if isinstance(value, cst.GeneratorExp) else value.rbracket
        return listed.with_changes(
            lbracket=cst.LeftSquareBracket(opening.whitespace_after),
            rbracket=cst.RightSquareBracket(closing.whitespace_before),
        )

    def _loop(self, argument: _Argument, started: Started) -> cst.BaseStatement:
        """Return the ``for`` statement that does what a comprehension did."""
        value: Any = argument.value
        body: cst.BaseStatement = cst.SimpleStatementLine(
            [cst.Expr(self._task(value.elt, started, argument.indent))]
        )
        clauses: list[cst.CompFor] = []
        clause: cst.CompFor | None = value.for_in
        while clause is not None:
            clauses.append(clause)
            clause = clause.inner_for_in
        for one in reversed(clauses):
            for condition in reversed(one.ifs):
                body = cst.If(_flat(condition.test), cst.IndentedBlock([body]))
            body = cst.For(_flat(one.target), _flat(one.iter), cst.IndentedBlock([body]))
        return body

    def _each(self, argument: _Argument, started: Started) -> cst.BaseStatement:
        task = self._task(cst.Name(started.name), started, "")
        line = cst.SimpleStatementLine([cst.Expr(task)])
        value = _flat(argument.value)
        return cst.For(cst.Name(started.name), value, cst.IndentedBlock([line]))


def _unnamed(argument: cst.Arg) -> cst.Arg:
    """Return an argument of ``ensure_future`` as one of ``create_task``."""
    if argument.keyword is None or argument.keyword.value not in {"coro", "coro_or_future"}:
        return argument
    return argument.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)


def _with_lines_above(statement: Any, comments: Sequence[str]) -> Any:
    lines = [cst.EmptyLine(comment=cst.Comment(one)) for one in comments]
    return statement.with_changes(leading_lines=lines)


# ------------------------------------------------------------------------------------- the layout
def _can_be_flat(value: cst.BaseExpression) -> bool:
    return can_be_laid_out(value) and not ends_in_comma(value)


def _flat(value: Any) -> Any:
    """Return ``value`` on one line, if nothing speaks against it."""
    return one_line(value) if "\n" in code(value) and _can_be_flat(value) else value


def _flat_loop(clause: cst.CompFor) -> cst.CompFor:
    """Return the clauses of a comprehension on one line."""
    inner = clause.inner_for_in
    space = cst.SimpleWhitespace(" ")
    return clause.with_changes(
        target=_flat(clause.target),
        iter=_flat(clause.iter),
        whitespace_before=space,
        whitespace_after_for=space,
        whitespace_before_in=space,
        whitespace_after_in=space,
        ifs=[one.with_changes(test=_flat(one.test), whitespace_before=space) for one in clause.ifs],
        inner_for_in=None if inner is None else _flat_loop(inner),
    )


def _break(indent: str) -> cst.ParenthesizedWhitespace:
    """Return a line break; the next line is ``indent`` deeper than the block."""
    return line_break(indent).with_changes(indent=True)


def _moved(value: cst.BaseExpression, old: str, new: str) -> cst.BaseExpression:
    """Return ``value`` with its lines moved from the indentation ``old`` to ``new``."""
    if old == new:
        return value
    moved = value.visit(_Moving(old, new))
    return moved if isinstance(moved, cst.BaseExpression) else value


class _Moving(cst.CSTTransformer):
    """Changes the white space in front of each line but the first."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self._old = old
        self._new = new

    def leave_ParenthesizedWhitespace(  # noqa: N802  named by LibCST
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        del original_node
        lines = [
            one.with_changes(whitespace=self._at(one.whitespace)) if one.comment else one
            for one in updated_node.empty_lines
        ]
        last = self._at(updated_node.last_line)
        return updated_node.with_changes(empty_lines=lines, last_line=last)

    def _at(self, space: cst.SimpleWhitespace) -> cst.SimpleWhitespace:
        rest = space.value.removeprefix(self._old)
        return cst.SimpleWhitespace(self._new + rest)
