"""Runs awaken as a user starts it, and reads what it says as JSON."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Else each run compiles awaken where nothing is compiled yet, which takes a second or more."""
_CHOOSING = {"check", "diff", "apply"}


class Finding(Struct):
    """What the benchmarks read of a finding; `path` is relative to where awaken was started."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    level: str
    rule: str
    message: str
    reason: str | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line and column of the first character, both from 1."""
        return self.path, self.line, self.column

    @property
    def is_rewritten(self) -> bool:
        """Whether awaken rewrites this site, be it on request only."""
        return self.level in {"safe", "unsafe"}

    def contains(self, place: tuple[str, int, int]) -> bool:
        """Whether another place lies inside this site."""
        path, *start = place
        first, end = [self.line, self.column], [self.end_line, self.end_column]
        return path == self.path and first <= start < end


class Diagnostic(Struct):
    """Something awaken could not do; any of them makes it end with 2."""

    path: str
    line: int
    message: str


class Document(Struct):
    """`awaken check --output-format json`."""

    findings: list[Finding]
    diagnostics: list[Diagnostic]


class Awaken:
    """The awaken beside this Python, with a cache and a journal of its own below `home`.

    It runs the rules that ``select`` names: as a rule the one that these programs were chosen for.
    """

    def __init__(self, home: Path, select: str = "query-to-select") -> None:
        self.select = select
        self.cache = home / "cache"
        self.environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(self.cache),
            "XDG_STATE_HOME": str(home / "state"),
            "NO_COLOR": "1",
            **COMPILED,
        }
        found = shutil.which("awaken", path=str(Path(sys.executable).parent))
        if found is None:
            sys.exit("awaken is not installed beside this Python: start with `uv run python ...`")
        self.executable = found

    def run(self, arguments: Sequence[str], directory: Path) -> subprocess.CompletedProcess[bytes]:
        """Start awaken in `directory` and wait for it; any exit code is returned, not raised."""
        command, *options = arguments
        selected = ["--select", self.select] if command in _CHOOSING else []
        return subprocess.run(
            [self.executable, command, *selected, *options],
            cwd=directory,
            env=self.environment,
            capture_output=True,
            check=False,
        )

    def check(self, directory: Path, options: Sequence[str]) -> Document:
        """Return the report on the whole of `directory`; ends the script where there is none."""
        done = self.run(["check", ".", "--output-format", "json", *options], directory)
        try:
            found = msgspec.json.decode(done.stdout, type=Document)
        except msgspec.MsgspecError:
            sys.exit(f"awaken ended with {done.returncode}:\n{done.stderr.decode()}")
        rolled_back = [one for one in found.findings if one.reason == "engine/rolled-back"]
        if rolled_back:
            places = "\n".join(f"{one.path}:{one.line}: {one.message}" for one in rolled_back)
            sys.exit(f"rolled back, which no rule may need:\n{places}")
        return found

    def forget(self) -> None:
        """Remove the cache, so that the next run is cold."""
        shutil.rmtree(self.cache, ignore_errors=True)
