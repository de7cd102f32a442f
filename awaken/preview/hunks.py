"""Which lines differ: the one comparison behind the patch and the terminal's diff."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

CONTEXT = 3


class Block(Struct, frozen=True):
    """Lines ``start`` to ``stop`` before (0-based, half open) that became ``new_start`` to
    ``new_stop``; ``equal`` for lines of context."""

    equal: bool
    start: int
    stop: int
    new_start: int
    new_stop: int


Hunk = tuple[Block, ...]


def hunks(before: Sequence[Hashable], after: Sequence[Hashable]) -> list[Hunk]:
    """Return the differing stretches of two sequences of lines, each with its context.

    Lines that both share at the start and at the end are left out of the comparison, for it is
    quadratic where a file repeats itself.
    """
    if before == after:
        return []
    head = max(_shared(before, after) - CONTEXT, 0)
    limit = min(len(before), len(after)) - head
    tail = max(min(_shared(before[::-1], after[::-1]), limit) - CONTEXT, 0)
    matcher = SequenceMatcher(
        None, before[head : len(before) - tail], after[head : len(after) - tail]
    )
    return [
        tuple(
            Block(tag == "equal", start + head, stop + head, new_start + head, new_stop + head)
            for tag, start, stop, new_start, new_stop in group
        )
        for group in matcher.get_grouped_opcodes(CONTEXT)
    ]


def _shared(before: Sequence[Hashable], after: Sequence[Hashable]) -> int:
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return index
    return min(len(before), len(after))
