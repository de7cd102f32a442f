from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.verifying.blame import guilty, suspects
from awaken.verifying.suites import ObservedTest


def failing(needed):
    """Return whether tests fail without some changes, and the list of what was tried."""
    tried = []

    def fails(left_out):
        tried.append(left_out)
        return not needed <= left_out

    return fails, tried


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_one_guilty_change_among_many_is_found_by_halves(case):
    number, at = case
    changes = [str(one) for one in range(number)]
    fails, tried = failing({changes[at]})

    assert guilty(changes, [], fails) == {changes[at]}
    assert len(tried) <= 2 * math.log2(number) + 2


@given(st.sets(st.integers(0, 19), min_size=1, max_size=4))
def test_changes_that_must_all_be_left_out_are_named(needed):
    changes = [str(one) for one in range(20)]
    fails, _ = failing({str(one) for one in needed})

    assert guilty(changes, [], fails) == {str(one) for one in needed}


def test_a_line_that_points_at_the_change_saves_the_search():
    changes = [str(one) for one in range(50)]
    fails, tried = failing({"17"})

    assert guilty(changes, ["3", "17"], fails) == {"17"}
    assert len(tried) == 2


def test_tests_that_fail_without_all_changes_have_no_guilty_one():
    assert guilty(["a", "b"], [], lambda _left_out: True) == frozenset()


@pytest.mark.parametrize(("line", "expected"), [(2, ["b"]), (1, ["a"]), (9, [])])
def test_the_innermost_line_of_a_change_is_suspected_first(line, expected):
    lines = {("m.py", 1): frozenset({"a"}), ("m.py", 2): frozenset({"b"})}
    test = ObservedTest("t", "failed", "ValueError", (("m.py", 9), ("m.py", line)))

    assert suspects([test], lines) == expected
