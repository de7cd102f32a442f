"""What only some runs need is imported by these runs alone: others start as fast without it."""

from __future__ import annotations

import subprocess
import sys

import pytest

QUERY = """\
from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session, declarative_base


class User(declarative_base()):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


def users(session: Session):
    return session.query(User).all()
"""

LOADED = """
import sys
from awaken.cli import main
code = main({words!r})
print(*sorted({late!r} & sys.modules.keys()), file=sys.stderr)
sys.exit(code)
"""
OF_THE_ENGINE = {"libcst", "rich.markdown", "rich.progress"}
OF_OUTPUT = {"pydantic", "pygments"}
OF_CAMPAIGNS = {"awaken.batch", "awaken.cli.commands.batch", "distributed"}
OF_WRITING = {"configupdater", "filelock", "tomlkit"}


def run(directory, words, late):
    """Return which modules of ``late`` a run in ``directory`` has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=words, late=late)],
        cwd=directory,
        capture_output=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    return set(done.stderr.decode().splitlines()[-1].split())


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text(QUERY)
    (project / "requirements.txt").write_text("sqlalchemy==2.0.40\n")
    return project


@pytest.mark.parametrize(
    ("words", "late", "expected"),
    [
        (["--version"], OF_THE_ENGINE | OF_WRITING | OF_OUTPUT, set()),
        (["check", "--no-cache"], OF_WRITING | OF_OUTPUT | OF_CAMPAIGNS, set()),
        (["check", "--no-cache", "--select", "ALL", "."], OF_WRITING | OF_OUTPUT, set()),
        (["diff", "--no-cache"], OF_WRITING, set()),
        (["apply", "--no-cache", "--unsafe-fixes"], OF_WRITING, {"filelock"}),
    ],
)
@pytest.mark.sampled(3)
def test_what_is_loaded(project, words, late, expected):
    assert run(project, words, late) == expected
    assert ((project / "app.py").read_text() != QUERY) == bool(expected)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return session.query(User).all()", "return []"),
        ("query(User).all()", "query(User).search('a')"),
    ],
    ids=["no site", "a site that stays"],
)
@pytest.mark.slow
def test_a_run_that_changes_nothing_loads_no_libcst(project, old, new):
    app = project / "app.py"
    assert run(project, ["check", "--no-cache"], {"libcst"}) == {"libcst"}
    app.write_text(QUERY.replace(old, new))
    assert run(project, ["check", "--no-cache"], {"libcst"}) == set()
    assert run(project, ["diff", "--no-cache", "--unsafe-fixes"], {"libcst"}) == set()


@pytest.mark.parametrize("form", ["full", "concise", "json-lines", "grouped"])
@pytest.mark.slow
def test_a_run_of_which_nothing_changed_loads_no_rule(project, form):
    words = ["check", "--cache-dir", str(project.parent), "--output-format", form]
    late = {"typer", "rich", "libcst", "pathspec", "importlib.metadata", "awaken.project"}
    late |= {"awaken.codemods", "awaken.engine.run", "awaken.knowledge"}
    # Documents say which version made them.
    late -= {"importlib.metadata"} if form == "json-lines" else set()
    run(project, words, late)

    assert run(project, words, late) == set()


@pytest.mark.slow
def test_a_run_after_an_edit_elsewhere_loads_no_facts(project):
    (project / "other.py").write_text("x = 1\n")
    late = {"libcst", "awaken.engine.run", "awaken.project.facade"}
    run(project, ["check"], late)
    (project / "other.py").write_text("x = 2\n")

    assert run(project, ["check"], late) == set()


@pytest.mark.slow
def test_a_changed_line_is_explained_without_the_engine(project):
    late = {"libcst", "awaken.engine.run"}
    words = ["explain", f"app.py:{len(QUERY.splitlines())}"]
    run(project, ["check"], late)

    assert run(project, words, late) == set()
    assert run(project, [*words, "--no-cache"], late) == late
