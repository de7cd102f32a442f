"""Questions on a real terminal, answered as a user types."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from real_program import GOOD, GOOD_AFTER, QUERY, SELECT, Program, commit, git
from terminal import Session

OTHER = GOOD.replace("def find", "def seek")
OTHER_AFTER = GOOD_AFTER.replace("def find", "def seek")
ASKED = "Rewrite this? [y,n,a,q,d,e,?]"
_AWAKEN = "import sys; from awaken.cli import main; sys.exit(main({arguments!r}))"
_TEST_RULE = """
import sys
sys.path.insert(0, {tests!r})
from functools import partial
from awaken import api
from awaken.cli import main
from {module} import {rule}
api.run_staged = partial(api.run_staged, rules=[{rule}()])
sys.exit(main({arguments!r}))
"""
_FAILING = """
import errno, os, sys
from awaken.cli import main
from awaken.engine.machine.filesystem import FileSystem
replace, done = FileSystem.replace, []
def failing(self, source, target):
    done.append(target)
    if target.name == "b.py" and source.name.endswith(".new"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    replace(self, source, target)
FileSystem.replace = failing
sys.exit(main({arguments!r}))
"""


class Dialogue:
    """``apply --interactive`` on a terminal in ``program``'s root."""

    def __init__(self, program, state, *more, source=_AWAKEN, **environment):
        arguments = ["apply", "--interactive", "--no-cache", "-j1", "--color", "never", *more]
        names = {"XDG_STATE_HOME": str(state), "VISUAL": "", "EDITOR": ""}
        self._session = Session(
            source.format(arguments=arguments, **environment.pop("names", {})),
            program.root,
            60,
            {**names, **environment},
        )
        self._asked = 0

    def answer(self, *answers):
        for answer in answers:
            self._asked += 1
            self._session.wait_for(ASKED, self._asked)
            self._session.type(answer)

    def interrupt(self):
        self._session.wait_for(ASKED, self._asked + 1)
        self._session.interrupt()

    def end(self):
        code, shown = self._session.end()
        return code, shown.replace("\r", "")


@pytest.fixture
def program(tmp_path):
    program = Program(tmp_path / "shop", {"a.py": GOOD, "b.py": OTHER})
    commit(program.root)
    return program


@pytest.fixture
def dialogue(program, tmp_path):
    def start(*more, **environment):
        return Dialogue(program, tmp_path / "state", *more, **environment)

    return start


def test_only_what_was_agreed_to_is_written(program, dialogue):
    talk = dialogue()
    talk.answer("n\n", "y\n")
    code, shown = talk.end()

    assert code == 0
    assert (program.root / "a.py").read_text() == GOOD
    assert (program.root / "b.py").read_text() == OTHER_AFTER
    assert "1 site rewritten in 1 file" in shown
    assert "1 change left out, as you answered." in shown


@pytest.mark.slow
def test_a_question_shows_where_what_and_how_many(dialogue):
    talk = dialogue()
    talk.answer("q\n")
    code, shown = talk.end()

    assert code == 0
    assert re.search(r"^── a\.py:7  query-to-select ─+$", shown, re.MULTILINE)
    assert "safe `query(...).all()` becomes `db.scalars(select(...)).all()`" in shown
    assert re.search(rf"^ *7 +│- +return {re.escape(QUERY)}$", shown, re.MULTILINE)
    assert re.search(rf"^ *8 │\+ +return {re.escape(SELECT)}$", shown, re.MULTILINE)
    assert f"(1/2) {ASKED} q" in shown


@pytest.mark.slow
def test_a_place_is_named_as_the_diff_shows_it_and_edited_where_it_is(program, dialogue, tmp_path):
    program.write("a.py", GOOD + OTHER.partition("\n\n\n")[2])
    commit(program.root)
    editor, opened = tmp_path / "vim", tmp_path / "opened"
    editor.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    editor.chmod(0o755)
    talk = dialogue("a.py", VISUAL=str(editor))
    talk.answer("y\n", "e\n", "q\n")
    code, shown = talk.end()

    assert code == 0
    assert re.findall(r"a\.py:\d+", shown) == ["a.py:7", "a.py:10", "a.py:10"]
    assert re.search(rf"^ *10 +│- +return {re.escape(QUERY)}$", shown, re.MULTILINE)
    assert opened.read_text() == "+9\n"


@pytest.mark.slow
def test_the_journal_names_the_interactive_apply_and_undo_takes_it_back(program, dialogue, awaken):
    talk = dialogue()
    talk.answer("yes\n", "Y\n")
    code, shown = talk.end()
    assert code == 0
    (journal,) = re.findall(r"The original files are in\s+(\S+)", shown)
    assert "To undo this: awaken undo" in shown
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(program.root.parent / "state"))
        patch.chdir(program.root)
        _, listed, _ = awaken("undo", "--list", "-v")
        assert awaken("undo", "-q")[0] == 0

    assert "awaken apply --interactive\n" in listed
    assert f"journal: {journal}" in listed
    assert git(program.root, "status", "--porcelain") == b""


def test_ctrl_c_writes_nothing(program, dialogue):
    before = program.contents()
    talk = dialogue()
    talk.answer("y\n")
    talk.interrupt()
    code, shown = talk.end()

    assert code == 130
    assert shown.endswith("Nothing was written.\nInterrupted.\n")
    assert program.contents() == before


