"""Programs whose suites are run before and after rewriting."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from msgspec.structs import replace

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings


@dataclass(frozen=True)
class Program:
    rule: str
    main: str
    test: str
    levels: tuple[str, ...]
    """The levels of the sites of the program; what is unsafe makes the suite fail."""
    caveat: str = ""
    family: str = "sqlalchemy"


FAKE_SESSION = """\
class Fake:
    def execute(self, statement):
        return self

    def scalar_one(self):
        return 1

    def close(self):
        self.closed = True
"""
REPLACED = "test_main.py replaces `{}`"
IMPORTS = """\
import asyncio
from unittest.mock import MagicMock, Mock, patch

import pytest

import main

"""


def case_of(program, *, unsafe):
    files = {"main.py": program.main, "test_main.py": IMPORTS + dedent(program.test)}
    texts = {path: text.encode() for path, text in files.items()}
    targets = {"python": "3.11", "sqlalchemy": ">=2.0"}
    return Case(
        name="it",
        family=program.family,
        rule=program.rule,
        directory=Path(),
        settings=replace(Settings(published=False, targets=targets), unsafe=unsafe),
        before=texts,
        after=texts,
        program={},
    )


def suite_passes(files, folder):
    folder.mkdir()
    for path, text in files.items():
        (folder / path).write_bytes(text)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-c", os.devnull, "--rootdir", "."]
    plugins = ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
    run = subprocess.run([*command, *plugins, "."], cwd=folder, capture_output=True, check=False)
    assert run.returncode in {0, 1}, run.stdout.decode()
    return run.returncode == 0


def check_levels(program, tmp_path):
    """Check that the level of each site says what the suite of the program sees."""
    safe = run_case(case_of(program, unsafe=False))
    unsafe = run_case(case_of(program, unsafe=True))
    sites = [one for one in safe.report.findings if one.place.path == "main.py"]

    assert safe.report.diagnostics == unsafe.report.diagnostics == ()
    assert tuple(str(one.level) for one in sites) == program.levels
    assert [program.caveat in one.message for one in sites if str(one.level) == "unsafe"] == [
        True
    ] * program.levels.count("unsafe")
    sides = {"before": case_of(program, unsafe=False).before, "safe": safe.files}
    if "unsafe" in program.levels:
        sides["unsafe"] = unsafe.files
    passing = {side: suite_passes(files, tmp_path / side) for side, files in sides.items()}
    assert passing == {side: side != "unsafe" for side in sides}
