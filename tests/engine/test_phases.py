"""The phases with rules that replace words: what is planned, refused, rolled back and shown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from phase_cases import (
    ADVICE,
    MANUAL,
    ONE,
    SAFE,
    UNSAFE,
    Planned,
    Words,
    levels,
    made,
    reasons,
    run,
    text,
)

from awaken.contract import ChangeId, Constraints, Phase, Place, Problem, SiteId, Span


@pytest.mark.parametrize(
    "error",
    [
        ValueError("why"),
        KeyError("k"),
        RecursionError(),
        MemoryError(),
        OSError(2, "gone", "a.txt"),
    ],
    ids=repr,
)
def test_a_rule_that_raises_costs_one_line_and_its_own_changes(error):
    outcome = run({"a.txt": "a x"}, Planned("one", error), Words("two", "x", "y"))

    assert text(outcome) == "a y"
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.message.startswith(f"internal error in one: {type(error).__name__}")


def test_the_message_of_an_error_is_one_line():
    outcome = run({"a.txt": "a"}, Planned("one", ValueError("first\n  second\r\nthird")))

    assert "ValueError: first second third; its" in outcome.diagnostics[0].message


def test_every_phase_goes_on_after_a_rule_that_raises():
    outcome = run(
        {"a.txt": "a x"},
        Planned("one", ValueError()),
        Words("two", "x", "y"),
        Words("three", "y", "z", phase=Phase.TIDY),
    )

    assert text(outcome) == "a z"
    assert len(outcome.diagnostics) == 1


# ---------------------------------------------------------------------------- what is admitted
def test_safe_changes_are_made_and_unsafe_ones_wait():
    files = {"a.txt": "a a a"}
    rule = Words("one", "a", "bee", level=[SAFE, UNSAFE, MANUAL].__getitem__)

    outcome = run(files, rule)
    admitted = run(files, rule, unsafe_at=lambda *_: True)

    assert text(outcome) == "bee a a"
    assert made(outcome) == ["one 0"]
    assert [one.id for one in outcome.pending] == ["one 1"]
    assert text(admitted) == "bee bee a"
    assert made(admitted) == ["one 0", "one 1"]
    assert admitted.pending == ()
    for one in (outcome, admitted):
        assert levels(one) == [SAFE, UNSAFE, MANUAL]
        assert one.diagnostics == ()


def test_a_safe_change_that_requires_an_unsafe_one_waits_with_it():
    rule = Words("one", "a", "bee", level=[UNSAFE, SAFE, SAFE].__getitem__, requires={1: [0]})

    outcome = run({"a.txt": "a a a"}, rule)

    assert made(outcome) == ["one 2"]
    assert [one.id for one in outcome.pending] == ["one 0", "one 1"]
    assert made(run({"a.txt": "a a a"}, rule, unsafe_at=lambda *_: True)) == [
        "one 0",
        "one 1",
        "one 2",
    ]


def test_a_site_that_is_left_out_stays_with_its_whole_change():
    outcome = run(
        {"a.txt": "a a", "b.txt": "x x"},
        Words("one", "a", "bee"),
        Words("two", "x", "y", together=True),
        constraints=Constraints(frozenset({SiteId("one site 1"), SiteId("two site 0")})),
    )

    assert (text(outcome), text(outcome, "b.txt")) == ("bee a", "x x")
    assert levels(outcome) == [SAFE] * 4
    assert (outcome.pending, outcome.diagnostics) == ((), ())


def test_an_unsafe_site_that_is_left_out_does_not_wait():
    constraints = Constraints(frozenset({SiteId("one site 0")}))

    outcome = run({"a.txt": "a a"}, Words("one", "a", "bee", level=UNSAFE), constraints=constraints)

    assert [one.id for one in outcome.pending] == ["one 1"]


def test_what_requires_a_site_that_is_left_out_is_not_made():
    outcome = run(
        {"a.txt": "a a a a"},
        Words("one", "a", "bee", requires={1: [0], 2: [1]}),
        constraints=Constraints(frozenset({SiteId("one site 0")})),
    )

    assert text(outcome) == "a a a bee"
    assert outcome.diagnostics == ()


def test_a_change_that_reaches_outside_the_write_scope_is_manual():
    outcome = run(
        {"a.txt": "a x", "b.txt": "a x"},
        Words("one", "a", "bee", together=True),
        Words("two", "x", "y"),
        may_write={"a.txt"}.__contains__,
    )

    assert (text(outcome), text(outcome, "b.txt")) == ("a y", "a x")
    assert levels(outcome) == [MANUAL, SAFE, MANUAL, MANUAL]
    assert reasons(outcome)[0] == "engine/outside-selected-paths"
    assert "b.txt" in outcome.findings[0].message
    assert outcome.findings[0].help.startswith("Run awaken on the whole project")
    assert [one.change for one in outcome.findings] == [None, ChangeId("two 0"), None, None]
    assert outcome.diagnostics == ()


def test_what_requires_a_change_outside_the_write_scope_is_manual_with_its_own_reason():
    outcome = run(
        {"a.txt": "a a", "b.txt": "a"},
        Words("one", "a", "bee", requires={0: [2]}),
        may_write={"a.txt"}.__contains__,
    )

    assert text(outcome) == "a bee"
    outside = "engine/outside-selected-paths"
    assert reasons(outcome) == ["engine/requires-refused", None, outside]


def test_an_unsafe_change_outside_the_write_scope_does_not_wait():
    outcome = run({"a.txt": "a"}, Words("one", "a", "bee", level=UNSAFE), may_write=lambda _: False)

    assert (outcome.pending, levels(outcome)) == ((), [MANUAL])


def test_a_change_that_requires_one_that_is_not_planned_is_refused():
    outcome = run({"a.txt": "a a"}, Words("one", "a", "bee", requires={0: [7]}))

    assert text(outcome) == "a bee"
    assert reasons(outcome) == ["engine/requires-refused", None]


# ------------------------------------------------------------------------- checks and proofs
def finds(message, word, *, named=True):
    """Return a check that finds a problem wherever a change of the rule ``word`` was made."""

    def check(_before, _result, changes):
        guilty = tuple(one.id for one in changes if one.id == word)
        return [Problem(Place("a.txt", Span(2, 3)), message, guilty * named)] if guilty else []

    return check


@pytest.mark.parametrize("named", [True, False])
def test_a_guilty_change_is_rolled_back_and_what_requires_it(named):
    outcome = run(
        {"a.txt": "a a\na x"},
        Words("one", "a", "bee", requires={2: [1]}),
        Words("two", "x", "y"),
        check=finds("it burns", "one 1", named=named),
    )

    assert text(outcome) == "bee a\na y"
    assert levels(outcome) == [SAFE, MANUAL, MANUAL, SAFE]
    assert reasons(outcome)[1:3] == ["engine/rolled-back", "engine/requires-refused"]
    assert "it burns" in outcome.findings[1].message
    (diagnostic,) = outcome.diagnostics
    assert (diagnostic.path, diagnostic.line) == ("a.txt", 1)
    assert "it burns" in diagnostic.message
    assert outcome.touched == {"a.txt": {"one site 0", "two site 0"}}


class Proving(Words):
    """Proves as the function ``proof`` of the text and the changes says."""

    def __init__(self, *arguments, proof, **options):
        super().__init__(*arguments, **options)
        self.proof = proof

    def prove(self, after, changes):
        return self.proof(after.snapshot["a.txt"].text.decode(), [one.id for one in changes])


def test_a_proof_sees_the_result_and_the_changes_of_its_own_rule():
    seen = []
    rule = Proving("one", "a", "bee", proof=lambda *given: seen.append(given) or ())

    run({"a.txt": "a x a"}, Words("two", "x", "y"), rule)

    assert seen == [("bee y bee", ["one 0", "one 1"])]


def test_a_change_whose_proof_fails_is_rolled_back():
    def proof(_after, changes):
        place = Place("a.txt", Span(0, 1))
        return [Problem(place, "no proof", ("one 0",))] if "one 0" in changes else []

    outcome = run({"a.txt": "a a"}, Proving("one", "a", "bee", proof=proof))

    assert text(outcome) == "a bee"
    assert reasons(outcome) == ["engine/rolled-back", None]


def test_a_proof_that_raises_costs_the_changes_of_its_rule():
    def proof(*_):
        raise ZeroDivisionError("by zero")

    outcome = run({"a.txt": "a x"}, Proving("one", "a", "bee", proof=proof), Words("two", "x", "y"))

    assert text(outcome) == "a y"
    assert reasons(outcome) == ["engine/rolled-back", None]
    assert "internal error in one: ZeroDivisionError: by zero" in outcome.diagnostics[0].message


def test_nothing_is_proved_of_a_rule_that_changes_nothing_or_is_rolled_back_by_a_check():
    def proof(*_):
        raise AssertionError

    rule = Proving("one", "a", "bee", proof=proof)

    assert run({"a.txt": "x"}, rule, Words("two", "x", "y")).diagnostics == ()
    outcome = run({"a.txt": "a"}, rule, check=finds("it burns", "one 0"))
    assert [one.message.count("it burns") for one in outcome.diagnostics] == [1]


# ------------------------------------------------------------------------------ several phases
def test_rules_of_one_phase_plan_on_the_same_text_and_later_ones_on_the_result():
    outcome = run(
        {"a.txt": "a"},
        Words("one", "a", "b"),
        Words("two", "b", "c"),
        Words("three", "b", "d", phase=Phase.MODELS),
    )

    assert text(outcome) == "d"
    assert made(outcome) == ["one 0", "three 0"]
    assert [one.place.span for one in outcome.findings] == [Span(0, 1)] * 2


def test_findings_stand_where_they_stood_on_disk():
    class Linked(Words):
        def finding(self, number, place):
            chain = (Place("a.txt", Span(place.span.start - 2, place.span.start - 1), "from"),)
            return replace(super().finding(number, place), related=chain)

    outcome = run(
        {"a.txt": "x a x; b x", "b.txt": "b x"},
        Words("one", "x", "longer"),
        Words("two", "b", "", phase=Phase.MODELS),
        Linked("three", "a", "z", phase=Phase.TIDY),
        Words("four", "longer", "s", phase=Phase.TIDY),
    )

    assert (text(outcome), text(outcome, "b.txt")) == ("s z s;  s", " s")
    places = [(one.rule, one.place.path, one.place.span) for one in outcome.findings]
    assert places == [
        ("one", "a.txt", Span(0, 1)),
        ("four", "a.txt", Span(0, 1)),
        ("three", "a.txt", Span(2, 3)),
        ("one", "a.txt", Span(4, 5)),
        ("four", "a.txt", Span(4, 5)),
        ("two", "a.txt", Span(7, 8)),
        ("one", "a.txt", Span(9, 10)),
        ("four", "a.txt", Span(9, 10)),
        ("two", "b.txt", Span(0, 1)),
        ("one", "b.txt", Span(2, 3)),
        ("four", "b.txt", Span(2, 3)),
    ]
    assert outcome.findings[2].related == (Place("a.txt", Span(0, 1), "from"),)
    assert outcome.before["a.txt"].text == b"x a x; b x"


def test_touched_files_know_the_sites_that_edit_them():
    """Not all sites of a change: one of a whole program has thousands, in hundreds of files."""
    outcome = run(
        {"a.txt": "a a", "b.txt": "a x"},
        Words("one", "a", "bee", together=True),
        Words("two", "x", "y", phase=Phase.TIDY),
    )

    assert outcome.touched == {
        "a.txt": {"one site 0", "one site 1"},
        "b.txt": {"one site 2", "two site 0"},
    }


# ---------------------------------------------------------------------- planning a second time
@pytest.mark.parametrize("later", [Phase.QUERIES, Phase.TIDY])
def test_two_rules_that_undo_each_other_are_named_and_change_nothing(later):
    outcome = run(
        {"a.txt": "a x", "b.txt": "b x", "c.txt": "a", "d.txt": "x"},
        Words("there", "a", "b"),
        Words("calm", "x", "y"),
        Words("back", "b", "a", phase=later),
    )

    assert [text(outcome, path) for path in outcome.after] == ["a y", "b y", "a", "y"]
    assert {one.rule for one in outcome.changes} == {"calm"}
    named = [one for one in outcome.findings if one.rule != "calm"]
    assert {one.level for one in named} == {MANUAL}
    assert {one.reason for one in named} == {"engine/undone-by-another-rule"}
    assert all("back and there" in one.message for one in named)
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.message.startswith("internal error in back and there: planning again")


def test_two_pairs_of_rules_that_undo_each_other():
    outcome = run(
        {"a.txt": "a", "b.txt": "x"},
        Words("there", "a", "b"),
        Words("up", "x", "y"),
        Words("back", "b", "a", phase=Phase.TIDY),
        Words("down", "y", "x", phase=Phase.TIDY),
    )

    assert (text(outcome), text(outcome, "b.txt")) == ("a", "x")
    assert made(outcome) == []
    assert all(name in outcome.diagnostics[0].message for name in ("there", "back", "up", "down"))


def test_a_rule_that_is_never_done_is_named_alone():
    outcome = run({"a.txt": "a x"}, Words("more", "a", "a a"), Words("calm", "x", "y"))

    assert text(outcome) == "a y"
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.message.startswith("internal error in more: planning again")


def test_new_sites_that_are_only_manual_or_wait_are_no_fault():
    for level in (MANUAL, ADVICE, UNSAFE):
        outcome = run(
            {"a.txt": "a"},
            Words("late", "b", "c", level=level),
            Words("one", "a", "b", phase=Phase.TIDY),
        )
        assert (text(outcome), outcome.diagnostics) == ("b", ())


def test_only_changed_files_are_planned_again_and_none_where_nothing_changed():
    projects = []
    run({"a.txt": "a", "b.txt": "x"}, ONE, projects=projects)
    assert [one.scope for one in projects] == [None, frozenset({"a.txt"})]

    projects.clear()
    run({"a.txt": "c", "b.txt": "x"}, ONE, projects=projects)
    assert [one.scope for one in projects] == [None]


class Counted(Words):
    """Counts how often it plans."""

    plans = 0

    def plan(self, project, constraints):
        self.plans += 1
        return super().plan(project, constraints)


def test_rules_that_planned_on_the_last_text_do_not_plan_again():
    first = Counted("first", "a", "bee")
    manual = Counted("manual", "bee", "c", phase=Phase.SESSIONS, level=MANUAL)

    outcome = run({"a.txt": "a\n"}, first, manual)

    assert text(outcome) == "bee\n"
    assert levels(outcome) == [SAFE, MANUAL]
    assert (first.plans, manual.plans) == (2, 1)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"constraints": Constraints(frozenset({SiteId("one site 1")}))}, "a a bee bee"),
        ({"constraints": Constraints(frozenset({SiteId("one site 2")}))}, "a bee a bee"),
        ({"constraints": Constraints(frozenset({SiteId("one site 3")}))}, "a bee bee a"),
        ({"check": finds("it burns", "one 2")}, "a bee a bee"),
    ],
)
def test_equals_of_what_was_rewritten_do_not_pass_for_new_sites(policy, expected):
    """Sites are numbered among their equals, so the rest have other names the second time."""
    rule = Words("one", "a", "bee", level=[MANUAL, SAFE, SAFE, SAFE].__getitem__)
    outcome = run({"a.txt": "a a a a"}, rule, **policy)

    assert text(outcome) == expected
    assert not any("planning again" in one.message for one in outcome.diagnostics)


def test_a_site_that_another_rule_doubles_is_new_once():
    outcome = run(
        {"a.txt": "x a x"},
        Words("one", "a", "bee", level=[MANUAL, SAFE].__getitem__),
        Words("two", "x a x", "y a a y"),
    )

    assert text(outcome) == "x a x"
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.message.startswith("internal error in one and two: planning again")


def test_a_rule_that_raises_only_the_second_time_is_named_once():
    class Fails(Words):
        def plan(self, project, constraints):
            if b"bee" in project.snapshot["a.txt"].text:
                raise ValueError("bee")
            return super().plan(project, constraints)

    outcome = run({"a.txt": "a"}, Fails("one", "a", "bee"))

    assert text(outcome) == "bee"
    assert ["internal error in one: ValueError: bee" in d.message for d in outcome.diagnostics] == [
        True
    ]


def test_no_rules_and_no_files():
    assert run({"a.txt": "a"}).findings == ()
    assert run({}, ONE).changes == ()
