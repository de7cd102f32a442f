"""In which files rules look for sites when a run is about some files only."""

from __future__ import annotations

import subprocess

import pytest
from rules_for_tests import RenameCalls
from suppression_cases import write

from awaken import api
from awaken.contract import Constraints, Phase, Plan
from awaken.kit.rule import Rule

FILES = {"a.py": "call()\n", "b.py": "call()\n", "c.py": "other()\n"}


class Looking(Rule):
    """Notes the files in which it looks for sites, and finds none."""

    name = "looking"
    family = "tests"
    phase = Phase.MODELS
    triggers = (b"call",)
    decides_by = "file"

    def __init__(self):
        self.looked_in = []

    def plan(self, project, constraints: Constraints):
        del constraints
        self.looked_in.append(project.site_files(self.triggers))
        return Plan()


class BySelection(Looking):
    name = "by-selection"
    decides_by = "selection"


class ByProgram(Looking):
    name = "by-program"
    decides_by = "program"


class Writing(RenameCalls):
    """Writes what ``Late`` looks for."""

    name = "writing"
    old, new = "other", "late"
    phase = Phase.QUERIES
    decides_by = "file"


class Late(ByProgram):
    triggers = (b"late",)


def run(rules, paths, **options):
    """Run ``rules`` over ``paths``."""
    return api.run(paths, api.Options(use_cache=False, isolated=True, **options), rules=rules)


@pytest.fixture
def root(tmp_path):
    write(tmp_path, FILES)
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "looked_in"),
    [(Looking, ["a.py"]), (BySelection, ["a.py"]), (ByProgram, ["a.py", "b.py"])],
)
def test_a_rule_looks_in_the_selected_files_if_these_decide(root, kind, looked_in):
    rule = kind()
    run([rule], [root / "a.py"])
    assert rule.looked_in == [looked_in]


def test_one_rule_that_needs_all_sites_makes_the_others_look_everywhere(root):
    rule = Looking()
    run([rule, ByProgram()], [root / "a.py"])
    assert rule.looked_in == [["a.py", "b.py"]]


def test_a_rule_without_a_trigger_in_the_program_makes_nobody_look_everywhere(root):
    rule = Looking()
    run([rule, Late()], [root / "a.py"])
    assert rule.looked_in == [["a.py"]]


def test_since_looks_in_changed_files_only(root):
    git = ("git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-C", root)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*git, *words], check=True)
    (root / "b.py").write_text("call(2)\n")
    rule = Looking()
    run([rule], [root], since="HEAD")
    assert rule.looked_in == [["b.py"]]


def test_a_trigger_that_an_earlier_phase_writes_makes_all_files_count(root):
    write(root, {"c.py": "other()\ncall()\n", "d.py": "other()\n"})
    rule, late = Looking(), Late()
    run([Writing(), rule, late], [root / "c.py"])
    assert rule.looked_in[0] == ["a.py", "b.py", "c.py"]
    assert late.looked_in[0] == ["c.py"]
