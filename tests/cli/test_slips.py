"""Slips of the keyboard are answered, and nothing is green for the wrong reason."""

from __future__ import annotations

import subprocess

import pytest
from real_program import GOOD, Program


@pytest.fixture
def program(tmp_path, monkeypatch):
    found = Program(tmp_path / "program", {"app.py": GOOD, "other.py": "x = 1\n"})
    monkeypatch.chdir(found.root)
    return found


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--target", "sqlalchmy=2.0"], "did you mean 'sqlalchemy'?"),
        (["--target-version", "py399"], "there is no Python 3.99"),
        (["--exclude", "["], "'['"),
        (["--fix"], "`awaken apply` makes the changes"),
    ],
)
def test_a_slip_is_an_error_that_says_what_was_meant(awaken, options, said):
    code, _, err = awaken("check", *options)

    assert code == 2
    assert said in err


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    "options",
    [["--target", "sqlalchemy=2.0"], ["--target", "sqlalchemy-utils=0.41"], ["--exclude", "[ab]"]],
)
def test_what_is_no_slip_is_taken(awaken, options):
    assert awaken("check", *options)[0] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (\n", "'(' was never closed\n"),
        ("def f(:\n", "invalid syntax"),
        ("if x\n    pass\n", "expected ':'\n"),
    ],
)
def test_what_no_python_reads_is_not_said_to_be_of_a_newer_one(program, awaken, text, said):
    program.write("broken.py", GOOD + text)

    _, _, err = awaken("check")

    assert f"{said.rstrip()}" in err
    if said.endswith("\n"):
        assert "newer" not in err


def test_a_file_that_is_named_may_be_written_beside_uncommitted_work(program, awaken):
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.email=a@b", "-c", "user.name=a", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], check=True, capture_output=True)
    program.write("other.py", "x = 2\n")

    assert awaken("apply")[0] == 2
    assert awaken("apply", "app.py")[0] == 0


def test_rows_of_reasons_have_a_column_of_their_own(program, awaken):
    program.write("more.py", "def f(db, kind):\n    return db.query(kind).all()\n")

    names, *rows = [line.split("\t") for line in awaken("check", "--statistics")[1].splitlines()]

    assert names == ["sites", "rule", "level", "reason"]
    assert all(row[2] in {"safe", "unsafe", "manual", "advice", "held"} for row in rows)
    assert [row for row in rows if len(row) == 4]


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_a_directory_without_python_is_not_said_to_hold_no_site(tmp_path, awaken, command):
    (tmp_path / "empty").mkdir()

    code, out, err = awaken(command, str(tmp_path / "empty"))

    assert code == 0
    assert out == ""
    assert err.startswith("awaken found no Python file; 0 files read")


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_a_named_file_that_does_not_parse_is_an_error(program, awaken, command):
    program.write("bad.py", "x = (\n")

    for _ in range(2):  # the second answer is a remembered one
        code, _, err = awaken(command, "bad.py")

        assert code == 2
        assert err.startswith("error: bad.py:1: '(' was never closed\n")


def test_a_named_file_that_does_not_parse_is_said_once(program, awaken):
    program.write("bad.py", "from sqlalchemy.orm import Session\ns.query(\n")

    _, _, err = awaken("check", "bad.py")

    assert err.count("was never closed") == 1


GAUGES = """\
from hospital.models import Patient
from sqlalchemy.orm import Session


class Gauge:
    def read(self, db: Session) -> Patient | None:
        return db.get(Patient, 1)


def count(db: Session) -> int:
    def inner() -> int:
        return len(db.identity_map)

    return inner()
"""


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("bridged", "gauges.cont", "no function of gauges.py; did you mean 'gauges.count'?"),
        ("bridged", "gauge.count", "no such module; did you mean 'gauges.count'?"),
        ("bridged", "gauges.Gauge", "no function of gauges.py; did you mean 'gauges."),
        ("bridged", "count", "no such module; did you mean 'gauges.count'?"),
        ("bridged", "gauges.Gauge.raed", "did you mean 'gauges.Gauge.read'?"),
        ("foreign_models", "hospitl", "no file imports anything from it; did you mean 'hospital'?"),
        ("foreign_models", "hospital.models", "a module: name its package, 'hospital'"),
        ("foreign_models", "hospital.models.Doctor", "no file mentions 'Doctor'"),
        ("foreign_models", "gauges", "which is part of the program"),
        ("component", "gauges.cont", "or function; did you mean 'gauges.count'?"),
        ("component", "gauge", "or function; did you mean 'gauges'?"),
        ("component", "gauges", ""),
        ("component", "count", ""),
        ("component", "Gauge.read", ""),
        ("component", "gauges.Gauge", ""),
        ("bridged", "gauges.count", ""),
        ("bridged", "gauges.count.inner", ""),
        ("bridged", "gauges.Gauge.read", ""),
        ("foreign_models", "hospital", ""),
        ("foreign_models", "hospital.models.Patient", ""),
        ("foreign_models", "hospital.models.Patient.doctor", ""),
    ],
)
def test_options_name_what_the_program_has(program, awaken, option, name, said):
    program.write("gauges.py", GAUGES)
    value = f"'{name}'" if option == "component" else f"[\n'{name}',\n]"
    setting = f"[tool.awaken.rules.session-to-async]\n{option} = {value}\n"
    manifest = f"{(program.root / 'pyproject.toml').read_text()}\n{setting}"
    program.write("pyproject.toml", manifest)
    line = manifest.count("\n", 0, manifest.index(f"'{name}'")) + 1

    code, _, err = awaken("check", "--select", "session-to-async")

    assert (code == 2) is bool(said)
    assert said in err
    assert not said or err.startswith(f"error: pyproject.toml:{line}: {option!r} names {name!r}, ")


def test_an_option_of_a_rule_that_does_not_run_is_no_silent_one(program, awaken):
    program.write("gauges.py", GAUGES)

    code, _, err = awaken("check", "--component", "gauges", "--select", "query-to-select")

    assert code == 2
    assert err.startswith("error: --component is an option of session-to-async, which does not run")
