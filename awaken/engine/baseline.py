"""The baseline: a file that lists sites which are left alone, one line each.

::

    {
      "version": 1,
      "sites": [
        {"path": "app/views.py", "rule": "query-to-select", "scope": "show", "site": "1f0c..."},
        ...
      ]
    }

A site is known by its identity, which its neighbours and its line do not change. There is neither
a line number nor a total in the file: both would change with every commit, and conflict in merges.
Paths are relative to the file's own directory, so one file can serve several project roots.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from awaken.contract import Finding, SiteId, UnusableFile, UserError
from awaken.engine.machine.filesystem import replacing
from awaken.workspace.formats.json_text import NotJson, parse_json
from awaken.workspace.reading import BASELINE_LIMIT, read_named, why_unread

DEFAULT_NAME = "awaken-baseline.json"
_VERSION = 1
_ELEMENT = re.compile(r"`\$\.sites\[(?P<number>\d+)\]")
_BETWEEN = re.compile(r"[\s,]*")
_CONFLICT = ("<<<<<<< ", "=======", ">>>>>>> ", "||||||| ")


class BaselineEntry(Struct, frozen=True, order=True, kw_only=True, forbid_unknown_fields=True):
    """One site of a baseline; ``path`` is relative to the baseline's directory, with ``/``."""

    path: str
    rule: str
    scope: str
    site: SiteId


class _File(Struct, frozen=True):
    """The content of the file."""

    version: int
    sites: tuple[BaselineEntry, ...]


class _Versioned(Struct, frozen=True):
    """As much of the content as every version has."""

    version: int


class Baseline(Struct, frozen=True):
    """The entries of the baseline in ``file``, as they concern the project in ``root``."""

    file: Path
    root: Path
    entries: tuple[BaselineEntry, ...]

    def entry_of(self, finding: Finding) -> BaselineEntry:
        """Return the entry of ``finding``, whether it is listed or not."""
        # Relative to the baseline, not to the root: several roots may share one file.
        path = os.path.relpath(self.root / finding.place.path, self.file.parent)
        return BaselineEntry(
            path=path.replace(os.sep, "/"),
            rule=finding.rule,
            scope=finding.scope,
            site=finding.site,
        )

    def concerns(
        self, ran: frozenset[str], selects: Callable[[str], bool], unread: frozenset[str]
    ) -> tuple[BaselineEntry, ...]:
        """Return the entries that a run says something about.

        ``ran`` are the rules that ran, ``unread`` the project-relative paths of files that could
        not be read or planned, ``""`` for any of them.
        """
        return tuple(
            entry
            for entry in self.entries
            if entry.rule in ran
            and (path := self.path_in_root(entry)) is not None
            and selects(path)
            and not unread & {path, ""}
        )

    def path_in_root(self, entry: BaselineEntry) -> str | None:
        """Return the project-relative path of ``entry``; None where it lies outside the root."""
        path = os.path.relpath(self.file.parent / entry.path, self.root).replace(os.sep, "/")
        return None if path.startswith("../") else path


def read_baseline(
    file: Path, root: Path, read: Callable[[Path, int], bytes] = read_named
) -> Baseline:
    """Return the baseline in ``file`` for the project in ``root``; an empty file lists nothing.

    ``read`` returns the bytes of a file, at most so many. Raises UnusableFile with file and line
    where it cannot be read.
    """
    try:
        raw = read(file, BASELINE_LIMIT)
    except OSError as error:
        why = why_unread(error)
        raise UnusableFile(
            str(file), 0, f"the baseline {why}; awaken check --write-baseline writes one"
        ) from error
    located = Path(os.path.realpath(file.parent), file.name)
    return Baseline(located, root, _entries(file, raw) if raw.strip() else ())


def _entries(file: Path, raw: bytes) -> tuple[BaselineEntry, ...]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken_baseline(
            file, raw.count(b"\n", 0, error.start) + 1, "it is not UTF-8"
        ) from error
    # Said by itself: to the JSON parser it would be any syntax error.
    for number, row in enumerate(text.splitlines(), 1):
        if row.startswith(_CONFLICT):
            raise _broken_baseline(
                file, number, "it contains a merge conflict (keep the lines of both sides)"
            )
    try:
        # msgspec says no line of what is not JSON.
        parse_json(text)
        version = msgspec.json.decode(text, type=_Versioned).version
        if version > _VERSION:
            raise UnusableFile(
                str(file),
                _line(text, "version"),
                f"the baseline has version {version}, and this awaken reads version {_VERSION}; "
                "use a newer awaken",
            )
        return msgspec.json.decode(text, type=_File).sites
    except RecursionError as error:
        raise _broken_baseline(file, 1, "it is nested too deeply") from error
    except NotJson as error:
        raise _broken_baseline(file, error.line, f"it is not JSON, {str(error).lower()}") from error
    except msgspec.DecodeError as error:
        problem = str(error)
        at = _ELEMENT.search(problem)
        line = _line_of_site(text, int(at["number"])) if at else _line(text, "version")
        raise _broken_baseline(file, line, problem.partition(" - at")[0].lower()) from error


def _broken_baseline(file: Path, line: int, problem: str) -> UnusableFile:
    return UnusableFile(
        str(file),
        line,
        f"the baseline is broken: {problem}; fix it, or delete it and write it again with "
        "awaken check --write-baseline",
    )


def _line(text: str, key: str) -> int:
    return text.count("\n", 0, max(text.find(f'"{key}"'), 0)) + 1


def _line_of_site(text: str, number: int) -> int:
    """Return the line in which the element of ``sites`` starts."""
    decoder = json.JSONDecoder()
    try:
        at = text.index("[", text.index('"sites"')) + 1
        for _ in range(number):
            _, at = decoder.raw_decode(text, _skip(text, at))
    except ValueError:  # the key is written with escapes, or stands in a string before
        return 1
    return text.count("\n", 0, _skip(text, at)) + 1


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def write_baseline(file: Path, entries: Iterable[BaselineEntry]) -> None:
    """Write ``entries`` to ``file``, sorted, in one step. Raises UserError."""
    lines = [
        # ASCII, sorted, one line each: the same on every machine, and merged line by line.
        json.dumps(msgspec.to_builtins(entry), ensure_ascii=True)
        for entry in sorted(set(entries))
    ]
    sites = "".join(f"\n    {line}," for line in lines).removesuffix(",")
    text = f'{{\n  "version": {_VERSION},\n  "sites": [{sites}\n  ]\n}}\n'
    try:
        with replacing(file) as binary:
            binary.write(text.encode())
    except OSError as error:
        raise UserError(f"{file}: the baseline cannot be written: {error.strerror}") from error
