"""Byte splices, and the way back from a place in the new text to its place in the old one."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from msgspec import Struct

from awaken.contract import Span
from awaken.project.source.lines.statement_lines import differing_lines
from awaken.workspace.sources import LINE_END_BYTES


class Splice(Struct, frozen=True, order=True):
    """Replace the bytes ``start`` to ``end`` of a text by ``text``; an empty span inserts."""

    start: int
    end: int
    text: bytes


def clashes(one: Splice, other: Splice) -> bool:
    """Whether two splices cannot both be made: they share bytes, or insert at one place.

    Equal splices do not clash: they are one.
    """
    if one == other:
        return False
    same_place = one.start == one.end == other.start == other.end
    return same_place or (one.start < other.end and other.start < one.end)


class OverlappingSplices(ValueError):
    """Two splices of one text share bytes: a mistake of the caller."""


class SpanMap:
    """Leads spans of a new text back to the old one, over any number of rounds of splices.

    A place inside a replacement maps to the whole replaced region; everything else maps to the
    very bytes it was copied from.
    """

    def __init__(self, rounds: Iterable[Sequence[Splice]] = ()) -> None:
        self._rounds = tuple(_Round(splices) for splices in rounds if splices)

    @classmethod
    def of_rounds(cls, rounds: Iterable[Sequence[tuple[int, int, int]]]) -> SpanMap:
        """Return the map of which these are the ``rounds``."""
        return cls(
            [Splice(start, end, bytes(size)) for start, end, size in step] for step in rounds
        )

    def rounds(self) -> tuple[tuple[tuple[int, int, int], ...], ...]:
        """Return for each replacement of every round where it begins and ends in the text before.

        The third number is the length of its new text.
        """
        return tuple(
            tuple(
                (old.start, old.end, new.end - new.start)
                for old, new in zip(step.old, step.new, strict=True)
            )
            for step in self._rounds
        )

    def __bool__(self) -> bool:
        return bool(self._rounds)

    def new_regions(self) -> list[Span]:
        """Return the places of the replacements of every round in the newest text."""
        spans: list[Span] = []
        for step in self._rounds:
            spans = [step.to_after(region) for region in spans] + step.new
        return sorted(spans)

    def then(self, later: SpanMap) -> SpanMap:
        """Return the map over this one's rounds and those of ``later``, which came after."""
        both = SpanMap()
        both._rounds = self._rounds + later._rounds
        return both

    def to_before(self, span: Span) -> Span:
        """Return the place of ``span`` of the newest text in the oldest."""
        for step in reversed(self._rounds):
            span = step.to_before(span)
        return span

    def to_after(self, span: Span) -> Span:
        """Return the place of ``span`` of the oldest text in the newest.

        A span inside a replaced region maps to the whole replacement.
        """
        for step in self._rounds:
            span = step.to_after(span)
        return span


class _Round:
    """One round of splices: parallel lists of the regions in the old and in the new text."""

    def __init__(self, splices: Sequence[Splice]) -> None:
        self.old: list[Span] = []
        self.new: list[Span] = []
        shift = 0
        for splice in splices:
            start = splice.start + shift
            shift += len(splice.text) - (splice.end - splice.start)
            self.old.append(Span(splice.start, splice.end))
            self.new.append(Span(start, splice.end + shift))

    def to_before(self, span: Span) -> Span:
        return _span_across(span, self.new, self.old)

    def to_after(self, span: Span) -> Span:
        return _span_across(span, self.old, self.new)


def _span_across(span: Span, here: list[Span], there: list[Span]) -> Span:
    start = _start_across(span.start, here, there)
    end = _end_across(span.end, here, there)
    # An empty span on a region that is empty here covers the whole region there.
    return Span(min(start, end), max(start, end))


def _start_across(at: int, here: list[Span], there: list[Span]) -> int:
    """Map a position that belongs to the byte after it."""
    index = bisect.bisect_right(here, at, key=lambda region: region.start) - 1
    if index < 0:
        return at
    if at < here[index].end:  # inside a region nothing is known but its edges
        return there[index].start
    return at - here[index].end + there[index].end


def _end_across(at: int, here: list[Span], there: list[Span]) -> int:
    """Map a position that belongs to the byte before it."""
    index = bisect.bisect_left(here, at, key=lambda region: region.end)
    if index < len(here) and here[index].start < at:
        return there[index].end
    if index == 0:
        return at
    return at - here[index - 1].end + there[index - 1].end


def splice(text: bytes, splices: Iterable[Splice]) -> tuple[bytes, SpanMap]:
    """Return ``text`` with every splice made, and the map back.

    Splices may come in any order; several insertions at one place keep their order, and come
    before a replacement that starts there. Raises OverlappingSplices.
    """
    # Stable: insertions at one place keep their order; they end before a replacement from there.
    ordered = sorted(splices, key=lambda entry: (entry.start, entry.end))
    pieces: list[bytes] = []
    done = 0
    for item in ordered:
        if item.start < done:
            raise OverlappingSplices(f"bytes {item.start} to {done} are replaced twice")
        pieces += (text[done : item.start], item.text)
        done = item.end
    pieces.append(text[done:])
    return b"".join(pieces), SpanMap([ordered])


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
