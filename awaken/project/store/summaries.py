"""Summaries of texts by content: in memory for one run, on disk for those to come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping
from typing import Any, Generic, TypeVar

import msgspec

from awaken.project.names.file_facts import FACTS, FactsKind
from awaken.project.source.words import WORD_KINDS, WordKind, WordSet
from awaken.project.store.table import Table

Summary = TypeVar("Summary")

_KEY_BYTES = 32


class Summaries(MutableMapping[bytes, Summary], Generic[Summary]):
    """The summaries of one ``kind`` by the text that they are of.

    ``what`` tells them from all others, and names the code and the Python that make them.
    Without a ``table`` they are kept for this run alone. ``digests`` are those of texts.
    """

    def __init__(
        self, kind: type[Summary], what: str, table: Table | None, digests: dict[bytes, bytes]
    ) -> None:
        self._table = table
        self._digests = digests
        self._known: dict[bytes, Summary] = {}
        self._prefix = hashlib.blake2b(f"{what}\0".encode(), digest_size=_KEY_BYTES)
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()

    def __getitem__(self, text: bytes) -> Summary:
        known = self._known.get(text)
        if known is None:
            known = self._read(text)
            if known is None:
                raise KeyError(text)
            self._known[text] = known
        return known

    def __setitem__(self, text: bytes, summary: Summary) -> None:
        self._known[text] = summary
        if self._table is None:
            return
        try:
            encoded = self._encoder.encode(summary)
        except (UnicodeEncodeError, OverflowError):
            # A literal with half a surrogate pair has no UTF-8: such a text is read each time.
            return
        self._table.put(self._key(text), encoded)

    def __delitem__(self, text: bytes) -> None:
        del self._known[text]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _read(self, text: bytes) -> Summary | None:
        encoded = None if self._table is None else self._table.get(self._key(text))
        if encoded is None:
            return None
        try:
            return self._decoder.decode(encoded)
        except msgspec.DecodeError:
            return None

    def _key(self, text: bytes) -> bytes:
        digest = self._digests.get(text)
        if digest is None:
            digest = hashlib.blake2b(text, digest_size=_KEY_BYTES).digest()
            self._digests[text] = digest
        key = self._prefix.copy()
        key.update(digest)
        return key.digest()


class Store:
    """All that is kept of texts; one for all snapshots, phases and processes of a run."""

    def __init__(self, made_by: str = "", table: Table | None = None) -> None:
        self._table = table
        digests: dict[bytes, bytes] = {}
        self.facts: dict[FactsKind, Summaries[Any]] = {
            kind: Summaries(type_, f"{made_by} facts {kind}", table, digests)
            for kind, type_ in FACTS.items()
        }
        self.words: dict[WordKind, Summaries[WordSet]] = {
            kind: Summaries(WordSet, f"{made_by} words {kind}", table, digests)
            for kind in WORD_KINDS
        }

    def save(self) -> None:
        """Write what is new to disk, if the store lies there."""
        if self._table is not None:
            self._table.save()
