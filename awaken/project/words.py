"""Which files hold a word, told from their bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from awaken.contract import Place, Span
from awaken.project.sources import Snapshot

_PYTHON = (".py", ".pyi")
_WORD = re.compile(rb"\w")


class Words:
    """Searches the text of a snapshot; ``files_with`` gives the Python files that hold bytes."""

    def __init__(
        self,
        files: Snapshot,
        files_with: Callable[[Sequence[bytes]], list[str]],
    ) -> None:
        self._files = files
        self._candidates = files_with

    def files_with(self, word: str) -> list[str]:
        """Return the Python files in which ``word`` stands by itself, sorted by path."""
        encoded = word.encode()
        paths = self._candidates([encoded])
        if not word.isascii():
            return paths  # word boundaries of bytes are those of ASCII
        return [path for path in paths if _first(encoded, self._files[path].text) is not None]

    def elsewhere(self, word: str) -> Place | None:
        """Return where a file that is no Python, such as pyproject.toml, holds ``word``."""
        encoded = word.encode()
        for path in sorted(self._files):
            text = self._files[path].text
            if path.endswith(_PYTHON) or encoded not in text:
                continue
            start = _first(encoded, text)
            if start is not None:
                return Place(path, Span(start, start + len(encoded)))
        return None


def _first(word: bytes, text: bytes) -> int | None:
    """Return where ``word`` first stands by itself in ``text``.

    A pattern that looks behind itself first would be tried at every byte: 20 times slower.
    """
    start = text.find(word)
    while start >= 0:
        stop = start + len(word)
        if not (_WORD.match(text, start - 1) if start else None) and not _WORD.match(text, stop):
            return start
        start = text.find(word, start + 1)
    return None
