"""Summaries of texts by content: in memory for one run, on disk for those to come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar

import msgspec

from awaken.project.names.file_facts import FileFacts
from awaken.project.store.table import Table

Summary = TypeVar("Summary")

_KEY_BYTES = 32


class Summaries(MutableMapping[bytes, Summary], Generic[Summary]):
    """The summaries of one ``kind`` by the text that they are of.

    ``made_by`` names the code and the Python that make them: what others made is not taken.
    Without a ``table`` they are kept for this run alone.
    """

    def __init__(self, kind: type[Summary], made_by: str = "", table: Table | None = None) -> None:
        self._table = table
        self._known: dict[bytes, Summary] = {}
        self._prefix = hashlib.blake2b(
            f"{made_by}\0{kind.__module__}.{kind.__qualname__}\0".encode(), digest_size=_KEY_BYTES
        )
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()

    def __getitem__(self, text: bytes) -> Summary:
        if text not in self._known:
            found = self._read(text)
            if found is None:
                raise KeyError(text)
            self._known[text] = found
        return self._known[text]

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
        key = self._prefix.copy()
        key.update(text)
        return key.digest()


class Store:
    """All that is kept of texts; one for all snapshots, phases and processes of a run."""

    def __init__(self, made_by: str = "", table: Table | None = None) -> None:
        self._table = table
        self.facts: Summaries[FileFacts] = Summaries(FileFacts, made_by, table)

    def save(self) -> None:
        """Write what is new to disk, if the store lies there."""
        if self._table is not None:
            self._table.save()
