"""Run attack programs before and after awaken, and compare what they print.

Every program of `attacks/FIELD/NAME.py` is copied, run, rewritten and run again: once with what is
safe of all rules, once with `--unsafe-fixes` of the rules of its field. What it prints, how it ends
and what it sends to a database must stay the same; where an unsafe change makes a difference, the
message of a change must say so. A second run changes nothing, and nothing is left half done.

A program is a file, `main.py` in its copy. A line `# --- shop/models.py` in it begins another file.
Lines at its top, `# key: value`, say what is special:

    rules: a, b         rules of the unsafe run, in place of those of the field, with + besides
    announced: words    the unsafe run may differ: a message of a change holds these words
    python: 3.12        the Python that the program demands, and needs
    needs: fastapi      another requirement
    statements: no      what is sent to the database may differ
    pytest: yes         pytest runs it; what becomes of each test is compared, not what is printed

`attacks/FIELD/_NAME.py` is `NAME.py` next to each program of its field. Usage:

    uv run python benchmarks/attacks.py [FIELD | FIELD/NAME]... [--diff] [--jobs 2]

Programs of the fields `replaced` and `other-rules` need `--with pytest-mock --with async-timeout`.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import re
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from tables import table

from awaken import api
from awaken.contract import Level
from awaken.engine.report import RootReport
from awaken.settings import Settings

HOME = Path(__file__).with_name("attacks")
_ADVICE = frozenset(rule.name for rule in api.rules() if Level.ADVICE in rule.levels)
_ALL = tuple(rule.name for rule in api.rules() if rule.name not in _ADVICE)
_WHOLE = ("query-to-select", "session-to-async", "on-event-to-lifespan")
_FIELDS: dict[str, tuple[str, ...]] = {
    "gather": tuple(r.name for r in api.rules() if r.family == "asyncio"),
    "loading": ("eager-load", "lazy-raise", "expire-on-commit"),
    "sessions": ("session-to-async", "expire-on-commit", "session-dependency", "session-in-route"),
    "lifespan": tuple(r.name for r in api.rules() if r.family in {"fastapi", "testing"}),
    "queries": ("query-to-select", "raw-sql-text", "session-context-manager"),
    # Of the third round.
    "threads": (*_WHOLE, "executor-to-thread"),
    "replaced": _WHOLE,
    "asynchronous": _WHOLE,
    "other-rules": _ALL,
}
_SECONDS = 30
_HEADER = re.compile(r"# (rules|announced|python|needs|statements|pytest|order): (.*)")
_FILE = re.compile(r"^# --- (\S+)\n", re.MULTILINE)
_ADDRESS = re.compile(r"0x[0-9a-f]+|Task-\d+|%\(\d+ |ThreadPoolExecutor-\d+_\d+|asyncio_\d+")
_FORGOTTEN = re.compile("WARN .*never awaited")
_OF_TESTS = re.compile("TEST|COLLECT|WARN|never")
_REFUSED = {"engine/needs-other-versions"}
"""What the engine refuses before it writes: nothing was taken back."""
_REQUIRED = (
    "sqlalchemy>=2.0",
    "fastapi>=0.115",
    "pydantic>=2",
    "pydantic-settings>=2",
    "aiosqlite",
)


class Program(NamedTuple):
    """An attack: its files by path, and what the lines at its top say."""

    name: str
    files: dict[str, str]
    said: dict[str, str]

    @property
    def field(self) -> str:
        return self.name.partition("/")[0]

    @property
    def python(self) -> str:
        return self.said.get("python", "3.11")


class Seen(NamedTuple):
    """What one run of a program shows: what it printed and how it ended, and what it sent."""

    printed: str
    sent: str


class Outcome(NamedTuple):
    """What came of a program at one level; `problem` is empty where all is well."""

    program: str
    level: str
    problem: str
    detail: str
    changes: int
    rules: tuple[str, ...]


def programs(asked: Sequence[str]) -> Iterator[Program]:
    """Return the programs that are asked for, all without a name."""
    for path in sorted(HOME.glob("*/[!_]*.py")):
        name = f"{path.parent.name}/{path.stem}"
        if not asked or not {name, path.parent.name}.isdisjoint(asked):
            yield _read(name, path)


def _read(name: str, path: Path) -> Program:
    first, *rest = _FILE.split(path.read_text("utf-8"))
    files = {"main.py": first, **dict(zip(rest[::2], rest[1::2], strict=True))}
    files |= {one.name[1:]: one.read_text("utf-8") for one in path.parent.glob("_*.py")}
    said = {}
    for line in first.splitlines():
        if (match := _HEADER.fullmatch(line)) is None:
            break
        said[match[1]] = match[2]
    return Program(name, files, said)


def outcomes(program: Program) -> list[Outcome]:
    """Run a program as it is, and as each level leaves it."""
    if sys.version_info < tuple(map(int, program.python.split("."))):
        return []
    before = observe(program)
    again = observe(program)
    if before.sent != again.sent:  # rows of a secondary table come in the order of a set
        program.said.setdefault("statements", "no")
    if before.printed != again.printed:
        return [Outcome(program.name, "before", "not the same twice", _diff(before, again), 0, ())]
    chosen = _FIELDS[program.field]
    if said := program.said.get("rules"):
        names = tuple(re.split(r",\s*", said))
        chosen = names if names[0] != "+" else (*chosen, *names[1:])
    return [
        _outcome(program, "safe", _ALL, before),
        _outcome(program, "unsafe", chosen, before),
    ]


def _outcome(program: Program, level: str, chosen: Sequence[str], before: Seen) -> Outcome:
    try:
        report, files = rewritten(program, program.files, chosen, level)
        problem, detail = _unfinished(report) or ("", "")
        if not problem:
            problem, detail = _second_run(program, files, chosen, level)
        if not problem and files != program.files:
            problem, detail = _difference(program, level, before, report, files)
    except Exception:  # noqa: BLE001  a crash is what this looks for
        return Outcome(program.name, level, "crash", traceback.format_exc(), 0, ())
    rules = tuple(sorted({change.rule for change in report.changes}))
    return Outcome(program.name, level, problem, detail, len(report.changes), rules)


def _unfinished(report: RootReport) -> tuple[str, str] | None:
    """Return what the run could not do, or took back."""
    if report.diagnostics:
        return "diagnostic", "\n".join(one.message + one.traceback for one in report.diagnostics)
    reasons = ((one, one.reason or "") for one in report.findings)
    taken_back = [one for one, why in reasons if why.startswith("engine/") and why not in _REFUSED]
    if taken_back:
        return "rolled back", "\n".join(f"{one.reason}: {one.message}" for one in taken_back)
    return None


def _second_run(
    program: Program, files: Mapping[str, str], chosen: Sequence[str], level: str
) -> tuple[str, str]:
    """Return what a second run would do, which is nothing."""
    again, later = rewritten(program, files, chosen, level)
    if not again.files:
        return "", ""
    made = "".join(_file_diff(program.files, files))
    return "second run", made + "\n=== second run\n" + "".join(_file_diff(files, later))


def _difference(
    program: Program, level: str, before: Seen, report: RootReport, files: Mapping[str, str]
) -> tuple[str, str]:
    """Return how the program differs afterwards, unless a message says that it may."""
    after = observe(program._replace(files=dict(files)))
    if level == "unsafe":  # fewer coroutines that nothing awaits are no difference
        before = before._replace(printed=_without_forgotten(before.printed, after.printed))
    same = after.printed == before.printed
    if same and (after.sent == before.sent or level == "unsafe" or "statements" in program.said):
        return "", ""
    messages = [f"[{one.level}] {one.rule}: {one.message}" for one in report.findings]
    announced = program.said.get("announced")
    if level == "unsafe" and announced and any(announced in one for one in messages):
        return "", ""
    made = "".join(_file_diff(program.files, files))
    what = "differs" if not same else "sends other statements"
    return what, "\n".join([*messages, made, _diff(before, after)])


def _without_forgotten(before: str, after: str) -> str:
    """Return what a program printed without the forgotten coroutines that are awaited now."""
    kept = set(after.splitlines())
    lines = before.splitlines(keepends=True)
    return "".join(one for one in lines if not _FORGOTTEN.match(one) or one.rstrip() in kept)


def rewritten(
    program: Program, files: Mapping[str, str], chosen: Sequence[str], level: str
) -> tuple[RootReport, dict[str, str]]:
    """Return the report of a run over the files, and the files that it leaves."""
    with tempfile.TemporaryDirectory(prefix="awaken-attack-") as directory:
        root = Path(directory).resolve()
        _write(root, files)
        needs = [*_REQUIRED, *program.said.get("needs", "").split()]
        manifest = (
            f'[project]\nname = "attack"\nversion = "0"\nrequires-python = ">={program.python}"\n'
            f"dependencies = {needs!r}\n"
        )
        _write(root, {"pyproject.toml": files.get("pyproject.toml", manifest)})
        options = api.Options(
            settings=Settings(
                select=tuple(chosen), unsafe_fixes=level == "unsafe", published=False
            ),
            isolated=True,
            jobs=1,
            use_cache=False,
        )
        (report,) = api.run([root], options).roots
    # Settings of pytest among them, without which coroutine tests do not run.
    return report, {**files, **{one.path: one.after.text.decode() for one in report.files}}


def _write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def observe(program: Program) -> Seen:
    """Run `main.py` of a program, or its tests, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="awaken-attack-") as directory:
        root = Path(directory, "program").resolve()
        _write(root, program.files)
        printed, sent = Path(directory, "printed"), Path(directory, "sent")
        process = os.fork()
        if process == 0:
            _run(root, printed, sent, with_pytest="pytest" in program.said)
        ended = _wait(process)
        text = printed.read_text("utf-8", "replace")
        text = _ADDRESS.sub("…", text.replace(str(root), "ROOT"))
        if "pytest" in program.said:
            text = "\n".join(line for line in text.splitlines() if _OF_TESTS.match(line))
        return Seen(f"{text}\nexit {ended}\n", sent.read_text("utf-8") if sent.exists() else "")


