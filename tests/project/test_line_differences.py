"""Lines that differ: what is between them is the same, and a long file takes no square of them."""

from __future__ import annotations

import random

import pytest

from awaken.project.source.lines.statement_lines import differing_lines


def rebuilt(old, new):
    """Return the new lines, made of the old ones and the differences."""
    found, at = [], 0
    for lines, others in differing_lines(old, new):
        assert at <= lines.start
        assert lines.end > lines.start or others.end > others.start
        found += old[at : lines.start] + new[others.start : others.end]
        at = lines.end
    return found + old[at:]


@pytest.mark.parametrize("seed", range(40))
def test_differences_lead_from_one_to_the_other(seed):
    chance = random.Random(seed)
    kinds = [b"%d\n" % number for number in range(chance.choice([2, 10, 100]))]
    old = [chance.choice(kinds) for _ in range(chance.randrange(60))]
    new = list(old)
    for _ in range(chance.randrange(12)):
        at = chance.randrange(len(new) + 1)
        new[at : at + chance.randrange(3)] = chance.choices(kinds, k=chance.randrange(3))

    assert rebuilt(old, new) == new


def test_what_is_there_once_holds_the_rest_in_its_place():
    old = [b"a\n", b"\n", b"b\n", b"\n", b"c\n"]

    found = list(differing_lines(old, [b"a\n", b"x\n", b"b\n", b"c\n"]))

    assert found == [((1, 2), (1, 2)), ((3, 4), (3, 3))]


def test_many_lines_that_stand_nowhere_once_are_one_difference():
    old = [b"a\n", b"b\n"] * 2_000

    (one,) = differing_lines(old, [b"b\n", b"c\n"] * 2_000)

    assert one == ((0, 4_000), (0, 4_000))
