"""Bodies of handlers that may become the body of the lifespan."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct

from awaken.contract import Span
from awaken.editing.comments import Comment, comments_in, only_suppresses
from awaken.project.source.expressions.listed_names import readers_of_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of
from awaken.workspace.sources import LINE_END_BYTES

_MOST_STATEMENTS = 5
"""So many read well between others; a longer handler stays a function that is called."""
_ENDS_OTHERWISE = (ast.Return, ast.Yield, ast.YieldFrom)


class Body(Struct, frozen=True):
    """The body of a handler: its source, the names it binds, and those it reads from outside."""

    source: str
    bound: frozenset[str]
    read: frozenset[str]
    global_names: tuple[str, ...]
    nonlocal_names: tuple[str, ...]


def body_of(module: Module, function: Function) -> Body | None:
    """Return the body of ``function`` if it can be moved; None where a call says it better.

    That nobody else refers to the function is the caller's to know.
    """
    scope = module.scopes.scope_made_by(function)
    # FastAPI calls handlers without arguments, so that these have defaults or fail.
    if parameters_of(function.args) or not _is_short(module, function):
        return None
    # In the lifespan these would see other locals.
    if any(readers_of_names(module, scope)) or not _comments_can_move(module, function):
        return None
    declared = [node for node in function.body if isinstance(node, ast.Global | ast.Nonlocal)]
    deep = [node for node in module.walk(function) if isinstance(node, ast.Global | ast.Nonlocal)]
    # A declaration in a nested block or function cannot be moved to the top.
    if len(declared) != len(deep):
        return None
    return Body(
        source=_source(module, function),
        bound=frozenset(scope.bindings),
        read=frozenset(module.scopes.free_reads(function)) | scope.globals | scope.nonlocals,
        global_names=_names(declared, ast.Global),
        nonlocal_names=_names(declared, ast.Nonlocal),
    )


def _names(
    declared: Sequence[ast.Global | ast.Nonlocal], kind: type[ast.Global | ast.Nonlocal]
) -> tuple[str, ...]:
    names = [name for node in declared if isinstance(node, kind) for name in node.names]
    return tuple(dict.fromkeys(names))


def _is_short(module: Module, function: Function) -> bool:
    first = function.body[0]
    docstring = ast.get_docstring(function, clean=True)
    # The docstring becomes a comment of one line.
    if docstring is not None and "\n" in docstring:
        return False
    body = function.body[1:] if docstring is not None else function.body
    body = [part for part in body if not isinstance(part, ast.Global | ast.Nonlocal)]
    if not body or first.lineno == function.lineno or all(map(_is_empty, body)):
        return False
    statements = 0
    for statement in body:
        for node in module.walk(statement):
            own = module.enclosing_function(node) is function
            # An early `return` would end the lifespan: "generator didn't yield".
            if own and isinstance(node, _ENDS_OTHERWISE):
                return False
            statements += isinstance(node, ast.stmt)
    return statements <= _MOST_STATEMENTS


def _is_empty(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _comments_can_move(module: Module, function: Function) -> bool:
    """Whether no comment is above or next to the head, or after the body.

    Those between the statements move with them, and those that only suppress go with the head.
    """
    text, first = module.source.text, function.decorator_list[0]
    lines = text.splitlines(keepends=True)
    above = lines[first.lineno - 2].strip() if first.lineno > 1 else b""
    head = [comment for comment in head_comments(module, function) if not comment.alone]
    after = lines[function.end_lineno :] if function.end_lineno else []
    below = next((line for line in after if line.strip()), b"")
    column = len(below) - len(below.lstrip())
    behind = below.strip().startswith(b"#") and column > function.col_offset
    said = any(not only_suppresses(comment.text) for comment in head)
    return not above.startswith(b"#") and not said and not behind


def head_comments(module: Module, function: Function) -> list[Comment]:
    """Return the comments in the lines from the first decorator to the body."""
    lines = module.source.text.splitlines(keepends=True)
    start = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return comments_in(b"".join(lines[start - 1 : function.body[0].lineno - 1]).decode())


def _source(module: Module, function: Function) -> str:
    """Return the lines of ``function`` from its ``def`` on."""
    text, span = module.source.text, module.span(function)
    # Old files may end their lines with a carriage return alone.
    start = max(text.rfind(b"\n", 0, span.start), text.rfind(b"\r", 0, span.start)) + 1
    return text[start : _line_end(text, span)].decode()


def _line_end(text: bytes, span: Span) -> int:
    match = LINE_END_BYTES.search(text, span.end)
    return match.end() if match else len(text)
