"""Hunks: the one comparison of lines, for the patch and for the terminal's diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

CONTEXT = 3
"""Unchanged lines around a change, as git shows them."""


class Block(Struct, frozen=True):
    """Lines ``start`` to ``stop`` before (0-based, half open) that became ``new_start`` to
    ``new_stop``; ``equal`` for lines of context.
    """

    equal: bool
    start: int
    stop: int
    new_start: int
    new_stop: int


_LONG = 5_000
"""Lines beyond which a file is divided first at lines that both texts have once."""

Hunk = tuple[Block, ...]


def hunks(
    before: Sequence[Hashable], after: Sequence[Hashable], context: int = CONTEXT
) -> list[Hunk]:
    """Return the differing stretches of two sequences of lines, with ``context`` lines around.

    Stretches whose contexts touch are one.

    Lines that both share at the start and at the end are left out of the comparison. That is
    faster, and one edit in a file with repeated lines stays one edit.
    """
    head = _shared_start(before, after)
    if head == len(before) == len(after):
        return []
    # After the head, so that no line counts for both.
    tail = _shared_start(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    changes = list(_changes(old, new, head))
    return [_with_context(group, len(before), context) for group in _blocks_near(changes, context)]


def _changes(before: Sequence[Hashable], after: Sequence[Hashable], head: int) -> Iterator[Block]:
    """Yield the differing stretches, ``head`` lines further down."""
    parts = [(len(before), len(after))]
    if len(before) > _LONG:  # the comparison takes the square of the length
        parts = [*_shared_once(before, after), *parts]
    start = new_start = 0
    for stop, new_stop in parts:
        matcher = SequenceMatcher(None, before[start:stop], after[new_start:new_stop])
        for tag, first, last, new_first, new_last in matcher.get_opcodes():
            if tag != "equal":
                yield Block(
                    equal=False,
                    start=head + start + first,
                    stop=head + start + last,
                    new_start=head + new_start + new_first,
                    new_stop=head + new_start + new_last,
                )
        start, new_start = stop, new_stop


def _shared_once(
    before: Sequence[Hashable], after: Sequence[Hashable]
) -> Iterator[tuple[int, int]]:
    """Yield the places of lines that both have once, as far as their order is the same."""
    counts, new_counts = Counter(before), Counter(after)
    places = {line: at for at, line in enumerate(after) if new_counts[line] == 1}
    reached = -1
    for at, line in enumerate(before):
        if counts[line] == 1 and places.get(line, -1) > reached:
            reached = places[line]
            yield at, reached


def _blocks_near(changes: list[Block], context: int) -> list[list[Block]]:
    """Join the changes whose contexts touch."""
    groups: list[list[Block]] = []
    for change in changes:
        # Twice: the context after one hunk touches that before the next.
        if groups and change.start - groups[-1][-1].stop <= 2 * context:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _with_context(changes: list[Block], lines: int, context: int) -> Hunk:
    blocks = [_same(changes[0], -min(context, changes[0].start))]
    for change, following in zip(changes, [*changes[1:], None], strict=True):
        after = context if following is None else following.start - change.stop
        # The end of the file may be nearer than the context.
        blocks += [change, _same(change, min(after, lines - change.stop))]
    return tuple(block for block in blocks if block.start < block.stop or not block.equal)


def _same(change: Block, count: int) -> Block:
    """Return the ``count`` equal lines after ``change``, or before it if that is negative."""
    if count < 0:
        old, new = change.start + count, change.new_start + count
        return Block(
            equal=True, start=old, stop=change.start, new_start=new, new_stop=change.new_start
        )
    old, new = change.stop, change.new_stop
    return Block(equal=True, start=old, stop=old + count, new_start=new, new_stop=new + count)


def _shared_start(before: Sequence[Hashable], after: Sequence[Hashable]) -> int:
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return index
    return min(len(before), len(after))
