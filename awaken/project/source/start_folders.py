"""The packages in whose folders a program starts: their files import each other from there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from awaken.workspace.sources import is_python

_NAMES = rb"[ \t]*(\([^)]*\)|(?:[^\n\\]|\\\n)*)"
# ``test`` is CPython's own test suite; a project that imports it means its own folder.
STANDARD = sys.stdlib_module_names - {"test"}
_INITIAL = {"__init__.py", "__init__.pyi"}


Searched = Callable[[bytes], Iterable[str]]
"""Returns the files that hold some bytes."""


class _Package(NamedTuple):
    """An outermost package: its folder, and its files by their names as seen from there."""

    folder: str
    modules: Mapping[str, str]


def start_folders(
    paths: Iterable[str], text: Callable[[str], bytes], files_with: Searched
) -> tuple[str, ...]:
    """Return the outermost packages whose files are imported by a name without the package.

    ``from store.session import get_db`` works in the folder of ``store`` alone. So that folder is
    on the path if nothing else has the name. The file defines all that is imported, and no file
    names its modules with the package.
    """
    files = [path for path in paths if is_python(path)]
    return tuple(
        package.folder
        for package in _packages(files)
        if _is_started_in(package, files, text, files_with)
    )


def _packages(files: Sequence[str]) -> Iterator[_Package]:
    parts = [path.rpartition("/") for path in files]
    folders = {folder for folder, _, file in parts if folder and file in _INITIAL}
    for folder in sorted(one for one in folders if one.rpartition("/")[0] not in folders):
        inside = [path for path in files if path.startswith(f"{folder}/")]
        yield _Package(folder, {_dotted(path[len(folder) + 1 :]): path for path in inside})


def _is_started_in(
    package: _Package, files: Sequence[str], text: Callable[[str], bytes], files_with: Searched
) -> bool:
    outside = (path for path in files if not path.startswith(f"{package.folder}/"))
    taken = {part.partition(".")[0] for path in outside for part in path.split("/")} | STANDARD
    name = package.folder.rpartition("/")[2]
    if any(files_with(f"{name}.{one}".encode()) for one in package.modules):
        return False
    return any(
        _defines_all(package, module, text(path), text)
        for module in package.modules
        if module.partition(".")[0] not in taken
        for path in files_with(f"from {module} import".encode())
    )


def _defines_all(
    package: _Package, module: str, importing: bytes, text: Callable[[str], bytes]
) -> bool:
    """Whether a module defines all that a file imports from it."""
    statement = rb"(?m)^[ \t]*from %s import" % re.escape(module.encode())
    names = {
        name.split()[0].decode()
        for found in re.finditer(statement + _NAMES, importing)
        for name in re.sub(rb"#[^\n]*|[()\\]", b" ", found[1]).split(b",")
        if name.strip()
    }
    defining = text(package.modules[module])
    return bool(names) and all(
        f"{module}.{name}" in package.modules or _defines(defining, name) for name in names
    )


def _defines(text: bytes, name: str) -> bool:
    pattern = rb"(?m)^(?:(?:async[ \t]+)?def[ \t]+|class[ \t]+)?%s[ \t]*(?:[(:=\[]|$)"
    return re.search(pattern % re.escape(name.encode()), text) is not None


def _dotted(path: str) -> str:
    return path.rpartition(".")[0].removesuffix("/__init__").replace("/", ".")
