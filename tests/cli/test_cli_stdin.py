"""One file piped in: it stands for the one on disk, and its project is known as ever."""

from __future__ import annotations

import io
import sys

import pytest
from real_program import GOOD, GOOD_AFTER, QUERY, SELECT, Program, commit, git


@pytest.fixture
def program(tmp_path, monkeypatch):
    program = Program(tmp_path / "shop", {"app.py": "x = 1\n"})
    monkeypatch.chdir(program.root)
    return program


@pytest.fixture
def piped(awaken, monkeypatch):
    """Run awaken with these bytes as its standard input."""

    def run(content, *arguments):
        given = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", given)
        return awaken(*arguments)

    return run


def test_the_piped_text_counts_and_not_the_one_on_disk(program, piped):
    code, out, _ = piped(
        GOOD.encode(), "check", "-", "--stdin-filename", "app.py", "--output-format", "concise"
    )

    assert code == 1
    assert out.startswith("app.py:7:12: safe query-to-select ")
    assert (program.root / "app.py").read_text() == "x = 1\n"


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("name", ["new.py", "sub/new.py"])
def test_the_file_need_not_exist(piped, name):
    code, out, _ = piped(GOOD.encode(), "diff", "-", "--stdin-filename", name)

    assert code == 0
    assert f"+++ b/{name}\n" in out
    assert f"-    return {QUERY}\n+    return {SELECT}\n" in out


def test_the_diff_is_a_patch_for_the_piped_bytes(program, piped):
    program.write("app.py", GOOD)
    commit(program.root)

    _, out, _ = piped(GOOD.encode(), "diff", "-", "--stdin-filename", "app.py")
    git(program.root, "apply", given=out.encode())

    assert (program.root / "app.py").read_text() == GOOD_AFTER


def test_only_the_piped_file_is_shown(program, piped):
    program.write("other.py", GOOD)

    _, out, _ = piped(
        b"y = 1\n", "check", "-", "--stdin-filename", "app.py", "--output-format", "concise"
    )

    assert out == ""


@pytest.mark.usefixtures("program")
def test_a_piped_file_that_cannot_be_read_as_python(piped):
    broken = b"def f(:\n    " + QUERY.encode() + b"\n"

    code, _, err = piped(broken, "check", "-", "--stdin-filename", "app.py")

    assert code == 2
    assert "error: app.py:1: " in err


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-"], "--stdin-filename"),
        (["-", ".", "--stdin-filename", "app.py"], "only path"),
        ([".", "--stdin-filename", "app.py"], "- as the only path"),
    ],
)
def test_what_does_not_belong_together_is_one_sentence(piped, arguments, words):
    code, out, err = piped(b"", "check", *arguments)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_the_text_after_is_that_of_the_same_file_on_disk(program, piped):
    program.write("app.py", GOOD)
    _, from_disk, _ = piped(b"", "diff", "app.py")
    program.write("app.py", "x = 1\n")
    _, from_pipe, _ = piped(GOOD.encode(), "diff", "-", "--stdin-filename", "app.py")

    assert from_disk == from_pipe
    assert GOOD_AFTER.splitlines()[0] in from_pipe


def test_apply_prints_the_rewritten_file_and_writes_nothing(program, piped):
    before = program.contents()

    code, out, err = piped(GOOD.encode(), "apply", "-", "--stdin-filename", "app.py")

    assert (code, out) == (0, GOOD_AFTER)
    assert program.contents() == before
    assert "1 site rewritten" in err
    assert "undo" not in err


def test_apply_prints_what_needs_no_rewrite_as_it_is(program, piped):
    given = b"\xef\xbb\xbfx = 'na\xc3\xafve'\r\ny = 2"

    code, out, _ = piped(given, "apply", "-", "-q", "--stdin-filename", "app.py")

    assert (code, out.encode()) == (0, given)
    assert (program.root / "app.py").read_text() == "x = 1\n"


def test_apply_prints_to_a_file_if_asked(program, piped, tmp_path):
    place = tmp_path / "out.py"

    code, out, _ = piped(
        GOOD.encode(), "apply", "-", "--stdin-filename", "app.py", "-o", str(place)
    )

    assert (code, out, place.read_text()) == (0, "", GOOD_AFTER)
    assert (program.root / "app.py").read_text() == "x = 1\n"


@pytest.mark.usefixtures("program")
def test_what_cannot_be_read_is_printed_as_it_is_and_ends_with_2(piped):
    code, out, err = piped(b"db.query(:\n", "apply", "-", "--stdin-filename", "app.py")

    assert (code, out) == (2, "db.query(:\n")
    assert "app.py:1: " in err


@pytest.mark.usefixtures("program")
def test_nobody_can_be_asked_while_stdin_is_the_file(piped):
    code, out, err = piped(GOOD.encode(), "apply", "-i", "-", "--stdin-filename", "app.py")

    assert (code, out) == (2, "")
    assert "--interactive" in err


def test_the_tree_may_be_dirty_where_nothing_is_written(program, piped):
    program.write("app.py", GOOD)
    commit(program.root)
    program.write("app.py", "edited\n")

    code, out, _ = piped(GOOD.encode(), "apply", "-", "-q", "--stdin-filename", "app.py")

    assert (code, out) == (0, GOOD_AFTER)
