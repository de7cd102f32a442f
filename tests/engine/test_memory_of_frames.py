"""The frames of deep calls: in one piece of memory, which is not mapped again and again."""

from __future__ import annotations

import resource

from awaken.engine.machine.memory import with_room
from awaken.workspace.parsing import deep_recursion

LEVELS = 3_000  # CPython's pieces of 16 KB hold some 200


def called(levels: int) -> None:
    """Call itself: these frames are larger than what the last level may have left of a piece."""
    if levels:
        called(levels - 1)


def descend(levels: int) -> int:
    """Call something on each of some levels; return how many there are."""
    for _ in range(100):
        called(5)
    return 1 + descend(levels - 1) if levels else 0


def faults(function) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    with deep_recursion():
        assert function(LEVELS) == LEVELS
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_calls_at_any_depth_map_no_memory_again():
    assert faults(with_room(descend)) < faults(descend) / 4


def test_the_function_keeps_its_name_arguments_and_errors():
    roomy = with_room(descend)

    assert roomy.__name__ == "descend"
    assert roomy(levels=2) == 2
