"""Random applications that write objects and then use them do the same before and after."""

from __future__ import annotations

from functools import partial

import pytest
from compared_applications import compared
from random_objects import application

MENDED = (13, 111, 126, 237, 265, 277, 299, 303, 335, 343)
MENDED_WIDE = (26, 28, 69, 115, 127, 211, 250, 285, 301, 345)
"""Those that differed, one or two of each class: `benchmarks/third_attack/objects.md`."""
SEEDS = [
    (range(14, 24), False),
    (MENDED[::3], False),
    (MENDED_WIDE[::3], True),
    *(
        pytest.param(*one, marks=pytest.mark.slow)
        for one in (
            (range(24, 90), False),
            (range(90, 102), False),
            (MENDED, False),
            (MENDED_WIDE, True),
        )
    ),
]


@pytest.mark.parametrize(
    ("seeds", "is_wide"),
    SEEDS,
    ids=["quick", "mended", "wide", "more", "most", "all-mended", "all-wide"],
)
@pytest.mark.sampled(4)
def test_objects_are_as_they_were(seeds, is_wide):
    outcomes = dict(compared(seeds, partial(application, wide=is_wide)))

    assert [seed for seed, one in outcomes.items() if one.refused] == []
    different = {seed: one.differences for seed, one in outcomes.items() if not one.announced}
    assert {seed: one for seed, one in different.items() if one} == {}
