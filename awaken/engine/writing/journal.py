"""The journal: one file per apply, in the user's state directory, holding every original.

``000042-<root>-<token>.applying`` is the 42nd apply of a root; the suffix is its status, so that
moving on is one rename and finding an unfinished apply needs no reading:

    applying → done → undoing → undone        (a failed apply goes from applying to undone)

``applying`` and ``undoing`` are unfinished: their run lives, or was killed. The content is one
msgpack record that is complete before the first byte of the tree is written.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

import msgspec
from msgspec import Struct

from awaken.engine.machine.apply_errors import (
    DamagedJournalError,
    StateDirectoryError,
    TreeLockedError,
)
from awaken.engine.machine.filesystem import (
    FileSystem,
    NotOursError,
    digest,
    in_git_directory,
    make_private_directories,
    naming,
    read_regular,
    write_file,
)
from awaken.engine.machine.state_directory import require_private, state_directory
from awaken.engine.writing.lock import hold

Status = Literal["applying", "done", "undoing", "undone"]

KEPT_PER_ROOT = 50
"""Finished applies that a root keeps. A choice: more than anybody takes back one by one."""
KEPT_SECONDS = 30 * 24 * 3600
"""A month, as the cache. A choice: by then the changes are committed, and git has the originals."""
_FORMAT = 1
_NAME = re.compile(
    r"(?P<id>(?P<number>\d{6,})-(?P<root>[0-9a-f]{16})-[0-9a-f]{8})"
    r"\.(?P<status>applying|done|undoing|undone)"
)


class SavedFile(Struct, frozen=True):
    """One file of an apply; ``path`` is relative to the root, in the file system's own bytes.

    ``before`` and ``after`` are SHA-256 digests; ``before`` is empty for a created file, which
    has no ``original``, and whose ``mode`` means nothing.
    """

    path: bytes
    before: bytes
    after: bytes
    original: bytes = b""
    mode: int = 0

    @property
    def is_created(self) -> bool:
        """Whether the apply makes this file."""
        return not self.before


class Record(Struct, frozen=True, kw_only=True):
    """The record of one apply: ``directories`` are the new ones, the outermost first.

    The next verification takes back a record ``by_verify`` if that one was killed: its tests can
    run again.
    """

    format: int = _FORMAT
    root: bytes
    started: datetime
    version: str
    command: str
    files: tuple[SavedFile, ...]
    directories: tuple[bytes, ...] = ()
    by_verify: bool = False

    @property
    def root_path(self) -> Path:
        """The real path of the project root."""
        return Path(os.fsdecode(self.root))

    def place(self, path: bytes) -> Path:
        """Return the absolute path of a file or directory of this record."""
        return self.root_path / os.fsdecode(path)


class JournalEntry(Struct, frozen=True, order=True):
    """One journal file as its name tells it; entries of one root sort by age."""

    number: int
    id: str
    root_key: str
    status: Status

    @property
    def file_name(self) -> str:
        """The name in the journal directory."""
        return f"{self.id}.{self.status}"

    @property
    def is_unfinished(self) -> bool:
        """Whether the run of this entry has not come to its end."""
        return self.status in {"applying", "undoing"}

    def belongs(self, root: Path) -> bool:
        """Whether this is an apply of this very root."""
        return self.root_key == _root_key(root)


class Journal:
    """The journal files below one state directory.

    Methods that write raise OSError: its meaning depends on the caller's progress.
    """

    def __init__(self, state: Path, filesystem: FileSystem) -> None:
        self.state = state_directory(state)
        self.directory = self.state / "journal"
        self.locks = self.state / "locks"
        self.filesystem = filesystem

    def next_entry(self, root: Path) -> JournalEntry:
        """Return the entry of a new apply, above all others of ``root``; writes nothing."""
        number = max((entry.number for entry in self.entries(root)), default=0) + 1
        key = _root_key(root)
        # Random, because users with journals of their own may share a tree.
        return JournalEntry(number, f"{number:06d}-{key}-{secrets.token_hex(4)}", key, "applying")

    def begin(self, entry: JournalEntry, record: Record) -> None:
        """Save ``record`` under ``entry``; from here on a kill is found."""
        make_private_directories(self.filesystem, self.directory)
        require_private(self.state, self.directory.name)
        # For the user alone: the originals may be of files that others may not read.
        draft = self._draft(entry.id)
        write_file(self.filesystem, draft, msgspec.msgpack.encode(record), 0o600)
        self._rename(draft, self.path(entry))

    def discard_draft(self, journal_id: str) -> None:
        """Remove what an interrupted ``begin`` left."""
        # Files that cannot be removed now are pruned later.
        with suppress(OSError):
            self.filesystem.remove(self._draft(journal_id))

    def mark(self, entry: JournalEntry, status: Status) -> JournalEntry:
        """Move ``entry`` on to ``status``."""
        after = msgspec.structs.replace(entry, status=status)
        try:
            self._rename(self.path(entry), self.path(after))
        except OSError:
            # Renamed to a last status but perhaps not durably: a loss of power would bring an
            # unfinished entry back, whose undo is right. Failing now would ask for a second undo.
            if after.is_unfinished or not self.path(after).exists():
                raise
        return after

    def find(self, journal_id: str) -> JournalEntry | None:
        """Return the current entry with this id."""
        return next((entry for entry in self.entries() if entry.id == journal_id), None)

    def entries(self, root: Path | None = None) -> list[JournalEntry]:
        """Return the entries, of ``root`` or of all roots, the oldest first.

        A directory that is missing or unreadable holds no entry of awaken. Raises
        StateDirectoryError for one that is not this user's alone.
        """
        require_private(self.state, self.directory.name)
        try:
            names = [path.name for path in self.directory.iterdir()]
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []
        matches = (match for match in map(_NAME.fullmatch, names) if match)
        entries = [_entry(match) for match in matches]
        key = None if root is None else _root_key(root)
        return sorted(entry for entry in entries if key in {None, entry.root_key})

    def unfinished_entries(self) -> list[JournalEntry]:
        """Return the unfinished entries of all roots."""
        return [entry for entry in self.entries() if entry.is_unfinished]

    def path(self, entry: JournalEntry) -> Path:
        """Return the journal file of ``entry``."""
        return self.directory / entry.file_name

    def read(self, entry: JournalEntry) -> Record:
        """Return the record of ``entry``, every original checked against its digest.

        Raises DamagedJournalError, also for a record of a newer awaken, and for one that names
        anything but files of its own root.
        """
        path = self.path(entry)
        try:
            content = read_regular(path, ours=True)
            # The format first: a record of a newer awaken may well decode as one of this.
            newer = msgspec.msgpack.decode(content, type=_Head).format > _FORMAT
            record = None if newer else msgspec.msgpack.decode(content, type=Record)
        except NotOursError as error:
            raise _damaged_error(path, f"cannot be used ({error.strerror})") from error
        except OSError as error:
            raise StateDirectoryError(self.directory, error) from error
        except msgspec.DecodeError as error:
            raise _damaged_error(path, f"cannot be read ({error})") from error
        if record is None:
            raise _damaged_error(path, "was written by a newer awaken")
        if any(digest(file.original) != file.before for file in record.files if file.before):
            raise _damaged_error(path, "contains an original that differs from the saved one")
        if not _is_sound(record, entry):
            raise _damaged_error(path, "names files that no apply of its project can have written")
        return record

    def prune(self, root: Path) -> None:
        """Remove finished entries that are too old, and of ``root`` (held by us) those too many.

        An entry of another root is removed only while no run holds that root.
        """
        with suppress(FileNotFoundError):
            own = [entry for entry in self.entries(root) if not entry.is_unfinished]
            for entry in own[:-KEPT_PER_ROOT]:
                self.filesystem.remove(self.path(entry))
            for entry in self.entries():
                if not entry.is_unfinished and _old(self.path(entry)):
                    self._prune_old(entry, root)
            for draft in self.directory.glob(".*.draft"):
                if _old(draft) or _root_key(root) in draft.name:
                    self.filesystem.remove(draft)

    def _prune_old(self, entry: JournalEntry, root: Path) -> None:
        if entry.belongs(root):
            self.filesystem.remove(self.path(entry))
            return
        with (
            suppress(DamagedJournalError, TreeLockedError),
            hold(self.read(entry).root_path, self.locks),
        ):
            # Looked at again under the lock: its run may have begun to undo it meanwhile.
            current = self.find(entry.id)
            if current is not None and not current.is_unfinished:
                self.filesystem.remove(self.path(current))

    def _rename(self, source: Path, target: Path) -> None:
        with naming(target):
            self.filesystem.replace(source, target)
            self.filesystem.sync_directory(self.directory)

    def _draft(self, journal_id: str) -> Path:
        return self.directory / f".{journal_id}.draft"


class _Head(Struct):
    format: int


@contextmanager
def usable(journal: Journal) -> Iterator[None]:
    """Turn an OSError about the journal into a sentence."""
    try:
        yield
    except OSError as error:
        raise StateDirectoryError(journal.directory, error) from error


def _entry(match: re.Match[str]) -> JournalEntry:
    status = cast("Status", match["status"])
    return JournalEntry(int(match["number"]), match["id"], match["root"], status)


def _root_key(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:16]


def _is_sound(record: Record, entry: JournalEntry) -> bool:
    """Whether the record is of the root that its name says, and names only files inside of it."""
    try:
        record.started.astimezone()
    except (ValueError, OverflowError):
        return False
    return (
        b"\0" not in record.root
        and record.root_path.is_absolute()
        and _root_key(record.root_path) == entry.root_key
        and all(_is_inside(path) for path in (*(f.path for f in record.files), *record.directories))
    )


def _is_inside(path: bytes) -> bool:
    """Whether a path of a record is relative, and written in the one way that awaken writes it."""
    place = Path(os.fsdecode(path))
    return (
        b"\0" not in path
        and os.fsencode(place) == path
        and bool(place.parts)
        and not place.is_absolute()
        and not place.drive
        and ".." not in place.parts
        and not in_git_directory(place)
    )


def _old(path: Path) -> bool:
    # The wall clock on purpose: the age must survive a restart of the machine.
    return time.time() - path.stat().st_mtime > KEPT_SECONDS


def _damaged_error(path: Path, what: str) -> DamagedJournalError:
    return DamagedJournalError(
        f"the journal file {path} {what}; check its project with your version control, "
        "then delete that file"
    )
