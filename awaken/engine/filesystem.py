"""The one seam through which apply, undo and journal write: tests replace it to inject faults."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_BINARY = getattr(os, "O_BINARY", 0)


class FileSystem:
    """Every operation that changes a disk, one method each; all raise OSError."""

    def create(self, path: Path, mode: int) -> int:
        """Create ``path``, which must not exist, and return a descriptor to write to."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)

    def write(self, descriptor: int, content: memoryview) -> int:
        """Write some of ``content`` and return how many bytes were written."""
        return os.write(descriptor, content)

    def set_owner(self, path: Path, user: int, group: int) -> None:
        """Give ``path`` to ``user`` and ``group``; POSIX only."""
        if sys.platform != "win32":
            os.chown(path, user, group)

    def set_mode(self, path: Path, mode: int) -> None:
        """Set the permission bits of ``path``."""
        path.chmod(mode)

    def sync(self, descriptor: int) -> None:
        """Wait until the content of the open file is on the disk."""
        os.fsync(descriptor)

    def sync_directory(self, path: Path) -> None:
        """Wait until the entries of a directory are on the disk; Windows offers no such call."""
        if sys.platform == "win32":
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Put ``source`` in the place of ``target`` in one step."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_directory(self, path: Path, mode: int) -> None:
        """Make one directory whose parent exists."""
        path.mkdir(mode)

    def remove_directory(self, path: Path) -> None:
        """Remove one empty directory."""
        path.rmdir()


REAL = FileSystem()


def digest(content: bytes) -> bytes:
    """Return the SHA-256 that stands for the bytes of a file."""
    return hashlib.sha256(content).digest()


def digest_at(path: Path) -> bytes | None:
    """Return the digest of the regular file at ``path``, b"" where nothing exists.

    None says that something else stands there: a directory, a link, a file behind a link.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or os.path.realpath(path) != str(path):
            return None
        return digest(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return b""


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Let an OSError name ``target``, the file the user knows, not a temporary file beside it."""
    try:
        yield
    except OSError as error:
        error.filename = str(target)
        raise


def write_file(
    filesystem: FileSystem, path: Path, content: bytes, mode: int | None, like: Path | None = None
) -> None:
    """Create ``path`` with ``content`` and ``mode`` and wait until it is on the disk.

    Without ``mode`` the process's umask decides. The owner is that of ``like`` where possible.
    """
    with naming(path):
        descriptor = filesystem.create(path, 0o666 if mode is None else 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[filesystem.write(descriptor, rest) :]
            if like is not None:
                _copy_owner(filesystem, path, like)
            if mode is not None:
                filesystem.set_mode(path, mode)
            filesystem.sync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, which takes the place of ``file`` in one step when all went well.

    A link stays one: its target is replaced. The permission bits stay as well, or are those of
    any new file. Raises OSError; what stood there before then still does.
    """
    import tempfile  # noqa: PLC0415  few runs write a file of their own

    target = Path(os.path.realpath(file))
    if target.is_dir():
        raise IsADirectoryError(None, "it is a directory")
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:32]}-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as binary:
            yield binary
            binary.flush()
            REAL.sync(binary.fileno())
        REAL.set_mode(temporary, _mode_at(target))
        REAL.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _mode_at(target: Path) -> int:
    """Return the permission bits that ``target`` has, or that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _copy_owner(filesystem: FileSystem, path: Path, like: Path) -> None:
    own, wanted = path.stat(), like.stat()
    if (own.st_uid, own.st_gid) != (wanted.st_uid, wanted.st_gid):
        # Only root may give a file away; others keep it as theirs, as every editor does.
        with suppress(PermissionError):
            filesystem.set_owner(path, wanted.st_uid, wanted.st_gid)


def missing_directories(path: Path) -> list[Path]:
    """Return ``path`` and those of its parents that do not exist, the outermost first."""
    missing = []
    for place in (path, *path.parents):
        if os.path.lexists(place):
            break
        missing.append(place)
    return missing[::-1]


def make_private_directories(filesystem: FileSystem, path: Path) -> None:
    """Make ``path`` and its missing parents, for the user alone."""
    for directory in missing_directories(path):
        # Another run may make it at the same moment.
        with suppress(FileExistsError):
            filesystem.make_directory(directory, 0o700)
