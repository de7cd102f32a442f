"""The one way in for a target's bytes: regular files inside it, of bounded size.

Nobody vouches for a target: its files may be links, pipes, devices, or sparse files of 20 GB. A
file is opened without waiting, checked through its descriptor, and cut off at a limit.

A target ends where its repository does. A project in a monorepo may name a requirements file
outside its directory, and inherit settings from above. So a file for a project has to be, links
resolved, in the repository around it, or in its own directory if there is no repository. A home
directory never counts as such a repository: dotfiles are often kept in one, with keys next to them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

SOURCE_LIMIT = 5_000_000
"""Bytes of a Python file; larger ones are generated data, and their trees cost gigabytes."""

METADATA_LIMIT = 1_000_000
"""Bytes of a manifest, of settings and of an ignore file; the largest of 20 programs has 22,191."""

LOCK_LIMIT = 20_000_000
"""Bytes of a lock file; one with 250 distributions and their hashes has 0.5 MB."""

BASELINE_LIMIT = 20_000_000
"""Bytes of a baseline: a site takes about 130, so these are 150,000 sites."""

NAMES_LIMIT = 20_000
"""Names that are read of one directory where a glob looks for metadata; a large environment has
some 2,000."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""The flag that refuses a link as the last part of a path; 0 on Windows, which has none."""

# Opening a pipe must not block the run, a terminal must not become its own, and Windows would
# translate newlines.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_IS_A_LINK = {errno.ELOOP, errno.EMLINK}  # the second is FreeBSD's answer to O_NOFOLLOW


class Unreadable(OSError):
    """A file that awaken does not read although it is there; says why in a clause without subject.

    The clause is also its ``strerror``, as for every OSError.
    """

    def __init__(self, why: str) -> None:
        super().__init__(errno.EINVAL, why)

    def __str__(self) -> str:
        return str(self.strerror)


def why_unread(error: OSError) -> str:
    """Return why a file was not read, as a clause without subject."""
    return str(error) if isinstance(error, Unreadable) else f"cannot be read: {error.strerror}"


class FileState(Struct, frozen=True, array_like=True):
    """The file system's facts about a regular file; equal until something writes to the file.

    Nobody can choose ``changed``, the time of the last change of content or status: whoever writes
    to a file, or puts another in its place, makes it later. Times are in nanoseconds.
    """

    modified: int
    changed: int
    size: int
    inode: int
    device: int
    mode: int

    @property
    def latest(self) -> int:
        """When the file was last written to, or said to be."""
        return max(self.modified, self.changed)


_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_OVERLAY: ContextVar[Mapping[str, bytes]] = ContextVar("overlay", default=_NOTHING)


