"""Settings of tests above the selected folder: they change too, or one step says which do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from awaken import api
from awaken.settings import Settings

CASES = Path(__file__).parents[3] / "fixtures" / "sqlalchemy" / "session-to-async"
FILES = CASES / "settings-above-the-folder" / "before"
OPTIONS = api.Options(
    settings=Settings(select=("session-to-async",), unsafe_fixes=True), use_cache=False
)
SCOPE = "module"  # the widest of the fixtures that become asynchronous
LINES = f"asyncio_mode = auto\nasyncio_default_fixture_loop_scope = {SCOPE}"
PROJECT = """\
[project]
name = "rides"
version = "1"
requires-python = ">=3.10"
dependencies = ["sqlalchemy>=2.0", "aiosqlite"]

[dependency-groups]
dev = ["pytest"]
"""


@pytest.fixture
def repository(tmp_path):
    for path in filter(Path.is_file, FILES.rglob("*")):
        place = tmp_path / path.relative_to(FILES)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").unlink()
    return tmp_path


def outcome_of(repository):
    """Return how the tests end."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "backend"]
    ran = subprocess.run(command, cwd=repository, check=False, capture_output=True, text=True)
    return ran.stdout.splitlines()[-1].partition(" in ")[0]


def test_a_file_of_settings_is_made_above_the_selected_folder(repository):
    assert outcome_of(repository) == "2 passed"

    report = api.run([repository / "backend"], OPTIONS).roots[0]

    for file in report.files:
        (repository / file.path).write_bytes(file.after.raw())
    assert (repository / "pytest.ini").read_text() == "[pytest]\nasyncio_mode = auto\n"
    assert "pytest-asyncio" in (repository / "requirements.txt").read_text()
    assert report.left_to_do == ()
    assert outcome_of(repository) == "2 passed"


def test_requirements_of_the_selected_folder_change_as_those_above_it(repository):
    (repository / "backend" / "requirements.txt").write_text("SQLAlchemy==2.0.40\npytest\n")
    (repository / "other").mkdir()
    (repository / "other" / "requirements.txt").write_text("sqlalchemy\n")

    report = api.run([repository / "backend"], OPTIONS).roots[0]

    texts = {file.path: file.after.text.decode() for file in report.files}
    own = "SQLAlchemy[asyncio]==2.0.40\npytest\npytest-asyncio\n"
    assert texts["backend/requirements.txt"] == own
    above = "sqlalchemy[asyncio]>=2.0\naiosqlite\npytest\npytest-asyncio\n"
    assert texts["requirements.txt"] == above
    assert "other/requirements.txt" not in texts


def test_a_file_of_settings_that_git_ignores_is_not_made_again(repository):
    (repository / ".gitignore").write_text("pytest.ini\n")
    (repository / "pytest.ini").write_text("[pytest]\n")

    report = api.run([repository / "backend"], OPTIONS)

    (step,) = report.roots[0].left_to_do
    assert (step.path, step.why) == ("pytest.ini", "awaken reads no such file")
    api.apply(report)
    assert (repository / "pytest.ini").read_text() == "[pytest]\n"


def test_settings_above_the_project_are_left_to_do_in_one_step(repository):
    (repository / "backend" / "pyproject.toml").write_text(PROJECT)
    settings = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    (repository / "pytest.ini").write_text(settings)

    report = api.run([repository / "backend"], OPTIONS).roots[0]

    (step,) = report.left_to_do
    assert (step.path, step.table, step.add) == ("../pytest.ini", "[pytest]", LINES)
    assert step.why == "it is outside of the project"
    assert {file.path for file in report.files} >= {"pyproject.toml", "rides.py"}
    # With it the change is whole.
    for file in report.files:
        (repository / "backend" / file.path).write_bytes(file.after.raw())
    assert outcome_of(repository) != "2 passed"
    (repository / "pytest.ini").write_text(f"[pytest]\n{step.add}\n")
    assert outcome_of(repository) == "2 passed"


def test_loop_scope_is_said_where_warnings_are_errors(repository):
    settings = (
        "[pytest]\nfilterwarnings =\n    ignore::UserWarning\n    error::DeprecationWarning\n"
    )
    (repository / "pytest.ini").write_text(settings)

    report = api.run([repository], OPTIONS).roots[0]

    (text,) = (file.after.text.decode() for file in report.files if file.path == "pytest.ini")
    lines = text.removeprefix(settings).splitlines()
    assert lines == ["asyncio_mode = auto", f"asyncio_default_fixture_loop_scope = {SCOPE}"]
    for file in report.files:
        (repository / file.path).write_bytes(file.after.raw())
    assert outcome_of(repository) == "2 passed"
