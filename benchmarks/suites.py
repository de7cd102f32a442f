"""Runs the tests of a repository in a copy of it, and learns which lines each test executes."""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from corpora import Program

PLUGINS = Path(__file__).parent.absolute() / "plugins"
"""The plugins of pytest that measure. The scripts beside them stay out of the path of a program: it
would import one that has the name of a library."""
LONGEST = 900
"""Seconds after which a run of tests counts as hanging."""

Lines = dict[str, dict[int, frozenset[str]]]
"""Per file, relative to the copy: for each executed line the tests that execute it."""


class Outcome(NamedTuple):
    """One run of tests: pytest's exit code, its last line without warnings and time, what failed.

    The code is None if the run hung.
    """

    code: int | None
    summary: str
    failed: tuple[str, ...]


class Suite:
    """The tests of one program in one copy; nothing but test runs write into the copy."""

    def __init__(self, program: Program, corpus: Path, copy: Path) -> None:
        self.program = program
        self.python = str(program.python(corpus))
        self.copy = copy.resolve()

    def run(self, chosen: Sequence[str] = (), *options: str, seconds: float = LONGEST) -> Outcome:
        """Run the chosen tests, all for none."""
        wanted = list(chosen) or list(self.program.tests)
        return self._pytest(["-m", "pytest"], [*options, *wanted], seconds)

    def lines(self) -> Lines:
        """Run all tests under coverage; RuntimeError if they fail."""
        data = self.copy / ".coverage-contexts"
        measuring = ["-m", "coverage", "run", "--rcfile=/dev/null", f"--data-file={data}"]
        place = [f"--source={self.copy}", "-m", "pytest", "-p", "coverage_contexts"]
        outcome = self._pytest([*measuring, *place], list(self.program.tests), LONGEST)
        if outcome.code != 0:
            raise RuntimeError(f"the tests fail under coverage: {outcome}")
        report = data.with_suffix(".json")
        what = ["json", "--show-contexts", "-q", f"--data-file={data}", "-o", str(report)]
        command = [self.python, "-m", "coverage", *what, "--rcfile=/dev/null"]
        subprocess.run(command, cwd=self.copy, check=True, capture_output=True)
        return read_lines(report)

    def _pytest(self, start: list[str], arguments: list[str], seconds: float) -> Outcome:
        quiet = ["-q", "-rfE", "--color=no", "--tb=no", "-p", "no:cacheprovider"]
        try:
            done = subprocess.run(
                [self.python, *start, *quiet, *arguments],
                cwd=self.copy,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return Outcome(None, f"nothing within {seconds:.0f} s", ())
        printed = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or [""]
        summary = re.sub(r"(, \d+ warnings?)? in [\d.]+s.*", "", printed[-1]).strip("= ")
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        return Outcome(done.returncode, summary, tuple(failed))

    def _environment(self) -> dict[str, str]:
        """As if the environment were active and the copy installed, and in one order of sets."""
        return {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(self.python).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(PLUGINS), str(self.copy)]),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **dict(self.program.variables),
        }


class _CoveredFile(msgspec.Struct):
    contexts: dict[str, list[str]]


class _Coverage(msgspec.Struct):
    files: dict[str, _CoveredFile]


def read_lines(report: Path) -> Lines:
    """Read coverage's JSON report."""
    covered = msgspec.json.decode(report.read_bytes(), type=_Coverage)
    lines: Lines = defaultdict(dict)
    for path, file in covered.files.items():
        for line, tests in file.contexts.items():
            lines[path][int(line)] = frozenset(tests) - {""}
    return lines