@contextmanager
def overlaid(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Read the bytes in ``files``, by real path, instead of those on disk.

    The files need not exist: an editor pipes one, and a step of a recipe follows another one.
    """
    token = _OVERLAY.set({os.fspath(path): content for path, content in files.items()})
    try:
        yield
    finally:
        _OVERLAY.reset(token)


class Enclosure:
    """A directory that reading does not leave, whatever links say.

    An instance remembers where directories really are, so it serves one pass over files.
    """

    def __init__(self, directory: Path) -> None:
        self._top = os.path.realpath(directory)
        self._inside = os.path.join(self._top, "")  # noqa: PTH118  a string, with a slash
        self._real_directories: dict[str, str] = {}

    def holds(self, path: str | Path) -> bool:
        """Whether ``path``, links resolved, lies in the directory (or is it)."""
        return self._contains(os.path.realpath(path))

    def read(self, path: str | Path, limit: int) -> bytes:
        """Return the bytes of the file at ``path``.

        Raises OSError as the system does, and Unreadable for what is not a regular file, lies
        outside, or holds more than ``limit`` bytes.
        """
        return self.read_with_state(path, limit)[0]

    def read_with_state(self, path: str | Path, limit: int) -> tuple[bytes, FileState | None]:
        """Return the bytes of the file at ``path``, and its state when it was opened.

        The state is None for bytes of the overlay. Raises OSError as ``read`` does.
        """
        directory, name = os.path.split(os.fspath(path))
        try:
            place = os.path.join(self._real_directory(directory), name)  # noqa: PTH118 - hot: thousands of files
            # Where the system has no such flag (Windows), a link is resolved before it is checked.
            if not NO_LINK:
                place = os.path.realpath(place)
            self._require(place)
            overlay = _OVERLAY.get()
            if overlay and (given := overlay.get(os.path.realpath(place))) is not None:
                return given, None
            try:
                return _read_open(os.open(place, _FLAGS | NO_LINK), limit)
            except OSError as error:
                if error.errno == errno.ENXIO:  # a socket
                    raise Unreadable("is not a regular file") from error
                if error.errno not in _IS_A_LINK:
                    raise
            # The file is a link: where it leads is checked, and must itself be none by then.
            place = os.path.realpath(place)
            self._require(place)
            return _read_open(os.open(place, _FLAGS | NO_LINK), limit)
        except ValueError as error:  # a NUL or a lone surrogate in the name
            raise Unreadable("has a name that no file can have") from error

    def state(self, path: str) -> FileState | None:
        """Return the state of the regular file at ``path``, without opening it.

        None for what cannot be looked at, lies outside, is overlaid or is something else; also for
        a link, which only ``read`` follows.
        """
        directory, _, name = path.rpartition("/")
        try:
            real = self._real_directory(directory)
            if not self._contains(real) or f"{real}/{name}" in _OVERLAY.get():
                return None
            status = os.lstat(f"{real}/{name}")
        except (OSError, ValueError):
            return None
        return _state(status) if stat.S_ISREG(status.st_mode) else None

    def _real_directory(self, directory: str) -> str:
        """Return where ``directory`` really is, links resolved."""
        real = self._real_directories.get(directory)
        if real is None:
            above, _, name = directory.rpartition("/")
            known = self._real_directories.get(above)
            place = f"{known}/{name}"
            # In a real directory only the last part can be a link; thousands of directories are
            # looked up.
            plain = known is not None and name not in {"", ".", ".."} and not os.path.islink(place)  # noqa: PTH114
            real = place if plain else os.path.realpath(directory)
            self._real_directories[directory] = real
        return real

    def names(self, directory: Path) -> list[str]:
        """Return the names in ``directory``, sorted; none where it cannot be listed or is outside.

        Of more than ``NAMES_LIMIT`` names, those that the system gives first.
        """
        try:
            if not self.holds(directory):
                return []
            with os.scandir(directory) as scan:
                return sorted(entry.name for entry in islice(scan, NAMES_LIMIT))
        except (OSError, ValueError):
            return []

    def _contains(self, real: str) -> bool:
        return real == self._top or real.startswith(self._inside)

    def _require(self, real: str) -> None:
        if not self._contains(real):
            raise Unreadable("leads out of the project, and awaken reads nothing there")


def enclosure_of(directory: Path) -> Enclosure:
    """Return what bounds the reading for ``directory`` (absolute)."""
    return Enclosure(boundary_of(directory))


def boundary_of(directory: Path) -> Path:
    """Return the directory that reading for ``directory`` (absolute) does not leave.

    It is the repository around it, or itself where there is none.
    """
    *_, top = upwards(directory)
    return top if (top / ".git").exists() else directory


def upwards(directory: Path) -> Iterator[Path]:
    """Yield ``directory`` (absolute) and those above it, up to the top of its repository.

    Neither a home directory nor a file system's root is among them, unless it is ``directory``.
    """
    for parent in (directory, *directory.parents):
        if parent != directory and is_boundary(parent):
            return
        yield parent
        if (parent / ".git").exists():
            return


def working_tree(directory: Path) -> Path | None:
    """Return the nearest directory at or above ``directory`` that has a ``.git``."""
    for candidate in (directory, *directory.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def read_named(path: Path, limit: int) -> bytes:
    """Return the bytes of a file that the user named, wherever it is and whatever links lead there.

    Raises OSError, and Unreadable for what is not a regular file or holds more than ``limit``
    bytes.
    """
    try:
        return _read_open(os.open(path, _FLAGS), limit)[0]
    except ValueError as error:
        raise Unreadable("has a name that no file can have") from error


def first_bytes(path: Path, count: int) -> bytes:
    """Return at most ``count`` bytes from the start of a regular file that the user named.

    Raises OSError.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        _require_regular(os.fstat(descriptor))
        return os.read(descriptor, count)
    finally:
        os.close(descriptor)


def text_at(path: Path) -> str | None:
    """Return the text of a file, empty for one that is not UTF-8; None where there is none."""
    try:
        return enclosure_of(path.parent).read(path, METADATA_LIMIT).decode()
    except OSError:
        return None
    except UnicodeDecodeError:
        return ""


def repository_of(root: Path) -> Path:
    """Return the directory that came with a project: its repository, if it is in one."""
    real = Path(os.path.realpath(root))
    tree = working_tree(real) or real
    home = _home()
    # A home directory may be in git, and still have programs and settings of its own.
    return real if home is not None and home.is_relative_to(tree) else tree


def is_boundary(directory: Path) -> bool:
    """Whether a directory is a home or a file system's root: nothing there is about a project."""
    return directory.parent == directory or directory == _home()


def _home() -> Path | None:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    return Path(os.path.realpath(home)) if os.path.isabs(home) else None  # noqa: PTH117 - a string


def _read_open(descriptor: int, limit: int) -> tuple[bytes, FileState]:
    try:
        status = os.fstat(descriptor)
        _require_regular(status)
        # Before a byte is read: a sparse file of 20 GB takes no room on the disk.
        if status.st_size > limit:
            raise _too_large(status.st_size, limit)
        parts = []
        size = 0
        # until nothing comes: a file may grow, and those of /proc tell no size
        while more := os.read(descriptor, max(status.st_size - size, 4095) + 1):
            parts.append(more)
            size += len(more)
            if size > limit:
                raise _too_large(size, limit)
    finally:
        os.close(descriptor)
    return b"".join(parts), _state(status)


def state_at(path: str) -> FileState | None:
    """Return the state of what is at ``path``, of awaken's own or of Python, links followed.

    None where there is nothing, or nothing that can be looked at.
    """
    try:
        return _state(os.stat(path))  # noqa: PTH116 - hot: thousands of files
    except OSError:
        return None


def _state(status: os.stat_result) -> FileState:
    return FileState(
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_dev,
        status.st_mode,
    )


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is not a regular file")


def _too_large(size: int, limit: int) -> Unreadable:
    most = f"{limit / 1e6:g} MB"
    return Unreadable(f"is {size / 1e6:.1f} MB large; awaken reads files up to {most}")
