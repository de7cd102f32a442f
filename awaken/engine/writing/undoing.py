"""Taking an apply back: the finished one, the killed one, and the one that fails half way.

All three do the same: look at the disk, then restore what holds the new content. Nothing relies
on what a run remembers, so it can be killed at any point and simply done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from awaken.engine.machine.apply_errors import (
    DamagedJournalError,
    FileConflict,
    FileConflictError,
    NothingToUndoError,
    PutBackError,
    StateDirectoryError,
    TreeChangedError,
    UnfinishedApplyError,
    blame,
    display_path,
    undo_command,
)
from awaken.engine.machine.filesystem import (
    PERMISSIONS,
    REAL,
    FileSystem,
    digest_at,
    exists_without_links,
    naming,
    write_file,
)
from awaken.engine.machine.signals import ignore_signals
from awaken.engine.machine.state_directory import state_directory
from awaken.engine.writing.journal import Journal, JournalEntry, Record, SavedFile
from awaken.engine.writing.lock import hold, holder, in_use, overlaps


class PendingApply(Struct, frozen=True):
    """An apply (or undo) that was killed; ``message`` is the sentence with the undo line.

    One ``by_verify`` is taken back by the next verification.
    """

    journal: str
    root: Path
    started: datetime
    command: str
    files: tuple[Path, ...]
    message: str
    by_verify: bool = False


class Undone(Struct, frozen=True):
    """What an undo did.

    ``restored`` files have their old content again, ``removed`` ones had been created; ``kept``
    ones were edited since and are as they were.
    """

    journal: str
    started: datetime
    command: str
    restored: tuple[Path, ...]
    removed: tuple[Path, ...]
    kept: tuple[Path, ...]


class StackEntry(Struct, frozen=True):
    """One apply that can be undone; ``files`` are absolute paths, ``place`` the journal's file.

    ``by_verify`` says that tests were run before it.
    """

    journal: str
    started: datetime
    command: str
    files: tuple[Path, ...]
    unfinished: bool
    place: Path
    by_verify: bool = False


class UndoStack(Struct, frozen=True):
    """The applies of one root, the latest first; ``damaged`` has a sentence per unreadable one.

    ``inside`` are the roots inside of it that have applies of their own.
    """

    entries: tuple[StackEntry, ...]
    damaged: tuple[str, ...]
    inside: tuple[Path, ...] = ()


class TreeState(Struct, frozen=True):
    """The state of a record's files on disk; a file that is in none of these is unchanged.

    ``new`` existed before and hold the new content, ``created`` were made by the apply, and
    ``edited`` are neither as before nor as after. The keys are places in ``record.files``.
    """

    new: Mapping[int, SavedFile]
    created: Mapping[int, SavedFile]
    edited: tuple[SavedFile, ...]


def undo(
    root: Path,
    *,
    state: Path | None = None,
    keep_edited: bool = False,
    filesystem: FileSystem = REAL,
) -> Undone:
    """Take the last apply of ``root`` back, or finish one that was killed.

    A file edited since stops the undo before anything is touched; with ``keep_edited`` such files
    stay as they are and the others are restored. ``state`` is the state directory. Raises
    ApplyError. A KeyboardInterrupt is raised again after the undo has been finished.
    """
    root = root.resolve()
    journal = Journal(state_directory(state), filesystem)
    if not journal.entries(root):
        raise _nothing(journal, root)
    with hold(root, journal.locks):
        # One inside or around this root may have been half way through the same files.
        for other in unfinished_applies(journal, root):
            if other.root != root:
                raise UnfinishedApplyError(other.message)
        entry = _top(journal, root)
        record = journal.read(entry)
        # The disk decides, not the status: a killed run may have come anywhere.
        with _putting_back(root):
            tree = inspect(record)
        if tree.edited and not keep_edited:
            raise _edited_error(record, tree.edited)
        with _putting_back(root):
            _take_back_through_interrupts(journal, entry.id, record)
    return _undone(entry, record, tree)


def take_back_killed(
    root: Path, *, state: Path | None = None, filesystem: FileSystem = REAL
) -> list[Undone]:
    """Take back the applies of verifications that were killed in, inside or around ``root``.

    One of which a file was edited since is left to ``undo``, and so is one whose process lives.
    ``state`` is the state directory. Raises ApplyError.
    """
    journal = Journal(state_directory(state), filesystem)
    done = []
    for killed in list(unfinished_applies(journal, root.resolve())):
        if not killed.by_verify or holder(killed.root, journal.locks) is not None:
            continue
        with hold(killed.root, journal.locks):
            entry = journal.find(killed.journal)
            if entry is None or not entry.is_unfinished:
                continue
            record = journal.read(entry)
            with _putting_back(killed.root):
                tree = inspect(record)
                if not tree.edited:
                    _take_back_through_interrupts(journal, entry.id, record)
                    done.append(_undone(entry, record, tree))
    return done


def _undone(entry: JournalEntry, record: Record, tree: TreeState) -> Undone:
    return Undone(
        journal=entry.id,
        started=record.started,
        command=record.command,
        restored=_places(record, tree.new.values()),
        removed=_places(record, tree.created.values()),
        kept=_places(record, tree.edited),
    )


def undo_list(root: Path, *, state: Path | None = None) -> UndoStack:
    """Return the applies of ``root`` that can be undone, the latest first.

    Raises StateDirectoryError.
    """
    journal = Journal(state_directory(state), REAL)
    entries, damaged = [], []
    for entry in reversed(journal.entries(root.resolve())):
        if entry.status == "undone":
            continue
        # One unreadable record must not hide the others from who looks for what can be undone.
        try:
            record = journal.read(entry)
        except DamagedJournalError as error:
            damaged.append(str(error))
        else:
            entries.append(_stack_entry(entry, record, journal.path(entry)))
    return UndoStack(tuple(entries), tuple(damaged), _roots_inside(journal, root.resolve()))


def pending(root: Path, *, state: Path | None = None) -> PendingApply | None:
    """Return the killed apply that must be undone before ``root`` may be worked on.

    It may also be of a root inside or around ``root``. An apply whose process lives is not killed.
    Raises DamagedJournalError if the record of an unfinished apply of ``root`` cannot be read.
    """
    journal = Journal(state_directory(state), REAL)
    for apply in unfinished_applies(journal, root.resolve()):
        if holder(apply.root, journal.locks) is None and _still_unfinished(journal, apply):
            return apply
    return None


class Watch:
    """Tells whether an apply or undo writes to a tree while it is read.

    ``state`` is the state directory. Raises StateDirectoryError.
    """

    def __init__(self, state: Path | None = None) -> None:
        self._journal = Journal(state_directory(state), REAL)
        self._before = frozenset(self._journal.entries())

    def require_settled(self, roots: Iterable[Path]) -> None:
        """Raise unless the files of ``roots`` are as one apply or undo has left them since.

        UnfinishedApplyError says that one was killed, TreeLockedError that one is under way, and
        TreeChangedError that one has come to its end since this watch began.
        """
        began = [entry for entry in self._journal.entries() if entry not in self._before]
        for root in roots:
            for apply in unfinished_applies(self._journal, root):
                living = holder(apply.root, self._journal.locks)
                if living is not None:
                    raise in_use(living)
                if _still_unfinished(self._journal, apply):
                    raise UnfinishedApplyError(apply.message)
            if any(_concerns(self._journal, entry, root) for entry in began):
                raise TreeChangedError(
                    f"an apply or undo has changed files in {root} while they were read; "
                    "run this again"
                )


def _still_unfinished(journal: Journal, found: PendingApply) -> bool:
    """Whether its run has not come to an end between one look and the next."""
    entry = journal.find(found.journal)
    return entry is not None and entry.is_unfinished


def _concerns(journal: Journal, entry: JournalEntry, root: Path) -> bool:
    if entry.belongs(root):
        return True
    try:
        return overlaps(root, journal.read(entry).root_path)
    except (DamagedJournalError, StateDirectoryError):
        return False  # of another root: its own runs say so


def unfinished_applies(journal: Journal, root: Path) -> Iterator[PendingApply]:
    """Yield the unfinished applies of ``root`` and of roots inside or around it.

    Raises DamagedJournalError as ``pending`` does.
    """
    for entry in journal.unfinished_entries():
        try:
            record = journal.read(entry)
        except DamagedJournalError:
            # Whether one of another root matters here nobody can tell; its own runs say so.
            if entry.belongs(root):
                raise
        except StateDirectoryError:
            # A living run has moved it on in the meantime.
            if journal.path(entry).exists():
                raise
        else:
            if overlaps(root, record.root_path):
                yield _pending(entry, record)


def inspect(record: Record) -> TreeState:
    """Compare the files of ``record`` with the disk. Raises OSError."""
    new, created, edited = {}, {}, []
    for index, file in enumerate(record.files):
        digest = digest_at(record.place(file.path))
        if digest == file.before:
            continue
        if digest != file.after:
            edited.append(file)
        elif file.is_created:
            created[index] = file
        else:
            new[index] = file
    return TreeState(new, created, tuple(edited))


def take_back(journal: Journal, journal_id: str, record: Record) -> None:
    """Put every file of an apply back but those edited since, and remove all temporary files.

    Raises OSError naming the file; calling it again goes on from there.
    """
    journal.discard_draft(journal_id)
    entry = journal.find(journal_id)
    if entry is not None:
        entry = journal.mark(entry, "undoing")
    _restore(journal.filesystem, journal_id, record)
    if entry is not None:
        journal.mark(entry, "undone")


def temporary_path(place: Path, journal_id: str, index: int, kind: str) -> Path:
    """Return the hidden name next to ``place`` under which the journal finds leftovers again."""
    # Not ending in .py: reloaders and test watchers must not see it.
    return place.parent / f".awaken-{journal_id}-{index}.{kind}"


def sync_directories(filesystem: FileSystem, record: Record) -> None:
    """Wait until all renames of ``record`` are on the disk. Raises OSError."""
    touched = (*(file.path for file in record.files), *record.directories)
    for directory in sorted({record.place(path).parent for path in touched}):
        if exists_without_links(directory) and directory.is_dir() and not directory.is_symlink():
            with naming(directory):
                filesystem.sync_directory(directory)


def _take_back_through_interrupts(journal: Journal, journal_id: str, record: Record) -> None:
    try:
        take_back(journal, journal_id, record)
    except KeyboardInterrupt:
        # Finished all the same, from where it was: half an undo helps nobody.
        with ignore_signals():
            take_back(journal, journal_id, record)
        raise


def _restore(filesystem: FileSystem, journal_id: str, record: Record) -> None:
    # First, to have room for the originals where the disk was full.
    _remove_temporaries(filesystem, journal_id, record)
    tree = inspect(record)
    temporaries = {}
    for index, file in tree.new.items():
        place = record.place(file.path)
        temporaries[place] = temporary_path(place, journal_id, index, "old")
        with naming(place):
            mode = file.mode & PERMISSIONS
            write_file(filesystem, temporaries[place], file.original, mode, like=place)
    for place, temporary in temporaries.items():
        with naming(place):
            filesystem.replace(temporary, place)
    for file in tree.created.values():
        filesystem.remove(record.place(file.path))
    # The innermost first, and only where nobody has put anything into it since.
    for directory in map(record.place, reversed(record.directories)):
        real = exists_without_links(directory) and directory.is_dir() and not directory.is_symlink()
        if real and not any(directory.iterdir()):
            filesystem.remove_directory(directory)
    if tree.new or tree.created:
        sync_directories(filesystem, record)


def _remove_temporaries(filesystem: FileSystem, journal_id: str, record: Record) -> None:
    for index, file in enumerate(record.files):
        for kind in ("new", "old"):
            path = temporary_path(record.place(file.path), journal_id, index, kind)
            if exists_without_links(path):
                filesystem.remove(path)


@contextmanager
def _putting_back(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PutBackError(
            f"could not restore {blame(error, root)}; fix that, then continue "
            f"with: {undo_command(root)}"
        ) from error


def _top(journal: Journal, root: Path) -> JournalEntry:
    stack = [entry for entry in journal.entries(root) if entry.status != "undone"]
    if not stack:
        raise _nothing(journal, root)
    return stack[-1]


def _pending(entry: JournalEntry, record: Record) -> PendingApply:
    files = _places(record, record.files)
    since = f"{record.started.astimezone():%Y-%m-%d %H:%M:%S}"
    what = "an apply" if entry.status == "applying" else "the undo of an apply"
    message = (
        f"{what} ({record.command!r}, {since}) stopped half way through {len(files)} "
        f"files; undo it first: {undo_command(record.root_path)}"
    )
    root = record.root_path
    words = (entry.id, root, record.started, record.command, files, message, record.by_verify)
    return PendingApply(*words)


def _stack_entry(entry: JournalEntry, record: Record, place: Path) -> StackEntry:
    files = _places(record, record.files)
    words = (entry.id, record.started, record.command, files, entry.is_unfinished, place)
    return StackEntry(*words, record.by_verify)


def _places(record: Record, files: Iterable[SavedFile]) -> tuple[Path, ...]:
    return tuple(record.place(file.path) for file in files)


def _edited_error(record: Record, files: Iterable[SavedFile]) -> FileConflictError:
    root = record.root_path
    conflicts = [
        FileConflict(
            display_path(record.place(file.path), root), "was edited or removed since the apply"
        )
        for file in files
    ]
    keep = undo_command(root, "--keep-edited")
    return FileConflictError(
        "undone", conflicts, f"undo that edit, or leave such files alone: {keep}"
    )


def _nothing(journal: Journal, root: Path) -> NothingToUndoError:
    inside = _roots_inside(journal, root)
    hint = f"; for a project inside it, run {undo_command(inside[0])}" if inside else ""
    return NothingToUndoError(f"there is nothing to undo in {root}{hint}")


def _roots_inside(journal: Journal, root: Path) -> tuple[Path, ...]:
    """Return the roots inside ``root`` of which an apply can be undone, the latest first."""
    result: dict[Path, None] = {}
    for entry in reversed(journal.entries()):
        if entry.status != "undone" and not entry.belongs(root):
            with suppress(DamagedJournalError, StateDirectoryError):
                result[journal.read(entry).root_path] = None
    return tuple(other for other in result if root in other.parents)
