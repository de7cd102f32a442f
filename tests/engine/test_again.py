"""Sites that were decided before the last phase are known again after it, each once."""

from __future__ import annotations

import pytest
from phase_cases import MANUAL, SAFE, Words, run, text

from awaken.contract import Finding, Level, Place, SiteId, Span
from awaken.engine.edits.splices import Splice, splice
from awaken.engine.planning.checks import rewritten_places, seen_before, standing


def finding(start, end, site="site", rule="one"):
    return Finding(
        site=SiteId(site),
        rule=rule,
        level=Level.ADVICE,
        place=Place("a.py", Span(start, end)),
        scope="",
        message="",
    )


def map_of(*splices):
    return {"a.py": splice(b"." * 40, [Splice(*one) for one in splices])[1]}


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((0, 5), (0, 5)),
        ((20, 30), (23, 33)),
        ((5, 30), (5, 33)),
        ((10, 12), None),
        ((10, 14), None),
        ((12, 20), None),
    ],
    ids=["before", "behind", "around", "inside", "the very place", "across its end"],
)
def test_a_site_stands_where_its_bytes_went(span, expected):
    decided = finding(*span)
    stands = standing([decided], [map_of((10, 14, b"1234567")), {}])

    assert stands == ({} if expected is None else {decided: Place("a.py", Span(*expected))})


def test_a_site_is_followed_through_all_phases():
    decided = finding(30, 40)
    stands = standing([decided], [map_of((0, 0, b"12")), map_of((1, 2, b""), (3, 3, b"1"))])

    assert stands == {decided: Place("a.py", Span(32, 42))}


def test_rewritten_places_are_those_of_all_phases_after_the_last():
    maps = [map_of((30, 31, b"12")), {}, map_of((10, 14, b"1234567"))]

    assert rewritten_places(maps) == {Place("a.py", Span(10, 17)), Place("a.py", Span(33, 35))}


def test_what_stands_is_no_stand_in_for_what_was_nested():
    outer = finding(0, 20, "outer")
    nested = finding(5, 10, "nested")

    assert seen_before([outer], [nested], {}) == {"outer"}
    assert seen_before([outer], [nested], {nested: nested.place}) == frozenset()


def test_each_settled_site_stands_for_one():
    decided = [finding(0, 4, "was")]
    found = [finding(0, 4, "one"), finding(0, 4, "two"), finding(0, 9, "three")]

    assert seen_before(found, decided, {}) == {"one"}
    assert seen_before([finding(0, 4, "x", rule="two")], decided, {}) == frozenset()


def test_only_what_is_not_settled_needs_a_second_plan():
    asked = []

    class Asked(Words):
        def plan(self, project, constraints):
            asked.append(sorted(place.span.start for place in constraints.decided))
            return super().plan(project, constraints)

    rule = Asked("one", "a", "bee", level=lambda number: SAFE if number == 1 else MANUAL)

    assert text(run({"a.txt": "a a a"}, rule)) == "a bee a"
    assert asked == [[], [0, 6]]
