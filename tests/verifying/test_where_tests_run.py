"""The directory of the copy in which the tests of a project run, and what they find there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from awaken import api
from awaken.cli import main
from awaken.contract import UserError
from awaken.verifying import verify_changes as verifying
from awaken.verifying.copies import copy_of_project
from awaken.verifying.suites import Copy
from awaken.verifying.verify_changes import Where
from tests.verifying.test_verify import PYTEST, SELECTED, shop  # noqa: F401  a fixture

SAYS_WHERE = [sys.executable, "-c", "import os; print(os.getcwd())"]


@pytest.fixture
def backend(shop):  # noqa: F811
    """A project in a directory of its repository; its settings say where its tests are."""
    top = shop.parent / "repository"
    (top / "backend/checks").mkdir(parents=True)
    for path in list(shop.iterdir()):
        path.rename(top / "backend" / path.name)
    (top / "backend/test_shop.py").rename(top / "backend/checks/of_shop.py")
    with (top / "backend/pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.pytest.ini_options]\npython_files = "of_*.py"\n')
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    return top / "backend"


@pytest.mark.parametrize(
    ("here", "where", "expected"),
    [
        ("backend", Where.HERE, "backend"),
        (".", Where.HERE, "."),
        ("..", Where.HERE, "backend"),
        (".", Where.HERE_IN_PROJECT, "backend"),
        ("backend/new", Where.HERE_IN_PROJECT, "backend/new"),
        ("backend/new", Where.PROJECT, "backend"),
    ],
)
def test_tests_run_where_the_user_is(backend, monkeypatch, here, where, expected):
    top = backend.parent
    (top / here).mkdir(exist_ok=True)
    report = api.run([backend], SELECTED)
    monkeypatch.chdir(top / here)

    tests = verifying.Tests(SAYS_WHERE, where=where)
    result = verifying.verify_report(report, lambda _sites: report, tests)

    place = Path(os.path.realpath(backend.parents[1]), "state/verifying", str(os.getpid()))
    ran = Path(result.before.output.strip())
    assert ran.relative_to(place) == Path("repository", expected)


@pytest.mark.slow
def test_the_tests_of_a_project_in_a_directory_are_run_and_compared(backend, monkeypatch, capfd):
    # As `pip install --editable` does, whose path comes after that of the copy.
    monkeypatch.setenv("PYTHONPATH", str(backend))
    monkeypatch.chdir(backend)

    code = main(["verify", "--select", "query-to-select", "--", *PYTEST])

    said = capfd.readouterr().out
    assert code == 0, said
    assert "After   2 passed" in said
    assert "3 sites in 2 files held, 2 of them reached" in said


@pytest.mark.slow
def test_the_command_that_settings_name_runs_in_the_directory_of_the_project(
    backend, monkeypatch, capfd
):
    command = " ".join([sys.executable, *PYTEST[1:], "checks"])
    with (backend / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[tool.awaken.verify]\ncommand = "{command}"\n')
    monkeypatch.chdir(backend.parent)
    assert main(["trust", "backend"]) == 0

    code = main(["verify", "--select", "query-to-select", "backend"])

    assert code == 0, capfd.readouterr().err
    assert "After   2 passed" in capfd.readouterr().out


def test_the_nearest_environment_of_the_project_is_that_of_the_tests(tmp_path):
    copy = Copy(tmp_path / "copy", tmp_path, "backend/checks", ("backend",))

    assert copy.environment() is None
    (tmp_path / ".venv").mkdir()
    assert copy.environment() == tmp_path / ".venv"
    (tmp_path / "backend/.venv").mkdir(parents=True)
    assert copy.environment() == tmp_path / "backend/.venv"


def test_the_copy_is_imported_from_before_what_the_user_names(tmp_path):
    copy = Copy(tmp_path / "copy", tmp_path / "own", "", ("backend",))
    named = os.pathsep.join([str(tmp_path / "own/libs"), "src", str(tmp_path / "elsewhere")])

    first, second, _, *rest = copy.import_path(named).split(os.pathsep)

    assert [first, second] == [f"{tmp_path}/copy/backend", f"{tmp_path}/copy/backend/src"]
    assert rest == [f"{tmp_path}/copy/libs", "src", f"{tmp_path}/elsewhere"]


def test_ignored_files_are_carried_from_where_the_user_is(backend):
    top = backend.parent
    (top / ".gitignore").write_text(".env\n", "utf-8")
    (backend / ".env").write_text("own", "utf-8")
    with copy_of_project(top, [".env"], [backend]) as copy:
        assert (copy / "backend/.env").read_text("utf-8") == "own"
        assert not (copy / ".env").exists()
    with copy_of_project(top, ["../.gitignore"], [backend]) as copy:
        assert (copy / ".gitignore").exists()
    for name in ("../../outside", str(top.parent / "outside")):
        (top.parent / "outside").write_text("secret", "utf-8")
        with (
            pytest.raises(UserError, match="no such file"),
            copy_of_project(top, [name], [backend]),
        ):
            pass


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["test_nowhere.py"], "file or directory not found: test_nowhere.py"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["-k", "nothing"], "(2 deselected in"),
        (["-c", "no.ini"], "no.ini' not found"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_where_no_test_runs_the_error_of_pytest_is_shown(words, said):
    with pytest.raises(UserError) as raised:
        verifying.verify([Path()], SELECTED, [*PYTEST, *words])

    assert said in str(raised.value)


def test_where_no_test_runs_the_directory_is_named(shop, monkeypatch):  # noqa: F811
    (shop / "docs").mkdir()
    monkeypatch.chdir(shop / "docs")

    with pytest.raises(UserError, match="ran no test by pytest in docs, so it proves nothing"):
        verifying.verify([shop], SELECTED, PYTEST)


@pytest.mark.slow
def test_where_a_conftest_fails_its_error_is_shown(shop):  # noqa: F811
    (shop / "conftest.py").write_text("import nowhere_at_all\n", "utf-8")

    with pytest.raises(UserError, match="No module named 'nowhere_at_all'"):
        verifying.verify([Path()], SELECTED, PYTEST)
