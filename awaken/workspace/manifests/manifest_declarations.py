"""Declarations of distributions: file, line and specifier, as the project writes them.

``targets`` says what all files together come to; this says what each of them contributes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from awaken.workspace.manifests.manifest_readers import (
    MANIFEST_NAMES,
    Manifest,
    read_lock,
    read_manifest,
)
from awaken.workspace.manifests.targets import lock_files, read_requirement_files
from awaken.workspace.manifests.versions import shown_range
from awaken.workspace.reading import LOCK_LIMIT, enclosure_of
from awaken.workspace.sources import Undecodable, decode_settings


class Declaration(Struct, frozen=True):
    """One statement about the versions of a distribution, or of Python.

    ``path`` is relative to the root (or leads out of it, to the lock of a workspace); ``line`` is
    1-based, 0 where unknown. ``locked`` says that a lock file chose the version.
    """

    path: str
    line: int
    specifier: str
    locked: bool = False


class Declarations:
    """The contents of the manifests and lock files of ``root``, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        metadata = [read_manifest(root, name) for name in MANIFEST_NAMES]
        self._manifests: Sequence[Manifest] = (*metadata, *read_requirement_files(root, metadata))
        self._locks = dict(_locks(root))
        self._lines: dict[str, _Lines] = {}

    def statements_about(self, name: str) -> tuple[Declaration, ...]:
        """Return every statement about the distribution ``name``, or about ``python``."""
        if name == "python":
            return tuple(self._python())
        return tuple(self._declarations(canonicalize_name(name)))

    def _python(self) -> Iterator[Declaration]:
        for manifest in self._manifests:
            if manifest.python:
                yield self._declaration(manifest.origin, "python", manifest.python)

    def _declarations(self, name: str) -> Iterator[Declaration]:
        for manifest in self._manifests:
            ranges = [
                span
                for requirement in (*manifest.required, *manifest.optional)
                if requirement.name == name
                for span in requirement.ranges
            ]
            if ranges:
                yield self._declaration(manifest.origin, name, ranges)
        for path, locked in self._locks.items():
            if name in locked:
                yield self._declaration(path, name, locked[name], locked=True)

    def _declaration(
        self, path: str, name: str, ranges: Iterable[SpecifierSet], *, locked: bool = False
    ) -> Declaration:
        specifier = " or ".join(dict.fromkeys(map(shown_range, ranges)))
        lines = self._lines.get(path)
        if lines is None:
            lines = self._lines[path] = _lines_of(self._root / path)
        return Declaration(path, lines.declaring(name), specifier, locked)


def _locks(root: Path) -> Iterator[tuple[str, Mapping[str, tuple[SpecifierSet, ...]]]]:
    for path in lock_files(root):
        try:
            locked = read_lock(path)
        except (OSError, ValueError):
            continue  # missing, or a problem that read_targets reports
        yield os.path.relpath(path, root).replace(os.sep, "/"), locked


def line_of(path: Path, name: str) -> int:
    """Return the 1-based line of ``path`` that declares ``name``, 0 if unknown.

    Manifests are read by their parsers, which keep no lines, so this looks for the text: in TOML
    only in tables that declare, and elsewhere only if there is exactly one such line.
    """
    return _lines_of(path).declaring(name)


def _lines_of(path: Path) -> _Lines:
    try:
        raw = enclosure_of(path.parent).read(path, LOCK_LIMIT)
        return _Lines(path, decode_settings(path.name, raw).text.decode().splitlines())
    except (OSError, Undecodable):
        return _Lines(path, [])


class _Lines:
    """The lines of one file, split once for all the distributions that are asked for."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self._path = path
        self._lines = lines
        in_toml = path.suffix == ".toml" or path.name == "Pipfile"
        self._declaring = _declaring_lines(lines) if in_toml else None

    def declaring(self, name: str) -> int:
        pattern = _pattern(name, self._path.name)
        numbers = [number for number, line in enumerate(self._lines, 1) if pattern.search(line)]
        if self._declaring is not None:
            numbers = [number for number in numbers if number in self._declaring]
        elif self._path.name in {"setup.py", "setup.cfg"} and len(numbers) > 1:
            return 0  # a name in code or in prose is no declaration, and nothing tells them apart
        return numbers[0] if numbers else 0


@cache
def _pattern(name: str, file: str) -> re.Pattern[str]:
    written = re.escape(name).replace(r"\-", "[-_.]+")
    extras = r"\s*+(?:\[[^\[\]\"']*+\])?+\s*+"
    if file.endswith(".lock"):
        return re.compile(rf'^name = "{written}"$|^\s*+"{written}": \{{', re.IGNORECASE)
    if name == "python":
        return re.compile(
            r"\brequires-python\b|\bpython_requires\b|\bpython_(?:full_)?version\b|^python\s*="
        )
    quoted = rf"""["']{written}{extras}(?=[<>=!~;@"'(])"""
    first = rf"^\s*{written}{extras}(?=[<>=!~;@#(]|$)"
    return re.compile(f"{quoted}|{first}", re.IGNORECASE)


_HEADER = re.compile(r"^\s*+\[++([^\]]++)\]")
_KEY = re.compile(r"""^\s*+["']?([\w.-]++)["']?\s*+=""")
_DECLARING_TABLE = re.compile(
    r"project\.optional-dependencies|dependency-groups|packages|dev-packages|requires|tool\.pdm\b.*"
    r"|tool\.poetry\.(?:.*\.)?(?:dev-)?dependencies(?:\..*)?"
)
_DECLARING_KEYS = {
    "project": {"dependencies", "requires-python", "optional-dependencies"},
    "tool.uv": {"dev-dependencies"},
    "tool.poetry": {"dependencies"},
}


def _declaring_lines(lines: Iterable[str]) -> set[int]:
    """Return the numbers of the lines of a TOML file that can declare a requirement."""
    numbers = set()
    table = key = ""
    for number, line in enumerate(lines, start=1):
        header = _HEADER.match(line)
        # a nested list inside an array has no key before it, and no name as tables have
        if header and not line.lstrip().startswith(("[[", '["', "['")):
            table, key = header[1].strip(), ""
        elif assigned := _KEY.match(line):
            key = assigned[1]
        keys = _DECLARING_KEYS.get(table, set())
        if _DECLARING_TABLE.fullmatch(table) or key.partition(".")[0] in keys:
            numbers.add(number)
    return numbers
