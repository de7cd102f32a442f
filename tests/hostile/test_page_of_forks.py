"""What the page of pull requests from forks says to run is run over the hostile repository."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from bounds import TEXTS
from build import SECRET, Place, build
from hostile_text import assert_inactive

PAGE = Path(__file__).parents[2] / "docs" / "pull-requests-from-forks.md"
PROJECTS = ("S1", "S2", "S5", "S6")
"""The rows that a checkout can carry."""


def commands() -> list[str]:
    """Return each command of awaken that the page has in a workflow or in a block of a shell."""
    text = PAGE.read_text()
    return re.findall(r"^ *(?:- run: )?(awaken .*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return build(tmp_path_factory.mktemp("checkout"), PROJECTS)


def test_the_page_has_commands() -> None:
    assert [shlex.split(one)[1] for one in commands()] == [
        "check",
        "diff",
        "check",
        "diff",
        "diff",
        "diff",
        "diff",
        "diff",
    ]


@pytest.mark.parametrize("command", commands())
@pytest.mark.sampled(3)
def test_a_command_of_the_page_is_safe_as_it_is(command: str, checkout: Place) -> None:
    runner = {"GITHUB_STEP_SUMMARY": checkout.top / "summary", "RUNNER_TEMP": checkout.top}
    words = shlex.split(command)
    before = {one: os.lstat(one).st_mtime_ns for one in checkout.target.rglob("*")}
    environment = checkout.environment() | {key: str(value) for key, value in runner.items()}
    words = [re.sub(r"\$(\w+)", lambda name: environment[name[1]], word) for word in words]

    done = subprocess.run(
        [sys.executable, "-P", "-m", *words],
        cwd=checkout.target,
        env=environment,
        capture_output=True,
        check=False,
    )

    named = pairwise([*words, ""])
    outputs = {checkout.target / word for option, word in named if option == "--output-file"}
    written = {Path(word) for word in words if word.startswith(f"{checkout.top}/")} | outputs
    printed = done.stdout + done.stderr + b"".join(one.read_bytes() for one in written)
    assert done.returncode == 2, done.stderr  # the wrong settings are said
    assert_inactive(printed)
    assert all(one.encode() in printed for one in TEXTS)
    assert SECRET.encode() not in printed
    assert not checkout.ran.exists()
    after = {one: os.lstat(one).st_mtime_ns for one in checkout.target.rglob("*")}
    assert {one: at for one, at in after.items() if one not in outputs} == before
    for output in outputs:
        output.unlink()
