from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import program
from terminal import INTERRUPT, Session, on_terminal

FOUND = 1
SUMMARY = "2 sites (1 safe, 1 manual) in 1 file"
TALL = 200

COUNTING = "import sys; print('PAGED', len(sys.stdin.readlines()))"
LEAVING = "import sys; print('PAGED', sys.stdin.readline()); sys.stdin.close()"
WAITING = """
import signal, sys, time
interrupts = []
def interrupted(*_):
    interrupts.append(1)
signal.signal(signal.SIGINT, interrupted)
sys.stdin.read()
print("PAGER WAITS", flush=True)
while not interrupts:
    time.sleep(0.01)
print("PAGER INTERRUPTED", flush=True)
time.sleep(0.1)  # awaken would have ended by now
print("PAGER ENDS")
"""


def python(script: str) -> str:
    return shlex.join([sys.executable, "-c", script])


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("")
    return tmp_path


@pytest.mark.parametrize("command", ["check", "diff"])
def test_what_is_longer_than_the_screen_is_paged(command: str, here: Path) -> None:
    code, shown = on_terminal(program(command), here, AWAKEN_PAGER=python(COUNTING))

    assert code == (FOUND if command == "check" else 0)
    assert "PAGED" in shown
    assert shown.index("PAGED") < shown.index(SUMMARY)
    assert "app.py" not in shown


def test_a_rules_page_is_paged(here: Path) -> None:
    arguments = program("rules", "query-to-select")

    assert "PAGED" in on_terminal(arguments, here, AWAKEN_PAGER=python(COUNTING))[1]


def test_what_fits_on_the_screen_is_not_paged(here: Path) -> None:
    code, shown = on_terminal(program("check"), here, TALL, AWAKEN_PAGER=python(COUNTING))

    assert code == FOUND
    assert "app.py" in shown
    assert "PAGED" not in shown


def test_rows_count_that_the_terminal_wraps(here: Path) -> None:
    path = "a" * 200
    lines = f"from rich.console import Console\nconsole = Console()\nlong = {path!r}\n"
    script = (
        "from awaken.preview.console.pager import paging\n"
        "with paging(console, wanted=True):\n    console.print(long, soft_wrap=True)\n"
    )

    assert "PAGED" in on_terminal(lines + script, here, 3, PAGER=python(COUNTING))[1]
    assert "PAGED" not in on_terminal(lines + script, here, 5, PAGER=python(COUNTING))[1]


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["check", "--no-pager"], {"AWAKEN_PAGER": python(COUNTING)}),
        (["check", "--output-format", "concise"], {"AWAKEN_PAGER": python(COUNTING)}),
        (["check"], {"AWAKEN_PAGER": "", "PAGER": python(COUNTING)}),
        (["check"], {"AWAKEN_PAGER": "cat", "PAGER": python(COUNTING)}),
        (["check"], {"PAGER": ""}),
    ],
)
def test_no_pager_where_none_is_wanted(
    arguments: list[str], environment: dict[str, str], here: Path
) -> None:
    code, shown = on_terminal(program(*arguments), here, **environment)

    assert code == FOUND
    assert "app.py" in shown
    assert "PAGED" not in shown


def test_the_pager_of_other_programs_is_used(here: Path) -> None:
    assert "PAGED" in on_terminal(program("check"), here, PAGER=python(COUNTING))[1]


def test_leaving_the_pager_loses_neither_summary_nor_exit_code(here: Path) -> None:
    long = program("check", message="MANY").replace("'MANY'", "'word ' * 50_000")

    code, shown = on_terminal(long, here, AWAKEN_PAGER=python(LEAVING))

    assert code == FOUND
    assert SUMMARY in shown
    assert "PAGED" in shown
    assert "rror" not in shown.replace("word", "")


def test_an_interrupt_is_the_pagers(here: Path) -> None:
    session = Session(program("check"), here, 10, {"AWAKEN_PAGER": python(WAITING)})
    session.wait_for("PAGER WAITS")
    session.type(INTERRUPT)

    code, shown = session.end()

    assert code == FOUND
    assert shown.index("PAGER INTERRUPTED") < shown.index("PAGER ENDS") < shown.index(SUMMARY)
    assert "Interrupted." not in shown


def test_a_pager_that_is_not_there_costs_a_note(here: Path) -> None:
    code, shown = on_terminal(program("check"), here, AWAKEN_PAGER="no-such-pager -x")

    assert code == FOUND
    assert "note: cannot start the pager no-such-pager: No such file or directory\n" in shown
    assert "app.py" in shown


def test_without_less_nothing_is_said(here: Path) -> None:
    code, shown = on_terminal(program("check"), here, PATH=str(here))

    assert code == FOUND
    assert "app.py" in shown
    assert "pager" not in shown


def test_who_cannot_answer_gets_no_pager(here: Path) -> None:
    without_stdin = "os.dup2(os.open(os.devnull, os.O_RDONLY), 0)\n"

    code, shown = on_terminal(
        f"{without_stdin}{program('check')}", here, AWAKEN_PAGER=python(COUNTING)
    )

    assert code == FOUND
    assert "app.py" in shown
    assert "PAGED" not in shown


def test_what_is_piped_is_not_paged(here: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", program("check")],
        cwd=here,
        env={"AWAKEN_PAGER": python(COUNTING)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == FOUND
    assert "app.py" in run.stdout
    assert "PAGED" not in run.stdout
