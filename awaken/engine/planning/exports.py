"""The names that other files of the project take from a module; conservative, found by text.

By text, because a file need not parse to import, and a patch names its target in a string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from awaken.project.source.looked_at import LookedAt, Search
from awaken.project.source.texts.text_search import search_texts
from awaken.workspace.sources import Snapshot, is_python

_WORD = re.compile(r"\w+")
_FROM = re.compile(r"from[ \t]+[.\w]*\Z")
_CLAUSE = re.compile(r"\([^)]*\)|(?:[^\n\r\\]|\\\r?\n)*")


class NamesTaken:
    """The names that other files of a snapshot take from some of its modules."""

    def __init__(self, by_stem: Mapping[str, Mapping[str, set[str]]], snapshot: Snapshot) -> None:
        self._by_stem, self._snapshot = by_stem, snapshot

    def names_from(self, path: str) -> frozenset[str]:
        """Return every name that another Python file may import, or read, from ``path``.

        Modules are told apart by their last name only, and strings count (``patch("shop.get")``),
        so the set may be too large, never too small. ``"*"`` is in it if a file imports everything.
        """
        by_path = self._by_stem[stem_of(path)]
        return frozenset().union(*(names for other, names in by_path.items() if other != path))

    def for_snapshot(self, snapshot: Snapshot) -> NamesTaken:
        """Return the same for a later snapshot; a file with the same text is not scanned again."""
        before = self._snapshot
        new = [path for path in snapshot if snapshot[path] is not before.get(path)]
        result = _taken_by(new, snapshot, self._by_stem.keys())
        for stem, by_path in self._by_stem.items():
            result[stem] = {**by_path, **{path: set[str]() for path in new}, **result[stem]}
        return NamesTaken(result, snapshot)


def names_taken(snapshot: Snapshot, paths: Iterable[str], looked_at: LookedAt) -> NamesTaken:
    """Return the names that other files take from ``paths``, which ``looked_at`` notes.

    Each text is scanned once for all.
    """
    by_stem = _taken_by(snapshot, snapshot, set(map(stem_of, paths)))
    for stem, by_path in by_stem.items():
        search = Search("exports", stem.encode())
        if search not in looked_at.told:
            answers = {path: told_names(names) for path, names in by_path.items() if names}
            looked_at.note_answers(search, answers)
    return NamesTaken(by_stem, snapshot)


def told_names(names: Iterable[str]) -> bytes:
    """Return ``names`` as evidence tells them."""
    return "\n".join(sorted(names)).encode()


def _taken_by(
    paths: Iterable[str], snapshot: Snapshot, stems: AbstractSet[str]
) -> dict[str, dict[str, set[str]]]:
    """Return for each of ``stems`` what each of ``paths`` takes from modules of that name."""
    texts = {path: snapshot[path].text for path in filter(is_python, paths if stems else ())}
    hits = search_texts(texts, [stem.encode() for stem in sorted(stems)])
    return {
        stem: {path: names_from(stem, texts[path]) for path in sorted(hits[stem.encode()])}
        for stem in stems
    }


def may_release(path: str) -> bool:
    """Whether imports of the file at ``path`` may go: those of a package are its interface."""
    return stem_of(path) != "__init__"


def stem_of(path: str) -> str:
    """Return the last name of the module at ``path``, by which other files are asked for it."""
    # The last name only: relative imports, aliases and namespace packages hide the rest.
    return path.rpartition("/")[2].partition(".")[0]


def names_from(stem: str, text: bytes) -> set[str]:
    """Return every name that the file with this ``text`` may take from a module called ``stem``."""
    names, written, read_until = set[str](), text.decode(), 0
    # A pattern that begins with a plain text is found by a search for it.
    for match in re.finditer(rf"{re.escape(stem)}(?:\.(?=(\w+))|[ \t]+import[ \t]*)", written):
        start, attribute = match.start(), match[1]
        if start and _WORD.match(written, start - 1, start):
            continue
        if attribute is not None and start >= read_until:
            # Of `api.api.data` it is `api.api` that is read.
            names.add(attribute)
            read_until = match.end(1)
        elif attribute is None and _FROM.search(written, written.rfind("\n", 0, start) + 1, start):
            clause = (_CLAUSE.match(written, match.end()) or match)[0]
            names.update({"*"} if clause.strip() == "*" else _WORD.findall(clause))
    return names
