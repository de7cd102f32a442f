"""The texts by their words: for whoever has to search them for many."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import accumulate

from ahocorasick_rs import BytesAhoCorasick, Implementation

from awaken.workspace.work import WORK

_WORDS = re.compile(rb"\w++")
_SPACED = bytes(byte if _WORDS.match(bytes([byte])) else ord(" ") for byte in range(256))
"""A table for ``translate`` that leaves the words, apart from each other."""
_ENOUGH = 50
"""Searches through all texts after which all words are taken.

That takes as long as 60 searches, 0.4 s in the 33 MB of homeassistant, and leaves 9 MB to search.
"""
_SHORT = 3
"""Letters of a part of a word that too many words have."""


class WordIndex:
    """Which of ``texts``, by path and sorted, hold a word; made once there are many searches."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts
        self._searches = 0
        self._words: dict[str, bytes] | None = None

    def for_texts(self, texts: Mapping[str, bytes]) -> WordIndex:
        """Return the index of later texts; it is made if this one is."""
        later = WordIndex(texts)
        later._searches = self._searches
        if self._words is not None:
            later._words = {
                path: self._words[path] if self._texts.get(path) == text else _words_of(text)
                for path, text in texts.items()
            }
        return later

    def count(self, searches: int) -> None:
        """Count searches through all texts."""
        self._searches += searches

    @property
    def is_worth_it(self) -> bool:
        """Whether there were so many searches that those to come ask the index."""
        return self._words is not None or self._searches >= _ENOUGH

    def make(self) -> dict[str, bytes]:
        """Return the words of letters of ASCII of each text, each between line ends."""
        if self._words is None:
            WORK.searches += len(self._texts)
            self._words = {path: _words_of(text) for path, text in self._texts.items()}
        return self._words

    def with_word(self, word: bytes) -> list[str]:
        """Return the paths, sorted, of the texts that hold a whole word of letters of ASCII."""
        return self._with_part(b"\n%s\n" % word)

    def candidates(self, sought: bytes) -> tuple[frozenset[str], bool]:
        """Return the paths of texts that may hold some bytes, and whether all of them do."""
        result: frozenset[str] | None = None
        for part in _WORDS.finditer(sought):
            begins, ends = part.start() > 0, part.end() < len(sought)
            if len(part[0]) < _SHORT and not (begins and ends):
                continue
            paths = frozenset(self._with_part(b"\n" * begins + part[0] + b"\n" * ends))
            if part[0] == sought:
                return paths, True
            result = paths if result is None else result & paths
        return frozenset(self._texts) if result is None else result, False

    def _with_part(self, part: bytes) -> list[str]:
        """Return the paths of texts with a word that holds ``part``; its line ends are the word's.

        All words are searched as one text, which takes 1 ms for homeassistant.
        """
        words, paths, starts = self._joined
        finds: Callable[[bytes], list[tuple[int, int, int]]] = BytesAhoCorasick(
            [part], implementation=Implementation.DFA
        ).find_matches_as_indexes
        return [
            paths[at] for at in sorted({bisect_right(starts, hit) for _, hit, _ in finds(words)})
        ]

    @cached_property
    def _joined(self) -> tuple[bytes, list[str], list[int]]:
        """All words, the paths of the texts, and where the words of each but the first begin."""
        words = self.make()
        starts = list(accumulate(map(len, words.values())))
        return b"".join(words.values()), list(words), starts


def _words_of(text: bytes) -> bytes:
    return b"\n%s\n" % b"\n".join(set(text.translate(_SPACED).split()))
