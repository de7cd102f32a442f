"""One run of a project's tests in a copy, and what the plugin of pytest wrote down."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from awaken.contract import UserError
from awaken.engine.machine.programs import Bounds, run_in_group

_PLUGIN = Path(__file__).parent / "plugin"
_MEMORY = 8 << 30
_FIRST_SECONDS = 3600.0
"""Of the clock, for the first run: nobody knows yet how long the tests take."""
_TIMES, _LEAST = 5, 60.0
"""A later run may take this many times as long as the first, and at least so many seconds."""
_TIMES_OBSERVED = 4
"""The same times more where each test has a limit of its own: the machine may be busy."""
_TIMES_OF_TEST, _TIMES_OF_SLOWEST = 10, 2
"""A test may take this many times as long as in the first run, and as the slowest one there.

Whichever runs first sets up what tests share.
"""
_LEAST_WORK, _LEAST_WAIT = 5.0, 20.0
"""It may compute and wait so many seconds in any case."""

_NOT_ENDED = 71
"""The exit code of a process that waited after its last test for as long, says the plugin."""

_MOST_BYTES = 1 << 29
"""Of the record of one process; 2,000 statements of a test are kept, so real ones have some MB."""
_SHOWN = 4000
"""Characters of what was printed that are kept, the last ones."""

Line = tuple[str, int]
"""A file, relative to the copy, and a line, 1-based."""


class Statement(Struct, frozen=True):
    """A statement that was sent to a database, and the innermost lines of the project then."""

    text: str
    lines: tuple[Line, ...] = ()


class ObservedTest(Struct, frozen=True):
    """What one test did. ``error`` is the name of the exception, ``frames`` its lines.

    ``seconds`` are those of the clock, ``worked`` those of the processor. ``ended`` says that it
    took the process with it, and the tests that were to follow.
    """

    name: str
    outcome: str
    error: str = ""
    frames: tuple[Line, ...] = ()
    statements: tuple[Statement, ...] = ()
    count: int = 0
    lines: frozenset[Line] = frozenset()
    seconds: float = 0.0
    worked: float = 0.0
    ended: bool = False

    @property
    def result(self) -> str:
        """The outcome, with the exception where there is one."""
        return f"{self.outcome} ({self.error})" if self.error else self.outcome


class Environment(Struct, frozen=True):
    """The Python of the tests, its version, and the distributions there with their versions.

    ``missing`` are those that the changes need.
    """

    python: str
    version: str
    installed: Mapping[str, str]
    missing: tuple[str, ...]


class SuiteRun(Struct, frozen=True):
    """A run of the tests: each by its node id, and the exit code of the command.

    ``modules`` are the files of what was imported, ``imported`` the lines that ran on import.
    ``output`` is the end of what was printed. Where the changes need what is not installed, no test
    runs, and ``lacking`` is the environment. A run that took too long has no exit code. Of one that
    is ``observed`` pytest told what each test does, and the files that gave it ``settings``.
    """

    tests: Mapping[str, ObservedTest]
    exit_code: int | None
    seconds: float
    modules: Mapping[str, str]
    imported: frozenset[Line]
    output: str
    lacking: Environment | None = None
    observed: bool = True
    settings: frozenset[str] = frozenset()


_Limit = tuple[float, float]
"""Seconds that a test may compute, and that it may wait."""

Watched = Mapping[str, Sequence[int] | None]
"""The lines that are watched, by file of the copy; None for the beginning of each function."""


class Copy(Struct, frozen=True):
    """A copy at ``path`` of the repository at ``top``.

    ``directory`` is where the tests run, ``projects`` are the directories of what changes; all are
    relative to the copy.
    """

    path: Path
    top: Path
    directory: str = ""
    projects: tuple[str, ...] = ("",)

    def environment(self) -> Path | None:
        """Return the user's own environment of these directories, if there is one."""
        for inside in (self.directory, *self.projects):
            for folder in (Path(inside), *Path(inside).parents):
                if (self.top / folder / ".venv").is_dir():
                    return self.top / folder / ".venv"
        return None

    def import_path(self, known: str) -> str:
        """Return where the tests import from; ``known`` is the variable that the user has.

        The copy comes first, before whatever an editable installation names.
        """
        roots = [
            self.path / project / source for project in self.projects for source in ("", "src")
        ]
        own = [Path(entry) for entry in known.split(os.pathsep) if entry]
        inside = [path.is_relative_to(self.top) for path in own]
        copied = [
            self.path / path.relative_to(self.top) if is_inside else path
            for path, is_inside in zip(own, inside, strict=True)
        ]
        return os.pathsep.join(map(str, [*roots, _PLUGIN, *copied]))


