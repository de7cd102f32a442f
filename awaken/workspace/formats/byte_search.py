"""The search for several words in the bytes of many texts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ahocorasick_rs import BytesAhoCorasick, Implementation

_LONG = 1_000_000
"""Bytes of a text that is searched for one word after the other: the automaton gives every single
occurrence, and a hostile file may hold millions."""


class ByteSearch:
    """Finds ``words`` in texts: all of them at once, which costs hardly more than one."""

    def __init__(self, words: Sequence[bytes]) -> None:
        self._words = words
        # Only as a DFA is it much faster than one search after the other; it is small for so few
        # words. It takes no empty word, which is in every text.
        self._finds = (
            BytesAhoCorasick(words, implementation=Implementation.DFA).find_matches_as_indexes
            if words and all(words)
            else None
        )
        self._is_single = len(words) == 1

    def words_in(self, text: bytes) -> Collection[bytes]:
        """Return those of the words that ``text`` holds."""
        if self._finds is None or len(text) > _LONG:
            return [word for word in self._words if word in text]
        if self._is_single:
            return self._words if self._finds(text) else ()
        return {self._words[index] for index, _, _ in self._finds(text, overlapping=True)}
