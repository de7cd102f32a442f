"""The code of a pass that a user trusts: the files of the project that it can import, and a digest.

The process that runs it is given these bytes, and imports nothing else of the project. So what it
runs is what the user has seen, whatever is on the disk by then, and what this module does not
find cannot run.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from awaken.passes.pass_settings import PassCode, PassSettings
from awaken.passes.protocol import import_directories
from awaken.passes.setups import LIBCST_SETTINGS
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.reading import METADATA_LIMIT, SOURCE_LIMIT, Enclosure, enclosure_of
from awaken.workspace.sources import Undecodable, decode

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MODULES = (".py", "/__init__.py")
"""How the source of a module ends."""
_MOST_FILES = 2_000
"""A codemod that imports more of its project is looked at by nobody."""


def code_of(settings: PassSettings, directory: Path, root: Path) -> PassCode | None:
    """Return the code of a pass of the project in ``root`` that is named in ``directory``.

    None where a file of it cannot be read, or lies outside of the project.
    """
    enclosure = enclosure_of(root)
    digest = hashlib.sha256(msgspec.json.encode(settings))
    try:
        text = b""
        if settings.kind == "libcst":
            text = _read(enclosure, root / LIBCST_SETTINGS.lstrip("/"), METADATA_LIMIT) or b""
            digest.update(hashlib.sha256(text).digest())
        files = _imported_files(settings, directory, text.decode(errors="replace"), enclosure)
    except OSError:
        return None
    for path, raw in sorted(files.items()):
        digest.update(f"{os.path.relpath(path, root)}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(raw).digest())
    return PassCode(digest.hexdigest(), files, text)


def _read(enclosure: Enclosure, path: Path, limit: int) -> bytes | None:
    """Return the bytes of a file, None if there is none. Raises OSError."""
    try:
        return enclosure.read(path, limit)
    except (FileNotFoundError, NotADirectoryError):
        return None


class _Module(Struct, frozen=True):
    """A file that may be imported as ``name``, or as that of its package for ``__init__``."""

    path: str
    name: str
    is_package: bool = False

    def imports(self, raw: bytes) -> Iterator[str]:
        """Yield the names that the module imports, as far as its source says them."""
        try:
            tree = parse_text(decode(self.path, raw).text)
        except (Undecodable, Unparsable):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = self.name.split(".")[: None if self.is_package else -1]
                base = above[: len(above) - node.level + 1] if node.level else []
                module = ".".join((*base, *([node.module] if node.module else ())))
                yield from (f"{module}.{name.name}".lstrip(".") for name in node.names)


def _imported_files(
    settings: PassSettings, directory: Path, libcst_settings: str, enclosure: Enclosure
) -> dict[str, bytes]:
    """Return the files that a pass can import, by their paths. Raises OSError."""
    places = import_directories(directory, settings.script)
    waiting = list(_named_modules(settings, directory, libcst_settings, places))
    files: dict[str, bytes] = {}
    seen = set()
    while waiting:
        module = waiting.pop()
        if module.path in seen:
            continue
        seen.add(module.path)
        raw = _read(enclosure, Path(module.path), SOURCE_LIMIT)
        if raw is None:
            continue
        if len(files) == _MOST_FILES:
            raise OSError(f"it imports more than {_MOST_FILES} files")
        files[module.path] = raw
        waiting += _modules(set(module.imports(raw)), places)
    return files


def _named_modules(
    settings: PassSettings, directory: Path, libcst_settings: str, places: Iterable[str]
) -> Iterator[_Module]:
    """Yield the modules where a pass may begin; most of the files are not there."""
    if settings.script:
        yield _Module(str(directory / settings.script), "")
        return
    # Any word of LibCST's settings may be one of the modules that have commands. One that is
    # written in another way, with escapes, is not among these files and so not imported.
    words = sorted(set(_NAME.findall(libcst_settings)))
    names = (settings.target, *words, *(f"{word}.{settings.target}" for word in words))
    yield from _modules(names, places)


def _modules(names: Iterable[str], places: Iterable[str]) -> Iterator[_Module]:
    """Yield the files that modules of these names, and the packages around them, may be in."""
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            for place in places:
                stem = os.path.join(place, *parts[:count])  # noqa: PTH118  as the importer does
                for ending in _MODULES:
                    whole = ".".join(parts[:count])
                    yield _Module(stem + ending, whole, ending.startswith("/"))
