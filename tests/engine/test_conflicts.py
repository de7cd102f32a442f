"""The largest set of changes that holds together: guilty ones go, with their dependants."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from awaken.contract import Change, ChangeId, Level, NeedImport, Place, Problem, SiteId, Span
from awaken.engine.planning.conflicts import resolve_conflicts, with_dependants
from awaken.workspace.sources import Snapshot, SourceFile

SNAPSHOT = Snapshot({"a.py": SourceFile("a.py", b"one\ntwo\nthree\n")})
HERE = Place("a.py", Span(4, 7))


def change(name: str, *requires: str) -> Change:
    return Change(
        id=ChangeId(name),
        rule="r",
        title=name,
        level=Level.SAFE,
        sites=(SiteId(name),),
        edits=(),
        requires=tuple(ChangeId(other) for other in requires),
    )


def settle_with(changes, is_bad, *, named=True):
    """Settle where a "result" is just the names made, and ``is_bad(names)`` gives the guilty."""

    def apply_in_memory(_snapshot, active):
        return frozenset(c.id for c in active)

    def find_problems(result, _active):
        bad = is_bad(result)
        if not bad:
            return []
        return [Problem(HERE, "it broke", tuple(sorted(bad)) if named else ())]

    return resolve_conflicts(SNAPSHOT, changes, apply_in_memory, find_problems)


def test_all_changes_stay_where_nothing_is_wrong():
    resolution = settle_with([change("x"), change("y")], lambda _names: set())

    assert [c.id for c in resolution.changes] == ["x", "y"]
    assert resolution.rejected == {}
    assert resolution.diagnostics == ()


def test_only_the_guilty_change_goes():
    resolution = settle_with([change("x"), change("y")], lambda names: names & {"x"})

    assert [c.id for c in resolution.changes] == ["y"]
    assert resolution.result == {"y"}
    assert resolution.rejected["x"].code == "engine/rolled-back"
    assert "it broke" in resolution.rejected["x"].message


def test_dependants_go_with_what_they_require():
    changes = [change("x"), change("y", "x"), change("z", "y"), change("other")]

    resolution = settle_with(changes, lambda names: names & {"x"})

    assert [c.id for c in resolution.changes] == ["other"]
    assert resolution.rejected["z"].code == "engine/requires-refused"


def test_a_diagnostic_names_file_and_line():
    resolution = settle_with([change("x")], lambda names: names & {"x"})

    assert [(d.path, d.line) for d in resolution.diagnostics] == [("a.py", 2)]


def test_an_unnamed_problem_is_found_by_halving():
    changes = [change(name) for name in "abcdefg"]

    resolution = settle_with(changes, lambda names: names & {"e"}, named=False)

    assert [c.id for c in resolution.changes] == list("abcdfg")


def test_two_that_only_fail_together_lose_one():
    changes = [change(name) for name in "abcd"]

    resolution = settle_with(
        changes, lambda names: names if {"b", "c"} <= names else set(), named=False
    )

    assert len(resolution.changes) == 3
    assert not {"b", "c"} <= {c.id for c in resolution.changes}


@given(
    st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1),
    st.sets(st.sampled_from("abcdefgh")),
    st.booleans(),
)
def test_what_stays_holds_together(names, bad, named):
    resolution = settle_with([change(name) for name in names], lambda made: made & bad, named=named)

    assert {c.id for c in resolution.changes} == set(names) - bad
    assert {c.id for c in resolution.changes} | set(resolution.rejected) == set(names)


def test_requirements_are_followed_over_cycles():
    changes = [change("x", "z"), change("y", "x"), change("z", "y"), change("w")]

    assert with_dependants({ChangeId("y")}, changes) == {"x", "y", "z"}


def test_what_touches_another_file_is_not_tried_for_a_problem_that_names_no_change():
    def in_file(path, name):
        edit = NeedImport(path=path, module="m", name=name, alias=None, site=SiteId(name))
        return msgspec.structs.replace(change(name), edits=(edit,))

    others = [in_file("b.py", f"other{number}") for number in range(40)]
    near = [in_file("a.py", f"near{number}") for number in range(4)]
    tried = []

    def apply_in_memory(_snapshot, active):
        tried.append({one.id for one in active})
        return tried[-1]

    def find_problems(result, _active):
        return [Problem(HERE, "it broke", ())] if "near2" in result else []

    resolution = resolve_conflicts(SNAPSHOT, [*others, *near], apply_in_memory, find_problems)

    assert set(resolution.rejected) == {"near2"}
    assert all(one <= {each.id for each in near} for one in tried[1:-1])
