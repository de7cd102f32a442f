"""The Python files next to a project: of its repository, and no files of it.

They belong to other projects of the repository, or are left out. Some of them may import from the
project, or it from them: then a change of one side alone breaks the other.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.workspace.discovery import DiscoverySettings, Root, find_files, find_roots
from awaken.workspace.ignores import DEFAULT_EXCLUDE, PathPatterns
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.reading import SOURCE_LIMIT, Enclosure, upwards

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


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


def read_outside(root: Path, files: Collection[str], around: Path | None = None) -> Outside:
    """Return the files next to the project in ``root`` (absolute), of which ``files`` are its own.

    They lie in its repository, or in ``around``, a project of the same run. Only those are among
    them that name a database toolkit, or import from ``..`` or by a name that ``files`` have.
    """
    top = _top(root, around)
    prefix = "" if top == root else f"{root.relative_to(top).as_posix()}/"
    own = {f"{prefix}{path}" for path in files}
    names = {part.removesuffix(".py") for path in own for part in path.split("/")}
    importing = re.compile(
        rb"^[ \t]*+(?:from|import)[ \t]++(?:\.|(?:%b)\b)"
        % b"|".join(re.escape(name.encode()) for name in sorted(names) if name.isidentifier()),
        re.MULTILINE,
    )
    enclosure = Enclosure(top)
    outside_files: list[OutsideFile] = []
    for path in sorted(_names_below(top) - own):
        try:
            text = enclosure.read(top / path, SOURCE_LIMIT)
        except OSError:
            continue
        if _DATABASE.search(text) or importing.search(text):
            outside_files.append(OutsideFile(path, text, _why(top, root, path)))
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


def _why(top: Path, root: Path, path: str) -> str:
    """Return why a file does not belong to the project in ``root``."""
    (home,) = _homes(top / path)
    if home == root:
        return "is left out of the project"
    shown = os.path.relpath(home, top).replace(os.sep, "/")
    return OTHER_PROJECT + ("" if shown == "." else f", `{shown}`")


def _homes(path: Path) -> Iterator[Path]:
    roots, _ = find_roots([path])
    yield from (root.path for root in roots)