def test_the_end_of_input_is_quitting(program, dialogue):
    talk = dialogue()
    talk.answer("y\n", "\x04")
    code, _ = talk.end()

    assert code == 0
    assert (program.root / "a.py").read_text() == GOOD_AFTER
    assert (program.root / "b.py").read_text() == OTHER


@pytest.mark.slow
def test_enter_asks_again_and_what_is_no_answer_gets_help(program, dialogue):
    talk = dialogue()
    talk.answer("\n", "maybe\n", "?\n", "q\n")
    code, shown = talk.end()

    assert (code, shown.count(ASKED), shown.count("(1/2)")) == (0, 4, 4)
    assert "maybe is not one of the answers:" in shown
    assert shown.count("y - yes, make this change") == 2
    assert shown.count("── a.py:7") == 1
    assert git(program.root, "status", "--porcelain") == b""


def test_the_editor_is_started_at_the_line_and_the_file_read_again(program, dialogue, tmp_path):
    editor = tmp_path / "vim"
    editor.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "line, path = sys.argv[1:]\n"
        "text = open(path).read()\n"
        "assert line == '+7', line\n"
        f"open(path, 'w').write('# mine\\n' + text.replace({QUERY!r}, 'None'))\n"
    )
    editor.chmod(0o755)
    talk = dialogue(VISUAL=str(editor))
    talk.answer("e\n", "y\n")
    code, shown = talk.end()

    assert code == 0
    assert (program.root / "a.py").read_text() == "# mine\n" + GOOD.replace(QUERY, "None")
    assert (program.root / "b.py").read_text() == OTHER_AFTER
    assert "(1/1)" in shown


@pytest.mark.parametrize(
    ("editor", "said"),
    [
        ("", "name one in VISUAL or EDITOR"),
        ("nowhere/editor", "the editor 'nowhere/editor' cannot be started"),
        ("'", "is not a command"),
        ("false", "the editor 'false' ended with an error"),
    ],
)
@pytest.mark.sampled(4)
def test_without_an_editor_it_says_so_and_asks_again(dialogue, editor, said):
    talk = dialogue(EDITOR=editor)
    talk.answer("e\n", "q\n")
    code, shown = talk.end()

    assert code == 0
    assert said in shown
    assert shown.count("(1/2)") == 2


@pytest.mark.slow
def test_a_change_over_several_files_is_shown_whole(program, dialogue):
    program.write("a.py", "alpha(1)\n")
    program.write("b.py", "alpha(2)\n")
    commit(program.root)
    tests = str(Path(__file__).parents[1] / "engine")
    names = {"tests": tests, "module": "rules_for_tests", "rule": "OverFiles"}
    talk = dialogue("--select", "over-files", source=_TEST_RULE, names=names)
    talk.answer("y\n")
    code, shown = talk.end()

    question = shown[: shown.index(ASKED)]
    assert code == 0
    for line in ("1    │- alpha(1)", "   1 │+ beta(1)", "1    │- alpha(2)", "   1 │+ beta(2)"):
        assert line in question
    assert re.search(r"^   b\.py$", question, re.MULTILINE)
    assert (program.root / "b.py").read_text() == "beta(2)\n"


def test_an_apply_that_fails_half_way_leaves_every_file_as_it_was(program, dialogue):
    before = program.contents()
    talk = dialogue(source=_FAILING)
    talk.answer("a\n", "a\n")
    code, shown = talk.end()

    assert code == 2
    assert "every file is as it was before" in " ".join(shown.split())
    assert program.contents() == before


def test_a_file_edited_while_asking_is_not_overwritten(program, dialogue):
    talk = dialogue()
    talk.answer("y\n")
    program.write("a.py", "# mine\n")
    talk.answer("y\n")
    code, shown = talk.end()

    assert code == 2
    assert "a.py was changed since it was read" in shown
    assert (program.root / "b.py").read_text() == OTHER


def test_a_dirty_tree_stops_before_the_first_question(program, dialogue):
    program.write("a.py", GOOD + "\n")

    code, shown = dialogue().end()

    assert code == 2
    assert ASKED not in shown
    assert "--allow-dirty" in shown


@pytest.fixture
def risky(program):
    asked = "db.query(exists().where(User.id == 1)).scalar()"
    program.write("a.py", "from sqlalchemy import exists\n" + GOOD.replace(QUERY, asked))
    program.write("b.py", "x = 1\n")
    commit(program.root)


@pytest.mark.usefixtures("risky")
@pytest.mark.slow
def test_unsafe_changes_are_not_asked_about_but_named_at_the_end(dialogue):
    code, shown = dialogue().end()

    assert code == 0
    assert ASKED not in shown
    assert "To show 1 unsafe rewrite: awaken diff" in shown


@pytest.mark.usefixtures("risky")
@pytest.mark.slow
def test_unsafe_changes_are_asked_about_where_they_are_admitted(program, dialogue):
    talk = dialogue("--unsafe-fixes")
    talk.answer("y\n")
    code, shown = talk.end()

    question = shown[: shown.index(ASKED)]
    assert code == 0
    assert "unsafe `query(...).scalar()` becomes" in question
    assert "may no longer flush" in question
    assert "db.scalar(select(exists()" in (program.root / "a.py").read_text()


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_without_a_terminal_nothing_is_asked(program, awaken, monkeypatch, stream):
    monkeypatch.chdir(program.root)
    for name in {"stdin", "stdout"} - {stream}:
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True, raising=False)

    code, out, err = awaken("apply", "--interactive")

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert git(program.root, "status", "--porcelain") == b""
