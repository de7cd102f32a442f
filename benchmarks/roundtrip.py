"""Apply awaken to copies of the packages and take it back: what a user's files go through.

Per package, without and with `--unsafe-fixes`: every changed file still compiles, a second run
changes nothing, no command crashes, the exit codes are the documented ones, `awaken undo`
restores every byte and mode, and `git apply` of what `awaken diff` prints gives the same files as
`awaken apply`. Ends with 1 if anything of that fails. Usage:

    uv run python benchmarks/roundtrip.py CORPUS [PACKAGE ...]
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from awaken_runs import Awaken
from corpora import Package, copy, named
from tables import table

PATCH = ["--output-format", "patch"]
Digests = dict[str, tuple[int, bytes]]


class Round(NamedTuple):
    """What one apply and undo came to; `problems` is empty if all went as documented."""

    package: str
    options: str
    changed: int
    exits: str
    problems: list[str]


def digests(directory: Path) -> Digests:
    """Return mode and digest of every file below `directory`, by relative path."""
    return {
        file.relative_to(directory).as_posix(): (
            file.stat().st_mode,
            hashlib.sha256(file.read_bytes()).digest(),
        )
        for file in directory.rglob("*")
        if file.is_file()
    }


def does_compile(file: Path) -> bool:
    """Whether Python compiles the file."""
    try:
        compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


class Rounds:
    """Runs one package through check, apply, a second run, and undo, and notes what is wrong."""

    def __init__(self, awaken: Awaken, directory: Path, package: Package) -> None:
        self.awaken = awaken
        self.directory = directory
        self.package = package
        self.problems: list[str] = []
        self.exits: list[str] = []

    def round(self, extra: list[str]) -> Round:
        """Return what became of it with these options besides the target's."""
        self.problems, self.exits = [], []
        options = [*self.package.target(), *extra]
        document = self.awaken.check(self.directory, options)
        failed = 2 if document.diagnostics else 0
        self.run("check", options, failed or bool(document.findings))
        patch = self.run("diff", [*options, *PATCH], failed)
        before = digests(self.directory)
        self.run("apply", options, failed)
        after = digests(self.directory)
        changed = [path for path, digest in after.items() if before.get(path) != digest]
        broken = [path for path in changed if not does_compile(self.directory / path)]
        self.problems += [f"{path} does not compile" for path in broken]
        if self.run("diff", [*options, *PATCH], failed):
            self.problems.append("a second run is not empty")
        if changed:
            self.run("undo", [], 0)
        if digests(self.directory) != before:
            self.problems.append("undo did not restore every byte")
        if changed:
            self.apply_patch(patch, after)
        name = " ".join(extra) or "safe only"
        return Round(self.package.name, name, len(changed), " ".join(self.exits), self.problems)

    def apply_patch(self, patch: bytes, wanted: Digests) -> None:
        """Let git apply the patch, compare with what apply wrote, and take it back."""
        for direction in ([], ["-R"]):
            command = ["git", "apply", *direction]
            done = subprocess.run(
                command, cwd=self.directory, input=patch, capture_output=True, check=False
            )
            if done.returncode != 0:
                self.problems.append(f"git apply: {done.stderr.decode().strip()}")
                return
            if not direction and digests(self.directory) != wanted:
                self.problems.append("the patch and apply differ")

    def run(self, command: str, options: list[str], expected: int) -> bytes:
        """Run one command on the copy, note its exit code and what went wrong; return stdout."""
        done = self.awaken.run([command, *options], self.directory)
        self.exits.append(f"{command} {done.returncode}")
        errors = done.stderr.decode()
        if done.returncode != expected:
            said = errors.strip().splitlines()[-1:]
            self.problems.append(f"{command} ended with {done.returncode}: {said}")
        if "Traceback" in errors or "internal error" in errors:
            self.problems.append(f"{command} crashed")
        return done.stdout


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description="apply awaken to copies and take it back")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    arguments = parser.parse_args()
    done: list[Round] = []
    for package in named(arguments.packages):
        with tempfile.TemporaryDirectory() as place:
            target = copy(package.directory(arguments.corpus), Path(place) / package.name)
            rounds = Rounds(Awaken(Path(place) / "home", select="ALL"), target, package)
            done += [rounds.round(extra) for extra in ([], ["--unsafe-fixes"])]
    rows = [
        [one.package, one.options, one.exits, "; ".join(one.problems) or "none", one.changed]
        for one in done
    ]
    columns = ["package", "options", "exit codes", "problems", "files changed and compiled"]
    print(table(columns, rows, words=4))
    sys.exit(any(one.problems for one in done))


if __name__ == "__main__":
    main()
