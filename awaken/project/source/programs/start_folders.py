"""The packages in whose folders a program starts: their files import each other from there."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from awaken.workspace.sources import is_python

_NAMES = rb"[ \t]*(\([^)]*\)|(?:[^\n\\]|\\\n)*)"
# ``test`` is CPython's own test suite; a project that imports it means its own folder.
STANDARD = sys.stdlib_module_names - {"test"}
_INITIAL = {"__init__.py", "__init__.pyi"}


Searched = Callable[[Sequence[bytes]], Sequence[str]]
"""Returns the files that hold any of some words."""


class StartFolder(NamedTuple):
    """A folder on the path of a program; ``names_files`` if its files are named from there."""

    path: str
    names_files: bool = True


class _Package(NamedTuple):
    """An outermost package: its folder, and its files by their names as seen from there."""

    folder: str
    modules: Mapping[str, str]


def start_folders(
    paths: Iterable[str], text: Callable[[str], bytes], files_with: Searched
) -> tuple[StartFolder, ...]:
    """Return the outermost packages whose files are imported by a name without the package.

    ``from store.session import get_db`` works in the folder of ``store`` alone. So that folder is
    on the path if nothing else has the name. The file defines all that is imported. Where files
    name its modules with the package as well, they keep that name.
    """
    files = [path for path in paths if is_python(path)]
    everywhere = _names_in(files)
    return tuple(
        StartFolder(package.folder, not _is_named(package, files_with))
        for package in _packages(files)
        if _is_start(package, everywhere, text, files_with)
    )


def _names_in(paths: Iterable[str]) -> Counter[str]:
    """Return how many of these files have a name, or are in a folder of that name."""
    return Counter(
        name for path in paths for name in {part.partition(".")[0] for part in path.split("/")}
    )


def _packages(files: Sequence[str]) -> Iterator[_Package]:
    parts = [path.rpartition("/") for path in files]
    folders = {folder for folder, _, file in parts if folder and file in _INITIAL}
    outermost = sorted(folder for folder in folders if folder.rpartition("/")[0] not in folders)
    modules: dict[str, dict[str, str]] = {folder: {} for folder in outermost}
    for path in files:
        for slash in (at for at, letter in enumerate(path) if letter == "/"):
            if path[:slash] in modules:
                modules[path[:slash]][_dotted_name(path[slash + 1 :])] = path
    return (_Package(folder, inside) for folder, inside in modules.items())


def _is_named(package: _Package, files_with: Searched) -> bool:
    """Whether a file names a module of a package with the package."""
    prefix = f"{package.folder.rpartition('/')[2]}."
    # Only texts with the prefix are searched for all that begins with it.
    return bool(files_with([prefix.encode()])) and any(
        files_with([f"{prefix}{module}".encode()]) for module in package.modules
    )


def _is_start(
    package: _Package, everywhere: Counter[str], text: Callable[[str], bytes], files_with: Searched
) -> bool:
    inside = _names_in(package.modules.values())
    statements = {
        module: f"from {module} import".encode()
        for module in package.modules
        for top in [module.partition(".")[0]]
        if top not in STANDARD and everywhere[top] == inside[top]
    }
    files_with([*statements.values()])  # together: that costs hardly more than one of them
    return any(
        _defines_all(package, module, text(path), text)
        for module, statement in statements.items()
        for path in files_with([statement])
    )


def _defines_all(
    package: _Package, module: str, importing: bytes, text: Callable[[str], bytes]
) -> bool:
    """Whether a module defines all that a file imports from it."""
    statement = rb"(?m)^[ \t]*from %s import" % re.escape(module.encode())
    names = {
        name.split()[0].decode()
        for match in re.finditer(statement + _NAMES, importing)
        for name in re.sub(rb"#[^\n]*|[()\\]", b" ", match[1]).split(b",")
        if name.strip()
    }
    defining = text(package.modules[module])
    return bool(names) and all(
        f"{module}.{name}" in package.modules or _defines(defining, name) for name in names
    )


def _defines(text: bytes, name: str) -> bool:
    pattern = rb"(?m)^(?:(?:async[ \t]+)?def[ \t]+|class[ \t]+)?%s[ \t]*(?:[(:=\[]|$)"
    return re.search(pattern % re.escape(name.encode()), text) is not None


def _dotted_name(path: str) -> str:
    return path.rpartition(".")[0].removesuffix("/__init__").replace("/", ".")
