"""Random applications that write objects and then use them do the same before and after."""

from __future__ import annotations

import pytest
from compared_applications import compared

SEEDS = [
    range(14, 39),
    *(pytest.param(one, marks=pytest.mark.slow) for one in (range(39, 69), range(73, 102))),
]
"""Those of applications that come to the same; `benchmarks/third_attack/objects.md` has others."""


@pytest.mark.parametrize("seeds", SEEDS, ids=["quick", "more", "most"])
def test_objects_are_as_they_were(seeds):
    outcomes = dict(compared(seeds))

    assert [seed for seed, one in outcomes.items() if one.refused] == []
    different = {seed: one.differences for seed, one in outcomes.items() if not one.announced}
    assert {seed: one for seed, one in different.items() if one} == {}
