"""What a plan must be, and what becomes of a rule whose plan is not."""

from __future__ import annotations

import pytest
from phase_cases import ADVICE, MANUAL, ONE, SAFE, UNSAFE, Planned, Words, run, text

from awaken.contract import (
    Change,
    ChangeId,
    Constraints,
    CreateFile,
    Finding,
    InsertStatements,
    NeedImport,
    Phase,
    Place,
    Plan,
    SetKey,
    SiteId,
    Span,
    TextEdit,
)
from awaken.engine.planning.plan_contract import contract_broken
from awaken.workspace.sources import Snapshot, SourceFile


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
SETTING = SetKey(path="../pytest.ini", table=("pytest",), key="a", value="1", site=SiteId("s"))
SNAPSHOT = Snapshot(
    {
        "a.txt": SourceFile("a.txt", b"a x"),
        "lines.txt": SourceFile("lines.txt", b"a\r\nb\rc d"),
    }
)


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
    "setting-above-the-project": Plan((finding(),), (change("s", edits=(SETTING,)),)),
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
        "a.txt:1 is safe and its reason is one/no",
    ),
    "undeclared-reason": (Plan((finding(MANUAL, reason="one/why"),)), "undeclared reason one/why"),
    "undeclared-reason-in-another-line": (
        standing(5, 6, "lines.txt", reason="one/why"),
        "lines.txt:3 has the undeclared reason one/why",
    ),
    "undeclared-reason-nowhere": (
        standing(5, 6, "gone.txt", reason="one/why"),
        "gone.txt has the undeclared reason one/why",
    ),
    "reason-of-another-rule": (Plan((finding(MANUAL, reason="two/no"),)), "reason two/no"),
    "reason-without-rule": (Plan((finding(MANUAL, reason="no"),)), "undeclared reason no"),
    "unplanned-change": (
        Plan((finding(),)),
        "a.txt:1 names a change that is not in the plan",
    ),
    "change-that-does-not-name-it": (
        Plan((finding(MANUAL, site="t"), finding()), (change("t"),)),
        "a.txt:1 names a change that does not name it",
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
        standing(0, 1, related=(Place("a.txt", Span(5, 6)),)),
        "a.txt has no bytes 5 to 6",
    ),
    "change-without-finding": (Plan((), (change("s"),)), "a site without a finding"),
    "change-without-site": (Plan((), (change(),)), "a change names no site"),
    "site-without-finding": (Plan((finding(),), (change("s", "t"),)), "a site without a finding"),
}


@pytest.mark.parametrize("name", KEPT)
def test_plans_that_keep_the_contract(name):
    constraints = Constraints(frozenset({SiteId("left out")}))

    assert contract_broken(ONE, KEPT[name], constraints, SNAPSHOT) is None


@pytest.mark.parametrize("name", BROKEN)
def test_plans_that_break_the_contract(name):
    plan, message = BROKEN[name]

    assert message in (contract_broken(ONE, plan, Constraints(), SNAPSHOT) or "kept")


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
        unsafe_at=lambda *_: level is SAFE,
    )

    assert text(outcome) == ("b x" if level is SAFE else "a x")
    assert [one.rule for one in outcome.findings] == ["one"]
    (diagnostic,) = outcome.diagnostics
    assert "internal error in two: a change has the identity of another" in diagnostic.message
