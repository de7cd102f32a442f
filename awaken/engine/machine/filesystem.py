"""The one seam through which apply, undo and journal write: tests replace it to inject faults.

Every path is a real one. On its way to a file no link is followed: each directory is opened in the
one above it, so a directory that somebody swaps for a link while we work leads nowhere.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import IO

from awaken.workspace.reading import NO_LINK, working_tree

_BINARY = getattr(os, "O_BINARY", 0)
# A named pipe must not keep us waiting for its other end.
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
# Linux opens directories that may only be passed through, such as /home with mode 0711.
_PASSED = getattr(os, "O_PATH", os.O_RDONLY)

WALKS = os.open in os.supports_dir_fd and bool(NO_LINK)
"""Whether the system opens files in open directories; Windows does not, and takes whole paths."""

PERMISSIONS = 0o777
"""The mode bits that awaken sets: never those that run a file as somebody else."""

_NOT_FOR_US = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL}
"""What a system says of attributes that this user, or the file system, may not set."""


def open_directory(path: Path) -> int:
    """Return a descriptor of the directory at ``path``, a real path: no link is followed.

    It serves as ``dir_fd`` alone. Raises OSError, which names the link where there is one.
    """
    # Part by part: O_NOFOLLOW alone looks at the last part of a path and follows all others.
    descriptor = os.open(path.anchor, _PASSED | _DIRECTORY)
    for at, part in enumerate(path.parts[1:], 2):
        try:
            inner = os.open(part, _PASSED | _DIRECTORY | NO_LINK, dir_fd=descriptor)
        except OSError as error:
            place = Path(*path.parts[:at])
            if error.errno in {errno.ENOTDIR, errno.ELOOP} and place.is_symlink():
                raise OSError(errno.ELOOP, "a directory has become a link", str(place)) from None
            error.filename = str(place)
            raise
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


@contextmanager
def _hold_directory(path: Path) -> Iterator[tuple[str, int | None]]:
    """Hold the directory of ``path`` open; give the name in it, and the ``dir_fd`` to use."""
    if not WALKS:
        yield str(path), None
        return
    descriptor = open_directory(path.parent)
    try:
        with naming(path):
            yield path.name, descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_items(path: Path) -> Iterator[int]:
    """Open the file at ``path``, which is no link, for reading."""
    with _hold_directory(path) as (name, directory):
        # Opened first and looked at through the descriptor: a name may mean another file by then.
        descriptor = os.open(name, os.O_RDONLY | _BINARY | NO_LINK | NO_WAIT, dir_fd=directory)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


class FileSystem:
    """Every operation that changes a disk, one method each; all raise OSError."""

    def create(self, path: Path, mode: int) -> int:
        """Create ``path``, which must not exist, and return a descriptor to write to."""
        with _hold_directory(path) as (name, directory):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
            return os.open(name, flags, mode, dir_fd=directory)

    def write(self, descriptor: int, content: memoryview) -> int:
        """Write some of ``content`` and return how many bytes were written."""
        return os.write(descriptor, content)

    def set_owner(self, descriptor: int, user: int, group: int) -> None:
        """Give the open file to ``user`` and ``group``; POSIX only."""
        if sys.platform != "win32":
            os.fchown(descriptor, user, group)

    def copy_attributes(self, descriptor: int, like: Path) -> None:
        """Give the open file the extended attributes and ACL of ``like``, and no others.

        As with ``cp -a``, attributes that this user or the file system may not set are left out.
        Linux only: Python knows no attributes elsewhere.
        """
        if sys.platform == "linux":
            with _opened_items(like) as source:
                wanted = {name: os.getxattr(source, name) for name in _attributes(source)}
            for name in _attributes(descriptor) - wanted.keys():
                # A directory may hand its ACL on to each new file in it.
                with _permitted_items():
                    os.removexattr(descriptor, name)
            for name, value in wanted.items():
                with _permitted_items():
                    os.setxattr(descriptor, name, value)

    def set_mode(self, descriptor: int, mode: int) -> None:
        """Set the permission bits of the open file; POSIX only."""
        if sys.platform != "win32":
            os.fchmod(descriptor, mode)

    def sync(self, descriptor: int) -> None:
        """Wait until the content of the open file is on the disk."""
        os.fsync(descriptor)

    def sync_directory(self, path: Path) -> None:
        """Wait until the entries of a directory are on the disk; Windows offers no such call."""
        if sys.platform == "win32":
            return
        with _opened_items(path) as descriptor:
            os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Put ``source`` in the place of ``target`` in one step."""
        with (
            _hold_directory(source) as (old, old_directory),
            _hold_directory(target) as (new, new_directory),
        ):
            os.replace(old, new, src_dir_fd=old_directory, dst_dir_fd=new_directory)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with _hold_directory(path) as (name, directory):
            os.unlink(name, dir_fd=directory)

    def make_directory(self, path: Path, mode: int) -> None:
        """Make one directory whose parent exists."""
        with _hold_directory(path) as (name, directory):
            os.mkdir(name, mode, dir_fd=directory)

    def remove_directory(self, path: Path) -> None:
        """Remove one empty directory."""
        with _hold_directory(path) as (name, directory):
            os.rmdir(name, dir_fd=directory)


def _attributes(descriptor: int) -> set[str]:
    if sys.platform == "linux":
        with _permitted_items():
            return set(os.listxattr(descriptor))
    return set()


