"""The end of a property that ``encapsulate`` makes.

Bowler ends it with a line of blanks, and swaps its end with that of the block before it. Today's
fissix keeps the ends of blocks elsewhere, so the property or the statement after the class lands in
another block.
"""

from __future__ import annotations

from typing import Any

from bowler.helpers import find_last
from fissix.pytree import Leaf


def end_of_block_before(getter: Any, kind: int, recursive: bool = False) -> Leaf | None:
    """Return the end of the block that a property follows, None if it follows none.

    Replaces Bowler's ``find_previous``, which is used for that alone.
    """
    setter = getter.next_sibling
    end = find_last(setter, kind, recursive)
    leaves = list(getter.prev_sibling.leaves()) if getter.prev_sibling is not None else []
    before = leaves[-1] if leaves and leaves[-1].type == kind else None
    if before is not None:
        end.prefix, end.value = "\n", ""
    elif not _blank_follows(setter):
        end.value = ""
    return before


def _blank_follows(setter: Any) -> bool:
    """Whether a blank line, or nothing, follows a property."""
    node = setter
    while node.parent is not None:
        if node.next_sibling is not None:
            node = node.next_sibling
            if str(node):
                return str(node).startswith("\n")
        else:
            node = node.parent
    return True