def _wait(process: int) -> str:
    for _ in range(_SECONDS * 50):
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return str(os.waitstatus_to_exitcode(status))
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "never"


def _run(root: Path, printed: Path, sent: Path, *, with_pytest: bool) -> None:
    """Run a program in this process, which was forked for it, and end it."""
    os.setsid()
    os.chdir(root)
    output = os.open(printed, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.path[:0] = [str(root)]
    sys.argv = ["main.py"]
    warnings.simplefilter("ignore")
    warnings.filterwarnings("default", message=".*never awaited.*")
    warnings.showwarning = lambda message, *_, **__: print("WARN", message, flush=True)
    code = 0
    with sent.open("w", encoding="utf-8") as log:
        _log_statements(log)
        try:
            if with_pytest:
                code = _tested()
            else:
                import runpy  # noqa: PLC0415

                runpy.run_path("main.py", run_name="__main__")
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException as error:  # noqa: BLE001  as Python ends a program
            # Without the lines, which a rewrite moves.
            print(f"{type(error).__name__}: {error}")
            code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _Results:
    """The plugin of pytest that prints what became of each test."""

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            print(f"\nTEST {report.nodeid} {report.when} {report.outcome}")

    def pytest_collectreport(self, report):
        if report.failed:
            print("\nCOLLECT", report.nodeid)

    def pytest_warning_recorded(self, warning_message, nodeid):
        if "never awaited" in str(warning_message.message):
            print("\nWARN", nodeid, warning_message.message)


def _tested() -> int:
    """Run the tests of the current directory; return pytest's exit code."""
    import pytest  # noqa: PLC0415

    left_out = ("randomly", "xdist", "cacheprovider", "hypothesispytest")
    words = [word for name in left_out for word in ("-p", f"no:{name}")]
    return int(pytest.main(["-q", "-s", *words], plugins=[_Results()]))


def _log_statements(log) -> None:
    from sqlalchemy import Engine, event  # noqa: PLC0415

    @event.listens_for(Engine, "before_cursor_execute")
    def _sent(connection, cursor, statement, parameters, context, executemany):  # noqa: ARG001, PLR0913  as SQLAlchemy calls it
        verb = statement.split(None, 1)[0].upper() if statement.strip() else ""
        # Rows of a secondary table come in the order of a set.
        parameters = sorted(parameters, key=repr) if isinstance(parameters, list) else parameters
        log.write(f"{verb} {_ADDRESS.sub('…', repr(parameters))}\n")
        log.flush()


def _diff(before: Seen, after: Seen) -> str:
    parts = []
    for one, other in zip(before, after, strict=True):
        parts += difflib.unified_diff(
            one.splitlines(), other.splitlines(), "before", "after", "", "", 2, ""
        )
    return "\n".join(parts)


def _file_diff(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for path, text in after.items():
        old = before.get(path, "")
        if old != text:
            yield from difflib.unified_diff(
                old.splitlines(keepends=True), text.splitlines(keepends=True), path, path, n=1
            )


def _preload() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in (
            "aiosqlite",
            "fastapi.testclient",
            "pydantic_settings",
            "sqlalchemy.ext.asyncio",
        ):
            importlib.import_module(name)


def main() -> None:
    """Read the command line, run and print."""
    parser = argparse.ArgumentParser(description="run attack programs before and after awaken")
    parser.add_argument("asked", nargs="*", metavar="FIELD|FIELD/NAME")
    parser.add_argument("--details", action="store_true", help="show how each difference shows")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    chosen = list(programs(arguments.asked))
    _preload()
    found: list[Outcome] = []
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("fork")) as pool:
        for some in pool.map(outcomes, chosen):
            found += some
            for one in some:
                if one.problem:
                    print(
                        f"{one.program}\t{one.level}\t{one.problem}\t{', '.join(one.rules)}",
                        flush=True,
                    )
                    if arguments.details:
                        print(one.detail, flush=True)
    counted = Counter(
        (one.program.partition("/")[0], one.level, "changed" if one.changes else "left alone")
        for one in found
    )
    wrong = Counter((one.program.partition("/")[0], one.level) for one in found if one.problem)
    fields = sorted({one.program.partition("/")[0] for one in found})
    rows = [
        (
            field,
            level,
            counted[field, level, "changed"],
            counted[field, level, "left alone"],
            wrong[field, level],
        )
        for field in fields
        for level in ("safe", "unsafe")
    ]
    print(table(["field", "level", "changed", "left alone", "wrong"], rows, words=2))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
