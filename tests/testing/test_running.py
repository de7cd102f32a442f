"""What the fixture runner says of a run that went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level, Phase, Plan
from awaken.kit.rule import Rule
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


class Silent(Failing):
    """Finds nothing."""

    def plan(self, *_):
        return Plan()


def failure(rule: Rule, *expect: ExpectedFinding) -> str:
    """Return what the runner says of a case of ``rule``."""
    files = {"case.py": b"call()\n"}
    case = Case(
        name="one",
        family=rule.family,
        rule=rule.name,
        directory=Path(),
        settings=Settings(expect=expect),
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
