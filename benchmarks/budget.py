"""Count the work of awaken per program and rule, and hold it against `budgets.toml`.

The counts are the same in every run and on every machine: no clock is read. A row is what one rule
costs alone (`default`: all rules that run by themselves; `all`: every rule), in one process. Usage:

    uv run python benchmarks/budget.py CORPUS [--quick] [--download] [--write] [NAME ...]
    uv run python benchmarks/budget.py CORPUS --yield --rule RULE [NAME ...]

CORPUS has the programs of `yield_programs.toml` as `levels.py` has them; `--download` downloads
wheels that are missing. Prints each count that differs, and ends with 1 where one is more than 2 %
above its budget. `--write` writes what was counted: the commit says what the growth buys.
`--yield` prints the questions of a rule, with their share of the work and the verdicts that they
change (`questions.py`).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import async_generated
import tomlkit
from measured_programs import ASYNC, Program, directory_in, parsed, parser, programs
from msgspec import Struct
from questions import print_yield

from awaken import api
from awaken.contract import Status
from awaken.workspace.file_reading import TICK

HERE = Path(__file__).parent
HELD = HERE / "budgets.toml"
TOLERATED = 1.02
DEFAULT, ALL, APPLICATION = "default", "all", "session-to-async"

Row = dict[str, int]
"""The counts of one rule on one program, by the names that `counting.py` gives them."""

Budgets = dict[str, dict[str, Row]]
"""The rows by program and rule."""


class Budgeted(Struct, frozen=True):
    """A program with budgets; `quick` are its rows that every run of CI counts.

    `edits` are the files of five edits, one for each of `EDITS`; of a wheel `--quick` makes none.
    `domains` is the size of a generated application, which has rows for what takes long elsewhere.
    """

    edits: tuple[str, ...]
    quick: tuple[str, ...] = ()
    domains: int = 0

    def rows(self) -> list[str]:
        """Return the names of its rows."""
        if self.domains:
            return [APPLICATION, ALL]
        # All 45 rules together do not end within seven minutes on homeassistant.
        return [DEFAULT, *(rule.name for rule in api.rules() if rule.status is Status.DEFAULT)]


PROGRAMS = {
    "homeassistant": Budgeted(
        quick=(DEFAULT,),
        edits=(
            "homeassistant/components/light/__init__.py",
            "homeassistant/components/recorder/db_schema.py",
            "homeassistant/util/dt.py",
            "homeassistant/components/sql/sensor.py",
            "homeassistant/core.py",
        ),
    ),
    "superset": Budgeted(
        edits=(
            "superset/utils/date_parser.py",
            "superset/models/dashboard.py",
            "superset/utils/core.py",
            "superset/daos/base.py",
            "superset/extensions/__init__.py",
        ),
    ),
    "mlflow": Budgeted(
        edits=(
            "mlflow/utils/time.py",
            "mlflow/store/tracking/sqlalchemy_store.py",
            "mlflow/models/model.py",
            "mlflow/server/handlers.py",
            "mlflow/exceptions.py",
        ),
    ),
    "generated": Budgeted(
        quick=(APPLICATION, ALL),
        edits=(
            "app/routes1.py",
            "app/service1.py",
            "app/repository2.py",
            "tests/test_domain0.py",
            "app/database.py",
        ),
        domains=4,
    ),
}


def _comment(text: str) -> str:
    return text + "\n# a comment\n"


def _blank_line(text: str) -> str:
    return "\n" + text


def _constant(text: str) -> str:
    return text + "\nADDED_BY_AN_EDIT = 1\n"


def _function(text: str) -> str:
    return text + "\n\ndef added_by_an_edit(given):\n    return given.added_by_an_edit()\n"


def _coroutine(text: str) -> str:
    return text + "\n\nasync def awaited_by_an_edit(given):\n    return await given\n"


EDITS: tuple[Callable[[str], str], ...] = (_comment, _blank_line, _constant, _function, _coroutine)
"""The five edits, which are made one after the other."""


class Counter:
    """Counts rows of one program, unpacked in `directory`, with a state of its own in `place`.

    `jobs` is what awaken is told, 0 for nothing; it changes no count of `planning`.
    """

    def __init__(self, program: Program, directory: Path, place: Path, jobs: int = 0) -> None:
        self._program, self._directory, self._place = program, directory, place
        self._jobs = ("--jobs", str(jobs)) if jobs else ()

    def row(self, rule: str, edits: tuple[str, ...] = ()) -> Row:
        """Return the counts of a rule; with `edits` those of runs after a first one as well."""
        state = self._place / "state"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True)
        if not edits:
            return self._run("planning", rule, self._directory)
        copy = self._place / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self._directory, copy)
        counts = self._run("planning", rule, copy) | self._recall(rule, copy)
        again = 0
        for path, edit in zip(edits, EDITS, strict=True):
            file = copy / path
            file.write_text(edit(file.read_text()))
            again += self._run("planning", rule, copy)["plans"]
        return counts | {"plans-after-edits": again}

    def recalled(self, rule: str, counts: Row) -> Row:
        """Return the counts with those of a second run on the same files."""
        return counts | self._recall(rule, self._directory)

    def _recall(self, rule: str, directory: Path) -> Row:
        # Files written within a tick are read again, so a fast machine would count more of them.
        time.sleep(TICK / 1e9)
        # The counters of `planning` change the classes of rules, so it keeps no table of them.
        self._run("recalling", rule, directory)
        return self._run("recalling", rule, directory)

    def _run(self, how: str, rule: str, directory: Path) -> Row:
        file = self._place / "counts.json"
        done = subprocess.run(
            [
                *(sys.executable, "-I", str(HERE / "counting.py"), how, str(file)),
                *("check", *self._jobs, *options_of(self._program, rule), "."),
            ],
            cwd=directory,
            env={
                **os.environ,
                "AWAKEN_STATE_DIR": str(self._place / "state"),
                "XDG_CACHE_HOME": str(self._place / "state"),
                "NO_COLOR": "1",
            },
            capture_output=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{directory.name}: {rule} was not counted:\n{done.stderr.decode()}")
        counts: Row = json.loads(file.read_text())
        return counts


def options_of(program: Program, rule: str) -> list[str]:
    """Return awaken's options that run a row of a program."""
    # Every row names its rules, but for those that run by themselves.
    chosen = {DEFAULT: (), ALL: ("--select", "ALL", "--preview"), APPLICATION: ASYNC}
    return [*program.options(), *chosen.get(rule, ("--select", rule))]


