"""What a user has seen who trusts a pass: a digest of its settings, and of the file that it names.

What that file imports is not looked at, as with `direnv` and what an `.envrc` reads.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from importlib.machinery import all_suffixes
from pathlib import Path

import msgspec

from awaken.passes.settings import PassSettings
from awaken.passes.setups import LIBCST_SETTINGS
from awaken.workspace.reading import METADATA_LIMIT, SOURCE_LIMIT, Enclosure, enclosure_of

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MODULES = (*all_suffixes(), *(f"/__init__{one}" for one in all_suffixes()))
"""How the files of a module end, whichever of them is imported."""


def digest_of(settings: PassSettings, directory: Path, root: Path) -> str | None:
    """Return the digest of a pass of the project in ``root`` that is named in ``directory``.

    None where a file of it cannot be read, or lies outside of the project.
    """
    enclosure = enclosure_of(root)
    digest = hashlib.sha256(msgspec.json.encode(settings))
    try:
        text = b""
        if settings.kind == "libcst":
            text = _read(enclosure, root / LIBCST_SETTINGS.lstrip("/"), METADATA_LIMIT) or b""
            digest.update(hashlib.sha256(text).digest())
        for path in _files(settings, directory, text.decode(errors="replace")):
            raw = _read(enclosure, path, SOURCE_LIMIT)
            if raw is not None:
                digest.update(f"{os.path.relpath(path, root)}\0".encode(errors="surrogateescape"))
                digest.update(hashlib.sha256(raw).digest())
    except OSError:
        return None
    return digest.hexdigest()


def _read(enclosure: Enclosure, path: Path, limit: int) -> bytes | None:
    """Return the bytes of a file, None if there is none. Raises OSError."""
    try:
        return enclosure.read(path, limit)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _files(settings: PassSettings, directory: Path, libcst_settings: str) -> Iterator[Path]:
    """Yield where the code of a pass may stand, in order; most of the files are not there."""
    if settings.bowler.endswith(".py"):
        yield directory / settings.bowler
        return
    # Any word of LibCST's settings may be one of the modules that have commands.
    words = sorted(set(_NAME.findall(libcst_settings)))
    for name in (settings.target, *words, *(f"{one}.{settings.target}" for one in words)):
        parts = name.split(".")
        for base in (directory, directory / "src"):
            for count in range(1, len(parts) + 1):
                stem = str(base.joinpath(*parts[:count]))
                yield from (Path(f"{stem}{one}") for one in _MODULES)
