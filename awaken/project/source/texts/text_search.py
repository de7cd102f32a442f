"""The texts of one snapshot: searched for bytes and words, and read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from awaken.project.source.looked_at import LookedAt, Search, WatchedSnapshot
from awaken.project.source.words import KeptWords, Words
from awaken.workspace.formats.byte_search import FEW, texts_with
from awaken.workspace.formats.word_index import WordIndex
from awaken.workspace.sources import Snapshot, is_python
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

    def _take_over(self, earlier: TextSearch) -> None:
        """Know what ``earlier`` found; only texts that differ are searched."""
        old = earlier._texts
        changed = {path: item for path, item in self._texts.items() if item != old.get(path)}
        same = self._texts.keys() - changed.keys()
        new = search_texts(changed, list(earlier._hits))
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
            self._hits.update(search_texts(self._texts, unknown))
        return sorted(set[str]().union(*(self._hits[word] for word in words)))

    def _holding(self, word: bytes) -> frozenset[str]:
        """Return the paths of the texts that hold ``word``, by the words of the texts."""
        paths, is_certain = self.index.candidates(word)
        if is_certain:
            return paths
        return search_texts({path: self._texts[path] for path in paths}, [word])[word]


def search_texts(texts: Mapping[str, bytes], words: Sequence[bytes]) -> dict[bytes, frozenset[str]]:
    """Return for each of ``words`` the texts that contain it."""
    WORK.searches += len(texts)
    return texts_with(words, texts)


class ProgramTexts:
    """Searches a snapshot, and notes in ``looked_at`` what for and which files are read.

    Results of ``earlier`` texts of the same run are reused for unchanged files. ``python`` are the
    paths of the Python files, sorted; ``changed`` those of the files that differ from ``earlier``.
    ``templates`` are the paths of those that are templates; ``words`` are words of texts that are
    known already.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        looked_at: LookedAt,
        earlier: ProgramTexts | None = None,
        templates: Collection[str] = (),
        words: KeptWords | None = None,
    ) -> None:
        self.files: WatchedSnapshot = WatchedSnapshot(snapshot, looked_at)
        self.python = sorted(path for path in snapshot if is_python(path))
        texts = {path: snapshot[path].text for path in self.python}
        before = None if earlier is None else earlier.files
        self.search: TextSearch = TextSearch(texts, looked_at, earlier.search if earlier else None)
        self.words: Words = Words(
            self.files,
            self.search.candidates,
            self.search.index,
            earlier.words.kept if earlier else words,
            templates,
        )
        self.has_same_paths = before is not None and set(before) == set(snapshot)
        self.changed = frozenset(
            path
            for path in snapshot
            if before is None
            or path not in before
            or snapshot[path].text != before.file_to_search(path).text
        )

    def know(self, answers: Iterable[tuple[Search, Iterable[str]]]) -> None:
        """Know the paths of the files in which searches of an earlier run hold, as they are now."""
        known = [(search, frozenset(paths)) for search, paths in answers]
        self.search.know({one.sought: paths for one, paths in known if one.kind == "bytes"})
        self.words.know(
            {one.sought.decode(): sorted(paths) for one, paths in known if one.kind == "word"}
        )
