"""Migrate the programs of a list by one command, and run their own tests before and after.

For each program: a copy becomes a repository of its own, `awaken migrate async-sessions --commit`
runs in it without a terminal, and what it prints as an answer is written into `pyproject.toml` and
the same command run again. Nothing else is edited. Then the requirements are installed again, and
tests are compared by their ids, both times with forgotten coroutines as errors. CORPUS has the
checkouts as `repos/NAME` and their environments as `env/NAME`; a program with `database` gets an
empty one of that name from the PostgreSQL that PGHOST, PGPORT and PGUSER name, or from the MariaDB
of `~/.my.cnf`. ``prepare`` has what makes its tables then, as its own scripts do, such as Alembic.
Tests run in ``root``, awaken in ``project`` if that is another folder. ``other`` has the files of
requirements that are those of another environment. Usage:

    uv run python benchmarks/first_contact/measure.py CORPUS LIST RESULT [NAME ...]

RESULT is TOML, a table for each program. What awaken printed stays in `CORPUS/said/NAME`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import tomlkit

sys.path.insert(0, str(Path(__file__).parents[1]))
from awaken_runs import COMPILED, Document, Finding

RECIPE = "async-sessions"
FORGOTTEN = (
    "-Werror::RuntimeWarning",
    "-Werror::pytest.PytestUnraisableExceptionWarning",
    "-Wdefault::sqlalchemy.exc.SAWarning",
)
"""A forgotten coroutine is an error; SQLAlchemy's own warnings are not."""
MOST_QUESTIONS = 4
JSON = ("--output-format", "json")
LONGEST = 900
ASKED = 2
"""How the command ends that wants an answer."""
_NOT_PASSED = ("failure", "error", "skipped")
_ANSWER = re.compile(
    r"^If this is true, add it to (\S+) and[^\n]*\n((?:  [^\n]*\n|\n)+)", re.MULTILINE
)
SYNCHRONOUS = "it stays synchronous because of"
"""What awaken says of functions that it leaves: such a row is not whole, whatever its tests say."""
_LEFT = re.compile(r"^left to do: [^\n]*: add `([^`\n ]+)`(?: to|:)", re.MULTILINE)
"""A requirement that a user has to write."""

Outcomes = dict[str, str]
"""For each test what came of it."""


class Migrated(NamedTuple):
    """What the command did: its exit code, the answers it was given, processor seconds."""

    code: int
    answers: tuple[str, ...]
    seconds: float
    said: str


