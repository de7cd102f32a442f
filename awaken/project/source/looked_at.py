"""The record of what a run looked at in the texts of its files, which proves its answer later.

Rules and facts are functions: with the same question, the same versions and settings, and the same
*set of paths*, the answer depends on nothing but what they see of the files' texts. They see a text
in two ways. They *read* it: parse it, match it, cut from it, measure it. Or they *search*: ask of
all Python files the same question, which each file answers by its path and text alone.

So the answer still holds when the paths are the same, every file that was read has the same bytes,
and every other Python file that changed answers every search as before. Then, question by question
in the order of the run, the same is asked and the same is answered. This needs a complete record:

- A search counts with all Python files in which it holds, whether or not their hits were used:
  those hit and those missed both prove something. Files that are read anyway may be missing.
- A question that only follows names of a file has seen the statements that bind or mention them
  (``texts.named_parts``). A digest of these is its evidence.
- A file counts as read as soon as anything else was taken from its text, its tree or its length:
  also when it does not parse, when only a worker process read it, and when the answer was
  remembered by an earlier project of the run or came from an index on disk. What goes through
  ``WatchedSnapshot`` counts by itself.
- A file that a change edits counts as read. What later phases see of it follows from that.
- Comments and blank lines of a file count only if the answer names the file. Rules take comments
  from files that they edit, and name the file of each line. A law holds this.
- When in doubt a file is read: one too many costs time, one too few an answer that is wrong.

The engine itself tracks the set of paths, all files other than Python (manifests), files with
suppression comments, and those with findings, so they are not recorded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import msgspec
from msgspec import Struct

from awaken.contract import Span
from awaken.project.source.memo import RECORDER, Record
from awaken.workspace.sources import Snapshot, SourceFile

_KEPT_FACTS = 100_000
"""Parts of files that are held once for all units: 20 MB."""

SearchKind = Literal[
    "bytes", "word", "inherited", "renamed", "called", "defined", "imported", "read", "doubles",
    "exports", "facts",
]  # fmt: skip
"""Which question is asked of each file: ``bytes`` whether its text holds them; ``word``,
``inherited``, ``renamed``, ``called``, ``defined``, ``imported`` and ``read`` what ``Words``
answers; ``doubles`` (of nothing) whether a file of tests may hold doubles of Query; ``exports``
which names it takes from a module of that last name; ``facts`` what one file, by its path, says in
a part: a digest of that part of its facts (``FACTS``); in ``puts`` whether it puts something in the
place of an attribute with one of some names (none: any); in ``composes`` whether it may read
what a text names that is no literal; in ``sets`` on what it may set an attribute whose name it
computes.
``awaken.engine.remembering.evidence`` answers them for one file."""


class Search(Struct, frozen=True, order=True):
    """A question that the path and the text of each Python file answer by themselves."""

    kind: SearchKind
    sought: bytes


PartKind = Literal["bound", "mentions"]


class NamedPart:
    """The statements at the top of a file that bind or mention a name, in their order.

    ``key`` has the kind and the name. ``spans`` are their bytes of ``text``. All parts of the file
    depend on its ``head``. No tree is held.
    """

    __slots__ = ("_evidence", "_head", "_key", "_spans", "_text", "path")

    def __init__(
        self,
        path: str,
        key: tuple[PartKind, str],
        text: bytes,
        spans: tuple[Span, ...],
        head: bytes,
    ) -> None:
        self.path = path
        self._key = key
        self._text = text
        self._spans = spans
        self._head = head
        self._evidence: tuple[Search, dict[str, bytes]] | None = None

    def answer(self) -> bytes:
        """Return a digest of these statements."""
        digest = hashlib.blake2b(self._head, digest_size=16)
        for span in self._spans:
            digest.update(b"\0%d\0" % (span.end - span.start))
            digest.update(self._text[span.start : span.end])
        return digest.digest()

    def evidence(self) -> tuple[Search, dict[str, bytes]]:
        """Return the search for this part, and the answer by path; all units share them."""
        if self._evidence is None:
            search = facts_search(self.path, *self._key)
            self._evidence = search, told_by(self.path, self.answer())
        return self._evidence


class LookedAt(Struct):
    """The evidence of one run, all its phases and processes together.

    ``searched`` gives the Python files in which each search holds, ``read`` the files of which
    more was seen; both by project-relative path. ``told`` gives, for searches that are answered
    with more than yes, what each of these files answered.
    """

    searched: dict[Search, frozenset[str]] = msgspec.field(default_factory=dict)
    read: set[str] = msgspec.field(default_factory=set)
    told: dict[Search, dict[str, bytes]] = msgspec.field(default_factory=dict)

    def add(self, other: LookedAt) -> None:
        """Take over what another process looked at on the same files."""
        self.searched.update(other.searched)
        self.read |= other.read
        self.told.update(other.told)

    @classmethod
    def of_record(cls, record: Record) -> LookedAt:
        """Return all that was noted in ``record``, and in those that it leads to."""
        looked_at, parts = cls(), list[NamedPart]()
        for key, answer in record.all_notes().items():
            if isinstance(key, str):
                looked_at.read.add(key)
            elif isinstance(key, NamedPart):
                parts.append(key)
            elif isinstance(answer, frozenset):
                looked_at.searched[key] = answer
            else:
                looked_at.told[key] = answer
        for part in parts:
            if part.path not in looked_at.read:
                search, answer = part.evidence()
                looked_at.told[search] = answer
        return looked_at

    def note_search(self, search: Search, paths: Iterable[str]) -> None:
        """Note that ``search`` was asked of all Python files, and that it holds in ``paths``."""
        self.searched[search] = hits = frozenset(paths)
        RECORDER.note(search, hits)

    def note_answers(self, search: Search, answers: dict[str, bytes]) -> None:
        """Note that ``search`` was asked of all Python files; those left out answered nothing."""
        self.told[search] = answers
        RECORDER.note(search, answers)

    def note_facts(self, path: str, part: str, word: str, answer: bytes | None) -> None:
        """Note what the file at ``path`` answered about a part of its facts."""
        self.note_answers(facts_search(path, part, word), told_by(path, answer))

    def note_read(self, path: str) -> None:
        """Note that the text of the file at ``path`` was read."""
        self.read.add(path)
        RECORDER.note(path, None)


# Thousands of units ask the same of the same files, and each holds what it asked.
@lru_cache(maxsize=_KEPT_FACTS)
def told_by(path: str, answer: bytes | None) -> dict[str, bytes]:
    """Return the answer of one file by its path; an empty table for None."""
    return {} if answer is None else {path: answer}


@lru_cache(maxsize=_KEPT_FACTS)
def facts_search(path: str, part: str = "", word: str = "") -> Search:
    """Return the search for a part of the facts of one file; without a part, its beginning."""
    words = "\0".join((path, part, word) if part else (path, ""))
    return Search("facts", words.encode("utf-8", "surrogateescape"))


class WatchedSnapshot(Snapshot):
    """A snapshot that notes which of its files are read."""

    def __init__(self, files: Snapshot, looked_at: LookedAt) -> None:
        super().__init__({path: files[path] for path in files})
        self.looked_at = looked_at

    def __getitem__(self, path: str) -> SourceFile:
        self.looked_at.note_read(path)
        return super().__getitem__(path)

    def get(self, path: str) -> SourceFile | None:
        """Return the file at ``path``, or None."""
        self.looked_at.note_read(path)
        return super().get(path)

    def file_to_search(self, path: str) -> SourceFile:
        """Return the file at ``path`` for a search, which whoever asks notes."""
        return super().__getitem__(path)
