"""Lines that are replaced as text: whether they hold whole statements of one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awaken.project.source.lines.statement_lines import Lines, StatementLines

if TYPE_CHECKING:
    from awaken.contract import Span
    from awaken.project.source.modules import Module

_LINE_ENDS = (b"\n", b"\r")


def why_not_whole(
    module: Module, statements: StatementLines, span: Span, text: bytes
) -> str | None:
    """Return why ``text`` cannot replace the lines of ``span``, None if it can.

    ``statements`` are those of ``module``.
    """
    source = module.source.text
    if not _begins_line(source, span.start) or not _begins_line(source, span.end):
        return "it replaces parts of lines"
    if text and span.end < len(source) and not text.endswith(_LINE_ENDS):
        return "its last line would run into the next one"
    first = len(source[: span.start].splitlines())
    lines = Lines(first, first + len(source[span.start : span.end].splitlines()))
    cut = statements.cut_by(lines)
    return None if cut is None else f"it replaces a part of the statement in line {cut.start + 1}"


def _begins_line(source: bytes, at: int) -> bool:
    if at in {0, len(source)}:
        return True
    is_inside = source[at - 1 : at + 1] == b"\r\n"
    return source[at - 1 : at] in _LINE_ENDS and not is_inside
