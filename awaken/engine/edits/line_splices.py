"""The lines that differ between two texts, as splices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from awaken.contract import Span
from awaken.engine.edits.splices import Splice
from awaken.project.source.lines.line_differences import differing_lines
from awaken.workspace.sources import LINE_END_BYTES


def line_splices(old: bytes, new: bytes) -> Iterator[Splice]:
    """Yield what turns ``old`` into ``new``, in whole lines."""
    lines, others = lines_with_ends(old), lines_with_ends(new)
    starts = list(accumulate(map(len, lines), initial=0))
    for before, after in differing_lines(lines, others):
        text = b"".join(others[after.start : after.end])
        yield Splice(starts[before.start], starts[before.end], text)


def lines_with_ends(text: bytes) -> list[bytes]:
    """Return the lines of ``text``; of an empty one an empty line."""
    ends = [match.end() for match in LINE_END_BYTES.finditer(text)]
    if not ends or ends[-1] != len(text):
        ends.append(len(text))
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def replaced_lines(source: bytes, span: Span, text: bytes) -> tuple[Splice, ...]:
    """Return splices of ``source`` that write ``text`` for ``span``, as small as lines allow.

    The way back from a place then leads to its own line. What is only new at an edge of ``span``
    would seem to stand beside it, so then it is one splice.
    """
    whole = (Splice(span.start, span.end, text),)
    splices = [
        Splice(span.start + line_splice.start, span.start + line_splice.end, line_splice.text)
        for line_splice in line_splices(source[span.start : span.end], text)
    ]
    is_beside = any(one.start == one.end and one.start in {span.start, span.end} for one in splices)
    return whole if is_beside else tuple(splices)
