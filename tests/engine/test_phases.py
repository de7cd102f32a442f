"""The phases with rules that replace words: what is planned, refused, rolled back and shown."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from awaken.contract import (
    Change,
    ChangeId,
    CreateFile,
    Finding,
    InsertStatements,
    Level,
    NeedImport,
    Phase,
    Pins,
    Place,
    Plan,
    Problem,
    Reason,
    Rule,
    SiteId,
    Span,
    TextEdit,
)
from awaken.engine.admission import Admission
from awaken.engine.materialise import materialise
from awaken.engine.phases import Tools, run_phases
from awaken.engine.plan_contract import contract_broken
from awaken.project.sources import Snapshot, SourceFile

SAFE, UNSAFE, MANUAL, ADVICE = Level.SAFE, Level.UNSAFE, Level.MANUAL, Level.ADVICE
NO = Reason("no", "this word stays", "Write another one.")


class Words(Rule):
    """Replaces each word ``old`` by ``new``; every one is a site and, unless manual, a change.

    ``level`` may be a function of the number of the site. ``requires`` names changes by number.
    """

    family = "tests"
    phase = Phase.QUERIES
    reasons = (NO,)

    def __init__(  # noqa: PLR0913
        self, name, old, new, *, phase=Phase.QUERIES, level=SAFE, together=False, requires=None
    ):
        self.name, self.old, self.new, self.phase = name, old, new, phase
        self.level = level if callable(level) else lambda _: level
        self.together = together
        self.requires = requires or {}

    def plan(self, project, pins):
        del pins
        places = list(self.places(project))
        findings = [self.finding(number, place) for number, place in enumerate(places)]
        changes = {}
        for number, finding in enumerate(findings):
            if finding.change is None:
                continue
            edit = TextEdit(
                path=finding.place.path,
                anchor=finding.place.span,
                text=self.new,
                site=finding.site,
            )
            change = changes.get(finding.change) or self.change(number, finding)
            changes[finding.change] = replace(
                change, sites=(*change.sites, finding.site), edits=(*change.edits, edit)
            )
        return Plan(tuple(findings), tuple(changes.values()))

    def places(self, project):
        for path in project.files:
            for found in re.finditer(rf"\b{self.old}\b".encode(), project.snapshot[path].text):
                yield Place(path, Span(*found.span()))

    def finding(self, number, place):
        level = self.level(number)
        rewritten = level in {SAFE, UNSAFE}
        return Finding(
            site=SiteId(f"{self.name} site {number}"),
            rule=self.name,
            level=level,
            place=place,
            scope="<module>",
            message=f"{self.old} becomes {self.new}",
            reason=f"{self.name}/no" if level is MANUAL else None,
            change=self.change_id(number) if rewritten else None,
        )

    def change_id(self, number):
        return ChangeId(f"{self.name} {0 if self.together else number}")

    def change(self, number, finding):
        return Change(
            id=self.change_id(number),
            rule=self.name,
            title=finding.message,
            level=finding.level,
            sites=(),
            edits=(),
            requires=tuple(self.change_id(one) for one in self.requires.get(number, ())),
        )


class FakeProject:
    """As much of a project as ``Words`` and the phases ask for."""

    def __init__(self, snapshot, scope):
        self.snapshot = snapshot
        self.files = sorted(path for path in snapshot if scope is None or path in scope)
        self.scope = scope
        self.parse_failures = {}


def run(files, *rules, check=None, projects=None, **admission):
    """Run ``rules`` over ``files``; ``check`` gives problems, ``projects`` gets those asked for."""

    def project(snapshot, scope):
        made = FakeProject(snapshot, scope)
        if projects is not None:
            projects.append(made)
        return made

    snapshot = Snapshot({path: SourceFile(path, text.encode()) for path, text in files.items()})
    tools = Tools(
        project=project,
        materialise=lambda before, changes: materialise(before, changes, {}),
        check=check or (lambda *_: ()),
    )
    return run_phases(snapshot, rules, tools, Admission(**admission))


def text(outcome, path="a.txt"):
    return outcome.after[path].text.decode()


def levels(outcome):
    return [finding.level for finding in outcome.findings]


def reasons(outcome):
    return [finding.reason for finding in outcome.findings]


def made(outcome):
    return [change.id for change in outcome.changes]


ONE = Words("one", "a", "bee")


# --------------------------------------------------------------------------------- the contract
def finding(level=SAFE, site="s", **values):
    defaults = {
        "rule": "one",
        "place": Place("a.txt", Span(0, 1)),
        "scope": "<module>",
        "message": "a becomes bee",
        "reason": "one/no" if level is MANUAL else None,
        "change": ChangeId("c") if level in {SAFE, UNSAFE} else None,
    }
    return Finding(site=SiteId(site), level=level, **{**defaults, **values})


def change(*sites, **values):
    defaults = {"id": ChangeId("c"), "rule": "one", "title": "", "level": SAFE, "edits": ()}
    return Change(sites=tuple(sites), **{**defaults, **values})


def editing(start, end, new="b", path="a.txt"):
    """Return a plan with one edit."""
    edit = TextEdit(path=path, anchor=Span(start, end), text=new, site=SiteId("s"))
    return Plan((finding(),), (change("s", edits=(edit,)),))


def creating(path, new=""):
    return Plan((finding(),), (change("s", edits=(CreateFile(path=path, text=new, site="s"),)),))


def standing(start, end, path="a.txt", **values):
    return Plan((finding(MANUAL, place=Place(path, Span(start, end)), **values),))


INSERTION = InsertStatements(
    path="a.txt", at=Span(9, 9), where="before", rewriter="r", data=None, site=SiteId("s")
)
IMPORT = NeedImport(path="a.txt", module="m", name="n", site=SiteId("s"))
SNAPSHOT = Snapshot({"a.txt": SourceFile("a.txt", b"a x")})


KEPT = {
    "nothing": Plan(),
    "safe": Plan((finding(),), (change("s"),)),
    "unsafe": Plan((finding(UNSAFE),), (change("s", level=UNSAFE),)),
    "manual": Plan((finding(MANUAL),)),
    "advice": Plan((finding(ADVICE),)),
    "one-change-of-two-sites": Plan((finding(), finding(site="t")), (change("s", "t"),)),
    "one-site-in-two-changes": Plan(
        (finding(),), (change("s"), change("s", id="d", requires=("c",)))
    ),
    "at-the-edges": Plan((*editing(0, 3).findings,), editing(3, 3).changes),
    "in-a-file-that-is-created": creating("sub/made.py", "é"),
    "in-a-file-that-is-not-there": editing(100, 200, path="gone.txt"),
    "import": Plan((finding(),), (change("s", edits=(IMPORT,)),)),
    "left-out": Plan((finding(site="left out"),)),
    "left-out-of-its-group": Plan((finding(), finding(site="left out")), (change("s"),)),
}
BROKEN = {
    "two-findings": (Plan((finding(MANUAL), finding(MANUAL))), "a site has two findings"),
    "safe-without-change": (Plan((finding(change=None),)), "is safe and its change is None"),
    "manual-with-change": (
        Plan((finding(MANUAL, change=ChangeId("c")),), (change("s"),)),
        "is manual and its change is c",
    ),
    "advice-with-change": (
        Plan((finding(ADVICE, change=ChangeId("c")),), (change("s"),)),
        "is advice and its change is c",
    ),
    "manual-without-reason": (Plan((finding(MANUAL, reason=None),)), "its reason is None"),
    "safe-with-reason": (
        Plan((finding(reason="one/no"),), (change("s"),)),
        "a.txt at byte 0 is safe and its reason is one/no",
    ),
    "undeclared-reason": (Plan((finding(MANUAL, reason="one/why"),)), "undeclared reason one/why"),
    "reason-of-another-rule": (Plan((finding(MANUAL, reason="two/no"),)), "reason two/no"),
    "reason-without-rule": (Plan((finding(MANUAL, reason="no"),)), "undeclared reason no"),
    "unplanned-change": (
        Plan((finding(),)),
        "a.txt at byte 0 names a change that is not in the plan",
    ),
    "change-that-does-not-name-it": (
        Plan((finding(MANUAL, site="t"), finding()), (change("t"),)),
        "a.txt at byte 0 names a change that does not name it",
    ),
    "two-changes-of-one-identity": (
        Plan((finding(),), (change("s"), change("s"))),
        "two changes have one identity",
    ),
    "finding-of-another-rule": (Plan((finding(MANUAL, rule="two"),)), "is a finding of two"),
    "change-of-another-rule": (Plan((finding(),), (change("s", rule="two"),)), "is one of two"),
    "edit-behind-the-end": (editing(3, 4), "a.txt has no bytes 3 to 4"),
    "edit-before-the-start": (editing(-1, 0), "a.txt has no bytes -1 to 0"),
    "edit-backwards": (editing(2, 1), "a.txt has no bytes 2 to 1"),
    "edit-that-cannot-be-encoded": (editing(0, 1, "\ud800"), "holds a lone surrogate"),
    "insertion-behind-the-end": (
        Plan((finding(),), (change("s", edits=(INSERTION,)),)),
        "a.txt has no bytes 9 to 9",
    ),
    "file-that-cannot-be-encoded": (creating("b.py", "x\udfff"), "holds a lone surrogate"),
    "file-above-the-project": (creating("../b.py"), "leads out of the project, to ../b.py"),
    "file-above-a-directory": (creating("a/../../b.py"), "leads out of the project"),
    "file-anywhere": (creating("/b.py"), "leads out of the project, to /b.py"),
    "place-behind-the-end": (standing(1, 4), "a.txt has no bytes 1 to 4"),
    "place-in-no-file": (standing(0, 0, "gone.txt"), "gone.txt, which is no file of the project"),
    "chain-behind-the-end": (
        standing(0, 1, chain=(Place("a.txt", Span(5, 6)),)),
        "a.txt has no bytes 5 to 6",
    ),
    "change-without-finding": (Plan((), (change("s"),)), "a site without a finding"),
    "change-without-site": (Plan((), (change(),)), "a change names no site"),
    "site-without-finding": (Plan((finding(),), (change("s", "t"),)), "a site without a finding"),
}


@pytest.mark.parametrize("name", KEPT)
def test_plans_that_keep_the_contract(name):
    pins = Pins(frozenset({SiteId("left out")}))

    assert contract_broken(ONE, KEPT[name], pins, SNAPSHOT) is None


@pytest.mark.parametrize("name", BROKEN)
def test_plans_that_break_the_contract(name):
    plan, message = BROKEN[name]

    assert message in (contract_broken(ONE, plan, Pins(), SNAPSHOT) or "kept")


class Planned(Words):
    """Returns the plan, or raises the error, that it was made with."""

    def __init__(self, name, outcome):
        super().__init__(name, "a", "b")
        self.outcome = outcome

    def plan(self, *_):
        if isinstance(self.outcome, Plan):
            return self.outcome
        raise self.outcome


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_that_breaks_the_contract_loses_its_whole_plan(name):
    plan = BROKEN[name][0]

    outcome = run({"a.txt": "a x"}, Planned("one", plan), Words("two", "x", "y"))

    assert text(outcome) == "a y"
    assert [one.rule for one in outcome.findings] == ["two"]
    (diagnostic,) = outcome.diagnostics
    assert diagnostic.message.startswith("internal error in one: ")


@pytest.mark.parametrize("later", [Phase.QUERIES, Phase.TIDY])
@pytest.mark.parametrize("level", [SAFE, UNSAFE])
def test_changes_of_two_rules_cannot_have_one_identity(later, level):
    class Same(Words):
        def change_id(self, number):
            return ChangeId(str(number))

    outcome = run(
        {"a.txt": "a x"},
        Same("one", "a", "b", level=level),
        Same("two", "x", "y", phase=later),
        unsafe_at=lambda _: level is SAFE,
    )

    assert text(outcome) == ("b x" if level is SAFE else "a x")
    assert [one.rule for one in outcome.findings] == ["one"]
    (diagnostic,) = outcome.diagnostics
    assert "internal error in two: a change has the identity of another" in diagnostic.message


# ----------------------------------------------------------------------------- rules that fail
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
    admitted = run(files, rule, unsafe_at=lambda _: True)

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
    assert made(run({"a.txt": "a a a"}, rule, unsafe_at=lambda _: True)) == [
        "one 0",
        "one 1",
        "one 2",
    ]


def test_a_site_that_is_left_out_stays_with_its_whole_change():
    outcome = run(
        {"a.txt": "a a", "b.txt": "x x"},
        Words("one", "a", "bee"),
        Words("two", "x", "y", together=True),
        pins=Pins(frozenset({SiteId("one site 1"), SiteId("two site 0")})),
    )

    assert (text(outcome), text(outcome, "b.txt")) == ("bee a", "x x")
    assert levels(outcome) == [SAFE] * 4
    assert (outcome.pending, outcome.diagnostics) == ((), ())


def test_an_unsafe_site_that_is_left_out_does_not_wait():
    pins = Pins(frozenset({SiteId("one site 0")}))

    outcome = run({"a.txt": "a a"}, Words("one", "a", "bee", level=UNSAFE), pins=pins)

    assert [one.id for one in outcome.pending] == ["one 1"]


def test_what_requires_a_site_that_is_left_out_is_not_made():
    outcome = run(
        {"a.txt": "a a a a"},
        Words("one", "a", "bee", requires={1: [0], 2: [1]}),
        pins=Pins(frozenset({SiteId("one site 0")})),
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
    assert outcome.findings[0].cure.startswith("Run awaken on the whole project")
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
            return replace(super().finding(number, place), chain=chain)

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
    assert outcome.findings[2].chain == (Place("a.txt", Span(0, 1), "from"),)
    assert outcome.before["a.txt"].text == b"x a x; b x"


def test_touched_files_know_their_sites():
    outcome = run(
        {"a.txt": "a a", "b.txt": "a x"},
        Words("one", "a", "bee", together=True),
        Words("two", "x", "y", phase=Phase.TIDY),
    )

    one = {f"one site {number}" for number in range(3)}
    assert outcome.touched == {"a.txt": one, "b.txt": one | {"two site 0"}}


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


@pytest.mark.parametrize(
    ("admission", "expected"),
    [
        ({"pins": Pins(frozenset({SiteId("one site 1")}))}, "a a bee bee"),
        ({"pins": Pins(frozenset({SiteId("one site 2")}))}, "a bee a bee"),
        ({"pins": Pins(frozenset({SiteId("one site 3")}))}, "a bee bee a"),
        ({"check": finds("it burns", "one 2")}, "a bee a bee"),
    ],
)
def test_equals_of_what_was_rewritten_do_not_pass_for_new_sites(admission, expected):
    """Sites are numbered among their equals, so the rest have other names the second time."""
    rule = Words("one", "a", "bee", level=[MANUAL, SAFE, SAFE, SAFE].__getitem__)
    outcome = run({"a.txt": "a a a a"}, rule, **admission)

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
        def plan(self, project, pins):
            if b"bee" in project.snapshot["a.txt"].text:
                raise ValueError("bee")
            return super().plan(project, pins)

    outcome = run({"a.txt": "a"}, Fails("one", "a", "bee"))

    assert text(outcome) == "bee"
    assert ["internal error in one: ValueError: bee" in d.message for d in outcome.diagnostics] == [
        True
    ]


def test_no_rules_and_no_files():
    assert run({"a.txt": "a"}).findings == ()
    assert run({}, ONE).changes == ()
