"""The texts by their words: for whoever has to search them for many."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from awaken.workspace.work import WORK

_WORDS = re.compile(rb"\w++")
_SPACED = bytes(byte if _WORDS.match(bytes([byte])) else ord(" ") for byte in range(256))
"""A table for ``translate`` that leaves the words, apart from each other."""
_ENOUGH = 50
"""Searches through all texts after which all words are taken.

That takes as long as 80 searches, 0.4 s in the 33 MB of homeassistant. Then a search takes nothing.
"""
_SHORT = 3
"""Letters of a part of a word that too many words have."""
_MOST_EDITED = 0.1
"""The part of all texts up to which those that differ are taken out and put in one by one."""


class WordIndex:
    """Which of ``texts``, by path and sorted, hold a word; made once there are many searches."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._searches = 0
        self._paths: dict[bytes, list[str]] | None = None

    def after(self, texts: Mapping[str, bytes]) -> WordIndex:
        """Return the index of later texts; it is made if this one is, and few texts differ."""
        later = WordIndex(texts)
        later._searches = self._searches
        if self._paths is not None:
            later._follow(self._texts, self._paths)
        return later

    def count(self, searches: int) -> None:
        """Count searches through all texts."""
        self._searches += searches

    @property
    def is_worth_it(self) -> bool:
        """Whether there were so many searches that those to come ask the index."""
        return self._paths is not None or self._searches >= _ENOUGH

    def by_word(self) -> Mapping[bytes, list[str]]:
        """Return the paths, sorted, by the words of letters of ASCII."""
        if self._paths is None:
            WORK.searches += len(self._texts)
            paths: defaultdict[bytes, list[str]] = defaultdict(list)
            for path, text in self._texts.items():
                for word in words_in(text):
                    paths[word].append(path)
            self._paths = dict(paths)
        return self._paths

    def _follow(self, earlier: Mapping[str, bytes], by_word: Mapping[bytes, list[str]]) -> None:
        edited = [
            path
            for path in sorted({*earlier, *self._texts})
            if self._texts.get(path) != earlier.get(path)
        ]
        if len(edited) > _MOST_EDITED * len(earlier):
            return
        paths = dict(by_word)
        for path in edited:
            before, now = words_in(earlier.get(path, b"")), words_in(self._texts.get(path, b""))
            for word in before - now:
                paths[word] = [other for other in paths[word] if other != path]
            for word in now - before:
                paths[word] = sorted((*paths.get(word, ()), path))
        self._paths = paths

    def candidates(self, sought: bytes) -> tuple[frozenset[str], bool]:
        """Return the paths of texts that may hold some bytes, and whether all of them do."""
        result: frozenset[str] | None = None
        for part in _WORDS.finditer(sought):
            begins, ends = part.start() > 0, part.end() < len(sought)
            if begins and ends:
                paths = frozenset(self.by_word().get(part[0], ()))
            elif len(part[0]) >= _SHORT:
                words = self._words_with(b"\n" * begins + part[0] + b"\n" * ends)
                paths = frozenset(path for word in words for path in self.by_word()[word])
            else:
                continue
            if part[0] == sought:
                return paths, True
            result = paths if result is None else result & paths
        return frozenset(self._texts) if result is None else result, False

    def _words_with(self, part: bytes) -> Iterator[bytes]:
        """Yield the words that hold a part of a word; its line ends are those of the word."""
        text = self._joined
        start = text.find(part)
        while start >= 0:
            begin = start + 1 if part.startswith(b"\n") else text.rfind(b"\n", 0, start) + 1
            end = text.find(b"\n", max(begin, start + 1))
            yield text[begin:end]
            start = text.find(part, end)

    @cached_property
    def _joined(self) -> bytes:
        """All words, each between line ends."""
        return b"\n%s\n" % b"\n".join(self.by_word())


def words_in(text: bytes) -> set[bytes]:
    """Return the words of letters of ASCII in ``text``."""
    return set(text.translate(_SPACED).split())
