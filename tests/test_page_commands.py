"""The commands of the pages run, and print what the pages show below them.

A ``console`` block holds commands. An unnamed ``text`` or ``diff`` block directly below it shows
what the last of them prints; a line of three dots stands for lines that are left out. A ``python``
block with a file name is a file of the program that the commands of the page run on, one after the
other. The README and ``writing-rules.md`` have tests of their own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from page_program import BESIDE, make_repository, write

from awaken.cli import main

HERE = Path(__file__).parents[1]
PAGES = {
    path.stem: path.read_text("utf-8")
    for path in (*sorted((HERE / "docs").glob("*.md")), HERE / "SECURITY.md")
    if path.name != "writing-rules.md"
}
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAIN = """\
from collections.abc import Iterator

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from models import User

app = FastAPI()
engine = create_engine("sqlite:///app.db")


def session() -> Iterator[Session]:
    with Session(engine) as db:
        yield db


@app.get("/users")
def everyone(db: Session = Depends(session)) -> list[str]:
    return [user.name for user in db.query(User).all()]
"""
TEST = """\
from sqlalchemy.orm import Session

from main import engine, everyone
from models import Base, User


def test_everyone():
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add(User(name="Ada", active=True))
        db.flush()
        assert everyone(db) == ["Ada"]
"""
PROGRAM = BESIDE | {
    "main.py": MAIN,
    "test_main.py": TEST,
    "ci/awaken.toml": 'select = ["sqlalchemy"]\n',
}
"""What the commands of a page run on that shows no program."""
NOT_RUN = {
    "awaken batch publish": "a code host",
    "awaken batch status --refresh": "a code host",
    "awaken batch merge shard-1 shard-2 shard-3": "the results of other machines",
    "awaken verify --requests --app main:app --select query-to-select -- uv run pytest -q": (
        "a package index"
    ),
}
"""Commands that need more than this machine, and what that is."""
OTHERS = {"cd", "gh", "pytest", "uv"}
"""Programs of others that pages name; of these `cd` alone does something here."""
SLOW = {
    "commands",
    "going-asynchronous",
    "many-repositories",
    "migrate-to-task-groups",
    "passes",
    "recipes",
    "verifying",
}
"""Pages whose commands take more than a second together."""
VARIES = (
    (re.compile(r"\bin \d+\.\d s\b"), "in 0.1 s"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "2026-11-25 09:00:00"),
)


def blocks(text):
    """Return the kind, file name and text of each code block of a page."""
    return BLOCK.findall(text)


def commands(block):
    """Return the commands of a block, without comments; a pipe is cut off behind awaken."""
    lines = re.sub(r"(\\|\|)\n\s*", r"\1 ", block).replace("\\ ", "").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


def steps(text):
    """Yield each command of a page that this machine has all for, with what the page shows."""
    found = blocks(text)
    for number, (kind, _, block) in enumerate(found):
        if kind == "console":
            *others, last = commands(block)
            yield from ((command, None) for command in others)
            after = found[number + 1] if number + 1 < len(found) else ("", "", "")
            shown = after[2] if after[0] in {"text", "diff"} and not after[1] else None
            yield last, shown


def settled(text):
    """Return what is printed with all that differs from run to run replaced."""
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def parts(shown):
    """Return the stretches of lines that a page shows, without what it leaves out."""
    stretches = re.split(r"^\.\.\.$", settled(shown or ""), flags=re.MULTILINE)
    return [stretch.strip("\n") for stretch in stretches if stretch.strip()]


def is_awaken(command):
    return command.startswith("awaken ") and command not in NOT_RUN


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A function that makes the program of a page a repository, and the current directory."""

    def make(text):
        files = {name: code for kind, name, code in blocks(text) if kind == "python" and name}
        if "scripts/rename.py" in text:
            shutil.copytree(HERE / "examples/passes", tmp_path / "shop")
        else:
            write(tmp_path / "shop", (BESIDE | files) if files else PROGRAM)
        monkeypatch.chdir(tmp_path / "shop")
        monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
        make_repository()
        subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], check=True)
        Path("found.json").write_text(json.dumps([{"url": str(tmp_path / "shop")}]), "utf-8")

    return make


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
        for name, text in PAGES.items()
        if any(is_awaken(command) or command.startswith("git ") for command, _ in steps(text))
    ],
)
def test_the_commands_of_a_page_run_and_print_what_it_shows(page, program, capfd):
    program(PAGES[page])
    for command, shown in steps(PAGES[page]):
        words = shlex.split(command.partition(" | ")[0])
        if words[0] == "git":
            subprocess.run(words, check=True)
        if words[0] == "cd":
            os.chdir(words[1])
        if not is_awaken(command):
            assert shown is None, f"nothing proves what {command} prints"
            continue
        capfd.readouterr()
        assert main(words[1:]) in {0, 1}, (command, capfd.readouterr().err)
        printed = settled("".join(capfd.readouterr()))
        for part in parts(shown):
            assert part in printed, f"{command} prints:\n{printed}"
            printed = printed[printed.index(part) + len(part) :]


def test_only_these_commands_of_pages_do_not_run():
    shown = {command for text in PAGES.values() for command, _ in steps(text)}

    assert NOT_RUN.keys() <= shown
    assert {command.split()[0] for command in shown} <= {"awaken", "git", *OTHERS}


def test_no_command_is_in_a_block_that_does_not_run():
    """A page that shows awaken at work says so in a block of its own kind."""
    for name, text in PAGES.items():
        for kind, _, block in blocks(text):
            if kind not in {"console", "yaml"}:
                assert not re.search(r"^(\$ )?awaken \w", block, re.MULTILINE), (name, block)
