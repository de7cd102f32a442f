"""Random applications that write objects and then use them do the same before and after."""

from __future__ import annotations

import pytest
from compared_applications import compared

QUICK, SLOW, TOGETHER = 30, 300, 30


def _parts():
    for start in range(0, SLOW, TOGETHER):
        marks = () if start < QUICK else pytest.mark.slow
        yield pytest.param(range(start, start + TOGETHER), id=f"from {start}", marks=marks)


@pytest.mark.parametrize("seeds", _parts())
def test_objects_are_as_they_were(seeds):
    outcomes = dict(compared(seeds))

    assert [seed for seed, one in outcomes.items() if one.refused] == []
    assert {seed: one.differences for seed, one in outcomes.items() if one.differences} == {}
