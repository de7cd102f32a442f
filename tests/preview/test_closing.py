from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from report_builders import RULE, file_change, finding, report, root_report, source

from awaken.contract import Level
from awaken.engine.report import Diagnostic, LeftToDo, Report, TargetVersion
from awaken.preview.choices import Color, View
from awaken.preview.closing import print_diagnostics, print_steps, print_table, print_targets
from awaken.preview.console.console import make_console
from awaken.preview.console.page import Page
from awaken.preview.counts import plural
from awaken.preview.show import show_closing
from awaken.preview.streams import messages
from awaken.preview.summary import Step, next_steps, summary

ROOT = Path("/home/me/project")
FILE = source("a.py", b"q(A)\nq(B)\nq(C)\nq(D)\n")
SAFE = finding(FILE, "q(A)")
UNSAFE = finding(FILE, "q(B)", Level.UNSAFE)
MANUAL = finding(FILE, "q(C)", Level.MANUAL)
ADVICE = finding(FILE, "q(D)", Level.ADVICE, rule="other")
DONE = file_change("a.py", FILE.text, b"s(A)\nq(B)\nq(C)\nq(D)\n", (SAFE,))


def of(*findings: object, done: bool = False) -> Report:
    files = (DONE,) if done else ()
    return report(
        root_report(ROOT, *files, findings=findings, sources={"a.py": FILE}, files_read=1)
    )


def again(command: str, *more: str) -> str:
    return " ".join(["awaken", command, "app", *more])


def steps(command: str, of_report: Report) -> list[tuple[str, str]]:
    return [(step.effect, step.command) for step in next_steps(of_report, command, again)]


def test_every_level_is_counted_in_the_summary() -> None:
    assert summary(of(), "check") == "No site found; 1 file read in 0.1 s."
    assert summary(of(SAFE), "diff") == "1 site (1 safe) in 1 file; 1 file read in 0.1 s."
    assert summary(of(SAFE, UNSAFE, MANUAL, ADVICE, done=True), "check") == (
        "3 sites (1 safe, 1 unsafe, 1 manual) and 1 of advice in 1 file; 1 file read in 0.1 s."
    )
    assert summary(of(ADVICE), "check").startswith("1 of advice in 1 file;")


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_a_run_of_no_rule_does_not_claim_that_nothing_is_there(command: str) -> None:
    nothing = Report(roots=of().roots, rules=())

    assert summary(nothing, command).startswith("No rule is selected")


def test_an_apply_says_what_remains_to_do() -> None:
    assert summary(of(SAFE, MANUAL, done=True), "apply") == (
        "1 site rewritten in 1 file; 1 manual site remains; 1 file read in 0.1 s."
    )
    assert summary(of(MANUAL), "apply").startswith("Nothing to rewrite; 1 manual site remains;")
    assert summary(of(), "apply").startswith("Nothing to rewrite; 1 file read")
    assert summary(of(SAFE), "apply").startswith("Nothing was rewritten; 1 file read")


def test_check_leads_to_the_diff_and_the_diff_to_apply() -> None:
    assert steps("check", of(SAFE, done=True)) == [
        ("show the rewrite of 1 site in 1 file", "awaken diff app")
    ]
    assert steps("diff", of(SAFE, done=True)) == [("rewrite 1 site in 1 file", "awaken apply app")]


def test_unsafe_rewrites_that_were_not_asked_for_are_offered() -> None:
    offer = "awaken diff app --unsafe-fixes"

    assert steps("diff", of(SAFE, UNSAFE, done=True))[1] == ("show 1 more unsafe rewrite", offer)
    assert steps("check", of(UNSAFE)) == [("show 1 unsafe rewrite", offer)]


def test_nothing_leads_to_nothing() -> None:
    assert steps("check", of()) == steps("diff", of(MANUAL)) == steps("apply", of()) == []


@pytest.mark.parametrize(
    ("current", "undo"),
    [(".", "awaken undo"), ("inner", "awaken undo .."), ("..", "awaken undo 'a shop'")],
)
def test_apply_leads_back_and_to_what_remains(tmp_path, monkeypatch, current, undo) -> None:
    root = tmp_path / "a shop"
    (root / "inner").mkdir(parents=True)
    monkeypatch.chdir(root / current)
    report = of(SAFE, MANUAL, done=True)
    report = replace(report, roots=tuple(replace(one, root=root) for one in report.roots))

    assert steps("apply", report) == [
        ("undo this", undo),
        ("show 1 site to change by hand", "awaken check app"),
    ]


