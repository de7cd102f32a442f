"""LibCST's own commands as passes: what awaken writes, against what LibCST's own runner writes.

    uv run python benchmarks/libcst_passes.py PROGRAMS HOME [--only WORD ...] [--jobs 2]

`PROGRAMS` has the source distributions of libcst_passes.toml, unpacked as `NAME-VERSION`. Each
command is run on a copy of each by LibCST (`python -m libcst.tool codemod -x --no-format`) and on
another by `awaken apply --unsafe-fixes --libcst`; then all files of both copies are compared byte
by byte. What LibCST writes does not depend on awaken, and is kept below `HOME/reference`. A row is
printed as soon as it is known. Where two files are unlike, their trees and their comments are
compared: "but in line breaks" counts those that differ in these or in words. `--only` names
packages or commands.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field
from tables import row

LIST = Path(__file__).with_suffix(".toml")
AWAKEN = Path(sys.executable).with_name("awaken")
COLUMNS = ["command", "package", "LibCST", "awaken", "equal", "LibCST alone", "awaken alone"]
COLUMNS += ["unlike", "but in line breaks", "LibCST fails", "awaken says"]


class Package(Struct, frozen=True):
    """One entry of the list: what both runners are given, and names to rename in it."""

    name: str
    version: str
    paths: tuple[str, ...]
    style: str
    rename: tuple[str, str]

    @property
    def directory(self) -> str:
        """The name of the directory that it is unpacked into."""
        return f"{self.name}-{self.version}"


class Command(Struct, frozen=True):
    """One command of LibCST with the options of its own parser."""

    name: str
    arguments: Mapping[str, str] = {}

    def options(self, package: Package) -> list[str]:
        """Return its arguments for a package, each as NAME=VALUE."""
        old, new = package.rename
        return [
            f"{name}={value.format(old=old, new=new)}" for name, value in self.arguments.items()
        ]


class Listed(Struct, frozen=True):
    """The whole list."""

    packages: tuple[Package, ...] = field(name="package")
    commands: tuple[Command, ...] = field(name="command")


class Outcome(Struct, frozen=True):
    """The digests of the files that a runner has changed, and what it could not do, by kind.

    `copies` has the changed files themselves.
    """

    copies: Path

    changed: dict[str, str]
    said: dict[str, int] = {}


def copied(program: Path, place: Path) -> Path:
    """Return a fresh copy of a program, for a runner to write to."""
    shutil.rmtree(place, ignore_errors=True)
    return Path(shutil.copytree(program, place, symlinks=True))


def digests(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield the files of a directory, each with the digest of its bytes."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            yield str(path.relative_to(directory)), digest


def changed(program: Path, copy: Path) -> dict[str, str]:
    """Return the files that are others in the copy."""
    before = dict(digests(program))
    return {path: digest for path, digest in digests(copy) if before.get(path) != digest}


def kept_of(command: Command, package: Package, home: Path) -> Path:
    """Return where it is kept what LibCST does."""
    return home / "reference" / package.directory / f"{command.name}.json"


def outcome_of(kept: Path) -> Outcome:
    """Return what is remembered of a run."""
    return Outcome(kept.with_suffix(""), **json.loads(kept.read_text()))


def by_libcst(command: Command, package: Package, program: Path, home: Path, jobs: int) -> Outcome:
    """Return what LibCST's own runner does, as it is remembered or by running it."""
    kept = kept_of(command, package, home)
    if kept.exists():
        return outcome_of(kept)
    copy = copied(program, home / "by-libcst" / package.directory)
    words = [sys.executable, "-P", "-m", "libcst.tool", "codemod", "-x", "--no-format"]
    words += ["--hide-progress", f"-j{jobs}", f"libcst.codemod.commands.{command.name}"]
    words += [*package.paths, *(f"--{option}" for option in command.options(package))]
    done = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False)
    if "Finished codemodding" not in done.stderr:
        sys.exit(f"LibCST ended with {done.returncode}: {done.stderr[-500:]}")
    failed = done.stderr.count("\nFailed to codemod ")
    files = changed(program, copy)
    for path in files:
        place = kept.with_suffix("") / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy / path, place)
    kept.parent.mkdir(parents=True, exist_ok=True)
    said = {"failed": failed} if failed else {}
    kept.write_text(json.dumps({"changed": files, "said": said}))
    return outcome_of(kept)


