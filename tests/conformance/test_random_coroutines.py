"""gather-to-taskgroup on random trees of coroutines that return, raise, wait and are cancelled.

Where nothing fails, both sides do the same; else they differ as the message says: a failure cancels
what runs beside it.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_coroutines import program
from test_gathers import made_of

from awaken.contract import Level
from awaken.testing.concurrency.compared_coroutines import differences, observe_here, without_stops

EXAMPLES = 30 if os.environ.get("AWAKEN_HYPOTHESIS") == "long" else 3


@pytest.mark.parametrize("quiet", [True, False])
@settings(max_examples=EXAMPLES, phases=[Phase.generate])  # a seed is not made simpler
@given(seed=st.integers(0, 10**6))
@pytest.mark.sampled(2)
def test_trees_do_as_the_level_says(quiet, seed):
    result = made_of(program(seed, 3, quiet=quiet))
    assert {one.level for one in result.findings} == {Level.UNSAFE}
    before = observe_here(result.case, result.case.before, eager=False)
    after = observe_here(result.case, result.files, eager=False)
    assert before.keys() == after.keys()
    for name in before:
        sides = before[name], after[name]
        old, new = map(without_stops, sides) if quiet else sides
        assert old.keys() == new.keys()
        assert not differences(old, new, cancels=not quiet)
