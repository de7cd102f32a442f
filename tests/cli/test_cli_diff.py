from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from child_process import program

from awaken.contract import Level
from awaken.engine.report import Diagnostic

SAFE, UNSAFE, MANUAL = Level.SAFE, Level.UNSAFE, Level.MANUAL


@pytest.mark.parametrize(
    ("levels", "options", "code"),
    [
        ((), [], 0),
        ((SAFE, UNSAFE, MANUAL), [], 0),
        ((SAFE,), ["--exit-code"], 1),
        ((UNSAFE, MANUAL), ["--exit-code"], 0),
    ],
)
def test_the_exit_code_is_that_of_git_diff(engine, awaken, levels, options, code):
    engine.levels = levels

    assert awaken("diff", *options)[0] == code


def test_a_diagnostic_ends_with_2_and_the_patch_is_still_there(engine, awaken):
    engine.levels, engine.diagnostics = (SAFE,), (Diagnostic("bad.py", 0, "is not readable"),)

    code, out, err = awaken("diff")

    assert (code, out[:10]) == (2, "diff --git")
    assert "error: bad.py: is not readable\n" in err


def test_what_is_piped_is_a_patch_that_git_takes(engine, awaken):
    engine.levels = (SAFE, MANUAL)

    _, out, err = awaken("diff")
    subprocess.run(["git", "apply"], input=out.encode(), check=True)

    assert (engine.root / "app.py").read_bytes().startswith(b"a = select(1)\n")
    assert err.startswith("2 sites (1 safe, 1 manual) in 1 file;")


@pytest.mark.parametrize(
    ("levels", "options", "is_offered"),
    [
        ((UNSAFE, MANUAL), [], True),
        ((UNSAFE,), ["--quiet"], False),
        ((UNSAFE,), ["--output-format", "json"], False),
        ((SAFE, UNSAFE), [], False),
        ((MANUAL,), [], False),
    ],
)
def test_an_empty_patch_says_how_to_get_the_unsafe_rewrites(
    engine, awaken, levels, options, is_offered
):
    engine.levels = levels

    _, out, err = awaken("diff", *options)

    assert ("To show 1 unsafe rewrite: awaken diff --unsafe-fixes\n" in err) == is_offered
    assert not (is_offered and out)


@pytest.mark.parametrize("options", [["--output-format", "full"], ["--color", "always"]])
def test_the_page_of_the_terminal_can_be_asked_for(engine, awaken, options):
    engine.levels = (SAFE, MANUAL)

    _, out, err = awaken("diff", *options)

    assert "app.py" in out.splitlines()[0]
    assert "this is manual" in out
    assert "awaken apply" in err
    assert ("\x1b[" in out) == ("always" in options)


def test_colours_can_be_refused(engine, awaken, monkeypatch):
    engine.levels = (SAFE,)
    monkeypatch.setenv("FORCE_COLOR", "1")

    _, coloured, _ = awaken("diff", "--output-format", "full")
    _, plain, err = awaken("diff", "--output-format", "full", "--color", "never")

    assert "\x1b[" in coloured
    assert "\x1b[" not in plain + err


def test_no_color_is_honoured(engine, awaken, monkeypatch):
    engine.levels = (SAFE,)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")

    _, out, _ = awaken("diff", "--output-format", "full")

    assert "\x1b[38" not in out
    assert ";38;" not in out


def on_a_terminal(engine, *arguments: str, **environment: str) -> str:
    """Return what awaken writes to a terminal of 80 columns."""
    inside = {"TERM": "xterm-256color", "COLUMNS": "80", **environment}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    leader, follower = os.openpty()
    with os.fdopen(leader, "rb", buffering=0) as reader:
        process = subprocess.Popen(
            [sys.executable, "-c", program(*arguments)],
            cwd=engine.root,
            stdout=follower,
            stderr=subprocess.DEVNULL,
            env={**kept, **inside, "PYTHONUTF8": "1"},
        )
        os.close(follower)
        written = b"".join(iter(lambda: _read(reader), b""))
        assert process.wait() == 0
    return written.decode()


def _read(reader) -> bytes:
    try:
        return reader.read(4096)
    except OSError:  # Linux says so when the other side is closed
        return b""


def test_on_a_terminal_it_is_coloured(engine):
    written = on_a_terminal(engine, "diff")

    assert written.startswith("\x1b[")
    assert "this is manual" in written
    assert "diff --git" not in written


def test_the_words_that_changed_stand_out(engine):
    written = on_a_terminal(engine, "diff", COLORTERM="truecolor")

    assert "\x1b[1;38;2;255;255;255;48;2;179;48;47mquery\x1b[0m" in written
    assert "\x1b[1;38;2;255;255;255;48;2;26;115;54mselect\x1b[0m" in written


def test_16_colours_are_those_of_the_users_own_palette(engine):
    written = on_a_terminal(engine, "diff", TERM="xterm")

    codes = {code for found in re.findall(r"\x1b\[([\d;]+)m", written) for code in found.split(";")}
    assert codes <= {"0", "1", "3", "7", "31", "32", "33", "34", "35", "36", "90"}
    assert {"7", "31", "32", "90"} <= codes


def test_a_dumb_terminal_gets_no_escape(engine):
    written = on_a_terminal(engine, "diff", TERM="dumb")

    assert "\x1b" not in written
    assert "select" in written


def test_a_patch_on_a_terminal_can_be_asked_for(engine):
    written = on_a_terminal(engine, "diff", "--output-format", "patch")

    assert written.startswith("diff --git a/app.py b/app.py")
