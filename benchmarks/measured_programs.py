"""The programs of `yield_programs.toml`, and the command line of the scripts that measure them."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

PROGRAMS = Path(__file__).parent / "yield_programs.toml"
ASYNC = ("--unsafe-fixes", "--select", "query-to-select,session-to-async")


class Program(Struct, forbid_unknown_fields=True):
    """One entry of `yield_programs.toml`, whose comment says what the keys mean."""

    package: str = ""
    version: str = ""
    repository: str = ""
    commit: str = ""
    folder: str = ""
    root: str = "."
    python: str = ""
    sqlalchemy: str = ""
    rules: Literal["default", "async"] = "default"
    config: list[str] = []
    quick: bool = False

    def directory(self, corpus: Path, name: str) -> Path:
        """Return where the program is unpacked."""
        if self.package:
            return corpus / f"{self.package}-{self.version}"
        return corpus / "repos" / (self.folder or name) / self.root

    def options(self) -> list[str]:
        """Return awaken's options: targets, rules and answers."""
        options = list(ASYNC) if self.rules == "async" else []
        if self.python:
            options += ["--target-version", self.python]
        if self.sqlalchemy:
            options += ["--target", f"sqlalchemy={self.sqlalchemy}"]
        return options + [part for answer in self.config for part in ("--config", answer)]


def programs() -> dict[str, Program]:
    """Return the listed programs by name."""
    return msgspec.convert(tomllib.loads(PROGRAMS.read_text()), dict[str, Program])


def parser(description: str, held: str = "") -> argparse.ArgumentParser:
    """Return what all these scripts read: CORPUS, names of programs, and `--download`.

    With `held`, the file that the counts are held against, also `--quick` and `--write`.
    """
    found = argparse.ArgumentParser(description=description)
    found.add_argument("corpus", type=Path)
    found.add_argument("names", nargs="*", metavar="NAME")
    found.add_argument("--download", action="store_true", help="download wheels that are missing")
    if held:
        found.add_argument("--quick", action="store_true", help="what every run of CI measures")
        found.add_argument("--write", action="store_true", help=f"write {held}")
    return found


def parsed(
    parser: argparse.ArgumentParser, known: Collection[str], words: Sequence[str] | None = None
) -> argparse.Namespace:
    """Return what the command line says; end the script where it names another program."""
    arguments = parser.parse_intermixed_args(words)
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"no such program here: {', '.join(unknown)}")
    return arguments


def directory_in(corpus: Path, name: str, *, downloads: bool) -> Path:
    """Return where a program is, downloaded if that is asked for; end the script if it is not."""
    program = programs()[name]
    directory = program.directory(corpus, name)
    if downloads and program.package and not directory.is_dir():
        # As a wheel unpacks: nothing of it is built or run.
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        wanted = f"{program.package}=={program.version}"
        subprocess.run([*command, "--target", str(directory), wanted], check=True)
    if not directory.is_dir():
        sys.exit(f"{name} is not in the corpus; wheels come with --download")
    return directory
