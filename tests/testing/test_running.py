"""What the fixture runner says of a run that went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level, Phase, Plan
from awaken.kit.changes import decide, plan_of
from awaken.kit.rule import Rule
from awaken.kit.search import calls_of
from awaken.kit.sites import Rewrite, Site
from awaken.testing import Case, ExpectedFinding, assert_expected, run_case
from awaken.testing.cases import Settings


class Failing(Rule):
    """Looks for an attribute that is not there."""

    name = "failing"
    family = "tests"
    phase = Phase.TIDY
    triggers = (b"call",)

    def plan(self, _, constraints):
        return constraints.such


class FailingByFile(Failing):
    """The same, file by file."""

    per_file = True


class Cautious(Failing):
    """Finds an unsafe site, and says that there are safe ones only."""

    levels = (Level.SAFE,)

    def plan(self, project, _):
        return plan_of(decide(site, _doubted) for site in calls_of(project, self, {"call.it"}))


def _doubted(site: Site) -> Rewrite:
    return Rewrite("it goes", [site.replace(site.node, "None")], ["it may fail"])


class Silent(Failing):
    """Finds nothing."""

    def plan(self, *_):
        return Plan()


def failure(
    rule: Rule, *expect: ExpectedFinding, level: Level | None = None, program: bytes = b"call()\n"
) -> str:
    """Return what the runner says of a case of ``rule``, one of its page."""
    files = {"case.py": program}
    case = Case(
        name="one",
        family=rule.family,
        rule=rule.name,
        directory=Path(),
        settings=Settings(expect=expect, level=level),
        before=files,
        after=files,
        program={},
    )
    with pytest.raises(AssertionError) as caught:
        assert_expected(run_case(case, [rule]))
    return str(caught.value)


def test_an_exception_of_a_rule_is_shown_with_its_traceback():
    said = failure(Failing())

    assert "\ninternal error in failing: AttributeError: " in said
    assert f'File "{__file__}"' in said
    assert "return constraints.such" in said
    assert "planning.py" not in said


def test_a_place_is_named_as_far_as_it_is_known():
    assert "\ncase.py: internal error in failing: " in failure(FailingByFile())


def test_an_expected_reason_that_no_rule_declares_is_named():
    said = failure(Silent(), ExpectedFinding(1, Level.MANUAL, reason="failing/nope"))

    assert said.endswith("\nno rule declares the reason `failing/nope`")
    assert "no rule declares" not in failure(
        Silent(), ExpectedFinding(1, Level.MANUAL, reason="engine/held-back")
    )


CALL = b"import call\n\ncall.it()\n"


def test_a_level_that_the_rule_does_not_declare_is_named():
    said = failure(Cautious(), program=CALL)

    assert "+case.py:3 unsafe" in said
    assert said.endswith("\nfailing does not declare the level unsafe")
    assert "does not declare" not in failure(FailingByFile(), program=CALL)


def test_an_example_that_is_unsafe_must_say_so():
    said = failure(Cautious(), level=Level.SAFE, program=CALL)

    assert said.startswith(
        "not all findings are safe:\ncase.py:3 unsafe\nmark the example: `## Before (unsafe)`"
    )
    expect = ExpectedFinding(3, Level.SAFE)
    assert "mark the example" not in failure(Cautious(), expect, program=CALL)
