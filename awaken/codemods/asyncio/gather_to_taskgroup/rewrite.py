"""Writes a task group in front of the statement that awaited a gather."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import libcst as cst
from msgspec import Struct

from awaken.codemods.asyncio.gather_to_taskgroup.gather_arguments import TASK_WORDS
from awaken.codemods.asyncio.gather_to_taskgroup.payload import GroupCode, Results, Started
from awaken.contract import Surroundings
from awaken.editing.call_arguments import code, line_break, with_line_starts
from awaken.editing.chains.chain_layout import can_be_laid_out
from awaken.editing.chains.chain_lines import ends_in_comma, one_line
from awaken.editing.comments import lost_comments
from awaken.editing.parentheses import needs_parentheses, parenthesise

_BRACKETED = (cst.Call, cst.Dict, cst.List, cst.ListComp, cst.Set, cst.SetComp, cst.Subscript)
_DISPLAYS: Mapping[str, type[cst.ListComp | cst.SetComp]] = {
    "list": cst.ListComp,
    "set": cst.SetComp,
}


def write_group(
    node: cst.BaseSmallStatement | cst.BaseCompoundStatement, data: GroupCode, around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """``a, b = await gather(f(), g())`` → the task group, and ``a, b`` of its results."""
    arguments = list(_passed_arguments(node, data))
    writer = _Writer(data, around)
    if data.tasks:
        body = writer.list_statement(arguments)
    else:
        pairs = zip(arguments, data.started, strict=True)
        body = [writer.starting(argument, started) for argument, started in pairs]
    statements: list[Any] = [writer.block(body)]
    if data.results is not None and data.results.code:
        statements.append(_without_lines_above(_with_results(node, data.results, around)))
    lost = lost_comments(
        code(_without_lines_above(node)), "\n".join(map(code, map(_on_line, statements)))
    )
    above = [cst.EmptyLine(comment=cst.Comment(name)) for name in lost]
    lines_above = [*getattr(node, "leading_lines", ()), *above]
    statements[0] = statements[0].with_changes(leading_lines=lines_above)
    return statements


def wrap_statement(
    node: cst.For | cst.BaseSmallStatement, data: GroupCode, around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """``for x in xs: tasks.append(create_task(f(x)))`` → the same in the task group."""
    writer = _Writer(data, around)
    inner: Any = _on_line(node.visit(_Starting(data, writer)))
    block: Any = writer.block([inner.with_changes(leading_lines=[])])
    return [block.with_changes(leading_lines=getattr(node, "leading_lines", ()))]


def use_results(
    node: cst.BaseSmallStatement | cst.BaseCompoundStatement, data: Results, around: Surroundings
) -> Any:
    """``await gather(*coros)`` → the results of the tasks that were started above."""
    return _with_results(node, data, around) if data.code else cst.RemoveFromParent()


def _with_results(node: Any, data: Results, around: Surroundings) -> Any:
    """Return the statement with the results in place of the ``await``."""
    value = cst.parse_expression(data.code)
    awaited = _awaited_node(node, data)
    if data.item:
        result = cst.parse_expression(f"{data.item}.result()")
        first = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(node.target)], result)])
        body = node.body.with_changes(body=[first, *node.body.body])
        return node.with_changes(target=cst.Name(data.item), iter=value, body=body)
    if isinstance(value, cst.Tuple) and isinstance(node, cst.BaseSmallStatement):
        plain = node.deep_replace(awaited, value)
        line = code(plain).rpartition("\n")[2]
        if "\n" in code(plain) or around.column + len(line) > around.line_length:
            value = _on_lines(value, around.indent)
    if isinstance(value, cst.GeneratorExp):
        return node.visit(_Consumed(awaited, value))
    return node.deep_replace(awaited, value)


class _Consumed(cst.CSTTransformer):
    """Writes a generator in place of an ``await``; as the argument of a call it needs no pair."""

    def __init__(self, awaited: cst.Await, value: cst.GeneratorExp) -> None:
        super().__init__()
        self._awaited = awaited
        self._value = value

    def leave_Await(  # noqa: N802  named by LibCST
        self, original_node: cst.Await, updated_node: cst.Await
    ) -> cst.BaseExpression:
        return self._value if original_node is self._awaited else updated_node

    def leave_Call(  # noqa: N802  named by LibCST
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        if [argument.value for argument in original_node.args] != [self._awaited]:
            return updated_node
        func = updated_node.func
        if isinstance(func, cst.Name) and func.value in _DISPLAYS:
            made = _DISPLAYS[func.value](self._value.elt, self._value.for_in)
            return made.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        # Code that had its own lines does not need them any more.
        return updated_node.with_changes(
            args=[cst.Arg(self._value.with_changes(lpar=[], rpar=[]))],
            whitespace_before_args=cst.SimpleWhitespace(""),
        )


def _on_lines(value: cst.Tuple, indent: str) -> cst.Tuple:
    """Return a tuple in parentheses, each element on a line of its own."""
    *others, last = value.elements
    between = [one.with_changes(comma=cst.Comma(whitespace_after=_break(indent))) for one in others]
    return cst.Tuple(
        [*between, last.with_changes(comma=cst.Comma())],
        lpar=[cst.LeftParen(_break(indent))],
        rpar=[cst.RightParen(_break(""))],
    )


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


def _awaited_node(node: cst.CSTNode, data: Results) -> cst.Await:
    search = _Awaits()
    node.visit(search)
    result = search.found[data.awaits]
    call = result.expression
    if not isinstance(call, cst.Call) or code(call.func) != data.func:
        raise ValueError("another rewrite changed the gather")
    return result


# ---------------------------------------------------------------------------------- the arguments
class _Argument(Struct, frozen=True):
    """An argument, the comments above and after it, and the indentation of its first line."""

    value: cst.BaseExpression
    above: tuple[str, ...]
    behind: str = ""
    indent: str = ""


def _passed_arguments(node: Any, data: GroupCode) -> Iterator[_Argument]:
    """Yield what is started: arguments, elements of a list, or the list that is built."""
    if data.results is None:
        built = node.value
        return _elements(built) if data.unpacks else iter([_Argument(built, ())])
    call = cst.ensure_type(_awaited_node(node, data.results).expression, cst.Call)
    if data.results.inside:
        call = cst.ensure_type(call.args[0].value, cst.Call)
    return _elements(call.args[0].value) if data.unpacks else _arguments(call)


def _arguments(call: cst.Call) -> Iterator[_Argument]:
    """Yield the arguments of ``call`` with their comments."""
    last = call.args[-1].whitespace_after_arg
    return _with_comments(call.args, call.whitespace_before_args, last)


def _elements(display: Any) -> Iterator[_Argument]:
    """Yield the elements of a list or a tuple with their comments."""
    if isinstance(display, cst.List):
        opening, closing = display.lbracket.whitespace_after, display.rbracket.whitespace_before
    else:
        opening, closing = display.lpar[0].whitespace_after, display.rpar[-1].whitespace_before
    return _with_comments(display.elements, opening, closing)


def _with_comments(parts: Sequence[Any], opening: Any, closing: Any) -> Iterator[_Argument]:
    space = opening
    for number, part in enumerate(parts):
        is_last = number + 1 == len(parts)
        after: Any = closing if is_last else cst.SimpleWhitespace("")
        if isinstance(part.comma, cst.Comma) and code(part.comma.whitespace_after):
            after = part.comma.whitespace_after
        value, inside = _without_parentheses(part.value)
        depth = _depth(inside) or _depth(space)
        yield _Argument(value, _lone_comments(space), _first_comment(after), depth)
        space = after


def _without_parentheses(value: cst.BaseExpression) -> tuple[cst.BaseExpression, Any]:
    """Return ``value`` without those around it, which a call has anyway, and the space in them."""
    if not value.lpar or isinstance(value, cst.GeneratorExp | cst.Tuple):
        return value, None
    return value.with_changes(lpar=[], rpar=[]), value.lpar[-1].whitespace_after


def _lone_comments(space: Any) -> tuple[str, ...]:
    lines = space.empty_lines if isinstance(space, cst.ParenthesizedWhitespace) else ()
    return tuple(line.comment.value for line in lines if line.comment is not None)


def _first_comment(space: Any) -> str:
    is_broken = isinstance(space, cst.ParenthesizedWhitespace)
    comment = space.first_line.comment if is_broken else None
    return "" if comment is None else str(comment.value)


# -------------------------------------------------------------------------------------- the block
class _Starting(cst.CSTTransformer):
    """Starts the tasks of a statement in the group, and drops the list that they are added to."""

    def __init__(self, data: GroupCode, writer: _Writer) -> None:
        super().__init__()
        self._append = f"{data.tasks}.append" if data.drops else ""
        self._started = data.started[0]
        self._writer = writer

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:  # noqa: N802
        called = code(original_node.func)
        if called == self._append:
            return updated_node.args[0].value
        if called.rpartition(".")[2] in TASK_WORDS:
            return self._writer.task(updated_node, self._started, "")
        return updated_node


class _Writer:
    """Writes the statements that start the tasks."""

    def __init__(self, data: GroupCode, around: Surroundings) -> None:
        self._data = data
        self._indent = around.indent

    def block(self, body: Sequence[cst.BaseStatement]) -> cst.BaseStatement:
        """Return ``async with``, in the ``try`` that raises the first exception."""
        data = self._data
        opens = f"{data.within}, {data.opens}" if data.within else data.opens
        template = cst.parse_statement(f"async with {opens} as {data.group}:\n    pass\n")
        group: Any = template.with_changes(body=cst.IndentedBlock(body))
        if not data.error:
            return group  # type: ignore[no-any-return]
        handler = (
            "try:\n    pass\n"
            f"except BaseExceptionGroup as {data.error}:\n    raise {data.error}.exceptions[0]\n"
        )
        unwrapping: Any = cst.parse_statement(handler)
        return unwrapping.with_changes(body=cst.IndentedBlock([group]))  # type: ignore[no-any-return]

    def starting(self, argument: _Argument, started: Started) -> cst.BaseStatement:
        """Return the statement that starts one argument, whose tasks no list holds."""
        if started.how == "loop":
            return self._commented_node(argument, self._loop(argument, started))
        if started.how == "each":
            return self._commented_node(argument, self._each(argument, started))
        task = self.task(argument.value, started, argument.indent)
        small: cst.BaseSmallStatement = cst.Expr(task)
        if started.name:
            small = cst.Assign([cst.AssignTarget(cst.Name(started.name))], task)
        return self._commented_node(argument, cst.SimpleStatementLine([small]))

    def list_statement(self, arguments: Sequence[_Argument]) -> list[cst.BaseStatement]:
        """Return the one statement that starts all arguments and keeps their tasks in a list."""
        pairs = list(zip(arguments, self._data.started, strict=True))
        target = cst.AssignTarget(cst.Name(self._data.tasks))
        if len(pairs) == 1 and pairs[0][1].how != "one":
            argument, started = pairs[0]
            value = self._comprehension(argument, started)
            line = cst.SimpleStatementLine([cst.Assign([target], value)])
            return [self._commented_node(argument, line)]
        comments: list[str] = []
        for argument, _ in pairs:
            comments += [*argument.above, *([argument.behind] if argument.behind else [])]
        line = cst.SimpleStatementLine([cst.Assign([target], self._display(pairs))])
        return [_with_lines_above(line, comments)]

    def _display(self, pairs: Sequence[tuple[_Argument, Started]]) -> cst.List:
        """Return the list of the tasks of several arguments."""
        elements: list[Any] = []
        for argument, started in pairs:
            if started.how == "one":
                task = self.task(argument.value, started, argument.indent, self._indent)
                elements.append(cst.Element(task))
            else:
                listed = self._comprehension(argument, started, self._indent)
                elements.append(cst.StarredElement(listed))
        if not any("\n" in code(element) for element in elements):
            return cst.List(elements)
        comma = cst.Comma(whitespace_after=_break(self._indent))
        apart = [element.with_changes(comma=comma) for element in elements[:-1]]
        return cst.List(
            [*apart, elements[-1].with_changes(comma=cst.Comma())],
            lbracket=cst.LeftSquareBracket(_break(self._indent)),
            rbracket=cst.RightSquareBracket(_break("")),
        )

    def _commented_node(self, argument: _Argument, statement: Any) -> cst.BaseStatement:
        comments = list(argument.above)
        if argument.behind and isinstance(statement, cst.SimpleStatementLine):
            comment = cst.Comment(argument.behind)
            trailing = cst.TrailingWhitespace(cst.SimpleWhitespace("  "), comment)
            statement = statement.with_changes(trailing_whitespace=trailing)
        elif argument.behind:
            comments.append(argument.behind)
        return _with_lines_above(statement, comments)

    # --------------------------------------------------------------------------------- one task
    def task(
        self, value: cst.BaseExpression, started: Started, indent: str, base: str = ""
    ) -> cst.Call:
        """Return ``tg.create_task(value)``, on a line that is ``base`` deeper than the block.

        ``indent`` is how much deeper ``value`` was.
        """
        create = cst.Attribute(cst.Name(self._data.group), cst.Name("create_task"))
        if started.is_task:
            call = cst.ensure_type(value, cst.Call)
            made = call.with_changes(func=create, lpar=(), rpar=())
            made = made.with_changes(args=[_unnamed_argument(argument) for argument in call.args])
            return made if not _can_be_flat(made) else cst.ensure_type(one_line(made), cst.Call)
        if "\n" not in code(value) and "\r" not in code(value):
            return cst.Call(create, [cst.Arg(value)])
        if _can_be_flat(value):
            return cst.Call(create, [cst.Arg(one_line(value))])
        inner = base + self._indent
        return cst.Call(
            create,
            [cst.Arg(_moved_node(value, indent, inner), whitespace_after_arg=_break(base))],
            whitespace_before_args=_break(inner),
        )

    # ------------------------------------------------------------------------------- many tasks
    def _comprehension(
        self, argument: _Argument, started: Started, base: str = ""
    ) -> cst.BaseExpression:
        """Return the list of the tasks of a starred argument."""
        value: Any = argument.value
        if started.how == "each":
            task = self.task(cst.Name(started.name), started, "")
            loop = cst.CompFor(cst.Name(started.name), value)
            flat = _flat(value)
            items = parenthesise(flat) if needs_parentheses(loop, "iter", value) else flat
            return cst.ListComp(task, loop.with_changes(iter=items))
        if "#" in code(value) and self._data.results is None:
            # It stays where it is, and so do its comments.
            task = self.task(value.elt, started, self._indent, self._indent)
            return _bracketed_node(value, cst.ListComp(task, value.for_in))
        inner = base + self._indent
        task = self.task(value.elt, started, _indent_of(value) or argument.indent, inner)
        if "\n" not in code(task):
            return cst.ListComp(task, _flat_loop(value.for_in, cst.SimpleWhitespace(" ")))
        return cst.ListComp(
            task,
            _flat_loop(value.for_in, _break(inner)),
            lbracket=cst.LeftSquareBracket(_break(inner)),
            rbracket=cst.RightSquareBracket(_break(base)),
        )

    def _loop(self, argument: _Argument, started: Started) -> cst.BaseStatement:
        """Return the ``for`` statement that does what a comprehension did."""
        value: Any = argument.value
        body: cst.BaseStatement = cst.SimpleStatementLine(
            [cst.Expr(self.task(value.elt, started, _indent_of(value) or argument.indent))]
        )
        clauses: list[cst.CompFor] = []
        clause: cst.CompFor | None = value.for_in
        while clause is not None:
            clauses.append(clause)
            clause = clause.inner_for_in
        for item in reversed(clauses):
            for condition in reversed(item.ifs):
                test = _in_brackets(_flat(condition.test))
                body = cst.If(test, cst.IndentedBlock([body]))
            target, items = _flat(item.target), _in_brackets(_flat(item.iter))
            body = cst.For(target, items, cst.IndentedBlock([body]))
        return body

    def _each(self, argument: _Argument, started: Started) -> cst.BaseStatement:
        task = self.task(cst.Name(started.name), Started("one"), "")
        line = cst.SimpleStatementLine([cst.Expr(task)])
        value: Any = argument.value
        if started.is_task:
            value = value.with_changes(elt=value.elt.args[0].value)
        value = _in_brackets(_flat(value))
        return cst.For(cst.Name(started.name), value, cst.IndentedBlock([line]))


def _unnamed_argument(argument: cst.Arg) -> cst.Arg:
    """Return an argument of ``ensure_future`` as one of ``create_task``."""
    if argument.keyword is None or argument.keyword.value not in {"coro", "coro_or_future"}:
        return argument
    return argument.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)


def _with_lines_above(statement: Any, comments: Sequence[str]) -> cst.BaseStatement:
    lines = [cst.EmptyLine(comment=cst.Comment(comment)) for comment in comments]
    changed: cst.BaseStatement = statement.with_changes(leading_lines=lines)
    return changed


# ------------------------------------------------------------------------------------- the layout
def _can_be_flat(value: cst.BaseExpression) -> bool:
    return can_be_laid_out(value) and not ends_in_comma(value)


def _flat(value: Any) -> Any:
    """Return ``value`` on one line, if nothing speaks against it."""
    return one_line(value) if "\n" in code(value) and _can_be_flat(value) else value


def _in_brackets(value: Any) -> Any:
    """Return ``value`` in parentheses if its lines need some outside the call."""
    if "\n" not in code(value) or value.lpar or isinstance(value, _BRACKETED):
        return value
    return value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _flat_loop(clause: cst.CompFor, before: Any) -> cst.CompFor:
    """Return the clauses of a comprehension on one line each, with ``before`` in front of each."""
    inner = clause.inner_for_in
    space = cst.SimpleWhitespace(" ")
    return clause.with_changes(
        target=_flat(clause.target),
        iter=_flat(clause.iter),
        whitespace_before=before,
        whitespace_after_for=space,
        whitespace_before_in=space,
        whitespace_after_in=space,
        ifs=[_flat_condition(condition, before) for condition in clause.ifs],
        inner_for_in=None if inner is None else _flat_loop(inner, before),
    )


def _flat_condition(clause: cst.CompIf, before: Any) -> cst.CompIf:
    space = cst.SimpleWhitespace(" ")
    return clause.with_changes(
        test=_flat(clause.test), whitespace_before=before, whitespace_before_test=space
    )


def _indent_of(comprehension: Any) -> str:
    """Return the indentation of the first line inside a comprehension's brackets, if it has one."""
    is_generator = isinstance(comprehension, cst.GeneratorExp)
    opening = comprehension.lpar[-1] if is_generator else comprehension.lbracket
    return _depth(opening.whitespace_after)


def _depth(space: Any) -> str:
    is_broken = isinstance(space, cst.ParenthesizedWhitespace) and space.indent
    return str(space.last_line.value) if is_broken else ""


def _bracketed_node(value: Any, listed: cst.ListComp) -> cst.ListComp:
    """Return ``listed`` in square brackets, with the white space inside those of ``value``."""
    is_generator = isinstance(value, cst.GeneratorExp)
    opening = value.lpar[-1] if is_generator else value.lbracket
    closing = value.rpar[0] if is_generator else value.rbracket
    return listed.with_changes(
        lbracket=cst.LeftSquareBracket(opening.whitespace_after),
        rbracket=cst.RightSquareBracket(closing.whitespace_before),
    )


def _break(indent: str) -> cst.ParenthesizedWhitespace:
    """Return a line break; the next line is ``indent`` deeper than the block."""
    return line_break(indent).with_changes(indent=True)


def _moved_node(value: cst.BaseExpression, old: str, new: str) -> cst.BaseExpression:
    """Return ``value`` with its lines moved from the indentation ``old`` to ``new``."""
    if old == new:
        return value
    return with_line_starts(value, lambda now: new + now.removeprefix(old))
