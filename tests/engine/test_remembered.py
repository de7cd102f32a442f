"""A run on the same files is remembered, and nothing else is."""

from __future__ import annotations

import pytest
from msgspec import structs

from awaken import api
from awaken.codemods.sqlalchemy.query_to_select.plan import QueryToSelect
from awaken.engine import run as engine_run
from awaken.settings import Settings

MODELS = """\
from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


def everyone(session: Session):
    return session.query(User).all()
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(
        '[project]\nname = "p"\ndependencies = ["sqlalchemy>=2"]\n'
    )
    (root / "models.py").write_text(MODELS)
    return root


@pytest.fixture
def runs(monkeypatch):
    """Count how often the phases really run."""
    counted = []
    real = engine_run.run_phases

    def counting(*arguments):
        counted.append(1)
        return real(*arguments)

    monkeypatch.setattr(engine_run, "run_phases", counting)
    return counted


@pytest.fixture
def run(project, tmp_path):
    def run(**options):
        own = {name: options.pop(name) for name in ("excluded", "use_cache") if name in options}
        settings = Settings(**{"cache_dir": str(tmp_path / "cache"), **options})
        asked = api.Options(settings=settings, jobs=1, **own)
        return api.run([project], asked).roots[0]

    return run


def picture(report):
    return report.findings, report.changes, report.files, report.sources, report.targets


def test_a_second_run_remembers_the_first(run, runs):
    first, second = run(), run()

    assert len(runs) == 1
    assert picture(first) == picture(second)
    assert len(second.files) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"unsafe_fixes": True},
        {"target": {"sqlalchemy": "1.4"}},
        {"target_version": "py312"},
        {"published": True},
        {"use_cache": False},
    ],
)
def test_another_question_is_planned_anew(run, runs, options):
    run()
    run(**options)

    assert len(runs) == 2


def test_a_changed_file_is_planned_anew(run, runs, project):
    run()
    (project / "models.py").write_text(MODELS.replace(".all()", ".first()"))
    report = run()

    assert len(runs) == 2
    assert b".limit(1)).first()" in report.files[0].after.text


def test_a_project_that_becomes_a_package_is_planned_anew(run, runs, project):
    run()
    (project / "setup.py").write_text("from setuptools import setup\nsetup(name='p')\n")
    run()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\ndependencies = ["sqlalchemy>=2"]\n[tool.uv]\npackage = false\n'
    )
    run()

    assert len(runs) == 3


def test_an_edit_that_no_rule_looks_at_is_not_planned_anew(run, runs, project):
    (project / "other.py").write_text("x = 1\n")
    first = run()
    (project / "other.py").write_text("def double(x):\n    return 2 * x\n")
    second, third = run(), run()

    assert len(runs) == 1
    assert picture(first) == picture(second) == picture(third)


def test_an_edit_that_a_rule_looks_at_is_planned_anew(run, runs, project):
    (project / "other.py").write_text("x = 1\n")
    run()
    (project / "other.py").write_text(MODELS)
    report = run()

    assert len(runs) == 2
    assert [change.path for change in report.files] == ["models.py", "other.py"]


def test_a_changed_manifest_is_planned_anew(run, runs, project):
    run()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\ndependencies = ["sqlalchemy<2"]\n'
    )
    run()

    assert len(runs) == 2


def test_a_new_file_is_planned_anew(run, runs, project):
    run()
    (project / "more.py").write_text("from models import User\n")
    run()

    assert len(runs) == 2


def test_sites_left_out_are_part_of_the_question(run, runs):
    site = run().findings[0].site
    without = run(excluded=frozenset({site}))

    assert len(runs) == 2
    assert without.files == ()


def test_a_diagnostic_of_a_file_is_remembered_with_the_rest(run, runs, project):
    (project / "broken.py").write_text("session.query(\n")
    first = run()
    second = run()

    assert len(runs) == 1
    assert [diagnostic.path for diagnostic in second.diagnostics] == ["broken.py"]
    assert (second.diagnostics, second.files) == (first.diagnostics, first.files)


def test_a_failure_of_awaken_itself_is_not_remembered(run, runs, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(QueryToSelect, "plan", fail)
        assert run().diagnostics != ()
    report = run()

    assert len(runs) == 2
    assert report.diagnostics == ()
    assert len(report.files) == 1


def test_a_message_with_half_a_surrogate_pair_is_no_error(run, runs, monkeypatch):
    """As a message has that quotes what a literal of the program is."""
    real = engine_run._answer

    def quoting(*given):
        answer = real(*given)
        found = (structs.replace(one, message="\ud800") for one in answer.findings)
        return structs.replace(answer, findings=tuple(found))

    monkeypatch.setattr(engine_run, "_answer", quoting)
    first = run()

    assert first.findings[0].message == "\ud800"
    assert picture(first) == picture(run()) == picture(run(use_cache=False))
    assert len(runs) == 3


def test_a_damaged_cache_costs_time_only(run, runs, tmp_path):
    first = run()
    for file in (tmp_path / "cache").rglob("*.msgpack"):
        file.write_bytes(file.read_bytes()[:-7])
    second = run()

    assert len(runs) == 2
    assert picture(first) == picture(second)