@contextmanager
def _permitted_items() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_FOR_US:
            raise


REAL = FileSystem()


def digest(content: bytes) -> bytes:
    """Return the SHA-256 of the bytes of a file."""
    return hashlib.sha256(content).digest()


def digest_at(path: Path) -> bytes | None:
    """Return the digest of the regular file at ``path``, b"" where nothing exists.

    None says that something else is there: a directory, a link, a file below a link.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or os.path.realpath(path) != str(path):
            return None
        return digest(read_regular(path))
    except (FileNotFoundError, NotADirectoryError):
        return b""


def read_regular(path: Path, *, ours: bool = False) -> bytes:
    """Return the bytes of the regular file at ``path``, a real path.

    Raises OSError, also where a link or anything else stands there, and NotOursError if it must
    be ``ours`` and is not.
    """
    with _opened_items(path) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if ours:
            require_ours(status)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()


class NotOursError(OSError):
    """A file or directory of awaken's own that somebody else owns, or may write to."""


def require_ours(status: os.stat_result) -> None:
    """Raise NotOursError for a link, and unless this user owns a file and alone may write to it.

    Windows knows neither owner nor mode, and nothing is asked there.
    """
    if stat.S_ISLNK(status.st_mode):
        raise NotOursError(errno.ELOOP, "it is a link")
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise NotOursError(errno.EPERM, f"it belongs to another user, {status.st_uid}")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(status.st_mode)
        raise NotOursError(errno.EPERM, f"others may write to it, its mode is {mode:04o}")


def exists_without_links(path: Path) -> bool:
    """Whether anything is at ``path`` with no link on the way there."""
    return os.path.lexists(path) and os.path.realpath(path.parent) == str(path.parent)


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Let an OSError name ``target``, the file the user knows, not the temporary file."""
    try:
        yield
    except OSError as error:
        error.filename = str(target)
        raise


def write_file(
    filesystem: FileSystem, path: Path, content: bytes, mode: int | None, like: Path | None = None
) -> None:
    """Create ``path`` with ``content`` and ``mode`` and wait until it is on the disk.

    Without ``mode`` the process's umask decides. Owner, extended attributes and ACL are those of
    ``like`` where possible.
    """
    with naming(path):
        # With a mode to come, nobody else may open the file before it has that one.
        descriptor = filesystem.create(path, 0o666 if mode is None else 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[filesystem.write(descriptor, rest) :]
            if like is not None:
                # Before the mode: a change of owner takes bits away.
                _copy_owner(filesystem, descriptor, like)
                filesystem.copy_attributes(descriptor, like)
            if mode is not None:
                # Last: an ACL that came before has its say about the same bits.
                filesystem.set_mode(descriptor, mode)
            filesystem.sync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, which takes the place of ``file`` in one step when all went well.

    A link stays one: its target is replaced, if it leads to no place outside of the project that
    holds the link. Permission bits and attributes stay as well, or are those of any new file.
    Raises OSError; the old file is then unchanged.
    """
    import tempfile  # noqa: PLC0415  few runs write a file of their own

    target = Path(os.path.realpath(file))
    _require_inside(file, target)
    if target.is_dir():
        raise IsADirectoryError(None, "it is a directory")
    # Next to the target: a rename is one step only within one file system. Of its name so much that
    # people recognise it and no file system finds the whole too long.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:32]}-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as binary:
            yield binary
            binary.flush()
            if target.exists():
                REAL.copy_attributes(binary.fileno(), target)
            REAL.set_mode(binary.fileno(), _mode_at(target))
            REAL.sync(binary.fileno())
        REAL.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def in_git_directory(path: PurePath) -> bool:
    """Whether ``path`` leads into a git directory, whose files decide what git runs."""
    # In any case: some file systems take `.GIT` for the same directory.
    return any(part.lower() == ".git" for part in path.parts)


def _require_inside(file: Path, target: Path) -> None:
    """Raise OSError where ``file`` leads to a ``target`` that whoever named it cannot have meant.

    Links in the path of a file may come with a clone. They may lead anywhere in the working tree
    that holds them, or in the current directory, but not out of it.
    """
    named = Path(os.path.abspath(file))  # noqa: PTH100  it is the name that counts
    current = Path.cwd()
    within = working_tree(named.parent) or (
        current if named.is_relative_to(current) else named.parent
    )
    real = Path(os.path.realpath(within))
    if not target.is_relative_to(real) or in_git_directory(target.relative_to(real)):
        shown = os.fsencode(target).decode("utf-8", "backslashreplace")
        raise OSError(errno.ELOOP, f"it is a link that leads to {shown}; name that file itself")


def _mode_at(target: Path) -> int:
    """Return the permission bits that ``target`` has, or that a new file gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode) & PERMISSIONS
    mask = os.umask(0)  # the one way to read it is to set it
    os.umask(mask)
    return 0o666 & ~mask


def _copy_owner(filesystem: FileSystem, descriptor: int, like: Path) -> None:
    own, wanted = os.fstat(descriptor), like.lstat()
    if (own.st_uid, own.st_gid) != (wanted.st_uid, wanted.st_gid):
        # Only root may give a file away; others keep it as theirs, as every editor does.
        with suppress(PermissionError):
            filesystem.set_owner(descriptor, wanted.st_uid, wanted.st_gid)


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