def test_files_that_several_steps_read_are_counted_once() -> None:
    one = of(SAFE)

    assert "; 1 file read in 0.2 s." in summary(replace(one, roots=one.roots * 2), "diff")


def stderr() -> io.StringIO:
    return io.StringIO()


def test_the_table_has_a_row_per_rule_and_one_for_all() -> None:
    stream = stderr()
    print_table(of(SAFE, UNSAFE, MANUAL, ADVICE), make_console(stream, Color.NEVER))

    assert [line.split() for line in stream.getvalue().splitlines()] == [
        ["Rule", "Sites", "Safe", "Unsafe", "Manual", "Advice", "Files"],
        [RULE, "3", "1", "1", "1", "0", "1"],
        ["other", "0", "0", "0", "0", "1", "1"],
        ["all", "rules", "3", "1", "1", "1", "1", "1"],
    ]


def test_the_table_of_one_rule_needs_no_sum() -> None:
    stream = stderr()
    print_table(of(SAFE), make_console(stream, Color.NEVER))

    assert stream.getvalue().split() == (
        f"Rule Sites Safe Unsafe Manual Files {RULE} 1 1 0 0 1".split()
    )


def test_diagnostics_say_where() -> None:
    stream = stderr()
    root = root_report(
        ROOT,
        diagnostics=(Diagnostic("app/bad.py", 3, "does not parse"), Diagnostic("", 0, "rule [x]")),
    )
    failed = report(root, diagnostics=(Diagnostic("nowhere", 0, "does not exist"),))
    print_diagnostics(failed, make_console(stream, Color.NEVER), ROOT / "app")

    assert stream.getvalue() == (
        "error: nowhere: does not exist\nerror: bad.py:3: does not parse\nerror: rule [x]\n"
    )


def test_targets_are_said_with_their_origin() -> None:
    stream = stderr()
    python = TargetVersion("Python", ">=3.11", "pyproject.toml")
    roots = [
        root_report(ROOT, targets=(python,), files_read=1),
        root_report(ROOT / "sub", targets=(), files_read=1),
    ]
    print_targets(report(*roots), make_console(stream, Color.NEVER), ROOT)

    assert stream.getvalue() == (
        ".: Target: Python >=3.11 (pyproject.toml)\n"
        "sub: Target: current versions; the project declares none\n\n"
    )


def test_a_command_too_long_for_the_terminal_has_a_row_of_its_own() -> None:
    stream = stderr()
    console = make_console(stream, Color.ALWAYS)
    console.width = 30
    assert Page(console).width == 30
    print_steps([Step("see more", "awaken diff " + "x" * 40)], console)

    plain = stream.getvalue().splitlines()
    assert [len(plain), plain[0]] == [2, "To see more: "]
    assert "awaken diff " + "x" * 40 in plain[1]


def test_numbers_and_nouns_agree() -> None:
    assert [plural(number, "site") for number in (0, 1, 2, 1234)] == [
        "0 sites",
        "1 site",
        "2 sites",
        "1,234 sites",
    ]


def test_what_goes_wrong_with_a_path_that_is_also_found_is_said_once() -> None:
    stream = io.StringIO()
    twice = Diagnostic("a.py", 0, "is not a regular file")
    failed = report(root_report(ROOT, diagnostics=(twice,)), diagnostics=(twice,))

    print_diagnostics(failed, make_console(stream, Color.NEVER), ROOT)

    assert stream.getvalue() == "error: a.py: is not a regular file\n"


def test_a_root_without_files_has_no_targets_where_others_have() -> None:
    stream = io.StringIO()
    roots = (root_report(ROOT), root_report(ROOT / "api", files_read=1))

    print_targets(report(*roots), make_console(stream, Color.NEVER), ROOT)

    assert stream.getvalue() == "api: Target: python >=3.11 (pyproject.toml)\n\n"


