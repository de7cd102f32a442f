"""Which files hold a word, told from their bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from awaken.contract import Place, Span
from awaken.project.sources import Snapshot

_PYTHON = (".py", ".pyi")


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
        whole = _whole(encoded)
        return [path for path in paths if whole.search(self._files[path].text)]

    def elsewhere(self, word: str) -> Place | None:
        """Return where a file that is no Python, such as pyproject.toml, holds ``word``."""
        encoded = word.encode()
        for path in sorted(self._files):
            text = self._files[path].text
            if path.endswith(_PYTHON) or encoded not in text:
                continue
            found = _whole(encoded).search(text)
            if found is not None:
                return Place(path, Span(*found.span()))
        return None


def _whole(word: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<!\w)" + re.escape(word) + rb"(?!\w)")
