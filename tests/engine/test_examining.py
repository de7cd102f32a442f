from __future__ import annotations

import os
import subprocess
import sys
from typing import ClassVar

import pytest

from awaken import api
from awaken.contract import Phase, Status, UserError
from awaken.engine.diagnosing import diagnosis
from awaken.engine.diagnosing.diagnosis import ExcludedGroup, RuleStatus, Severity
from awaken.engine.writing.applying import FileWrite, apply
from awaken.engine.writing.undoing import PendingApply
from awaken.kit.rule import Rule
from awaken.settings import Settings
from awaken.workspace.sources import decode

PATH = os.environ["PATH"]
PYPROJECT = '[project]\nname = "shop"\nrequires-python = ">=3.10"\ndependencies = [{}]\n'


class Needy(Rule):
    name = "needy"
    family = "things"
    phase = Phase.QUERIES
    needs: ClassVar[dict[str, str]] = {"sqlalchemy": ">=1.4"}


class Tried(Rule):
    name = "tried"
    family = "things"
    phase = Phase.TIDY
    status = Status.PREVIEW


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    directory = tmp_path / "program"
    directory.mkdir()
    (directory / "main.py").write_text("import sqlalchemy\n")
    return directory


def declare(root, *requirements):
    listed = ", ".join(f'"{one}"' for one in requirements)
    (root / "pyproject.toml").write_text(PYPROJECT.format(listed))


def seen(root, *paths, **settings):
    given = api.Options(settings=Settings(**settings))
    found = api.doctor([root / path for path in paths] or [root], given, [Needy(), Tried()])
    (one,) = found.roots
    return one


def said(one):
    return [(remark.severity.value, remark.message) for remark in one.remarks]


def test_a_program_in_order_has_nothing_to_act_on(root):
    declare(root, "sqlalchemy>=2.0")

    one = seen(root)

    assert one.remarks == ()
    assert (one.marker.file, one.marker.line, one.marker.why) == ("pyproject.toml", 1, "[project]")
    assert (one.python.specifier, one.python.origin) == (">=3.10", "pyproject.toml")
    assert one.rules == (
        RuleStatus("needy", runs=True, why=""),
        RuleStatus("tried", runs=False, why=one.rules[1].why),
    )
    assert "preview" in one.rules[1].why


def test_what_is_left_out_is_counted_by_what_leaves_it_out(root):
    for name in ("gen", ".venv", "a/.venv", "old", "kept"):
        (root / name).mkdir(parents=True)
        (root / name / "x.py").write_text("")
    (root / "scratch.py").write_text("")
    (root / ".gitignore").write_text("gen/\nscratch.py\n")

    one = seen(root, extend_exclude=("old",))

    assert one.files == 2
    assert one.excluded == (
        ExcludedGroup(".gitignore", 1, 1, ("gen", "scratch.py")),
        ExcludedGroup("default", 0, 2, (".venv",)),
        ExcludedGroup("exclude", 0, 1, ("old",)),
    )


def test_a_file_that_is_named_is_not_left_out(root):
    declare(root, "sqlalchemy>=2.0")
    (root / "old").mkdir()
    (root / "old" / "x.py").write_text("")
    (root / "y.py").write_text("")
    (root / ".gitignore").write_text("old/\ny.py\n")

    one = seen(root, "old", "y.py")

    assert one.excluded == ()
    assert (one.files, one.selected) == (3, 2)


def test_projects_inside_are_named_and_have_a_diagnosis_of_their_own(root):
    declare(root)
    inner = root / "inner"
    inner.mkdir()
    declare(inner)

    found = api.doctor([root], rules=[])

    assert [one.root for one in found.roots] == [root, inner]
    assert found.roots[0].nested == (inner,)


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("flask", "sqlalchemy is not declared: awaken assumes >=2.1,<2.2"),
        ("sqlalchemy", "sqlalchemy is declared without a version: awaken assumes >=2.1,<2.2"),
    ],
)
def test_an_assumed_version_is_worth_advice(root, requirement, message):
    declare(root, requirement)

    assert said(seen(root)) == [("advice", message)]
    assert said(seen(root, target={"sqlalchemy": "2.0"})) == []


