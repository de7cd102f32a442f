"""What a rule that decides file by file is asked before its files are planned."""

from __future__ import annotations

from awaken.contract import Constraints, Phase, Plan
from awaken.engine.planning.rule_planning import plan_rule
from awaken.kit.rule import Rule
from awaken.project import Project, Snapshot
from awaken.workspace.sources import decode


class Asked(Rule):
    """Notes what it is asked, in order."""

    name = "asked"
    family = "tests"
    phase = Phase.QUERIES
    triggers = (b"call",)
    per_file = True

    def __init__(self):
        self.asked = []

    def prepare(self, *_):
        self.asked.append("prepare")

    def plan(self, project, _):
        self.asked.append(*project.site_files(self.triggers))
        return Plan()


class Failing(Asked):
    def prepare(self, *_):
        raise RuntimeError("no answer")


def project(**files: str) -> Project:
    sources = {f"{name}.py": decode(f"{name}.py", text.encode()) for name, text in files.items()}
    return Project(Snapshot(sources), None)


def test_a_rule_is_prepared_once_before_its_files_are_planned():
    rule = Asked()
    planned = plan_rule(rule, project(a="call()", b="call()", c="other()"), Constraints())
    assert rule.asked == ["prepare", "a.py", "b.py"]
    assert planned.diagnostics == ()


def test_nothing_is_prepared_where_no_file_is_planned():
    rule = Asked()
    plan_rule(rule, project(c="other()"), Constraints())
    assert rule.asked == []


def test_a_failure_is_reported_and_the_files_are_planned():
    rule = Failing()
    planned = plan_rule(rule, project(a="call()"), Constraints())
    assert rule.asked == ["a.py"]
    (diagnostic,) = planned.diagnostics
    assert diagnostic.message.startswith("internal error in asked: RuntimeError: no answer; ")
