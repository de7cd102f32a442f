"""Lines that are replaced as text: whether they hold whole statements of one block."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.engine.edits.slices import nodes_on_lines
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.contract import Span
    from awaken.project.source.modules import Module

_LINE_ENDS = (b"\n", b"\r")


def why_not_whole(module: Module, span: Span, text: bytes) -> str | None:
    """Return why ``text`` cannot stand for the lines of ``span``, None if it can."""
    source = module.source.text
    if not _begins_line(source, span.start) or not _begins_line(source, span.end):
        return "it replaces parts of lines"
    if text and span.end < len(source) and not text.endswith(_LINE_ENDS):
        return "its last line would run into the next one"
    first, _ = module.line_column(span)
    last = first + len(source[span.start : span.end].splitlines())
    for node in nodes_on_lines(module.tree, range(first, max(last, first + 1))):
        if isinstance(node, ast.stmt) and _is_cut(module, node, span):
            return f"it replaces a part of the statement in line {node.lineno}"
    return None


def _begins_line(source: bytes, at: int) -> bool:
    if at in {0, len(source)}:
        return True
    is_inside = source[at - 1 : at + 1] == b"\r\n"
    return source[at - 1 : at] in _LINE_ENDS and not is_inside


def _is_cut(module: Module, node: ast.stmt, span: Span) -> bool:
    """Whether ``span`` holds a part of a statement that is more than statements of a block."""
    whole = module.span(node)
    decorators = node.decorator_list if isinstance(node, Function | ast.ClassDef) else []
    start = module.span(decorators[0]).start if decorators else whole.start
    if (
        span.end <= start
        or whole.end <= span.start
        or (span.start <= start and whole.end <= span.end)
    ):
        return False
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    # What begins behind the header is a statement below it, and looked at by itself.
    return not body or span.start < _start_of_line(module, body[0])


def _start_of_line(module: Module, node: ast.AST) -> int:
    start = module.span(getattr(node, "pattern", node)).start
    source = module.source.text
    return max(source.rfind(b"\n", 0, start), source.rfind(b"\r", 0, start)) + 1
