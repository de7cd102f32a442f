"""The manifests of a project that a requirement can be added to, as files of its snapshot."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from awaken.workspace.manifests.targets import NAMED_REQUIREMENTS, requirement_files
from awaken.workspace.reading import enclosure_of
from awaken.workspace.sources import Snapshot, SourceFile
from awaken.workspace.text_files import read_texts

_METADATA = ("pyproject.toml", "Pipfile")
_LAST = ("setup.cfg",)
MANIFESTS = (*_METADATA, "requirements.txt", *_LAST)
"""The manifests that awaken edits, relative to a project root, in the order it looks at them."""

_INCLUDES_LIMIT = 50
"""Requirements files that others include; a program has a handful."""

_INCLUDE = re.compile(r"^(?:-r|--requirement)[ \t=]*([^\s#]+)", re.MULTILINE)


def read_manifests(
    root: Path, selected: Iterable[str] = (), members: Sequence[str] = ()
) -> dict[str, SourceFile]:
    """Return the manifests of the project in ``root`` that are there and are text, by name.

    A ``selected`` folder may have requirements files of its own, and ``members`` any manifest.
    """
    enclosure = enclosure_of(root)
    names = requirement_files(root, ())
    names += [path_below(folder, name) for folder in members for name in MANIFESTS]
    for folder in sorted({*selected, *members} - {"."}):
        names += [path_below(folder, name) for name in requirement_files(root / folder, ())]
    # A compiled file is named by itself; its source is edited.
    names += [f"{name.removesuffix('.txt')}.in" for name in names if name.endswith(".txt")]
    files = dict(read_texts(enclosure, root, dict.fromkeys([*MANIFESTS, *names])).files)
    waiting = [path for path in files if is_requirements_file(path)]
    while waiting and len(files) < _INCLUDES_LIMIT:
        path = waiting.pop()
        new = [location for location in _included_names(path, files[path]) if location not in files]
        more = read_texts(enclosure, root, dict.fromkeys(new)).files
        files.update(more)
        waiting += more
    return files


def _included_names(path: str, source: SourceFile) -> Iterator[str]:
    for named in _INCLUDE.findall(source.text.decode()):
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
        is_here = not inside.startswith(("/", "../")) and "\0" not in inside
        if is_here and is_requirements_file(inside):
            yield inside


def is_requirements_file(path: str) -> bool:
    """Whether ``path`` is written as pip reads it."""
    return PurePosixPath(path).suffix in {".txt", ".in"}


def manifests_in(files: Snapshot, root: str) -> list[str]:
    """Return those of ``files`` that are manifests of the project at ``root``, in their order."""
    inside = [path for path in files if not root or path.startswith(f"{root}/")]
    metadata, last = (
        sorted(
            (path for path in inside if PurePosixPath(path).name in names),
            key=lambda path: (path.count("/"), names.index(PurePosixPath(path).name), path),
        )
        for names in (_METADATA, _LAST)
    )
    lists = _requirement_lists(files, inside, [*metadata, *last])
    return [*metadata, *sorted(lists, key=_main_first), *last]


def _requirement_lists(files: Snapshot, paths: Iterable[str], named_in: list[str]) -> list[str]:
    """Return those of ``paths`` that are called as requirements are, or that a manifest names.

    A program has other texts as well, such as templates and examples of doctest.
    """
    texts = [path for path in paths if is_requirements_file(path)]
    named = [*named_in, *filter(NAMED_REQUIREMENTS.fullmatch, texts)]
    for manifest in named:
        others = [path for path in texts if path not in named]
        named += [x for x in others if PurePosixPath(x).name.encode() in files[manifest].text]
    return [path for path in texts if path in named]


def _main_first(path: str) -> tuple[bool, bool, str]:
    """Sort the extras that a program needs to run first, and the shortest name first."""
    return is_for_development(path), PurePosixPath(path).stem != "requirements", path


_BESIDE = re.compile(r"(?i)(?<![a-z])(dev(elop(ment)?)?|test(s|ing)?|ci|lint|docs?)(?![a-z])")


def is_for_development(path: str) -> bool:
    """Whether a requirements file names what only those need who work on a program."""
    return _BESIDE.search(path) is not None


def path_below(root: str, name: str) -> str:
    """Return the path of the file called ``name`` in ``root``."""
    return str(PurePosixPath(root) / name)
