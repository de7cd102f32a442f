"""The texts of one snapshot: searched for bytes and words, and read."""

from __future__ import annotations

from awaken.project.source.looked_at import LookedAt, RecordedSnapshot
from awaken.project.source.text_search import TextSearch
from awaken.project.source.words import Words
from awaken.workspace.sources import Snapshot

_PYTHON = (".py", ".pyi")


class ProgramTexts:
    """Searches a snapshot, and notes in ``looked_at`` what for and which files are read.

    What ``earlier`` texts of the same run found in files that are the same is known.
    What is taken out of ``files`` counts as read, unlike what is taken out of ``unrecorded``.
    ``python`` are the paths of the Python files, sorted; ``changed`` those of the files that
    differ from ``earlier``.
    """

    def __init__(self, snapshot: Snapshot, earlier: ProgramTexts | None = None) -> None:
        self.looked_at: LookedAt = LookedAt() if earlier is None else earlier.looked_at
        self.unrecorded = snapshot
        self.files: Snapshot = RecordedSnapshot(snapshot, self.looked_at)
        self.python = sorted(path for path in snapshot if path.endswith(_PYTHON))
        texts = {path: snapshot[path].text for path in self.python}
        self.search: TextSearch = TextSearch(
            texts, self.looked_at, earlier.search if earlier else None
        )
        self.words: Words = Words(
            snapshot,
            self.search.files_with,
            self.looked_at,
            earlier.words.kept if earlier else None,
        )
        self.has_same_paths = earlier is not None and set(earlier.unrecorded) == set(snapshot)
        self.changed = frozenset(
            path
            for path in snapshot
            # By identity: a file that nobody edited is the same object in both snapshots.
            if earlier is None or snapshot[path] is not earlier.unrecorded.get(path)
        )
