"""The marks of a project: the files that make a directory one, and what they say."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from msgspec import Struct

from awaken.workspace.reading import METADATA_LIMIT, enclosure_of, is_boundary
from awaken.workspace.sources import is_python

# What declares a project. A requirements file and a repository are weaker marks: each may be in the
# middle of one.
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "Pipfile")
_PROJECT_TABLES = {
    "pyproject.toml": re.compile(
        # possessive, and within one line: a file of blank lines must not cost their square
        rb"^[ \t]*+\[[ \t]*+(project|build-system|dependency-groups|tool\.(poetry|pdm|uv|hatch))\b",
        re.MULTILINE,
    ),
    "setup.cfg": re.compile(rb"^\[(metadata|options)\]", re.MULTILINE),
    # A module of a program may be called so as well: one that builds imports what builds it.
    "setup.py": re.compile(
        rb"^[ \t]*+(?:from|import)[ \t]++(?:[\w.]++[ \t]*+,[ \t]*+)*+"
        rb"(?:numpy\.)?(?:setuptools|distutils|skbuild|pbr|mypyc|torch\.utils\.cpp_extension)\b",
        re.MULTILINE,
    ),
}


_LOOKED_AT = 50
"""Files of a folder that are searched for how they import."""


class Marker(Struct, frozen=True):
    """Why a directory is a root: a ``file`` in it (empty where there is none), and what of it.

    ``line`` is 1-based, 0 for the whole file.
    """

    file: str
    line: int
    why: str


def root_above(start: Path) -> Path | None:
    """Return the project that a directory lies in, or is; None where there is none."""
    weak = repository = None
    for directory in (start, *start.parents):
        # Metadata in a home directory is about the user's tools, not about what lies below.
        if directory != start and is_boundary(directory):
            break
        names = names_in(directory)
        if is_project(str(directory), names):
            return directory
        # The outermost wins: a program may keep further ones next to its parts.
        if "requirements.txt" in names and not _is_package(directory, names):
            weak = directory
        if ".git" in names:
            repository = directory
            break
    return weak or repository


def outside_packages(directory: Path) -> Path:
    """Return the directory that holds the outermost package around another one."""
    while (directory / "__init__.py").exists() and not is_boundary(directory.parent):
        directory = directory.parent
    return directory


def names_in(directory: Path) -> set[str]:
    """Return the names in a directory, none where it cannot be read."""
    try:
        return set(os.listdir(directory))  # noqa: PTH208 - names are all we need
    except OSError:
        return set()


def is_project(directory: str, names: set[str]) -> bool:
    """Whether a directory holds project metadata, and not only the settings of tools.

    A package is none, for numpy's style of ``setup.py`` has one in every package; but it is where
    ``pyproject.toml`` is and imports begin.
    """
    if "__init__.py" in names:
        is_declared = "pyproject.toml" in names and _has_metadata(directory, "pyproject.toml")
        return is_declared and not _is_package(Path(directory), names)
    return any(name in names and _has_metadata(directory, name) for name in _PROJECT_FILES)


def _is_package(directory: Path, names: set[str]) -> bool:
    """Whether a directory is imported by its name, and not only where imports begin."""
    return "__init__.py" in names and not _begins_imports(directory, names)


def _begins_imports(directory: Path, names: set[str]) -> bool:
    """Whether the parts of a package are imported from there: ``from app.models import User``.

    So it says in its own files, or one level below, where none has the name of the package itself.
    """
    packages = {word for word in names if "__init__.py" in names_in(directory / word)}
    modules = {word.removesuffix(".py") for word in names if word.endswith(".py")}
    # A folder `src` of its own may hold what is imported.
    src = directory / "src"
    sources = {word for word in names_in(src) if "__init__.py" in names_in(src / word)}
    inside = (packages | modules | sources) - {directory.name, "__init__", *sys.stdlib_module_names}
    if not inside:
        return False
    own, parts = (_imports_of({directory.name}), _imports_of(inside))
    begins_imports = False
    for folder in (directory, *(directory / package for package in sorted(packages & inside))):
        for name in sorted(path for path in names_in(folder) if is_python(path))[:_LOOKED_AT]:
            text = _metadata(folder, name)
            if own.search(text):
                return False
            begins_imports = begins_imports or parts.search(text) is not None
    return begins_imports


def _imports_of(names: set[str]) -> re.Pattern[bytes]:
    any_of = b"|".join(re.escape(name.encode(errors="replace")) for name in sorted(names))
    return re.compile(rb"^(?:from|import) (?:%b)\b" % any_of, re.MULTILINE)


def _has_metadata(directory: str, name: str) -> bool:
    table = _PROJECT_TABLES.get(name)
    if table is None:
        return True
    return table.search(_metadata(Path(directory), name)) is not None


def _metadata(directory: Path, name: str) -> bytes:
    """Return the bytes of a project file, none where it cannot be read."""
    try:
        return enclosure_of(directory).read(directory / name, METADATA_LIMIT)
    except OSError:
        return b""


def marker_in(directory: Path) -> Marker:
    """Return what makes a directory a project, in the order that ``root_above`` uses."""
    names = names_in(directory)
    if is_project(str(directory), names):
        for name in _PROJECT_FILES:
            if name in names and _has_metadata(str(directory), name):
                return _table_marker(directory, name)
    if "requirements.txt" in names and not _is_package(directory, names):
        return Marker("requirements.txt", 0, "the outermost requirements file")
    if ".git" in names:
        return Marker(".git", 0, "the top of a git repository")
    return Marker("", 0, "no project file and no repository is here or above")


def _table_marker(root: Path, name: str) -> Marker:
    table = _PROJECT_TABLES.get(name)
    raw = _metadata(root, name) if table else b""
    match = table.search(raw) if table else None
    if match is None or name == "setup.py":
        return Marker(name, 0, "project metadata")
    start = match.end() - len(match[0].lstrip())
    header = raw[start:].split(b"]", 1)[0] + b"]"
    return Marker(name, raw.count(b"\n", 0, start) + 1, header.decode("utf-8", "replace"))
