"""The names that other files of the project take from a module; conservative, found by text.

By text, because a file need not parse to import, and a patch names its target in a string.
"""

from __future__ import annotations

import re

from awaken.workspace.sources import Snapshot, is_python

_WORD = re.compile(r"\w+")


def names_taken(snapshot: Snapshot, path: str) -> frozenset[str]:
    """Return every name that another Python file may import, or read, from the module at ``path``.

    Modules are told apart by their last name only, and strings count (``patch("shop.get")``), so
    the set may be too large, never too small. ``"*"`` is in it if a file imports everything.
    """
    stem = stem_of(path)
    needle = stem.encode()
    found: set[str] = set()
    for other in snapshot:
        if other == path or not is_python(other):
            continue
        if needle in snapshot[other].text:
            found |= names_from(stem, snapshot[other].text)
    return frozenset(found)


def stem_of(path: str) -> str:
    """Return the last name of the module at ``path``, by which other files are asked for it."""
    # The last name only: relative imports, aliases and namespace packages hide the rest.
    return path.rpartition("/")[2].partition(".")[0]


def names_from(stem: str, text: bytes) -> set[str]:
    """Return every name that the file with this ``text`` may take from a module called ``stem``."""
    imports = re.compile(
        rf"from[ \t]+[.\w]*\b{re.escape(stem)}[ \t]+import[ \t]*(\([^)]*\)|(?:[^\n\r\\]|\\\r?\n)*)"
    )
    # without ``\b``, which would be tried at every character
    attributes = re.compile(rf"{re.escape(stem)}\.(\w+)")
    written = text.decode()
    found: set[str] = set()
    for clause in imports.findall(written):
        found.update(_WORD.findall(clause))
        found.update("*" if clause.strip() == "*" else "")
    found.update(
        match[1]
        for match in attributes.finditer(written)
        if not _WORD.match(written[max(0, match.start() - 1) : match.start()])
    )
    return found
