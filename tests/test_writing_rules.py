"""What ``docs/writing-rules.md`` tells newcomers to do works, and ends where it says."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rule_on_disk import RuleOnDisk

from awaken.cli import main
from awaken.kit.rule import Rule
from awaken.kit.sites import Site
from awaken.project import Module, Project, Snapshot
from awaken.workspace.sources import decode

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "writing-rules.md"
SMALL = 91
"""Lines of a small rule with its page, at most."""

ASK = re.compile(r"uv run pytest -n0 tests/test_pages.py tests/test_fixtures.py -k ([\w-]+)\n")
_BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<kind>\w+)(?: (?P<path>\S+))?(?: (?P<part>\w+))?\n"
    r"(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Step:
    """A code block: a command and what it prints, or what is written into a file."""

    kind: str
    path: str
    part: str
    text: str
    printed: str = ""


def steps() -> Iterator[Step]:
    """Yield the code blocks of the page; what a command prints belongs to the command."""
    found: list[Step] = []
    for match in _BLOCK.finditer(PAGE.read_text("utf-8")):
        if match["kind"] == "text":
            found[-1].printed = match["text"]
        else:
            found.append(
                Step(match["kind"], match["path"] or "", match["part"] or "", match["text"])
            )
    return iter(found)


def write(path: Path, step: Step) -> None:
    """Do what the page says with a block that names a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text("utf-8") if path.exists() else ""
    docstring, _, code = old.partition('\n"""\n')
    match step.kind, step.part:
        case "diff", _:
            lines = step.text.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] != "+")
            assert old.count(before) == 1, f"{before!r} stands in {step.path} once"
            path.write_text(old.replace(before, "".join(x[1:] for x in lines if x[0] != "-")))
        case _, "docstring":
            path.write_text(step.text + code)
        case _, "code":
            path.write_text(f'{docstring}\n"""\n\n{step.text}')
        case _:
            if path.parent.name == "before":  # a case has one program before, in a file or a tree
                path.parent.with_suffix(".py").unlink(missing_ok=True)
                path.parent.with_name("after.py").unlink(missing_ok=True)
            path.write_text(step.text)


def linted(root: Path) -> str:
    """Return what the linter and the formatter say of the rules below ``root``."""
    said = ""
    for words in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--config", ROOT / "pyproject.toml"]
        run = subprocess.run([*ruff, root / "awaken"], capture_output=True, text=True, check=False)
        said += run.stdout + run.stderr
    return said


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The places of a checkout in which rules and fixtures are written."""
    (tmp_path / "awaken/codemods").mkdir(parents=True)
    (tmp_path / "awaken/codemods/__init__.py").write_text('"""The rules."""\n')
    (tmp_path / "fixtures").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_step_does_what_the_page_says(checkout, monkeypatch):
    asked, passed = 0, 0
    for step in steps():
        if step.path:
            write(checkout / step.path, step)
        elif "new-rule" in step.text:
            assert main(step.text.split()[3:]) == 0
        elif name := ASK.fullmatch(step.text):
            said = RuleOnDisk(checkout, "asyncio", name[1], monkeypatch).failures()
            asked += 1
            passed += not said
            assert bool(said) == bool(step.printed), said
            for line in step.printed.splitlines():
                assert any(line in one for one in said), (line, said)

    assert (asked, passed) == (6, 3)
    for name in ("create-task", "async-sleep"):
        rule = RuleOnDisk(checkout, "asyncio", name, monkeypatch)
        assert rule.failures(laws=True) == []
    module = (checkout / "awaken/codemods/asyncio/create_task.py").read_text("utf-8")
    assert len(module.splitlines()) < SMALL
    assert linted(checkout) == ""


def test_its_commands_are_those_of_the_project():
    commands = [
        line.strip()
        for step in steps()
        if step.kind == "console"
        for line in step.text.splitlines()
    ]
    assert {line.split(" ", 2)[0] for line in commands} == {"uv"}
    for line in commands:
        for path in re.findall(r"(?:tests|docs|fixtures)/[\w./-]+", line):
            assert (ROOT / path).exists(), line


SPOKEN_OF = {
    "project": Project(Snapshot({}), None),
    "module": Module(decode("a.py", b""), ast.parse(""), "a"),
    "site": Site,
    "rule": Rule,
}
_NAMED = re.compile(r"`((?:project|module|site|rule|kit)(?:\.\w+)+)")


def test_what_it_names_exists():
    named = _NAMED.findall(PAGE.read_text("utf-8"))

    assert {name.partition(".")[0] for name in named} == {*SPOKEN_OF, "kit"}
    for name in named:
        first, *attributes = name.split(".")
        found = SPOKEN_OF.get(first)
        if first == "kit":
            found = importlib.import_module(f"awaken.kit.{attributes.pop(0)}")
        for attribute in attributes:
            found = getattr(found, attribute)


def test_the_rules_that_it_names_exist():
    table = PAGE.read_text("utf-8").partition("## What else there is")[2]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[-2])}

    assert len(named) > 1
    for name in named:
        assert list(ROOT.glob(f"awaken/codemods/*/{name}*")), name
