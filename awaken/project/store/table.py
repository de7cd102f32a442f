"""Bytes by key in one SQLite file: a row comes back as it was written, or not at all.

SQLite handles concurrent readers and writers, interrupted writes and full disks. It cannot know
whether awaken itself wrote a row. So each row has a code that only the holder of the user's key can
make. No answer depends on the store: a failing read or write is skipped.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.util import Finalize
from pathlib import Path

KEEP_BYTES = 400_000_000
"""The summaries of all projects together; a million lines take about 20 MB."""

_SHARE_KEPT = 0.8
"""What stays of ``KEEP_BYTES`` where rows must go, so that not each run looks for the oldest."""

_FRESH_DAYS = 7
"""Days after which a row that is used is marked as used again: most runs write nothing."""

_SECONDS_TO_WAIT = 1.0
"""How long a run waits for the writes of another one before it goes on without the store."""

_DAY = 86_400
_CODE_BYTES = 32
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS summaries(
        key BLOB PRIMARY KEY, used INTEGER NOT NULL, code BLOB NOT NULL, summary BLOB NOT NULL
    )
"""
_FIND = "SELECT used, code, summary FROM summaries WHERE key = ?"
_KEEP = "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)"
_MARK = "UPDATE summaries SET used = ? WHERE key = ?"
_OLDEST = "SELECT rowid, length(summary) + 128 FROM summaries ORDER BY used, rowid"
"""With what a row takes beside its summary: the key, twice, the code and the lengths."""


class Table:
    """Rows in the SQLite ``file``, which exists and is the user's own; ``secret`` signs them.

    New rows are kept in memory until ``save``. A forked process opens the file for itself, and
    saves what it added when it ends.
    """

    def __init__(self, file: Path, secret: bytes, keep_bytes: int = KEEP_BYTES) -> None:
        self._file = file
        self._secret = secret
        self._keep_bytes = keep_bytes
        self._today = int(time.time() / _DAY)
        self._process = os.getpid()
        self._inherited: list[sqlite3.Connection | None] = []
        self._connection: sqlite3.Connection | None = None
        self._new: dict[bytes, bytes] = {}
        self._used: set[bytes] = set()
        self._is_usable = True
        self._has_rows = True

    def get(self, key: bytes) -> bytes | None:
        """Return what was kept under ``key``; None if nothing was that can be trusted."""
        self._enter_process()
        if key in self._new:
            return self._new[key]
        row = None
        if self._has_rows and self._is_usable:
            with self._tried_connections() as connection:
                row = None if connection is None else connection.execute(_FIND, (key,)).fetchone()
        if row is None:
            return None
        used, code, summary = row
        if not isinstance(code, bytes) or not isinstance(summary, bytes):
            return None
        if not hmac.compare_digest(code, self._code(key, summary)):
            return None
        if not isinstance(used, int) or not self._today - _FRESH_DAYS <= used <= self._today:
            self._used.add(key)
        return summary

    def put(self, key: bytes, summary: bytes) -> None:
        """Keep ``summary`` under ``key``."""
        self._enter_process()
        self._new[key] = summary

    def save(self) -> None:
        """Write the new rows, all or none of them, and let the oldest go where there are many."""
        self._enter_process()
        with suppress(OSError):
            if self._file.stat().st_size > 2 * self._keep_bytes:
                self._start_over()
        if self._new or self._used:
            with self._tried_connections() as connection:
                if connection is not None:
                    self._write(connection)
        self._new.clear()
        self._used.clear()
        self._close()

    def _write(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(_SCHEMA)
            rows = ((k, self._today, self._code(k, item), item) for k, item in self._new.items())
            connection.executemany(_KEEP, rows)
            connection.executemany(_MARK, ((self._today, key) for key in self._used))
            self._drop_oldest(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _drop_oldest(self, connection: sqlite3.Connection) -> None:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        kept = (pages - free) * size
        if kept <= self._keep_bytes:
            return
        dropped: list[tuple[int]] = []
        for row, length in connection.execute(_OLDEST):
            if kept <= self._keep_bytes * _SHARE_KEPT:
                break
            dropped.append((row,))
            kept -= length
        connection.executemany("DELETE FROM summaries WHERE rowid = ?", dropped)

    def _code(self, key: bytes, summary: bytes) -> bytes:
        code = hashlib.blake2b(key, key=self._secret, digest_size=_CODE_BYTES)
        code.update(summary)
        return code.digest()

    @contextmanager
    def _tried_connections(self) -> Iterator[sqlite3.Connection | None]:
        """Give the open file, None if it cannot be used; what fails with it ends silently."""
        try:
            connection = self._opened_connection()
        except sqlite3.Error as error:
            self._give_up(error)
            connection = None
        try:
            yield connection
        except sqlite3.Error as error:
            self._give_up(error)

    def _opened_connection(self) -> sqlite3.Connection | None:
        if self._connection is None and self._is_usable:
            self._connection = sqlite3.connect(
                f"{self._file.as_uri()}?mode=rw",
                uri=True,
                timeout=_SECONDS_TO_WAIT,
                isolation_level=None,
            )
            # A foreign schema runs no functions. Rows are signed: a machine that stops while they
            # are written costs rows, so nothing waits for the disk.
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.execute("PRAGMA synchronous = OFF")
        return self._connection if self._is_usable else None

    def _give_up(self, error: sqlite3.Error) -> None:
        code = getattr(error, "sqlite_errorcode", None)
        if code in _BROKEN:
            self._start_over()
        # There may be no table yet: nothing is read from it then, and `save` makes it.
        self._has_rows = False
        self._is_usable = self._is_usable and code == sqlite3.SQLITE_ERROR

    def _start_over(self) -> None:
        """Empty a file that is too large, or no database of awaken: the next run fills it again."""
        self._close()
        self._is_usable = False
        with suppress(OSError):
            os.truncate(self._file, 0)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _enter_process(self) -> None:
        """Open the file again in a forked process: SQLite's locks belong to its parent."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        # Kept, for closing it would end the parent's locks.
        self._inherited.append(self._connection)
        self._connection = None
        self._new, self._used = {}, set()
        Finalize(None, self.save, exitpriority=1)
