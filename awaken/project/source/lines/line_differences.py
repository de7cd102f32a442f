"""The lines that differ between two texts, found in a time that hardly grows with their square."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from awaken.project.source.lines.statement_lines import Lines

_MOST_LINES = 1_000
"""Lines between two that stand once on both sides: difflib takes the square of them, and more where
they repeat. More become one difference."""


def differing_lines(
    old: Sequence[bytes],
    new: Sequence[bytes],
    may_stay: Callable[[int, bytes], bool] = lambda _place, _line: True,
) -> Iterator[tuple[Lines, Lines]]:
    """Yield the lines that differ, of the old text and of the new one, in order.

    Lines that are once on both sides are found first, of those of the old text that ``may_stay``.
    difflib compares the lines between them.
    """
    anchors = [(-1, -1), *_anchors(old, new, may_stay), (len(old), len(new))]
    for (before, new_before), (behind, new_behind) in pairwise(anchors):
        first, end = before + 1, behind
        others_first, others_end = new_before + 1, new_behind
        while first < end and others_first < others_end and old[first] == new[others_first]:
            first, others_first = first + 1, others_first + 1
        while first < end and others_first < others_end and old[end - 1] == new[others_end - 1]:
            end, others_end = end - 1, others_end - 1
        lines, others = Lines(first, end), Lines(others_first, others_end)
        middle = old[first:end], new[others_first:others_end]
        if max(map(len, middle)) > _MOST_LINES:
            yield lines, others
            continue
        for tag, start, end, new_start, new_end in SequenceMatcher(
            None, *middle, autojunk=False
        ).get_opcodes():
            if tag != "equal":
                yield (
                    Lines(lines.start + start, lines.start + end),
                    Lines(others.start + new_start, others.start + new_end),
                )


def _anchors(
    old: Sequence[bytes], new: Sequence[bytes], may_stay: Callable[[int, bytes], bool]
) -> Iterator[tuple[int, int]]:
    """Yield the places of the longest row of lines that are in both texts once, in one order."""
    once = {line for line, count in Counter(new).items() if count == 1}
    once &= {line for line, count in Counter(old).items() if count == 1}
    places = {line: place for place, line in enumerate(new) if line in once}
    stay = ((at, line) for at, line in enumerate(old) if line in once and may_stay(at, line))
    pairs = [(at, places[line]) for at, line in stay]
    # The longest increasing row: for each length the pair that ends it lowest, and the one before.
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [number]
    row: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        row.append(pairs[at])
        at = previous[at]
    yield from reversed(row)