def test_a_note_names_its_root_where_there_are_several(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    noted = root_report(tmp_path / "api", notes=("x rewrites nothing here",))

    show_closing(report(noted), "check", View())
    show_closing(report(noted, root_report(tmp_path)), "check", View())
    show_closing(report(noted, noted), "check", View())

    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note")]
    once = "note: x rewrites nothing here"
    assert said == [once, "note: api: x rewrites nothing here", once]


def test_lines_of_settings_that_are_left_to_do_are_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    left = (
        LeftToDo("setup.cfg", 3, "mode = auto", "[tool:pytest]", "it is not a valid INI file"),
        LeftToDo("uv.lock", 0, "", "", "run `uv lock`"),
    )

    show_closing(report(root_report(tmp_path / "api", left_to_do=left)), "apply", View())

    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left")]
    what = "add `mode = auto` to [tool:pytest]: it is not a valid INI file"
    assert said == [
        f"left to do: api/setup.cfg:3: {what}",
        "left to do: api/uv.lock: run `uv lock`",
    ]


MANIFESTS = {
    "uv": ({"uv.lock": "version = 1\n", "pytest.ini": ""}, "uv sync", "uv run pytest"),
    "poetry": ({"poetry.lock": "#\n", "conftest.py": ""}, "poetry update", "poetry run pytest"),
    "pip": ({"tox.ini": "[pytest]\n"}, "pip install -e .", "pytest"),
    "none": ({}, "pip install -e .", ""),
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_an_apply_says_what_to_install_and_how_to_test(tmp_path, monkeypatch, kind) -> None:
    files, installs, tests = MANIFESTS[kind]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    manifest = file_change("pyproject.toml", b"", b"[project]\n", ())
    applied = report(
        root_report(tmp_path, DONE, manifest, findings=(SAFE,), sources={"a.py": FILE})
    )
    monkeypatch.chdir(tmp_path)

    expected = [("install the new requirements of pyproject.toml", installs)]
    expected += [("test the result", tests)] if tests else []
    assert steps("apply", applied) == [*expected, ("undo this", "awaken undo")]
    assert steps("check", applied)[:1] != expected[:1]
    monkeypatch.chdir(tmp_path.parent)
    command = f"cd {tmp_path.name} && {installs}"
    assert steps("apply", applied)[0] == ("install the new requirements of pyproject.toml", command)


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements/base.in", "requirements-dev.txt"]
)
def test_a_list_of_requirements_is_installed(tmp_path, monkeypatch, name) -> None:
    written = file_change(name, b"", b"aiosqlite\n", ())
    monkeypatch.chdir(tmp_path)
    found = steps("apply", report(root_report(tmp_path, written, findings=(), sources={})))

    if name.startswith("requirements/"):
        assert found == [("undo this", "awaken undo")]
    else:
        assert found[0] == (f"install the new requirements of {name}", f"pip install -r {name}")


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [60, 80])
def test_what_is_said_on_a_terminal_is_folded_between_words(monkeypatch, columns) -> None:
    text = "error: " + " ".join(f"word{number}-of-it" for number in range(40))
    long = "x" * 200
    monkeypatch.setattr(messages, "_width", lambda: columns)
    shown = []
    for said in (text, f"note: {long} is a path", f"two\n  lines {long}"):
        monkeypatch.setattr("sys.stderr", stream := Tty())
        messages.say(said)
        shown.append(stream.getvalue())

    assert all(len(row) <= columns for row in shown[0].splitlines())
    assert " ".join(shown[0].split()) == text
    assert long in shown[1]
    assert shown[2] == f"two\n  lines {long}\n"


@pytest.mark.parametrize("columns", [60, 80])
def test_errors_of_files_are_folded_between_words(monkeypatch, columns) -> None:
    message = " ".join(f"word{number}of" for number in range(40))
    monkeypatch.setenv("COLUMNS", str(columns))
    console = make_console(shown := io.StringIO(), Color.ALWAYS)
    wrong = replace(of().roots[0], diagnostics=(Diagnostic("a.py", 3, message),))

    print_diagnostics(report(wrong), console, ROOT)

    rows = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue()).splitlines()
    assert all(len(row) <= columns for row in rows)
    assert set(message.split()) <= set(" ".join(rows).split())
