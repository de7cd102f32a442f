"""Writing the result of a run: all files or none, and nothing that cannot be undone.

The order makes it safe: every file is checked, every original is in the journal, and every new
content is in a temporary file next to its target. Only then is the first file replaced. By then, a
lack of space has already failed the run. The bytes are written as they are.

A replaced file keeps its permissions, and where the system allows it its owner, its extended
attributes and its ACL; a hard link to it keeps the old content, as with any tool that replaces
files. Bits that run a file as somebody else (setuid) are not kept: its content is another one now.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from awaken.engine.machine.apply_errors import (
    FileConflict,
    FileConflictError,
    PutBackError,
    UnfinishedApplyError,
    WriteError,
    blame,
    display_path,
    undo_command,
)
from awaken.engine.machine.filesystem import (
    PERMISSIONS,
    REAL,
    FileSystem,
    digest,
    digest_at,
    in_git_directory,
    missing_directories,
    naming,
    read_regular,
    write_file,
)
from awaken.engine.machine.signals import ignore_signals
from awaken.engine.machine.state_directory import state_directory
from awaken.engine.writing.journal import Journal, JournalEntry, Record, SavedFile, usable
from awaken.engine.writing.lock import hold
from awaken.engine.writing.undoing import (
    sync_directories,
    take_back,
    temporary_path,
    unfinished_applies,
)

_OF_GIT = "is in a git directory, and awaken never writes there"


class FileWrite(Struct, frozen=True):
    """One file to write: ``content`` is what its bytes shall be.

    ``path`` is absolute; ``digest`` is the SHA-256 of the bytes that were analysed, or b"" for a
    file that must not exist yet.
    """

    path: Path
    digest: bytes
    content: bytes


class Applied(Struct, frozen=True):
    """The result of an apply: the real paths of the ``files`` whose bytes changed.

    ``journal`` is the id of its journal entry and ``place`` the file that holds it, both None
    where nothing had to change.
    """

    journal: str | None
    files: tuple[Path, ...]
    place: Path | None = None


class _Checked(Struct, frozen=True):
    saved: SavedFile
    content: bytes


def apply(  # noqa: PLR0913  what is written, and as what
    root: Path,
    writes: Sequence[FileWrite],
    *,
    command: str,
    by_verify: bool = False,
    state: Path | None = None,
    filesystem: FileSystem = REAL,
) -> Applied:
    """Write all of ``writes``, which lie below the project root ``root``, or none of them.

    ``command`` is the command line for the journal, ``state`` the state directory. Where an apply
    ``by_verify`` is killed, ``take_back_killed`` takes it back. Raises ApplyError, and ValueError
    for a relative path. After a KeyboardInterrupt everything is put back before it is raised again.
    """
    root = root.resolve()
    journal = Journal(state_directory(state), filesystem)
    with hold(root, journal.locks):
        # Under the lock: an apply that is still at work here would be found unfinished.
        for result in unfinished_applies(journal, root):
            raise UnfinishedApplyError(result.message)
        checked = _check(root, writes)
        if not checked:
            return Applied(None, ())
        with usable(journal):
            journal.prune(root)
        record = msgspec.structs.replace(_record(root, command, checked), by_verify=by_verify)
        entry = journal.next_entry(root)
        done = _write_or_put_back(journal, entry, record, [item.content for item in checked])
    files = tuple(record.place(file.path) for file in record.files)
    return Applied(done.id, files, journal.path(done))


def _check(root: Path, writes: Iterable[FileWrite]) -> list[_Checked]:
    """Return the files to write, sorted by path and each once."""
    checked: dict[bytes, _Checked] = {}
    conflicts = []
    for write in writes:
        result = _check_one(root, write)
        if isinstance(result, _Checked):
            # A link and its target are one file, which two roots may have rewritten.
            twin = checked.setdefault(result.saved.path, result)
            if twin.content == result.content:
                continue
            result = "is reached by two paths, with two different results"
        conflicts.append(FileConflict(display_path(write.path, root), result))
    if conflicts:
        raise _conflicting(sorted(conflicts, key=lambda conflict: conflict.path))
    changed = (item for item in checked.values() if item.saved.before != item.saved.after)
    return sorted(changed, key=lambda item: item.saved.path)


def _check_one(root: Path, write: FileWrite) -> _Checked | str:
    if not write.path.is_absolute():
        raise ValueError(f"not an absolute path: {write.path}")
    try:
        if not write.digest:
            return _check_new(root, write)
        return _check_existing(root, write)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"


def _check_existing(root: Path, write: FileWrite) -> _Checked | str:
    if not write.path.exists():
        return "was removed since it was read"
    place = Path(os.path.realpath(write.path))
    if not place.is_relative_to(root):
        return f"is a link to {place}, outside the project"
    if in_git_directory(place.relative_to(root)):
        return _OF_GIT
    status = place.stat()
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    original = read_regular(place)
    if digest(original) != write.digest:
        return "was changed since it was read"
    mode = status.st_mode & PERMISSIONS
    # Root may write everywhere, but a file without any write bit is meant to stay.
    if not mode & 0o222 or not os.access(place, os.W_OK):
        return "is read-only"
    if not os.access(place.parent, os.W_OK | os.X_OK):
        return f"lies in {display_path(place.parent, root)}, a directory that cannot be written to"
    path = os.fsencode(place.relative_to(root))
    saved = SavedFile(path, write.digest, digest(write.content), original, mode)
    return _Checked(saved, write.content)


def _check_new(root: Path, write: FileWrite) -> _Checked | str:
    if os.path.lexists(write.path):
        return "exists already"
    place = write.path.parent.resolve() / write.path.name
    if not place.is_relative_to(root):
        return f"would be created at {place}, outside the project"
    if in_git_directory(place.relative_to(root)):
        return _OF_GIT
    missing = missing_directories(place.parent)
    above = missing[0].parent if missing else place.parent
    if not above.is_dir():
        return f"cannot be created: {display_path(above, root)} is not a directory"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"cannot be created: the directory {display_path(above, root)} is not writable"
    saved = SavedFile(os.fsencode(place.relative_to(root)), b"", digest(write.content))
    return _Checked(saved, write.content)


def _record(root: Path, command: str, checked: Iterable[_Checked]) -> Record:
    files = tuple(item.saved for item in checked)
    directories = {
        os.fsencode(directory.relative_to(root))
        for file in files
        for directory in missing_directories((root / os.fsdecode(file.path)).parent)
    }
    from importlib.metadata import version  # noqa: PLC0415  40 ms

    return Record(
        root=os.fsencode(root),
        started=datetime.now(UTC),
        version=version("awaken"),
        command=command,
        files=files,
        directories=tuple(sorted(directories)),
    )


def _write_or_put_back(
    journal: Journal, entry: JournalEntry, record: Record, contents: Sequence[bytes]
) -> JournalEntry:
    """Return the entry in its final state."""
    try:
        journal.begin(entry, record)
        _write(journal.filesystem, entry.id, record, contents)
        return journal.mark(entry, "done")
    except BaseException as cause:
        # Ctrl-C as well: whatever stops it, nothing may stay half written.
        _put_back(journal, entry.id, record, cause)
        if isinstance(cause, OSError):
            raise WriteError(
                f"could not write {blame(cause, record.root_path)}; every file is as it "
                "was before: fix that, then run this again"
            ) from cause
        raise


def _write(
    filesystem: FileSystem, journal_id: str, record: Record, contents: Sequence[bytes]
) -> None:
    for directory in map(record.place, record.directories):
        filesystem.make_directory(directory, 0o777)
    places = [record.place(file.path) for file in record.files]
    temporaries = [
        temporary_path(place, journal_id, index, "new") for index, place in enumerate(places)
    ]
    # All contents first, then all renames: a full disk shows before any file is replaced.
    for place, temporary, file, content in zip(
        places, temporaries, record.files, contents, strict=True
    ):
        # A new file gets what the umask says, as with any program.
        mode, like = (None, None) if file.is_created else (file.mode, place)
        with naming(place):
            write_file(filesystem, temporary, content, mode, like)
    for place, temporary, file in zip(places, temporaries, record.files, strict=True):
        with naming(place):
            # Closes the gap to an editor that saves while we work, down to one system call.
            if digest_at(place) != file.before:
                raise _conflicting(
                    [FileConflict(display_path(place, record.root_path), "was changed just now")]
                )
            filesystem.replace(temporary, place)
    sync_directories(filesystem, record)


def _put_back(journal: Journal, journal_id: str, record: Record, cause: BaseException) -> None:
    try:
        with ignore_signals():
            take_back(journal, journal_id, record)
    except OSError as error:
        root = record.root_path
        raise PutBackError(
            f"the apply failed, and restoring failed too: {blame(error, root)}; fix that, "
            f"then run: {undo_command(root)}"
        ) from cause


def _conflicting(conflicts: Sequence[FileConflict]) -> FileConflictError:
    return FileConflictError("written", conflicts, "fix that or exclude it, then run this again")
