"""The search for bytes in the texts of all files of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

from awaken.project.source.looked_at import LookedAt, Search
from awaken.workspace.formats.byte_search import FEW, texts_with
from awaken.workspace.formats.word_index import WordIndex
from awaken.workspace.work import WORK


class TextSearch:
    """Answers which of ``texts``, by path, hold some bytes; each is searched for once.

    Words that are asked for together are searched for together. After many searches an index of
    all words answers.
    Results of an ``earlier`` search in the same texts are reused. Searches are noted in
    ``looked_at``.
    """

    def __init__(
        self, texts: Mapping[str, bytes], looked_at: LookedAt, earlier: TextSearch | None = None
    ) -> None:
        self._texts = texts
        self._looked_at = looked_at
        self._hits: dict[bytes, frozenset[str]] = {}
        self.index: WordIndex = earlier.index.for_texts(texts) if earlier else WordIndex(texts)
        if earlier is not None:
            self._take_over(earlier)

    def know(self, hits: Mapping[bytes, frozenset[str]]) -> None:
        """Know the paths of the texts that hold each of some words, from an earlier run."""
        self._hits.update(hits)

    def with_record(self, looked_at: LookedAt) -> TextSearch:
        """Return the same search, with the same results, noted in ``looked_at``."""
        other = copy(self)
        other._looked_at = looked_at  # noqa: SLF001  of the same class
        return other

    def _take_over(self, earlier: TextSearch) -> None:
        """Know what ``earlier`` found; only texts that differ are searched."""
        old = earlier._texts
        changed = {path: item for path, item in self._texts.items() if item != old.get(path)}
        same = self._texts.keys() - changed.keys()
        new = _hits(changed, list(earlier._hits))
        self._hits = {word: (hits & same) | new[word] for word, hits in earlier._hits.items()}

    def files_with(self, words: Sequence[bytes]) -> list[str]:
        """Return the paths of the texts that hold any of ``words``, sorted."""
        found = self.candidates(words)
        for word in words:
            self._looked_at.note_search(Search("bytes", word), self._hits[word])
        return found

    def candidates(self, words: Sequence[bytes]) -> list[str]:
        """Return the same for a search that is narrower, which whoever asks notes."""
        unknown = [word for word in dict.fromkeys(words) if word not in self._hits]
        if unknown and self.index.is_worth_it:
            self._hits.update({word: self._holding(word) for word in unknown})
        elif unknown:
            # Many words at once take as long as a few.
            self.index.count(min(len(unknown), FEW))
            self._hits.update(_hits(self._texts, unknown))
        return sorted(set[str]().union(*(self._hits[word] for word in words)))

    def _holding(self, word: bytes) -> frozenset[str]:
        """Return the paths of the texts that hold ``word``, by the words of the texts."""
        paths, is_certain = self.index.candidates(word)
        if is_certain:
            return paths
        return _hits({path: self._texts[path] for path in paths}, [word])[word]


def _hits(texts: Mapping[str, bytes], words: Sequence[bytes]) -> dict[bytes, frozenset[str]]:
    """Return for each of ``words`` the texts that contain it."""
    WORK.searches += len(texts)
    return texts_with(words, texts)
