from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken import api
from awaken.contract import Span
from awaken.settings import Settings
from awaken.verifying.blame import ChangedLines, Trial, _new_lines, guilty, suspects
from awaken.verifying.sufficient_runs import Difference, Sql
from awaken.verifying.suites import ObservedTest, Statement


def failing(*causes):
    """Return a trial that fails where all of one of ``causes`` are made, and what was tried."""
    tried = []

    def attempt(made):
        tried.append(made)
        return Trial(any(cause <= made for cause in causes))

    return attempt, tried


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_one_guilty_change_among_many_is_found_by_halves(case):
    number, at = case
    attempt, tried = failing({at})

    assert guilty(range(number), [], attempt) == {at}
    assert len(tried) <= math.log2(number) + 2


@given(st.sets(st.integers(0, 49), min_size=2, max_size=3))
def test_changes_that_fail_only_together_are_all_named(needed):
    attempt, _ = failing(needed)

    assert guilty(range(50), [], attempt) == needed


@pytest.mark.parametrize("first", [[17], [17, 3], [3, 17], [17, 3, 4]])
def test_a_line_that_points_at_the_change_saves_the_search(first):
    attempt, tried = failing({17})

    assert guilty(range(50), first, attempt) == {17}
    assert len(tried) <= 3


def test_two_changes_that_lines_point_at_are_both_named():
    attempt, tried = failing({3, 17})

    assert guilty(range(50), [17, 3], attempt) == {3, 17}
    assert len(tried) <= 3


@given(st.integers(0, 39), st.data())
def test_a_change_is_tried_with_those_that_it_requires(at, data):
    requires = {one: data.draw(st.sets(st.integers(one + 1, 39), max_size=2)) for one in range(39)}
    attempt, tried = failing({at})

    assert guilty(range(40), [], attempt, requires) == {at}
    assert all(set(requires.get(one, ())) <= made for made in tried for one in made)


def test_a_change_that_cannot_be_made_without_another_is_not_taken_for_it():
    def attempt(made):
        dropped = {7} - ({30} & made and {7})
        is_made = 7 in made and not dropped
        return Trial(is_made, frozenset(dropped & made))

    assert guilty(range(40), [], attempt) == {7}


@pytest.mark.parametrize(("line", "expected"), [(2, ["b"]), (1, ["a"]), (9, [])])
def test_the_innermost_line_of_a_change_is_suspected_first(line, expected):
    lines = {("m.py", 1): frozenset({"a"}), ("m.py", 2): frozenset({"b"})}
    test = ObservedTest("t", "failed", "ValueError", (("m.py", 9), ("m.py", line)))

    assert suspects([Difference(ObservedTest("t", "passed"), test)], lines) == expected


def test_statements_of_their_own_point_at_a_change():
    lines = {("m.py", 1): frozenset({"a"}), ("m.py", 2): frozenset({"b"})}
    same, other = Statement("SELECT 1", (("m.py", 1),)), Statement("SELECT 2", (("m.py", 2),))
    before = ObservedTest("t", "passed", statements=(same,))
    after = ObservedTest("t", "passed", statements=(same, other))

    assert suspects([Difference(before, after, Sql.MORE)], lines) == ["b"]


BEFORE = b"""\
def first(db):
    return (
        db.query(A)
        .first()
    )


def second(db):
    return db.query(B).all()
"""
AFTER = b"""\
def first(db):
    return db.scalars(
        select(A)
    ).first()


def second(db):
    return list(
        db.scalars(select(B)).all()
    )
"""


def test_a_bracket_that_a_change_wrote_is_no_line_that_was_there():
    own = [
        (number, Span(BEFORE.index(text), BEFORE.index(text) + len(text)))
        for number, text in ((2, b"db.query(A)\n        .first()"), (8, b"db.query(B).all()"))
    ]

    lines = list(_new_lines(BEFORE, AFTER, own))

    assert lines == [((1, 5), (1, 4)), ((8, 9), (7, 10))]


def functions_of(text):
    """Return the name of the function that each line is of."""
    name, names = "", [""]
    for line in text.decode().splitlines():
        name = line.strip().partition("(")[0] if line.strip().startswith("def ") else name
        names.append(name)
    return names


@pytest.mark.slow
def test_a_line_is_of_the_change_that_wrote_it_among_similar_lines():
    settings = Settings(select=("query-to-select",))
    folder = Path(__file__).parents[2] / "examples/bookshop/bookshop/repositories"
    [root] = api.run([folder], api.Options(settings=settings, use_cache=False)).roots
    files = {file.path: file for file in root.files}

    lines = ChangedLines(root, "")

    for one in root.edited:
        if one.name:
            continue
        file = files[one.place.path]
        number = file.before.text.count(b"\n", 0, one.place.span.start) + 1
        function = functions_of(file.before.text)[number]
        names = functions_of(file.after.text)
        written = {names[at] for path, at in lines.lines_of(one.change) if path == file.path}
        assert written == {function}
