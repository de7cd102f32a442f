"""Rewriters that write the lifespan, and take away what registered the handlers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import libcst as cst

from awaken.codemods.fastapi.on_event_to_lifespan.payload import (
    ConstructorEdit,
    EnteredEdit,
    FunctionEdit,
    LifespanCode,
    Part,
    StatementEdit,
)
from awaken.contract import Surroundings
from awaken.editing.call_arguments import appended_call, fit_arguments, keyword_argument
from awaken.editing.comments import only_suppresses
from awaken.editing.statements import as_block, without_blank_lines

_BLANK = cst.EmptyLine(indent=False)
_LISTS = ("on_startup", "on_shutdown")


def write_lifespan(
    _node: None, data: LifespanCode, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """Return the function: startup, ``yield``, and shutdown in ``finally`` if there is one."""
    annotation = f": {data.annotation}" if data.annotation else ""
    returns = f" -> {data.returns}" if data.returns else ""
    head = f"async def {data.name}({data.parameter}{annotation}){returns}:\n    pass\n"
    function = cst.ensure_type(
        cst.parse_statement(f"@asynccontextmanager\n{head}"), cst.FunctionDef
    )
    body: list[Any] = [*_declaration("global", data.global_names)]
    body += [*_declaration("nonlocal", data.nonlocal_names)]
    body += [cst.parse_statement(f"{name}\n") for name in data.first]
    # Startup stays outside the `try`: if it fails, FastAPI runs no shutdown handler.
    rest = [*_statements(data.startup), *_yielding(data)]
    if data.first:
        rest[0] = rest[0].with_changes(leading_lines=[_BLANK, *rest[0].leading_lines])
    body += rest
    function = function.with_changes(body=cst.IndentedBlock(body))
    base_statements: list[cst.BaseStatement] = [_with_comments(data.comments, function)]
    if data.assigned:
        # The application exists already, so that its constructor cannot take the lifespan.
        given = cst.parse_statement(f"{data.assigned}.router.lifespan_context = {data.name}\n")
        base_statements.append(given.with_changes(leading_lines=[_BLANK]))
    return base_statements


def _yielding(data: LifespanCode) -> Iterator[Any]:
    """Yield the ``yield``, in ``try`` if something follows."""
    shutdown = list(_statements(data.shutdown))
    if not shutdown:
        yield cst.parse_statement("yield\n")
        return
    # FastAPI runs shutdown handlers even if an error or a cancellation ends the `yield`.
    template = cst.parse_statement("try:\n    yield\nfinally:\n    pass\n")
    ending = cst.ensure_type(template, cst.Try)
    final = cst.ensure_type(ending.finalbody, cst.Finally)
    final = final.with_changes(body=cst.IndentedBlock(shutdown))
    yield ending.with_changes(finalbody=final)


def edit_constructor(node: cst.Call, data: ConstructorEdit, around: Surroundings) -> cst.Call:
    """``FastAPI(on_startup=[f])`` → ``FastAPI(lifespan=lifespan)``."""
    new = keyword_argument("lifespan", cst.Name(data.lifespan))
    old = [item for item in node.args if item.keyword and item.keyword.value in _LISTS]
    if not old:
        return fit_arguments(appended_call(node, new), around)
    first, last = old[0], node.args[-1]
    # The place of the first list keeps the order and the layout of the call.
    in_place = new.with_changes(comma=first.comma, whitespace_after_arg=first.whitespace_after_arg)
    kept = [in_place if item is first else item for item in node.args if item not in old[1:]]
    # A trailing comma and its line break belong to the end of the call.
    kept[-1] = kept[-1].with_changes(
        comma=last.comma, whitespace_after_arg=last.whitespace_after_arg
    )
    return fit_arguments(node.with_changes(args=kept), around)


def edit_function(
    node: cst.FunctionDef, data: FunctionEdit, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """Take off the decorators that registered the function; their comments stay above it."""
    above = list(node.leading_lines)
    kept: list[cst.Decorator] = []
    for index, decorator in enumerate(node.decorators):
        if index not in data.decorators:
            kept.append(decorator)
            continue
        above += [line for line in decorator.leading_lines if line.comment is not None]
        comment = decorator.trailing_whitespace.comment
        # A suppression spoke of the decorator's line, which is gone.
        if comment is not None and not only_suppresses(comment.value):
            above.append(cst.EmptyLine(comment=comment))
    # Without decorators these lines are directly above the `def`.
    if not kept:
        above += [line for line in node.lines_after_decorators if line.comment is not None]
        node = node.with_changes(lines_after_decorators=[])
    name = cst.Name(data.name) if data.name else node.name
    if data.before:
        above.insert(0, _BLANK)
    function = node.with_changes(decorators=kept, leading_lines=above, name=name)
    return [*([cst.parse_statement(data.before)] if data.before else []), function]


def edit_statement(
    _node: cst.Expr, data: StatementEdit, _around: Surroundings
) -> cst.RemovalSentinel | cst.BaseStatement:
    """Take away a statement that registers, or put another one in its place."""
    if not data.code:
        return cst.RemoveFromParent()
    statement: cst.BaseStatement = _with_comments(data.comments, cst.parse_statement(data.code))
    return statement


def insert_statement(
    _node: None, data: StatementEdit, _around: Surroundings
) -> Sequence[cst.BaseStatement]:
    """Return the new statement."""
    statement: Any = cst.parse_statement(data.code)
    if data.blank:
        statement = statement.with_changes(leading_lines=[_BLANK])
    return [statement]


def enter_lifespan(
    node: cst.FunctionDef, data: EnteredEdit, _around: Surroundings
) -> cst.FunctionDef:
    """``await app.router.startup()``, and what follows → ``async with`` around it."""
    return cst.ensure_type(node.visit(_Entering(data.receiver)), cst.FunctionDef)


class _Entering(cst.CSTTransformer):
    """Moves the code between startup and shutdown into the lifespan."""

    def __init__(self, receiver: str) -> None:
        super().__init__()
        self._startup = f"await {receiver}.router.startup()"
        self._shutdown = f"await {receiver}.router.shutdown()"
        self._head = f"async with {receiver}.router.lifespan_context({receiver}):\n    pass\n"

    def leave_IndentedBlock(  # noqa: N802  named like the node
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        del original_node
        body: list[Any] = list(updated_node.body)
        codes = [_code(statement) for statement in body]
        # Blocks are left from the inside out, and most hold no startup.
        if self._startup not in codes:
            return updated_node
        start = codes.index(self._startup)
        after = body[start + 1]
        if self._shutdown in codes:
            end = codes.index(self._shutdown)
            inside, footer = body[start + 1 : end], _kept_comments(body[end])
        else:
            ending = cst.ensure_type(after.finalbody.body, cst.IndentedBlock)
            end, inside = start + 1, list(after.body.body)
            footer = [*after.body.footer, *_kept_comments(ending.body[0])]
            inside[0] = inside[0].with_changes(
                leading_lines=[*after.leading_lines, *inside[0].leading_lines]
            )
        entered = cst.ensure_type(cst.parse_statement(self._head), cst.With)
        header = body[start].trailing_whitespace
        block = cst.IndentedBlock(inside, header=header, footer=footer)
        entered = entered.with_changes(leading_lines=body[start].leading_lines, body=block)
        return updated_node.with_changes(body=[*body[:start], entered, *body[end + 1 :]])


def _code(statement: cst.CSTNode) -> str:
    """Return the source of a statement of one line, without its comment."""
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return ""
    return cst.Module([]).code_for_node(statement.body[0]).strip()


def _kept_comments(statement: Any) -> list[cst.EmptyLine]:
    """Return the comments of a statement that goes, as lines of their own."""
    lines = [line for line in statement.leading_lines if line.comment is not None]
    comment = statement.trailing_whitespace.comment
    return [*lines, cst.EmptyLine(comment=comment)] if comment is not None else lines


def _declaration(keyword: str, names: Sequence[str]) -> Iterator[cst.BaseStatement]:
    if names:
        yield cst.parse_statement(f"{keyword} {', '.join(names)}\n")


def _statements(parts: Sequence[Part]) -> Iterator[Any]:
    """Yield what ``parts`` say; neighbours that have one condition share it."""
    for condition, group in groupby(parts, attrgetter("condition")):
        held = list(group)
        inside = [statement for part in held for statement in _calls(part)]
        if condition:
            around = [comment for part in held for comment in part.around]
            yield _with_comments(
                around, cst.If(cst.parse_expression(condition), cst.IndentedBlock(inside))
            )
        else:
            yield from inside


def _calls(part: Part) -> list[Any]:
    # LibCST takes a carriage return alone for no end of a line where the text has others as well
    code = re.sub("\r(?!\n)", "\n", part.code)
    inside = _body(code) if part.is_body else list(cst.parse_module(code).body)
    inside[0] = _with_comments(part.above, inside[0])
    if part.comment:
        inside[-1] = inside[-1].with_changes(trailing_whitespace=_space_behind(part.comment))
    return inside


def _with_comments(comments: Sequence[str], statement: Any) -> Any:
    """Return ``statement`` with ``comments`` above it."""
    lines = [cst.EmptyLine(comment=cst.Comment(comment)) for comment in comments]
    return statement.with_changes(leading_lines=[*lines, *statement.leading_lines])


def _space_behind(comment: str) -> cst.TrailingWhitespace:
    return cst.TrailingWhitespace(cst.SimpleWhitespace("  "), cst.Comment(comment))


def _body(source: str) -> list[Any]:
    """Return the statements of a function; its docstring becomes a comment."""
    indented = source[:1] in {" ", "\t"}
    # An indented function does not parse as a module of its own.
    module = cst.parse_module(f"if 1:\n{source}" if indented else source)
    outer: Any = cst.ensure_type(module.body[0], cst.If).body if indented else module
    function = cst.ensure_type(outer.body[0], cst.FunctionDef)
    statements = [*as_block(function.body).body]
    above: list[cst.EmptyLine] = []
    header = getattr(function.body, "header", None)
    if header is not None and header.comment and not only_suppresses(header.comment.value):
        above.append(cst.EmptyLine(comment=header.comment))
    docstring = function.get_docstring(clean=True)
    if docstring is not None:
        # A string in the middle of a lifespan would read like a mistake.
        first: Any = statements.pop(0)
        above += [*(line for line in first.leading_lines if line.comment is not None)]
        above += [cst.EmptyLine(comment=cst.Comment(f"# {docstring}".rstrip()))]
        if first.trailing_whitespace.comment is not None:
            above.append(cst.EmptyLine(comment=first.trailing_whitespace.comment))
    # Declarations occur once, at the top of the lifespan.
    statements = [statement for statement in statements if not _declares(statement)]
    head: Any = statements[0]
    # Blank lines after the old head would be at the top of a block.
    own = without_blank_lines(head).leading_lines
    statements[0] = head.with_changes(leading_lines=[*above, *own])
    return statements


def _declares(statement: cst.BaseStatement) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(candidate, cst.Global | cst.Nonlocal) for candidate in statement.body
    )
