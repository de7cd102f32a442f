"""Random applications that write objects and then use them do the same before and after."""

from __future__ import annotations

from functools import partial

import pytest
from compared_applications import compared
from random_flows import answered, flows
from random_objects import application, surveyed
from random_repositories import repositories

MENDED = (13, 111, 126, 237, 265, 277, 299, 303, 335, 343)
MENDED_WIDE = (26, 28, 69, 115, 127, 211, 250, 285, 301, 345)
"""Those that differed, one or two of each class: `benchmarks/third_attack/objects.md`."""
MENDED_FLOWS = (0, 4, 10, 11, 15, 19, 27, 31)
MENDED_ANSWERED = (24, 25, 27)
MENDED_REPOSITORIES = (33, 40, 55, 75)
WIDE = partial(application, wide=True)
SEEDS = [
    (range(14, 24), application),
    (MENDED[::3], application),
    (MENDED_WIDE[::3], WIDE),
    (range(200, 206), surveyed),
    (range(5, 11), flows),
    (MENDED_ANSWERED, answered),
    (MENDED_REPOSITORIES, repositories),
    *(
        pytest.param(*one, marks=pytest.mark.slow)
        for one in (
            (range(24, 90), application),
            (range(90, 102), application),
            (MENDED, application),
            (MENDED_WIDE, WIDE),
            (MENDED_FLOWS, flows),
            (range(30, 60), answered),
            (range(30), repositories),
        )
    ),
]


@pytest.mark.parametrize(
    ("seeds", "make"),
    SEEDS,
    ids=[
        *("quick", "mended", "wide", "surveyed", "flows", "answered", "repositories"),
        *("more", "most", "all-mended", "all-wide", "all-flows", "all-answered"),
        "all-repositories",
    ],
)
@pytest.mark.sampled(4)
def test_objects_are_as_they_were(seeds, make):
    outcomes = dict(compared(seeds, make))

    assert [seed for seed, one in outcomes.items() if one.refused] == []
    different = {seed: one.differences for seed, one in outcomes.items() if not one.announced}
    assert {seed: one for seed, one in different.items() if one} == {}