def compare(name: str, rule: str, held: Row | None, now: Row) -> bool:
    """Print the counts of a row that differ; return whether one is above its budget."""
    if held is None:
        print(f"{name}: {rule}: has no budget  OVER")
        return True
    over = False
    for what, count in now.items():
        budget = held.get(what)
        if budget == count:
            continue
        is_over = budget is None or count > budget * TOLERATED
        over |= is_over
        print(f"{name}: {rule}: {what} {budget} -> {count}{'  OVER' if is_over else ''}")
    return over


def directory_of(name: str, corpus: Path, scratch: Path, *, downloads: bool) -> Path:
    """Return where a program is, made or downloaded if it has to be."""
    if domains := PROGRAMS[name].domains:
        for path, text in async_generated.program(domains, methods=4).items():
            file = scratch / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return scratch / name
    return directory_in(corpus, name, downloads=downloads)


def counted(
    name: str, directory: Path, scratch: Path, rules: Sequence[str], *, quick: bool
) -> Iterator[tuple[str, Row]]:
    """Yield rows of a program by rule, and print the CPU seconds of each on stderr."""
    budgeted = PROGRAMS[name]
    edits = () if quick and not budgeted.domains else budgeted.edits
    counter = Counter(_program(name), directory, scratch / "runs")
    for rule in rules:
        before = _cpu_seconds()
        is_whole = rule in {DEFAULT, APPLICATION}
        row = counter.row(rule, edits if is_whole else ())
        if is_whole and not edits:
            row = counter.recalled(rule, row)
        print(f"{name}: {rule}: {_cpu_seconds() - before:.1f} CPU s", file=sys.stderr, flush=True)
        yield rule, row


def _program(name: str) -> Program:
    return Program() if PROGRAMS[name].domains else programs()[name]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write(name: str, rule: str, counts: Row) -> None:
    """Write a row into `budgets.toml`; counts that were not taken this time stay."""
    document = tomlkit.parse(HELD.read_text())
    table = document.setdefault(name, tomlkit.table())
    row = tomlkit.inline_table()
    row.update({**table.get(rule, {}), **counts})
    table[rule] = row
    HELD.write_text(tomlkit.dumps(document))


def main(words: Sequence[str] | None = None) -> None:
    """Read the command line, count, compare, and write where that is asked for."""
    reader = parser("hold counted work against budgets.toml", HELD.name)
    reader.add_argument("--rule", action="append", help="only this row; as often as wanted")
    reader.add_argument("--yield", dest="yields", action="store_true", help="print questions")
    arguments = parsed(reader, PROGRAMS, words)
    held: Budgets = tomllib.loads(HELD.read_text())
    over = False
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        for name in arguments.names or PROGRAMS:
            budgeted = PROGRAMS[name]
            rules = arguments.rule or (budgeted.quick if arguments.quick else budgeted.rows())
            if not rules:
                continue
            directory = directory_of(name, arguments.corpus, scratch, downloads=arguments.download)
            if arguments.yields:
                for rule in rules:
                    print_yield(directory, options_of(_program(name), rule), rule)
                continue
            for rule, row in counted(name, directory, scratch, rules, quick=arguments.quick):
                over |= compare(name, rule, held.get(name, {}).get(rule), row)
                if arguments.write:
                    write(name, rule, row)
    sys.exit(over and not arguments.write)


if __name__ == "__main__":
    main()
