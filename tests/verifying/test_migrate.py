"""A recipe of which each step is verified by the tests before its commit."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from msgspec import structs

from awaken.cli import main
from awaken.cli.commands.migrating import verified_steps
from awaken.verifying.sufficient_runs import Difference
from awaken.verifying.suites import ObservedTest
from tests.engine.faulty_filesystem import Killed
from tests.verifying.test_verify import (
    CONFTEST,
    MANIFEST,
    MODELS,
    OTHERS,
    PYTEST,
    QUERIES,
    TESTS,
    kill_while_writing,
)

RECIPE = """
[tool.awaken.recipes.queries]
summary = "Queries."

[[tool.awaken.recipes.queries.steps]]
summary = "Write select."
rules = { query-to-select = "safe" }
"""
pytestmark = pytest.mark.slow

STEPS = ["migrate", "queries", "--verify"]


def git(*words):
    done = subprocess.run(["git", *words], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@b.c")
    root = tmp_path / "shop"
    root.mkdir()
    files = {
        "pyproject.toml": MANIFEST + RECIPE,
        "models.py": MODELS,
        "queries.py": QUERIES,
        "others.py": OTHERS,
        "conftest.py": CONFTEST,
        "test_shop.py": TESTS,
    }
    for name, text in files.items():
        (root / name).write_text(text, "utf-8")
    monkeypatch.chdir(root)
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "Begin")
    return root


def test_a_step_is_committed_with_what_the_tests_say(shop, capsys):
    code = main([*STEPS, "--", *PYTEST])

    assert code == 0, capsys.readouterr()
    message = git("log", "-1", "--format=%B")
    assert "Verified by the tests:" in message
    assert "before: 2 passed" in message
    assert "not exercised: 1 site" in message
    assert "select(User)" in (shop / "others.py").read_text("utf-8")
    assert not git("status", "--porcelain")


@pytest.mark.slow
def test_the_page_has_what_the_tests_say_of_each_step(shop):
    page = shop.parent / "page.html"
    words = ["--verify", "--output-format", "html", "-o", str(page), "--", *PYTEST]

    assert main(["migrate", "sqlalchemy-2", *words]) == 0

    text = page.read_text("utf-8")
    assert 'data-step="' in text
    assert "Reached by " in text
    assert " rewritten in " in text


@pytest.mark.usefixtures("shop")
def test_a_dry_run_says_how_to_make_it_by_the_same_tests(capsys):
    assert main([*STEPS, "--dry-run", "--", "pytest", "some tests"]) == 0

    assert "--verify -- pytest 'some tests'" in capsys.readouterr().out


def test_a_step_shrinks_to_what_holds(shop):
    with (shop / "test_shop.py").open("a", encoding="utf-8") as file:
        file.write(
            "\n\ndef test_source(db):\n    import others\n    from pathlib import Path\n\n"
            "    others.named(db, 'b')\n"
            '    assert "query(" in Path(others.__file__).read_text()\n'
        )
    git("commit", "-q", "-a", "-m", "More")

    assert main([*STEPS, "--", *PYTEST]) == 0
    assert "left out: query-to-select" in git("log", "-1", "--format=%B")
    assert "db.query(" in (shop / "others.py").read_text("utf-8")
    assert "select(User)" in (shop / "queries.py").read_text("utf-8")
    commits = git("rev-list", "--count", "HEAD")
    assert main([*STEPS, "--", *PYTEST]) == 0
    assert git("rev-list", "--count", "HEAD") == commits


def test_a_step_that_was_killed_while_it_was_written_is_made_again(shop, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        kill_while_writing(patch, 22)
        with pytest.raises(Killed):
            main([*STEPS, "--", *PYTEST])
    shutil.rmtree(shop.parent / "state/verifying")

    assert main([*STEPS, "--", *PYTEST]) == 0

    assert "restored" in capfd.readouterr().err
    assert git("rev-list", "--count", "HEAD").strip() == "2"
    assert not git("status", "--porcelain")


def kill_before_the_commit(monkeypatch):
    def killed(_directory, files, _message):
        git("add", *map(str, files))
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(verified_steps, "commit", killed)
        with pytest.raises(Killed):
            main([*STEPS, "--", *PYTEST])
    assert git("status", "--porcelain")


def test_a_step_that_was_killed_before_its_commit_is_made_again(shop, monkeypatch, capfd):
    kill_before_the_commit(monkeypatch)

    assert main([*STEPS, "--", *PYTEST]) == 0

    assert "restored 2 files of a verification" in capfd.readouterr().err
    assert git("rev-list", "--count", "HEAD").strip() == "2"
    assert "select(User)" in (shop / "others.py").read_text("utf-8")
    assert not git("status", "--porcelain")


def test_what_was_edited_after_a_kill_is_not_taken_back(shop, monkeypatch, capfd):
    kill_before_the_commit(monkeypatch)
    edited = (shop / "others.py").read_text("utf-8") + "# mine\n"
    (shop / "others.py").write_text(edited, "utf-8")

    main([*STEPS, "--", *PYTEST])

    assert "restored" not in capfd.readouterr().err
    assert (shop / "others.py").read_text("utf-8") == edited
    assert "select(User)" in (shop / "queries.py").read_text("utf-8")


def test_the_command_that_a_repository_names_runs_where_it_is_trusted(shop, capsys):
    command = " ".join([sys.executable, *PYTEST[1:]])
    with (shop / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[tool.awaken.verify]\ncommand = "{command}"\n')
    git("commit", "-q", "-a", "-m", "Name the tests")

    assert main(STEPS) == 2
    assert "names the command of the tests" in capsys.readouterr().err
    assert main(["trust"]) == 0
    assert main(STEPS) == 0
    assert "Verified by the tests:" in git("log", "-1", "--format=%B")
    text = (shop / "pyproject.toml").read_text("utf-8")
    (shop / "pyproject.toml").write_text(text.replace("-q", "-v"), "utf-8")
    assert main(["verify", "--select", "query-to-select"]) == 2


@pytest.mark.usefixtures("shop")
def test_a_step_that_the_tests_say_nothing_of_is_an_error(capsys):
    code = main([*STEPS, "--", *PYTEST, "nowhere.py"])

    said = capsys.readouterr().out
    assert code == 2
    assert "Step 1 is not verified: the command ran no test by pytest" in said
    assert "file or directory not found: nowhere.py" in said
    assert "Nothing was written." in said
    assert "awaken undo" not in said
    assert "test the result" not in said
    assert git("rev-list", "--count", "HEAD").strip() == "1"


def test_after_a_step_that_does_not_hold_only_what_was_made_can_be_undone(
    shop, monkeypatch, capsys
):
    with (shop / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(RECIPE[RECIPE.index("[[") :].replace("query-to-select", "running-loop"))
    loops = "import asyncio\n\n\nasync def loop():\n    return asyncio.get_event_loop()\n"
    (shop / "loops.py").write_text(loops, "utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "More")
    verified, steps = verified_steps.verify_report, []

    def fails_at_last(report, *words):
        result = verified(report, *words)
        steps.append(result)
        failed = (Difference(ObservedTest("test_a", "passed"), None),)
        return structs.replace(result, unexplained=failed if len(steps) == fails_at else ())

    monkeypatch.setattr(verified_steps, "verify_report", fails_at_last)
    for fails_at, undoes in ((1, False), (2, True)):
        steps.clear()
        assert main([*STEPS, "--", *PYTEST]) == 1
        said = capsys.readouterr().out
        assert f"Step {fails_at} failed verification." in said
        assert ("To undo the last step" in said) is undoes
        assert ("test the result" in said) is undoes
