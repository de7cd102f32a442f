"""The log on disk: lines of JSON that are only ever added, each in one write.

A process that is killed, or a full disk, may leave a torn last line. It says nothing: the next
coordinator cuts it off, and readers pass over it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from awaken.batch.state.records import Record
from awaken.contract import UserError

_DECODER = msgspec.json.Decoder(Record)
_ENCODER = msgspec.json.Encoder()


def read_log(path: Path) -> tuple[list[Record], list[int]]:
    """Return the records of a log in their order, and the numbers of lines without one.

    A last line without its end is no record. Without a file there are no records.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    whole = content[: content.rfind(b"\n") + 1]
    records: list[Record] = []
    unread: list[int] = []
    for number, line in enumerate(whole.split(b"\n")[:-1], 1):
        try:
            records.append(_DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            unread.append(number)
    return records, unread


class StateLog:
    """The log of a campaign, open to append; only the coordinator that holds the lock has one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o600)
        self._size = self._cut()

    def append(self, *records: Record) -> None:
        """Add ``records``, all of them or none, and wait until they are on the disk.

        Raises UserError where the disk is full or fails; the log is as before then.
        """
        line = memoryview(b"".join(_ENCODER.encode(record) + b"\n" for record in records))
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            raise UserError(
                f"{self._path} cannot be written: {error.strerror or error}; "
                "make room and run the same command again"
            ) from None
        self._size += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _cut(self) -> int:
        """Cut a torn last line off, and return the size of the log."""
        size = os.fstat(self._descriptor).st_size
        end = size
        while end:
            start = max(0, end - 4096)
            block = os.pread(self._descriptor, end - start, start)
            at = block.rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        if end != size:
            os.ftruncate(self._descriptor, end)
        return end


def merged_records(known: Iterable[Record], others: Iterable[Record]) -> Iterator[Record]:
    """Yield those of ``others`` that are not ``known`` yet, in their order."""
    seen = {_ENCODER.encode(record) for record in known}
    for record in others:
        if _ENCODER.encode(record) not in seen:
            yield record
