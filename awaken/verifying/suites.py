"""One run of a project's tests in a copy, and what the plugin of pytest wrote down."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.contract import UserError
from awaken.engine.machine.programs import Bounds, run_program

_PLUGIN = Path(__file__).parent / "plugin"
_MEMORY = 8 << 30
_FIRST_SECONDS = 3600.0
"""Of the clock, for the first run: nobody knows yet how long the tests take."""
_TIMES, _LEAST = 5, 60.0
"""A later run may take this many times as long as the first, and at least so many seconds."""

_MOST_BYTES = 1 << 29
"""Of the record of one process; 2,000 statements of a test are kept, so real ones have some MB."""

Line = tuple[str, int]
"""A file, relative to the copy, and a line, 1-based."""


class Statement(Struct, frozen=True):
    """A statement that was sent to a database, and the innermost line of the project then."""

    text: str
    line: Line | None


class ObservedTest(Struct, frozen=True):
    """What one test did. ``error`` is the name of the exception, ``frames`` its lines."""

    name: str
    outcome: str
    error: str = ""
    frames: tuple[Line, ...] = ()
    statements: tuple[Statement, ...] = ()
    count: int = 0
    lines: frozenset[Line] = frozenset()

    @property
    def result(self) -> str:
        """The outcome, with the exception where there is one."""
        return f"{self.outcome} ({self.error})" if self.error else self.outcome


class SuiteRun(Struct, frozen=True):
    """A run of the tests: each by its node id, and the exit code of the command.

    ``modules`` are the files of what was imported, ``imported`` the lines that ran on import.
    ``output`` is the end of what was printed, ``missing`` are distributions that the changes need
    and that are not installed. A run that took too long has no exit code.
    """

    tests: Mapping[str, ObservedTest]
    exit_code: int | None
    seconds: float
    modules: Mapping[str, str]
    imported: frozenset[Line]
    output: str
    missing: tuple[str, ...] = ()


class Suite:
    """The tests of a project in a copy of it. ``files`` are those that changes touch.

    ``needs`` are the distributions that the changes require.
    """

    needs: Collection[str] = ()

    def __init__(
        self, copy: Path, top: Path, command: Sequence[str], files: Collection[str]
    ) -> None:
        self._copy, self._top, self._command = copy, top, list(command)
        self.files = frozenset(files)
        self._files = sorted(str(copy / name) for name in files if name.endswith(".py"))
        self.own: dict[str, str] = {}
        """Variables of the environment of this suite alone."""
        self._limit = _FIRST_SECONDS
        self._number = 0

    def run(self, only: Collection[str] = (), *, watch: bool = False) -> SuiteRun:
        """Run the tests, or ``only`` those with these node ids. Raises UserError.

        With ``watch`` each test says which lines of changed files it runs, which takes time.
        """
        self._number += 1
        place = Path(tempfile.mkdtemp(prefix="run-", dir=self._copy.parent))
        environment = self._environment(place, only, self._files if watch else [])
        words = [_program(self._command[0], environment, self._top), *self._command[1:]]
        started = time.monotonic()
        try:
            done = run_program(
                words,
                directory=self._copy,
                environment=environment,
                bounds=Bounds(self._limit, memory=_MEMORY),
            )
            code, printed = done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            code, printed = None, b""
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UserError(f"{shlex.join(self._command)} cannot be run: {why}") from error
        seconds = time.monotonic() - started
        if self._number == 1:
            self._limit = max(_LEAST, _TIMES * seconds)
        run = _read(place, code, seconds, printed.decode(errors="replace")[-4000:])
        shutil.rmtree(place, ignore_errors=True)
        return run

    def _environment(
        self, place: Path, only: Collection[str], watched: Sequence[str]
    ) -> dict[str, str]:
        files, names = place / "files.json", place / "only.json"
        files.write_text(json.dumps(watched), "utf-8")
        names.write_text(json.dumps(sorted(only)), "utf-8")
        environment = dict(os.environ)
        # Before whatever an editable installation names: the copy is what is tested.
        roots = [self._copy, self._copy / "src", _PLUGIN]
        before = environment.get("PYTHONPATH", "")
        environment |= {
            "PYTHONPATH": os.pathsep.join([*map(str, roots), *([before] if before else [])]),
            "PYTHONDONTWRITEBYTECODE": "1",
            # The columns of a statement may come out of a set.
            "PYTHONHASHSEED": environment.get("PYTHONHASHSEED", "0"),
            "PYTEST_ADDOPTS": f"{environment.get('PYTEST_ADDOPTS', '')} -p awaken_observer".strip(),
            "AWAKEN_OBSERVE_TOP": f"{self._copy}{os.sep}",
            "AWAKEN_OBSERVE_RECORD": str(place / "record"),
            "AWAKEN_OBSERVE_FILES": str(files),
            "AWAKEN_OBSERVE_NEEDS": json.dumps(sorted(self.needs)),
        }
        if only:
            environment["AWAKEN_OBSERVE_ONLY"] = str(names)
        own = self._top / ".venv"
        if own.is_dir():
            # `uv run` would make another one in the copy.
            environment |= {"UV_PROJECT_ENVIRONMENT": str(own), "UV_NO_SYNC": "1"}
        return environment | self.own


def _program(name: str, environment: Mapping[str, str], top: Path) -> str:
    """Return the program that the user named: one of the project's environment comes first."""
    path = os.pathsep.join([str(top / ".venv" / "bin"), environment.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        raise UserError(f"there is no program {name!r}; name one that is installed after --")
    return found


def _read(place: Path, code: int | None, seconds: float, output: str) -> SuiteRun:
    tests: dict[str, ObservedTest] = {}
    modules: dict[str, str] = {}
    imported: set[Line] = set()
    missing: set[str] = set()
    for file in sorted(place.glob("record.*")):
        if file.stat().st_size > _MOST_BYTES:
            raise UserError(f"the tests made a record of more than {_MOST_BYTES >> 20} MB")
        for row in file.read_text("utf-8").splitlines():
            document = _parsed(row)
            lines = frozenset((path, line) for path, line in document.get("lines", ()))
            if "test" in document:
                tests[document["test"]] = _test(document, lines)
            else:
                missing |= set(document.get("missing", ()))
                modules |= document.get("modules", {})
                imported |= lines
    needs = tuple(sorted(missing))
    return SuiteRun(tests, code, seconds, modules, frozenset(imported), output, needs)


def _parsed(row: str) -> dict[str, Any]:
    try:
        document = json.loads(row)
    except ValueError:  # the process was killed while it wrote
        return {}
    return document if isinstance(document, dict) else {}


def _test(document: Mapping[str, Any], lines: frozenset[Line]) -> ObservedTest:
    return ObservedTest(
        name=document["test"],
        outcome=document["outcome"],
        error=document["error"],
        frames=tuple((path, line) for path, line in document["frames"]),
        statements=tuple(
            Statement(text, tuple(line) if line else None) for text, line in document["statements"]
        ),
        count=document["count"],
        lines=lines,
    )