def test_a_library_that_no_file_names_is_not_missed(root):
    declare(root)
    (root / "main.py").write_text("print()\n")

    assert said(seen(root)) == []


def test_a_need_that_is_not_met_is_said_with_what_was_found(root):
    declare(root, "sqlalchemy>=1.3")

    one = seen(root)

    assert one.rules[0].runs
    assert "it needs sqlalchemy>=1.4, and >=1.3 (pyproject.toml)" in one.rules[0].why
    assert [remark.severity for remark in one.remarks] == [Severity.ADVICE]
    assert "--target" in one.remarks[0].help


def test_an_ignored_rule_says_by_what(root):
    declare(root, "sqlalchemy>=2")

    one = seen(root, ignore=("needy",))

    assert one.rules[0] == RuleStatus("needy", runs=False, why="ignored by the command line")
    assert ("advice", "no rule runs here") in said(one)


def test_a_formatter_counts_once_its_command_is_there(root, tmp_path):
    declare(root, "sqlalchemy>=2")
    with (root / "pyproject.toml").open("a") as file:
        file.write("[tool.black]\nline-length = 100\n")

    one = seen(root)

    assert one.formatting.first_executable is None
    assert (one.formatting.line_length, one.formatting.line_length_origin) == (
        100,
        "[tool.black] in pyproject.toml",
    )
    (advice,) = one.remarks
    assert advice.message.startswith("formatter black is declared ([tool.black] in pyproject.toml)")

    command = tmp_path / "bin" / "black"
    command.parent.mkdir()
    command.touch(mode=0o755)

    one = seen(root)

    assert one.remarks == ()
    assert one.formatting.first_executable is not None
    assert one.formatting.first_executable.executable == str(command)


def test_drivers_go_by_the_name_that_the_project_uses(root):
    declare(root, "psycopg2-binary==2.9.9", "asyncpg")

    found = {one.name: one for one in seen(root).drivers}

    assert found.keys() == {"psycopg2-binary", "asyncpg"}
    assert found["psycopg2-binary"].driver.urls == ("postgresql+psycopg2",)
    assert found["psycopg2-binary"].library.specifier == "==2.9.9"
    assert found["asyncpg"].driver.async_urls == ("postgresql+asyncpg",)


def test_a_driver_in_two_distributions_is_one(root):
    declare(root, "psycopg[binary]>=3.1", "psycopg-binary>=3.1")

    assert [one.name for one in seen(root).drivers] == ["psycopg"]


def test_a_newer_python_than_ours_is_worth_advice(root, monkeypatch):
    declare(root, "sqlalchemy>=2")
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))

    ((severity, message),) = said(seen(root))

    assert severity == "advice"
    assert message.startswith("the program needs Python 3.10, but awaken runs on 3.9")


def test_uncommitted_changes_are_counted(root, monkeypatch):
    monkeypatch.setenv("PATH", PATH)
    declare(root, "sqlalchemy>=2")
    git(root, "init", "-q")
    git(root, "add", ".")
    assert seen(root).repository == diagnosis.Repository(root, 2, 0)
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    (root / "new.py").write_text("")

    one = seen(root)

    assert one.repository == diagnosis.Repository(root, 0, 1)
    assert "`awaken apply` will stop" not in str(said(one))

    (root / "main.py").write_text("import sqlalchemy as sa\n")

    assert "1 tracked file is changed and not committed" in str(said(seen(root)))


