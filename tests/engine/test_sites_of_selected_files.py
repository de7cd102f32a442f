"""In which files rules look for sites when a run is about some files only."""

from __future__ import annotations

import subprocess

import pytest
from rules_for_tests import RenameCalls
from suppression_cases import write

from awaken import api
from awaken.contract import Constraints, Phase, Plan
from awaken.engine.root_run import RootRun
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


def test_a_rule_that_needs_all_sites_makes_no_other_rule_look_everywhere(root):
    rule, by_program = Looking(), ByProgram()
    run([rule, by_program], [root / "a.py"])
    assert rule.looked_in == [["a.py"]]
    assert by_program.looked_in == [["a.py", "b.py"]]


def test_since_looks_in_changed_files_only(root):
    git = ("git", "-c", "user.name=n", "-c", "user.email=n@example.org", "-C", root)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run([*git, *words], check=True)
    (root / "b.py").write_text("call(2)\n")
    rule = Looking()
    run([rule], [root], since="HEAD")
    assert rule.looked_in == [["b.py"]]


def test_a_trigger_that_an_earlier_phase_writes_counts_in_the_selected_files(root):
    write(root, {"c.py": "other()\ncall()\n", "d.py": "other()\n"})
    rule, late = Looking(), Late()
    run([Writing(), rule, late], [root / "c.py"])
    assert rule.looked_in[0] == ["c.py"]
    assert late.looked_in[0] == ["c.py"]


SHOP = {
    "pyproject.toml": '[project]\nname = "shop"\nrequires-python = ">=3.11"\n'
    'dependencies = ["fastapi>=0.110", "sqlalchemy>=2"]\n',
    "database.py": """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def get_db():
    with Session(engine) as db:
        yield db
""",
    **{
        f"routes{number}.py": """\
from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from database import User, get_db

router = APIRouter()


@router.get("/users")
def users(db: Session = Depends(get_db)):
    return [user.id for user in db.query(User)]


@router.get("/ids")
def ids(db: Session = Depends(get_db)):
    return db.query(User.id).all()
"""
        for number in range(3)
    },
}


def test_one_file_gets_the_same_from_rules_of_both_kinds(tmp_path, monkeypatch):
    write(tmp_path, SHOP)
    path = tmp_path / "routes1.py"
    own = run(None, [path]).roots[0]
    monkeypatch.setattr(RootRun, "site_scope", lambda *_: None)
    among_all = run(None, [path]).roots[0]
    assert own.findings == among_all.findings
    assert own.files == among_all.files
    assert {"annotated-session", "query-to-select"} <= {finding.rule for finding in own.findings}