class Suite:
    """The tests of a project in a copy of it.

    ``needs`` names what the changes require, ``packages`` is a directory of what was installed for
    them.
    """

    needs: Collection[str] = ()
    packages: Path | None = None

    def __init__(self, copy: Copy, command: Sequence[str]) -> None:
        self._copy, self._command = copy, list(command)
        self._directory = copy.path / copy.directory
        self.own: dict[str, str] = {}
        """Variables of the environment of this suite alone."""
        self._limit = _FIRST_SECONDS
        self._least: _Limit | None = None
        self._limits: dict[str, _Limit] = {}
        self._is_first = True

    def run(self, only: Collection[str] = (), *, watched: Watched | None = None) -> SuiteRun:
        """Run the tests, or ``only`` those with these node ids. Raises UserError.

        Each test says which of the ``watched`` lines it reaches.
        """
        place = Path(tempfile.mkdtemp(prefix="run-", dir=self._copy.path.parent))
        # One of which git tracks no file is not copied.
        self._directory.mkdir(parents=True, exist_ok=True)
        environment = self._environment(place, only, watched or {})
        words = [self._program(environment), *self._command[1:]]
        started = time.monotonic()
        try:
            code = run_in_group(
                words,
                directory=self._directory,
                environment=environment,
                bounds=Bounds(self._limit, memory=_MEMORY),
                output=place / "output",
            )
        except subprocess.TimeoutExpired:
            code = None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UserError(f"{shlex.join(self._command)} cannot be run: {why}") from error
        finally:
            end_processes(self._copy.path)
        seconds = time.monotonic() - started
        code = None if code == _NOT_ENDED else code
        run = _read(place, code, seconds)
        self.limit_by(run)
        shutil.rmtree(place, ignore_errors=True)
        return run

    def limit_by(self, run: SuiteRun) -> None:
        """Limit later runs and each test by what the first run took."""
        if not self._is_first or run.lacking is not None:
            return
        self._is_first = False
        times = _TIMES * (_TIMES_OBSERVED if run.observed else 1)
        self._limit = max(_LEAST, times * run.seconds)
        self._least = _most((_LEAST_WORK, _LEAST_WAIT), _TIMES_OF_SLOWEST, run.tests.values())
        own = {n: _most(self._least, _TIMES_OF_TEST, [t]) for n, t in run.tests.items()}
        self._limits = {name: limit for name, limit in own.items() if limit != self._least}

    def _program(self, environment: Mapping[str, str]) -> str:
        """Return the program that the user named: one of the project's environment comes first."""
        name = self._command[0]
        if (self._directory / name).is_file():  # a script of the project
            return str(self._directory / name)
        own = self._copy.environment()
        path = os.pathsep.join([*([f"{own}/bin"] if own else []), environment.get("PATH", "")])
        which = shutil.which(name, path=path)
        if which is None:
            advice = "write its words apart" if " " in name else "name one that is installed"
            raise UserError(f"there is no program {name!r}; {advice} after --")
        # It starts in the copy, which has no environment of its own.
        return os.path.abspath(which)  # noqa: PTH100  a link tells Python its environment

    def _environment(self, place: Path, only: Collection[str], watched: Watched) -> dict[str, str]:
        asked = {
            "files": {str(self._copy.path / name): lines for name, lines in watched.items()},
            "only": sorted(only),
            "needs": sorted(self.needs),
            "limits": self._limits,
            "limit": self._least,
            "ending": _LEAST_WAIT,
            "parent": os.getpid(),
        }
        (place / "asked.json").write_text(json.dumps(asked), "utf-8")
        environment = dict(os.environ)
        roots = self._copy.import_path(environment.get("PYTHONPATH", ""))
        environment |= {
            "PYTHONPATH": f"{roots}{os.pathsep}{self.packages}" if self.packages else roots,
            "PYTHONDONTWRITEBYTECODE": "1",
            # The columns of a statement may come out of a set.
            "PYTHONHASHSEED": environment.get("PYTHONHASHSEED", "0"),
            "PYTEST_ADDOPTS": f"{environment.get('PYTEST_ADDOPTS', '')} -p awaken_observer".strip(),
            _MARK: f"{self._copy.path}{os.sep}",
            "AWAKEN_OBSERVE_RECORD": str(place / "record"),
            "AWAKEN_OBSERVE_ASKED": str(place / "asked.json"),
        }
        own = self._copy.environment()
        if own is not None:
            # `uv run` would make another one in the copy.
            environment |= {"UV_PROJECT_ENVIRONMENT": str(own), "UV_NO_SYNC": "1"}
        return environment | self.own


