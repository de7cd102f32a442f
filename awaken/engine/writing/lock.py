"""Locks on trees: two runs exclude each other, also where one root lies inside the other.

Each run keeps a file of its own in the lock directory, locked for as long as the process lives;
a gate file, locked for a moment, lets one process at a time look at the others' and add its own.
The operating system drops the lock of a dead process, so a file that can be locked is stale.
Only runs that share a state directory see each other.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from awaken.engine.machine.apply_errors import StateDirectoryError, TreeLockedError
from awaken.engine.machine.filesystem import NO_WAIT, REAL, make_private_directories
from awaken.engine.machine.state_directory import require_private
from awaken.workspace.reading import NO_LINK

_GATE_SECONDS = 10.0
"""The gate is held for milliseconds: who has waited ten seconds waits for a process that hangs."""

_RECORD = 1
"""Where a lock file says who holds it: behind the byte that is locked, and Windows lets nobody else
read that one."""


class Holder(Struct, frozen=True):
    """The run that holds a tree: its process id, since when, and the root it works on."""

    process: int
    since: datetime
    root: bytes


def overlaps(one: Path, other: Path) -> bool:
    """Whether the two directories are the same or one lies inside the other."""
    return one.is_relative_to(other) or other.is_relative_to(one)


@contextmanager
def hold(root: Path, directory: Path) -> Iterator[None]:
    """Hold the tree at ``root`` (a real path) by a lock in ``directory``, which is made if needed.

    Raises TreeLockedError if a living process holds it, or one inside or around it, and
    StateDirectoryError if the directory cannot be used, or is not this user's alone.
    """
    try:
        place, descriptor = _acquire(root, directory)
    except OSError as error:
        raise StateDirectoryError(directory, error) from error
    try:
        yield
    finally:
        os.close(descriptor)
        # A leftover would be stale, and the next run removes it.
        with suppress(OSError):
            place.unlink()


def holder(root: Path, directory: Path) -> Holder | None:
    """Return the living run that holds ``root``, or a tree inside or around it.

    Raises StateDirectoryError if the lock directory cannot be used.
    """
    require_private(directory.parent, directory.name)
    if not directory.is_dir():
        return None
    try:
        with _gate(directory):
            return _living_holder(root, directory)
    except OSError as error:
        raise StateDirectoryError(directory, error) from error


def _acquire(root: Path, directory: Path) -> tuple[Path, int]:
    make_private_directories(REAL, directory)
    require_private(directory.parent, directory.name)
    with _gate(directory):
        other = _living_holder(root, directory)
        if other is not None:
            raise in_use(other)
        place = directory / f"{os.getpid()}-{secrets.token_hex(4)}.lock"
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _try_lock(descriptor)
            own = Holder(os.getpid(), datetime.now(UTC), os.fsencode(root))
            os.write(descriptor, bytes(_RECORD) + msgspec.msgpack.encode(own))
        except BaseException:
            os.close(descriptor)
            raise
    return place, descriptor


@contextmanager
def _gate(directory: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415  nothing else needs it

    gate = FileLock(directory / "gate", _GATE_SECONDS, mode=0o600, fallback_to_soft=False)
    try:
        gate.acquire(poll_interval=0.01)
    except Timeout:
        message = f"other awaken runs keep {directory} busy; try again later"
        raise TreeLockedError(message) from None
    try:
        yield
    finally:
        gate.release()


def _try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed. Return False if somebody else has."""
    from filelock import lock_descriptor  # noqa: PLC0415  as above

    return lock_descriptor(descriptor, blocking=False)


def _living_holder(root: Path, directory: Path) -> Holder | None:
    """Return a living run whose tree overlaps ``root``; files of dead ones are removed."""
    for place in sorted(directory.glob("*.lock")):
        other = _holder_at(place)
        if other is not None and overlaps(root, Path(os.fsdecode(other.root))):
            return other
    return None


def _holder_at(place: Path) -> Holder | None:
    try:
        descriptor = os.open(place, os.O_RDWR | NO_LINK | NO_WAIT)
    except FileNotFoundError:
        return None
    try:
        if not _try_lock(descriptor):
            os.lseek(descriptor, _RECORD, os.SEEK_SET)
            result = msgspec.msgpack.decode(os.read(descriptor, 1 << 16), type=Holder)
            result.since.astimezone()
            return result
    except (msgspec.DecodeError, ValueError, OverflowError) as error:
        raise TreeLockedError(
            f"the lock {place} belongs to another version of awaken; wait for its run"
        ) from error
    finally:
        os.close(descriptor)
    with suppress(FileNotFoundError):
        place.unlink()
    return None


def in_use(other: Holder) -> TreeLockedError:
    """Return the error that says which living run works on a tree."""
    root = os.fsencode(os.fsdecode(other.root)).decode("utf-8", "backslashreplace")
    since = f"{other.since.astimezone():%Y-%m-%d %H:%M:%S}"
    return TreeLockedError(
        f"another awaken run (process {other.process}, since {since}) works on {root}; "
        "wait until it ends, then run this again"
    )
