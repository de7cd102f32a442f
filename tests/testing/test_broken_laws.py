"""Each law is broken on purpose and must say so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from msgspec import structs

from awaken.contract import (
    Change,
    ChangeId,
    Finding,
    Level,
    Phase,
    Place,
    Plan,
    Reason,
    SiteId,
    Span,
    TextEdit,
)
from awaken.engine.report import Diagnostic, FileChange, RootReport
from awaken.kit.rule import Rule
from awaken.project import site_id
from awaken.project.source.programs import module_store
from awaken.testing import (
    LAWS,
    Case,
    CaseResult,
    ExpectedFinding,
    assert_expected,
    laws_of,
    run_case,
)
from awaken.testing.cases import Settings
from awaken.workspace.sources import decode

BEFORE = b"import os\n\n\ndef f():  # why\n    return old(1)\n\n\ny = 2\n"
AFTER = BEFORE.replace(b"old(1)", b"new(1)")


class Renaming(Rule):
    """Declares the one reason and the levels that the findings below may have."""

    name = "renaming"
    family = "tests"
    reasons = (Reason("unclear", "unclear", "look"),)
    levels = (Level.SAFE, Level.MANUAL)


def finding(level=Level.SAFE, site="one", start=None, **other):
    start = BEFORE.index(b"old(1)") if start is None else start
    return Finding(
        site=SiteId(site),
        rule="renaming",
        level=level,
        place=Place("case.py", Span(start, start + 6)),
        scope="f",
        message="old becomes new",
        change=ChangeId("1") if level is Level.SAFE else None,
        **other,
    )


GOOD = finding()


def case(before=BEFORE, after=AFTER, **settings):
    return Case(
        name="it",
        family="tests",
        rule="renaming",
        directory=Path(),
        settings=Settings(**settings),
        before={"case.py": before},
        after={"case.py": after},
        program={},
    )


def result(before=BEFORE, after=AFTER, findings=(GOOD,), diagnostics=(), **settings):
    source = decode("case.py", before)
    changed = FileChange("case.py", source, decode("case.py", after), tuple(findings))
    change = Change(
        id=ChangeId("1"),
        rule="renaming",
        title="",
        level=Level.SAFE,
        sites=tuple(f.site for f in findings if f.change),
        edits=(),
    )
    report = RootReport(
        root=Path(),
        targets=(),
        findings=tuple(findings),
        changes=(change,),
        pending=(),
        files=(changed,) if before != after else (),
        sources={"case.py": source},
        diagnostics=tuple(diagnostics),
        files_read=1,
        seconds=0.0,
    )
    return CaseResult(case(before, AFTER, **settings), [Renaming()], report, {"case.py": after})


OF_THE_RESULT = ["compiles", "comments", "untouched", "reasons", "levels", "one-finding"]


@pytest.mark.parametrize("law", OF_THE_RESULT)
def test_a_good_result_breaks_no_law(law):
    assert LAWS[law](result()) is None


@pytest.mark.parametrize(
    ("law", "broken", "message"),
    [
        ("comments", result(after=AFTER.replace(b"  # why", b"")), "lost the comments"),
        ("comments", result(gone=["# why"]), "kept the comments"),
        ("untouched", result(after=AFTER.replace(b"y = 2", b"y = 3")), "case.py:8 changed"),
        ("untouched", result(after=AFTER + b"z = 1\n"), "case.py:9 changed"),
        ("untouched", result(after=AFTER.replace(b"f():", b"f() :")), "case.py:4 changed"),
        ("untouched", result(findings=()), "case.py:5 changed"),
        ("reasons", result(findings=[finding(Level.MANUAL)]), "undeclared reason"),
        (
            "reasons",
            result(findings=[finding(Level.MANUAL, reason="renaming/other", help="x")]),
            "undeclared reason renaming/other",
        ),
        (
            "reasons",
            result(findings=[finding(Level.MANUAL, reason="renaming/unclear")]),
            "does not say what to do",
        ),
        ("levels", result(findings=[finding(Level.UNSAFE)]), "not declare the level unsafe"),
        ("one-finding", result(findings=[finding(), finding(start=0)]), "more than one finding"),
        (
            "one-finding",
            result(findings=[finding(), finding(site="two")]),
            "more than one finding",
        ),
    ],
)
def test_a_broken_law_says_what_is_wrong(law, broken, message):
    with pytest.raises(AssertionError, match=message):
        LAWS[law](broken)


def test_a_result_that_does_not_compile():
    with pytest.raises(SyntaxError):
        LAWS["compiles"](result(after=b"await x\n"))


@pytest.mark.parametrize(
    "after",
    [
        AFTER.replace(b"import os", b"import os\nimport sys"),
        AFTER.replace(b"import os", b"from a import (\n    b,\n    c,\n)"),
        AFTER.replace(b"import os\n", b""),
    ],
)
def test_imports_may_come_and_go(after):
    assert LAWS["untouched"](result(after=after)) is None


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (result(after=BEFORE, level=Level.SAFE), "case.py is not as expected"),
        (result(), "findings are not as expected"),
        (result(expect=(ExpectedFinding(4, Level.SAFE),)), "case.py:5 safe"),
        (result(findings=(), level=Level.SAFE), "no finding"),
        (result(level=Level.MANUAL), "not all findings are manual"),
        (
            result(diagnostics=[Diagnostic("case.py", 3, "it broke")], level=Level.SAFE),
            "case.py:3: it broke",
        ),
    ],
)
def test_what_is_not_expected_is_an_error(broken, message):
    with pytest.raises(AssertionError, match=message):
        assert_expected(broken)


@pytest.mark.parametrize(
    "settings", [{"level": Level.SAFE}, {"expect": (ExpectedFinding(5, Level.SAFE),)}]
)
def test_what_is_expected_is_fine(settings):
    assert assert_expected(result(**settings)) is None


def test_variants_are_made_of_plain_programs_only():
    variants = {"crlf", "cr", "bom", "tabs", "no-final-newline"}
    assert variants <= set(laws_of(case()))
    assert not variants & set(laws_of(case(before=b"\xef\xbb\xbfx = 1\n")))
    assert not variants & set(laws_of(case(before=b"x = 1\r\n")))


def test_laws_of_changes_need_a_change():
    assert "undo" in laws_of(case())
    assert "undo" not in laws_of(case(before=AFTER))


class Fickle(Rule):
    """Renames calls of ``old``, where ``wants`` allows it; manual elsewhere."""

    name = "fickle"
    family = "tests"
    phase = Phase.QUERIES
    reasons = (Reason("unwanted", "unwanted", "look"),)

    def __init__(self):
        self.plans = 0
        self.constraints = None

    def wants(self, source):
        del source
        return True

    def new_name(self, source):
        del source
        return "new"

    def plan(self, project, constraints):
        self.plans += 1
        self.constraints = constraints
        findings, changes = [], []
        for path in project.files_with((b"old(",)):
            module = project.module(path)
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and module.text_of(node.func) == "old":
                    found, change = self._site(module, node, self.wants(module.source))
                    findings.append(found)
                    changes.extend([change] if change else [])
        return Plan(tuple(findings), tuple(changes))

    def _site(self, module, node, wanted):
        site = site_id(self.name, module, node)
        common = {"site": site, "rule": self.name, "scope": module.scope_name(node)}
        common |= {"place": Place(module.path, module.span(node)), "message": "old becomes new"}
        if not wanted:
            reason = "fickle/unwanted"
            return Finding(level=Level.MANUAL, reason=reason, help="look", **common), None
        name = self.new_name(module.source)
        edit = TextEdit(path=module.path, anchor=module.span(node.func), text=name, site=site)
        change = Change(
            id=ChangeId(site),
            rule=self.name,
            title="",
            level=Level.SAFE,
            sites=(site,),
            edits=(edit,),
        )
        return Finding(level=Level.SAFE, change=change.id, **common), change


class NotWithCrlf(Fickle):
    def wants(self, source):
        return b"\r" not in source.text


class OtherwiseWithCarriageReturns(Fickle):
    def new_name(self, source):
        return "new" if b"\n" in source.text else "newer"


class NotWithBom(Fickle):
    def wants(self, source):
        return not source.bom


class NotWithTabs(Fickle):
    def wants(self, source):
        return b"\t" not in source.text


class NotWithoutFinalNewline(Fickle):
    def wants(self, source):
        return source.text.endswith(b"\n")


class AllOrNothing(Fickle):
    def wants(self, source):
        del source
        return not self.constraints.excluded


class AnotherNameEachRun(Fickle):
    def new_name(self, source):
        del source
        return f"new{self.plans}" if self.plans > FIRST_PLANS else "new"


class LaterAgain(Fickle):
    """A run plans twice: this one begins to rename with its second run."""

    def wants(self, source):
        del source
        return self.plans > 1


class WithManyTrees(Fickle):
    def wants(self, source):
        del source
        return module_store.KEPT_SOURCE_BYTES > 1


class ByComments(Fickle):
    """Looks for sites in the chosen files, and renames only where no other file has a comment."""

    triggers = (b"old(",)
    decides_by = "file"

    def plan(self, project, constraints):
        paths, own = project.files_with(self.triggers), project.site_files(self.triggers)
        self.has_comments = any(b"#" in project.module(path).source.text for path in paths)
        plan = super().plan(project, constraints)
        findings = tuple(finding for finding in plan.findings if finding.place.path in own)
        changes = tuple(change for change in plan.changes if {*change.paths} <= {*own})
        return structs.replace(plan, findings=findings, changes=changes)

    def wants(self, source):
        del source
        return not self.has_comments


class ByOtherFiles(Fickle):
    """Says that it decides by file, and renames only where several files are looked at."""

    triggers = (b"old(",)
    decides_by = "file"

    def plan(self, project, constraints):
        self.files = project.site_files(self.triggers)
        return super().plan(project, constraints)

    def wants(self, source):
        del source
        return len(self.files) > 1


class ByUnseenText(ByOtherFiles):
    """Decides by a text that is not in its evidence."""

    def plan(self, project, constraints):
        self.text = project.snapshot.file_to_search("other.py").text
        own = project.site_files(self.triggers)
        project.files_with = lambda _: own
        return Fickle.plan(self, project, constraints)

    def wants(self, source):
        del source
        return self.text == TWO_CALLS


class HiddenByAnchor(Fickle):
    anchors = ((b"nowhere",),)


FIRST_PLANS = 2
"""A run plans twice."""
TWO_CALLS = b"old(1)\n\n\ndef f():\n    return old(2)\n"


def fickle(rule):
    named = Case(
        name="it",
        family="tests",
        rule="fickle",
        directory=Path(),
        settings=Settings(),
        before={"case.py": TWO_CALLS, "other.py": TWO_CALLS},
        after=dict.fromkeys(("case.py", "other.py"), TWO_CALLS.replace(b"old", b"new")),
        program={},
    )
    return run_case(named, [rule])


BY_RUNNING = [
    "second-run",
    "crlf",
    "cr",
    "bom",
    "no-final-newline",
    "tabs",
    "jobs",
    "memory",
    "alone",
    "units",
    "edits",
    "comments-elsewhere",
    "anchors",
    "left-out",
    "chosen",
    "undo",
]


@pytest.mark.parametrize("law", BY_RUNNING)
def test_a_steady_rule_breaks_no_law(law):
    steady = fickle(Fickle())
    assert steady.files["case.py"] == TWO_CALLS.replace(b"old", b"new")
    assert LAWS[law](steady) is None


@pytest.mark.parametrize(
    ("law", "rule", "message"),
    [
        ("crlf", NotWithCrlf, "in this variant"),
        ("cr", OtherwiseWithCarriageReturns, "in this variant"),
        ("bom", NotWithBom, "in this variant"),
        ("tabs", NotWithTabs, "in this variant"),
        ("no-final-newline", NotWithoutFinalNewline, "in this variant"),
        ("alone", ByOtherFiles, "case.py alone: something else is changed"),
        ("units", ByOtherFiles, "by unit: something else is changed"),
        ("edits", ByUnseenText, "do not hold; other.py becomes"),
        ("comments-elsewhere", ByComments, "comments beside case.py"),
        ("anchors", HiddenByAnchor, "without triggers and anchors: something else is changed"),
        ("left-out", AllOrNothing, "too"),
        ("chosen", AnotherNameEachRun, "with all changes chosen: something else is changed"),
        ("second-run", LaterAgain, "changes"),
        ("jobs", LaterAgain, "two jobs: something else is changed"),
        ("memory", WithManyTrees, "one tree at a time, .*: something else is changed"),
    ],
)
def test_a_fickle_rule_breaks_its_law(law, rule, message):
    with pytest.raises(AssertionError, match=message):
        LAWS[law](fickle(rule()))


def test_laws_are_all_shown_to_be_breakable():
    assert {*OF_THE_RESULT, *BY_RUNNING} == LAWS.keys()
