"""The texts of one snapshot: searched for bytes and words, and read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from copy import copy

from awaken.project.source.looked_at import LookedAt, Search, WatchedSnapshot
from awaken.project.source.texts.text_search import TextSearch
from awaken.project.source.words import KeptWords, Words
from awaken.workspace.sources import Snapshot, is_python


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

    def with_record(self, looked_at: LookedAt) -> ProgramTexts:
        """Return the same texts, with the same results, noted in ``looked_at``."""
        other = copy(self)
        other.files = self.files.with_record(looked_at)
        other.search = self.search.with_record(looked_at)
        other.words = self.words.with_files(other.files)
        return other