def by_awaken(command: Command, package: Package, program: Path, home: Path, jobs: int) -> Outcome:
    """Return what `awaken apply` does; its copy stays below `HOME/by-awaken`, to be looked at."""
    copy = copied(program, home / "by-awaken" / package.directory)
    words = [str(AWAKEN), "apply", "--unsafe-fixes", "--output-format", "json", f"-j{jobs}"]
    words += ["--libcst", command.name]
    words += [part for one in command.options(package) for part in ("--libcst-arg", one)]
    done = subprocess.run(
        [*words, *package.paths],
        cwd=copy,
        env={**os.environ, "AWAKEN_STATE_DIR": str(home / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    if not report:
        sys.exit(f"awaken ended with {done.returncode}: {done.stderr[-500:]}")
    said = Counter(
        one["reason"].rpartition("/")[2] for one in report["findings"] if one["level"] == "manual"
    )
    said["error"] = len(report["diagnostics"])
    for one in report["diagnostics"]:
        print(f"{one['path']}: {one['message']}", file=sys.stderr)
    return Outcome(copy, changed(program, copy), dict(+said))


def read(path: Path) -> tuple[str, list[str]]:
    """Return the tree of a file and its comments, without their places."""
    content = path.read_bytes()
    comments = [
        one.string
        for one in tokenize.tokenize(io.BytesIO(content).readline)
        if one.type == tokenize.COMMENT
    ]
    return ast.dump(ast.parse(content)), comments


def compared(command: Command, package: Package, theirs: Outcome, ours: Outcome) -> list[object]:
    """Return a row, and name the files that differ on stderr."""
    both = theirs.changed.keys() & ours.changed.keys()
    unlike = sorted(path for path in both if theirs.changed[path] != ours.changed[path])
    words = [path for path in unlike if read(theirs.copies / path) != read(ours.copies / path)]
    alone = [
        sorted(one.changed.keys() - other.changed.keys())
        for one, other in ((theirs, ours), (ours, theirs))
    ]
    for title, paths in zip(
        ("LibCST alone", "awaken alone", "unlike", "unlike in words"),
        [*alone, unlike, words],
        strict=True,
    ):
        for path in paths:
            print(f"{command.name} {package.name} {title}: {path}", file=sys.stderr)
    said = ", ".join(f"{number} {reason}" for reason, number in sorted(ours.said.items()))
    counts = [len(theirs.changed), len(ours.changed), len(both) - len(unlike), *map(len, alone)]
    counts += [len(unlike), len(words), sum(theirs.said.values())]
    return [command.name, package.name, *counts, said]


def chosen(listed: Listed, words: Sequence[str]) -> Iterator[tuple[Command, Package]]:
    """Yield what is to be run."""
    for package in listed.packages:
        for command in listed.commands:
            if all(word in f"{package.name} {command.name}" for word in words):
                yield command, package


def main() -> None:
    """Read the command line, run both and print."""
    parser = argparse.ArgumentParser(description="compare passes with LibCST's own runner")
    parser.add_argument("programs", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="words of packages or commands")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reference", action="store_true", help="run LibCST alone")
    parser.add_argument("--kept", action="store_true", help="only what LibCST has done before")
    asked = parser.parse_args()
    listed = msgspec.convert(tomllib.loads(LIST.read_text()), type=Listed)
    print(row(COLUMNS), row(["---"] * len(COLUMNS)), sep="\n", flush=True)
    for command, package in chosen(listed, asked.only):
        if asked.kept and not kept_of(command, package, asked.home).exists():
            continue
        program = asked.programs / package.directory
        theirs = by_libcst(command, package, program, asked.home, asked.jobs)
        if asked.reference:
            continue
        ours = by_awaken(command, package, program, asked.home, asked.jobs)
        print(row(compared(command, package, theirs, ours)), flush=True)


if __name__ == "__main__":
    main()
