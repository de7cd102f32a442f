"""The lines that differ between two texts, as splices."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import accumulate

from awaken.contract import Span
from awaken.engine.edits.splices import Splice
from awaken.project.source.line_differences import differing_lines
from awaken.workspace.sources import LINE_END_BYTES


def line_splices(old: bytes, new: bytes) -> Iterator[Splice]:
    """Yield what turns ``old`` into ``new``, in whole lines."""
    lines, others = lines_with_ends(old), lines_with_ends(new)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(None, lines, others, autojunk=False)
    for tag, first, last, from_line, to_line in matcher.get_opcodes():
        if tag != "equal":
            yield Splice(starts[first], starts[last], b"".join(others[from_line:to_line]))


def lines_with_ends(text: bytes) -> list[bytes]:
    """Return the lines of ``text``; of an empty one an empty line."""
    ends = [found.end() for found in LINE_END_BYTES.finditer(text)]
    if not ends or ends[-1] != len(text):
        ends.append(len(text))
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def replaced_lines(source: bytes, span: Span, text: bytes) -> tuple[Splice, ...]:
    """Return splices of ``source`` that write ``text`` for ``span``, as small as lines allow.

    The way back from a place then leads to its own line. What is only new at an edge of ``span``
    would seem to stand beside it, so then it is one splice.
    """
    whole = (Splice(span.start, span.end, text),)
    old, new = lines_with_ends(source[span.start : span.end]), lines_with_ends(text)
    starts = list(accumulate(map(len, old), initial=span.start))
    found = [
        Splice(starts[lines.start], starts[lines.end], b"".join(new[others.start : others.end]))
        for lines, others in differing_lines(old, new)
    ]
    is_beside = any(one.start == one.end and one.start in {span.start, span.end} for one in found)
    return whole if is_beside else tuple(found)