def _most(least: _Limit, times: int, tests: Iterable[ObservedTest]) -> _Limit:
    """Return what ``times`` the slowest of ``tests`` took, or ``least`` where that is more."""
    some = list(tests)
    return (
        max([least[0], *(times * test.worked for test in some)]),
        max([least[1], *(times * test.seconds for test in some)]),
    )


_MARK = "AWAKEN_OBSERVE_TOP"
"""The variable by which a process of ours is known, whoever started it."""


def end_processes(place: Path) -> None:
    """End the processes that tests in copies at or below ``place`` left, where the system shows."""
    sign = f"{_MARK}={place}{os.sep}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if sign in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                os.kill(int(entry.parent.name), signal.SIGKILL)


def _read(place: Path, code: int | None, seconds: float) -> SuiteRun:
    tests: dict[str, ObservedTest] = {}
    begun: dict[str, None] = {}
    modules: dict[str, str] = {}
    imported: set[Line] = set()
    settings: set[str] = set()
    lacking: Environment | None = None
    files = sorted(place.glob("record.*"))
    for file in files:
        if file.stat().st_size > _MOST_BYTES:
            raise UserError(f"the tests made a record of more than {_MOST_BYTES >> 20} MB")
        for row in file.read_text("utf-8").splitlines():
            document = _parse_row(row)
            lines = frozenset((path, line) for path, line in document.get("lines", ()))
            if "test" in document:
                tests[document["test"]] = _test(document, lines)
            elif "begins" in document:
                begun[document["begins"]] = None
            elif "missing" in document:
                python, version = document["python"]
                missing = tuple(document["missing"])
                lacking = Environment(python, version, document["installed"], missing)
            else:
                modules |= document.get("modules", {})
                imported |= lines
                settings.update(document.get("settings", ()))
    # A test that takes the process with it cannot say so.
    for name in begun.keys() - tests.keys():
        tests[name] = ObservedTest(name, "failed", "the process ended", ended=True)
    return SuiteRun(
        tests=tests,
        exit_code=code,
        seconds=seconds,
        modules=modules,
        imported=frozenset(imported),
        output=_end_of(place / "output"),
        lacking=lacking,
        observed=bool(files),
        settings=frozenset(settings),
    )


def _end_of(output: Path) -> str:
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - _SHOWN))
        return file.read().decode(errors="replace")


def _parse_row(row: str) -> dict[str, Any]:
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
            Statement(text, tuple((path, line) for path, line in places))
            for text, places in document["statements"]
        ),
        count=document["count"],
        lines=lines,
        seconds=document["seconds"],
        worked=document.get("worked", 0.0),
        ended=document.get("ended", False),
    )