def git(root, *words):
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def test_a_repository_runs_no_program_of_its_own(root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", PATH)
    declare(root, "sqlalchemy>=2")
    witness = tmp_path / "ran"
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {witness}\n")
    monitor.chmod(0o755)
    git(root, "init", "-q")
    git(root, "config", "core.fsmonitor", str(monitor))

    assert seen(root).repository is not None
    assert not witness.exists()


def test_applies_that_can_be_taken_back_are_counted(root):
    source = decode("main.py", (root / "main.py").read_bytes())
    apply(root, [FileWrite(root / "main.py", source.digest, b"x = 1\n")], command="awaken apply")

    assert (seen(root).undoable, seen(root).pending) == (1, "")


def test_a_stopped_apply_is_an_error_and_not_the_end(root, monkeypatch):
    declare(root, "sqlalchemy>=2")
    stopped = PendingApply("1", root, None, "awaken apply", (), "take it back: awaken undo .")  # type: ignore[arg-type]
    monkeypatch.setattr(diagnosis, "pending", lambda _: stopped)

    found = api.doctor([root], rules=[Needy()])

    assert said(found.roots[0]) == [("error", "take it back: awaken undo .")]
    assert (found.errors, found.advice) == (1, 0)


def test_a_broken_manifest_and_a_missing_path_are_errors(root):
    (root / "pyproject.toml").write_text("[project]\nname = 'x'\nbroken\n")

    found = api.doctor([root, root / "nowhere"], rules=[Needy()])

    errors = [one for one in found.roots[0].remarks if one.severity is Severity.ERROR]
    assert [(one.path, one.line) for one in errors] == [("pyproject.toml", 3)]
    assert [one.message for one in found.remarks] == ["no such file or directory"]
    assert found.errors == 2


def test_a_directory_of_projects_needs_no_files_of_its_own(root):
    (root / "main.py").rename(root / "old.txt")
    inner = root / "inner"
    inner.mkdir()
    declare(inner)
    (root / "requirements.txt").write_text("")

    found = api.doctor([root], rules=[])

    assert (found.roots[0].files, said(found.roots[0])) == (0, [])


def test_an_ignored_directory_with_a_usual_name_is_left_out_by_what_comes_first(root):
    (root / "build").mkdir()
    (root / ".gitignore").write_text("build/\n")

    assert seen(root, exclude=("nothing",)).excluded == (
        ExcludedGroup(".gitignore", 0, 1, ("build",)),
    )


def test_a_version_in_the_settings_is_said_to_be_theirs(root):
    declare(root, "sqlalchemy")
    with (root / "pyproject.toml").open("a") as file:
        file.write('[tool.awaken]\ntarget = { sqlalchemy = "2.0" }\n')

    found = {one.name: one for one in seen(root).libraries}

    assert found["sqlalchemy"].specifier == "==2.0.*"
    assert found["sqlalchemy"].origin == "awaken's settings, pyproject.toml"


def test_an_empty_directory_says_so_and_no_more(root):
    (root / "main.py").unlink()

    assert said(seen(root)) == [("advice", "there is no Python file here")]


def test_a_version_that_is_none_is_said(root):
    with pytest.raises(UserError, match="nonsense"):
        seen(root, target={"sqlalchemy": "nonsense"})


def test_the_machine_says_how_many_processes_and_why(root):
    own = api.doctor([root], api.Options(jobs=3, use_cache=False), []).machine
    usual = api.doctor([root], rules=[]).machine

    assert (own.processes, own.processes_origin, own.cache) == (3, "--jobs", None)
    assert usual.processes_origin == "one per core"
    assert usual.cache is not None
    assert own.state == root.parent / "state"
    assert own.executable == sys.executable


def test_it_says_whether_others_may_import_and_where_that_was_said(root):
    (root / "pyproject.toml").write_text('[project]\nname = "p"\n[build-system]\nrequires = []\n')
    built = seen(root).publication
    chosen = seen(root, published=False).publication
    with (root / "pyproject.toml").open("a") as file:
        file.write("[tool.awaken]\npublished = false\n")
    set_in_file = seen(root).publication

    assert (built.published, built.path, built.line) == (True, "pyproject.toml", 3)
    assert (chosen.published, chosen.why) == (False, "the command line")
    assert (set_in_file.published, set_in_file.why) == (False, "pyproject.toml")
