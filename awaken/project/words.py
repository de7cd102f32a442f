"""Which files hold a word, told from their bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from awaken.contract import Place, Span
from awaken.project.sources import Snapshot

_PYTHON = (".py", ".pyi")
_WORD = re.compile(rb"\w")

_PLAIN_CLASS = re.compile(
    rb"class[ \t\f]+[^\s:(\[\\#]+[ \t]*"  # its name
    rb"(?:\[[^()#'\"\]]*\][ \t]*)?"  # type parameters without brackets of their own
    rb"(?:\(([^()#'\"]*)\)[ \t]*)?:"  # bases without calls, comments and strings
)
_CALLS = re.compile(rb"[\s\\)]*\(")
_AS = re.compile(rb"[\s\\]+as\b")
_ASSIGNED = re.compile(rb"=[\s(\\]*[\w.]*\Z")
_ENDS = re.compile(rb"[ \t)]*(?:[;:#\r\n\\]|\Z)")
_LONGEST_PREFIX = 200
"""Bytes between the ``=`` of an assignment and the last part of the dotted name behind it."""


class Words:
    """Searches the text of a snapshot; ``files_with`` gives the Python files that hold bytes."""

    def __init__(
        self,
        files: Snapshot,
        files_with: Callable[[Sequence[bytes]], list[str]],
    ) -> None:
        self._files = files
        self._candidates = files_with
        self._found: dict[str, list[str]] = {}
        self._others = sorted(path for path in files if not path.endswith(_PYTHON))

    def files_with(self, word: str) -> list[str]:
        """Return the Python files in which ``word`` stands by itself, sorted by path."""
        if word not in self._found:
            self._found[word] = self._search(word)
        return self._found[word]

    def _search(self, word: str) -> list[str]:
        encoded = word.encode()
        paths = self._candidates([encoded])
        if not word.isascii():
            return paths  # word boundaries of bytes are those of ASCII
        return [path for path in paths if _first(encoded, self._files[path].text) is not None]

    def inherited_in(self, word: str) -> list[str]:
        """Return the Python files in which a class may inherit from what ``word`` names."""
        encoded = word.encode()
        paths = self.files_with(word)
        return [path for path in paths if _may_inherit(encoded, self._files[path].text)]

    def renamed_in(self, word: str) -> list[str]:
        """Return the Python files that may give what ``word`` names another name."""
        encoded = word.encode()
        paths = self.files_with(word)
        return [path for path in paths if _may_rename(encoded, self._files[path].text)]

    def called_in(self, word: str) -> list[str]:
        """Return the Python files in which something called ``word`` may be called."""
        encoded = word.encode()
        paths = self.files_with(word)
        return [path for path in paths if _may_call(encoded, self._files[path].text)]

    def elsewhere(self, word: str) -> Place | None:
        """Return where a file that is no Python, such as pyproject.toml, holds ``word``."""
        encoded = word.encode()
        for path in self._others:
            start = _first(encoded, self._files[path].text)
            if start is not None:
                return Place(path, Span(start, start + len(encoded)))
        return None


def _first(word: bytes, text: bytes) -> int | None:
    """Return where ``word`` first stands by itself in ``text``."""
    return next(_places(word, text), None)


def _places(word: bytes, text: bytes) -> Iterator[int]:
    """Yield where ``word`` stands by itself in ``text``.

    A pattern that looks behind itself first would be tried at every byte: 20 times slower.
    """
    start = text.find(word)
    while start >= 0:
        stop = start + len(word)
        if not (_WORD.match(text, start - 1) if start else None) and not _WORD.match(text, stop):
            yield start
        start = text.find(word, start + 1)


def _may_inherit(word: bytes, text: bytes) -> bool:
    """Whether ``word`` may stand among the bases of a class; certain only where it does not."""
    for start in _classes(text):
        plain = _PLAIN_CLASS.match(text, start)
        if plain is None or (plain[1] is not None and word in plain[1]):
            return True
    return False


def _classes(text: bytes) -> Iterator[int]:
    """Yield where a line begins with ``class``."""
    for start in _places(b"class", text):
        line = text.rfind(b"\n", 0, start) + 1
        line = max(line, text.rfind(b"\r", line, start) + 1)
        if not text[line:start].strip(b" \t\f"):
            yield start


def _may_rename(word: bytes, text: bytes) -> bool:
    """Whether an import or an assignment may give ``word`` another name."""
    for start in _places(word, text):
        stop = start + len(word)
        if _AS.match(text, stop):
            return True
        before = text[max(0, start - _LONGEST_PREFIX) : start]
        if _ENDS.match(text, stop) and _ASSIGNED.search(before):
            return True
    return False


def _may_call(word: bytes, text: bytes) -> bool:
    """Whether parentheses follow ``word`` somewhere."""
    return any(_CALLS.match(text, start + len(word)) for start in _places(word, text))
