from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import program

from awaken.cli import application
from awaken.contract import Level, UserError

COMMANDS = ["check", "diff", "apply", "undo", "migrate", "recipes", "rules"]


def test_without_arguments_it_shows_the_help(awaken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, out, err = awaken()

    assert (code, err) == (0, "")
    assert all(f"\n  {command} " in out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(awaken, command):
    code, out, _ = awaken(command, "--help")

    assert code == 0
    assert out.startswith(f"Usage: awaken {command} ")
    assert max(map(len, out.splitlines())) <= 80


def test_the_version_is_printed(awaken):
    code, out, _ = awaken("--version")

    assert code == 0
    assert out.split()[0] == "awaken"


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], ["'chekc'", "check"]),
        (["fix"], ["'fix'", "'apply'"]),
        (["dry-run"], ["'dry-run'", "'diff'"]),
        (["check", "--selct", "x"], ["--selct", "--select"]),
        (["check", "--output-format", "xml"], [" 'xml' ", "concise"]),
        (["check", "--jobs", "0"], ["--jobs"]),
        (["check", "--target", "sqlalchemy"], ["'sqlalchemy'", "NAME=VERSION"]),
        (["check", "--target", "=2.0"], ["NAME=VERSION"]),
        (["check", "--target-version", "py2.7"], ["'py2.7'", "py311"]),
    ],
)
def test_a_bad_option_is_one_sentence_and_2(awaken, arguments, words):
    code, out, err = awaken(*arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ")
    assert [word for word in words if word not in err] == []


def test_options_reach_the_engine(engine, awaken):
    awaken(
        "check", "app.py", "lib", "--select", "a,b", "--select", "c", "--ignore", "d, e",
        "--unsafe-fixes", "--target-version", "3.12", "--target", "SQLAlchemy=2.0",
        "--target", "fastapi==0.100", "--exclude", "gen/,*.pyi", "-j", "3", "--cache-dir", "c",
        "--no-cache",
    )  # fmt: skip

    asked, settings = engine.options, engine.options.settings
    assert engine.paths == [Path("app.py"), Path("lib")]
    assert (settings.select, settings.ignore) == (("a", "b", "c"), ("d", "e"))
    assert (settings.unsafe_fixes, settings.target_version) == (True, "py312")
    assert settings.target == {"SQLAlchemy": "2.0", "fastapi": "0.100"}
    assert (settings.exclude, asked.jobs) == (("gen/", "*.pyi"), 3)
    assert (settings.cache_dir, asked.use_cache) == ("c", False)


def test_without_options_the_engine_decides(engine, awaken):
    awaken("check")

    assert engine.paths == [Path()]
    assert engine.options == type(engine.options)()


def test_the_next_command_has_the_same_paths_and_options(engine, awaken):
    engine.levels = (Level.SAFE, Level.UNSAFE)

    _, _, err = awaken(
        "check", "my app.py", "--select", "sqlalchemy", "--target", "sqlalchemy=2.0",
        "--target-version", "py311", "--exclude", "*_gen.py", "-q",
    )  # fmt: skip
    assert err == ""
    _, _, err = awaken(
        "check", "my app.py", "--select", "sqlalchemy", "--target", "sqlalchemy=2.0",
        "--target-version", "py311", "--exclude", "*_gen.py",
    )  # fmt: skip

    again = (
        "awaken diff --select sqlalchemy --exclude '*_gen.py' --target sqlalchemy=2.0 "
        "--target-version py311"
    )
    assert f"{again} 'my app.py'\n" in err
    assert f"{again} --unsafe-fixes 'my app.py'\n" in err


def test_the_next_command_starts_as_this_one_did(engine, awaken, monkeypatch):
    engine.levels = (Level.SAFE,)
    monkeypatch.setattr("sys.argv", ["/venv/lib/awaken/__main__.py"])

    assert " python -m awaken diff\n" in awaken("check")[2]


def test_what_the_user_can_mend_is_one_sentence(engine, awaken):
    engine.error = UserError("there is no rule or family named 'x'; did you mean 'y'?")

    assert awaken("check", "--select", "x") == (
        2,
        "",
        "error: there is no rule or family named 'x'; did you mean 'y'?\n",
    )


def test_an_internal_error_is_one_sentence_that_says_how_to_report_it(engine, awaken):
    engine.error = ValueError("no\nsuch thing")

    code, out, err = awaken("check")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "ValueError: no such thing" in err
    assert "-v" in err


def test_the_traceback_of_an_internal_error_is_there_on_demand(engine, awaken):
    engine.error = ValueError("no such thing")

    code, _, err = awaken("check", "-v")

    assert code == 2
    assert err.startswith("Traceback")
    assert "please report it" in err.splitlines()[-1]


@pytest.mark.usefixtures("engine")
def test_a_verbose_run_leaves_the_log_as_it_was(awaken):
    logger = logging.getLogger("awaken")
    before = list(logger.handlers), logger.level

    awaken("check", "-v")

    assert (logger.handlers, logger.level) == before


def test_an_error_of_the_system_is_one_sentence(engine, awaken):
    engine.error = PermissionError(13, "Permission denied", "app.py")

    assert awaken("check") == (2, "", "error: app.py: Permission denied\n")


def test_ctrl_c_ends_with_130(engine, awaken):
    engine.error = KeyboardInterrupt()

    assert awaken("check") == (130, "", "Interrupted.\n")


def child(engine, source: str, **streams: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", source], cwd=engine.root, **streams)


def test_a_real_ctrl_c_ends_with_130_and_no_traceback(engine):
    source = (
        "import sys, time\n"
        "from awaken import api\n"
        "from awaken.cli import main\n"
        "def run(*_, **__):\n"
        "    print('ready', flush=True)\n"
        "    for _ in range(600):\n"
        "        time.sleep(0.1)\n"  # a signal right before a sleep does not end it
        "api.run = run\n"
        "sys.exit(main(['check']))\n"
    )
    process = child(engine, source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert (process.returncode, err) == (130, b"Interrupted.\n")


@pytest.mark.parametrize("form", ["full", "concise", "json", "patch"])
def test_a_reader_that_goes_away_is_no_error(engine, form):
    source = program("diff", "-q", "--output-format", form)
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = child(engine, source, stdout=writer, stderr=subprocess.PIPE, env=buffered)
    os.close(writer)
    _, err = process.communicate()

    assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("closed", [1, 2])
def test_a_closed_stream_is_no_error(engine, closed):
    source = f"import sys\nsys.{('stdout', 'stderr')[closed - 1]} = None\n{program('check')}"
    process = child(engine, source, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate()

    assert process.returncode == 1
    assert [bool(out), bool(err)] == [closed == 2, closed == 1]


def test_a_narrow_encoding_loses_nothing(engine):
    source = program("diff", "--output-format", "full", message="na\u00efve")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = child(engine, source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    out, _ = process.communicate()

    assert process.returncode == 0
    assert b" 1    |- a = query(1)\n    1 |+ a = select(1)\n" in out
    assert b"na\\xefve manual" in out


def test_the_help_cuts_no_sentence(awaken, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = awaken("--help")
    tasks = out.partition("Find and rewrite:")[2]
    rows = [line for line in tasks.splitlines() if line.startswith("  ")]
    assert len(rows) > len(application.GROUPS)
    assert not [row for row in rows if not row.endswith(".") or row.endswith("...")]