class Program:
    """A program of the list, in a copy that is a repository."""

    def __init__(
        self, name: str, entry: Mapping[str, Any], corpus: Path, longest: float | None = None
    ) -> None:
        self.name = name
        self.longest = longest
        self.entry = entry
        self.python = corpus / "env" / name / "bin" / "python"
        self.checkout = corpus / "repos" / name
        self.copy = corpus / "copies" / name
        self.root = self.copy / entry.get("root", ".")
        self.project = self.copy / entry.get("project", entry.get("root", "."))
        self.home = corpus / "home" / name

    def begin(self) -> None:
        """Make the copy again, with one commit."""
        for place in (self.copy, self.home):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.checkout, self.copy, symlinks=True)
        self._git("init", "-q", "-b", "master")
        self._commit("before")

    def empty_database(self) -> None:
        """Make the database of the program again; one in a file is what git does not know."""
        self._git("clean", "-fdqx")
        database = self.entry.get("database")
        if database and self.entry.get("server") == "mysql":
            change = f"drop database if exists {database}; create database {database}"
            subprocess.run(["mariadb", "-e", change], check=True)
        elif database:
            subprocess.run(["dropdb", "--if-exists", "--force", database], check=True)
            subprocess.run(["createdb", database], check=True)

    def commits(self) -> list[str]:
        """Return the commits of the copy, the first one first."""
        return self._git("log", "--reverse", "--format=%H", "master").stdout.split()

    def check_out(self, commit: str) -> None:
        """Make the files of the copy those of a commit."""
        self._git("checkout", "-qf", commit)

    def tests(self) -> Outcomes:
        """Run the tests with an empty database; no outcome where pytest does not start."""
        report = self.copy.with_name(f"{self.name}.xml")
        report.unlink(missing_ok=True)
        self.empty_database()
        command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
        # A new settings file above would give the tests other names.
        command += [f"--rootdir={self.root}", f"--junitxml={report}"]
        command += [*FORGOTTEN, *self.entry.get("tests", ())]
        variables = {"PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"}
        variables |= self.entry.get("variables", {})
        with self.copy.with_name(f"{self.name}.tests").open("wb") as said:
            try:
                for arguments in (*self.entry.get("prepare", ()), command):
                    subprocess.run(
                        [self.python, *arguments],
                        cwd=self.root,
                        env={**os.environ, **variables},
                        stdin=subprocess.DEVNULL,
                        stdout=said,
                        stderr=said,
                        check=False,
                        timeout=LONGEST,
                    )
            except subprocess.TimeoutExpired:
                return {}
        # What a run leaves, such as a database, must not serve the next one.
        self._git("clean", "-fdqx")
        self._git("checkout", "-q", ".")
        return read_report(report) if report.exists() else {}

    def migrate(self) -> Migrated:
        """Run the documented command; answer what it asks with the first answer that it prints."""
        answers: list[str] = []
        seconds = 0.0
        while True:
            done, spent = self._awaken("migrate", RECIPE, "--commit")
            seconds += spent
            asked = _ANSWER.search(done.stdout)
            answer = self._chosen(asked[2]) if asked else ""
            is_last = len(answers) == MOST_QUESTIONS or answer in answers
            if done.returncode != ASKED or asked is None or is_last:
                return Migrated(done.returncode, tuple(answers), seconds, done.stdout + done.stderr)
            answers.append(answer)
            self._answer(self.project / asked[1], answer)

    def _chosen(self, answer: str) -> str:
        """Return what awaken printed as an answer, with the drivers that the list chooses."""
        for database, driver in self.entry.get("drivers", {}).items():
            answer = re.sub(rf'\b{database} = "\w+"', f'{database} = "{driver}"', answer)
        return answer

    def left(self) -> list[Finding]:
        """Return what the step of sessions does not write."""
        done, _ = self._awaken("check", "--recipe", RECIPE, "--step", "2", *JSON)
        document = msgspec.json.decode(done.stdout, type=Document)
        return [finding for finding in document.findings if finding.level == "manual"]

    def causes(self) -> Counter[str]:
        """Return how many places wait for each reason in the step of sessions."""
        return Counter(finding.reason or "" for finding in self.left())

    def difference(self, *commits: str) -> str:
        """Return what differs in Python between two commits, or one and the files."""
        return self._git("diff", "-U0", *commits, "--", "*.py").stdout

    def functions_written(self) -> int:
        """Return how many functions are asynchronous that were not."""
        changed = self.difference(self.commits()[0]).splitlines()
        signs = Counter(line[0] for line in changed if "async def " in line)
        return signs["+"] - signs["-"]

    def install(self, left: Sequence[str] = ()) -> None:
        """Install the requirements as they are now, and what is ``left`` to write.

        Files of requirements that the migration wrote are installed as well.
        """
        command = ["uv", "pip", "install", "-q", "--python", str(self.python)]
        before = self.checkout / self.project.relative_to(self.copy)
        added = self._declared(self.project) - self._declared(before)
        changed = ["diff", "--name-only", "-z", "--diff-filter=d", self.commits()[0]]
        names = self._git(*changed, "--", "*requirements*.txt").stdout.split("\0")
        other = ["", *self.entry.get("other", ())]
        written = [word for name in names if name not in other for word in ("-r", self.copy / name)]
        subprocess.run(
            [*command, *self.entry["install"], *written, *sorted(added), *left],
            cwd=self.root,
            check=True,
        )

    @staticmethod
    def _declared(root: Path) -> set[str]:
        """Return the requirements of a project's files, those of extras and groups among them."""
        places = [root / "pyproject.toml", root / "Pipfile"]
        document, pipfile = (
            tomllib.loads(place.read_text()) if place.exists() else {} for place in places
        )
        project = document.get("project", {})
        several = [
            project.get("dependencies", []),
            *project.get("optional-dependencies", {}).values(),
            *document.get("dependency-groups", {}).values(),
            document.get("tool", {}).get("uv", {}).get("dev-dependencies", []),
        ]
        poetry = document.get("tool", {}).get("poetry", {})
        tables = [
            poetry.get("dependencies", {}),
            *(group.get("dependencies", {}) for group in poetry.get("group", {}).values()),
            pipfile.get("packages", {}),
            pipfile.get("dev-packages", {}),
        ]
        several += [[requirement_of(*entry) for entry in table.items()] for table in tables]
        return {one for each in several for one in each if isinstance(one, str)}

    def _awaken(self, *arguments: str) -> tuple[subprocess.CompletedProcess[str], float]:
        awaken = Path(sys.executable).with_name("awaken")
        home = {"AWAKEN_STATE_DIR": str(self.home), "XDG_CACHE_HOME": str(self.home)}
        before = os.times()
        done = subprocess.run(
            [awaken, *arguments],
            cwd=self.project,
            env={**os.environ, **home, "NO_COLOR": "1", "COLUMNS": "200", **COMPILED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=self.longest,
        )
        after = os.times()
        return done, after.children_user - before.children_user

    def _answer(self, file: Path, settings: str) -> None:
        document = tomlkit.parse(file.read_text() if file.exists() else "")
        _merge(document, tomlkit.parse(settings.replace("\n  ", "\n").removeprefix("  ")))
        file.write_text(tomlkit.dumps(document))
        self._commit("answer")

    def _commit(self, message: str) -> None:
        self._git("add", "-A", "-f")
        self._git("commit", "-qm", message)

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        author = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.invalid"]
        command = ["git", *author, *arguments]
        return subprocess.run(command, cwd=self.copy, check=True, capture_output=True, text=True)


def requirement_of(name: str, entry: str | Mapping[str, Any]) -> str:
    """Return what Poetry or Pipenv declares as pip reads it, such as `sqlalchemy[asyncio]`."""
    details = {"version": entry} if isinstance(entry, str) else entry
    version = str(details.get("version", "*"))
    extras = ",".join(details.get("extras", ()))
    # What is installed already fits what `^2.0` and `*` allow.
    return name + (f"[{extras}]" if extras else "") + ("" if version[0] in "*^~" else version)


def read_report(report: Path) -> Outcomes:
    """Read what came of each test from a JUnit report; ids that occur again are numbered."""
    outcomes: Outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = next((kind for kind in _NOT_PASSED if kind in kinds), "passed")
        test = f"{case.get('classname')}::{case.get('name')}"
        while test in outcomes:
            test += "+"
        outcomes[test] = outcome
    return outcomes


def tally(outcomes: Outcomes) -> str:
    """Return such as `44 passed, 3 failure`."""
    counts = Counter(outcomes.values())
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "none ran"


def measure(program: Program, said: Path) -> dict[str, Any]:
    """Migrate one program and return its row."""
    program.begin()
    before = program.tests()
    migrated = program.migrate()
    said.mkdir(parents=True, exist_ok=True)
    (said / program.name).write_text(migrated.said)
    row: dict[str, Any] = {"exit": migrated.code, "cpu": round(migrated.seconds, 1)}
    row["answers"] = [line.strip() for answer in migrated.answers for line in answer.splitlines()]
    row["before"] = tally(before)
    if migrated.code:
        causes = program.causes()
        row["causes"] = dict(causes.most_common())
    # A line of a list in TOML is quoted.
    left = sorted({line.strip('",') for line in _LEFT.findall(migrated.said)})
    if SYNCHRONOUS in migrated.said:
        row["synchronous"] = True
    if left:
        row["edits"] = [f"require {one}" for one in left]
    program.install(left)
    after = program.tests()
    lost = sorted(test for test, was in before.items() if was == "passed" != after.get(test))
    row["after"] = tally(after)
    row["lost"] = lost
    row["result"] = "written wrong" if lost else "stopped" if migrated.code else "whole"
    return row


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="migrate the programs of a list by one command")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("list", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    corpus = arguments.corpus.absolute()
    rows = tomllib.loads(arguments.result.read_text()) if arguments.result.exists() else {}
    for name, entry in tomllib.loads(arguments.list.read_text()).items():
        if not arguments.names or name in arguments.names:
            rows[name] = measure(Program(name, entry, corpus), corpus / "said")
            print(name, rows[name]["result"], rows[name].get("causes", ""), flush=True)
            arguments.result.write_text(tomlkit.dumps(rows))


def _merge(known: Any, more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and key in known:
            _merge(known[key], value)
        else:
            known[key] = value


if __name__ == "__main__":
    main()
