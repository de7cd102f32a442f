"""The Python files next to a project: of its repository, and no files of it.

They belong to other projects of the repository, or are left out. Some of them may import from the
project, or it from them: then a change of one side alone breaks the other.
"""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.workspace.discovery import DiscoverySettings, Root, find_files, find_roots
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.reading import SOURCE_LIMIT, Enclosure, upwards

if TYPE_CHECKING:
    from collections.abc import Collection


OTHER_PROJECT = "belongs to another project"


class OutsideFile(Struct, frozen=True):
    """A file next to the project; ``path`` is relative to the ``top`` of all, ``why`` a clause."""

    path: str
    text: bytes
    why: str


class Outside(Struct, frozen=True):
    """The files next to a project that may have to do with it.

    ``prefix`` leads from the directory that their paths are relative to down to the project, empty
    or with a slash at its end.
    """

    prefix: str = ""
    files: tuple[OutsideFile, ...] = ()


_DATABASE = re.compile(rb"\b(?:sqlalchemy|sqlmodel)\b")
_IMPORTED = re.compile(rb"^[ \t]*+(?:from|import)[ \t]++(\.|[\w\x80-\xff]++)", re.MULTILINE)


class RepositoryFile(Struct, frozen=True):
    """A file, the first names that its lines import from, and the ``home`` that it lies in.

    ``names_database`` says that it names a database toolkit. Of ``..`` the first name is a dot.
    ``why`` says which project the home is.
    """

    text: bytes
    imported: frozenset[bytes]
    names_database: bool
    home: Path
    why: str


class Repository:
    """The Python files below ``top``, for all projects of a run: each is read once, when asked."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._enclosure = Enclosure(top)
        self._files: dict[str, RepositoryFile | None] = {}
        self._homes: dict[str, Path] = {}

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files, those of projects inside as well, relative to the top."""
        return frozenset(_names_below(self._top))

    def file(self, path: str) -> RepositoryFile | None:
        """Return the file at ``path``; None if it cannot be read."""
        if path not in self._files:
            try:
                text = self._enclosure.read(self._top / path, SOURCE_LIMIT)
            except OSError:
                self._files[path] = None
            else:
                self._files[path] = self._described_file(path, text)
        return self._files[path]

    def _described_file(self, path: str, text: bytes) -> RepositoryFile:
        directory = os.path.dirname(os.path.realpath(self._top / path))  # noqa: PTH120  a string
        if directory not in self._homes:
            (root,), _ = find_roots([Path(directory)])
            self._homes[directory] = root.path
        home = self._homes[directory]
        shown = os.path.relpath(home, self._top).replace(os.sep, "/")
        why = OTHER_PROJECT + ("" if shown == "." else f", `{shown}`")
        imported = frozenset(_IMPORTED.findall(text))
        return RepositoryFile(text, imported, _DATABASE.search(text) is not None, home, why)


def read_outside(
    root: Path,
    files: Collection[str],
    around: Path | None = None,
    repositories: dict[Path, Repository] | None = None,
) -> Outside:
    """Return the files next to the project in ``root`` (absolute), of which ``files`` are its own.

    They lie in its repository, or in ``around``, a project of the same run. Only those are among
    them that name a database toolkit, or import from ``..`` or by a name that ``files`` have.
    ``repositories`` are those that the run has read so far, by their tops.
    """
    top = _top(root, around)
    prefix = "" if top == root else f"{root.relative_to(top).as_posix()}/"
    own = {f"{prefix}{path}" for path in files}
    parts = {part.removesuffix(".py") for path in own for part in path.split("/")}
    names = {b".", *(part.encode() for part in parts if part.isidentifier())}
    known = {} if repositories is None else repositories
    repository = known.setdefault(top, Repository(top))
    outside_files: list[OutsideFile] = []
    for path in sorted(repository.paths - own):
        file = repository.file(path)
        if file is not None and (file.names_database or not file.imported.isdisjoint(names)):
            why = "is left out of the project" if file.home == root else file.why
            outside_files.append(OutsideFile(path, file.text, why))
    return Outside(prefix, tuple(outside_files))


def declared_above(root: Path, around: Path | None = None) -> tuple[str, ...]:
    """Return the distributions that projects around the one in ``root`` declare, by their names.

    They lie above it in its repository, or up to ``around``, as for ``read_outside``.
    """
    top = _top(root, around)
    above = [parent for parent in root.parents if parent == top or top in parent.parents]
    return tuple(sorted({target.name for path in above for target in read_targets(path).all()}))


def _top(root: Path, around: Path | None) -> Path:
    *_, top = upwards(around or root)
    return top if (top / ".git").exists() else around or root


def _names_below(top: Path) -> set[str]:
    """Return the Python files below a directory, those of projects inside of it as well."""
    exclude = (PathPatterns(DEFAULT_EXCLUDE),)
    found: set[str] = set()
    waiting = [top]
    while waiting:
        one = waiting.pop()
        walked = find_files(Root(one), DiscoverySettings(exclude))
        found.update(os.path.relpath(one / path, top).replace(os.sep, "/") for path in walked.files)
        waiting += [inner.path for inner in walked.nested]
    return found
