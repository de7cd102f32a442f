"""The Python files that a text names: it may tell their lines and comments."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

_PATH = re.compile(rb"[\w./-]+\.pyi?")


def named_files(text: bytes) -> frozenset[bytes]:
    """Return what may be paths of Python files in ``text``, and their ends from a folder on."""
    names = set[bytes]()
    for path in set(_PATH.findall(text)):
        # Pickle writes the length of a text before it, which may look like a letter.
        for end in (path, path[1:]):
            parts = end.split(b"/")
            names.update(b"/".join(parts[number:]) for number in range(len(parts)))
    return frozenset(names)


def names_file(names: AbstractSet[bytes], path: str) -> bool:
    """Whether a text with these ``names`` may name the file at ``path``."""
    raw = path.encode("utf-8", "surrogateescape")
    # A path with other characters may be written in many ways.
    return raw in names or not _PATH.fullmatch(raw)
