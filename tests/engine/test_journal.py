"""Where the journal lies, who may read it, what it holds, and when it is thrown away."""

from __future__ import annotations

import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from faulty_filesystem import FaultyFileSystem

from awaken.engine.machine.apply_errors import DamagedJournalError, StateDirectoryError
from awaken.engine.machine.filesystem import REAL, digest
from awaken.engine.machine.state_directory import state_directory
from awaken.engine.writing.journal import KEPT_PER_ROOT, KEPT_SECONDS, Journal, Record, SavedFile
from awaken.engine.writing.lock import hold

ROOT = Path("/projects/one")
OTHER = Path("/projects/two")


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "state", FaultyFileSystem())


def record(root=ROOT, files=()):
    return Record(
        root=os.fsencode(root),
        started=datetime.now(UTC),
        version="1.0",
        command="awaken apply",
        files=tuple(files),
    )


def add(journal, root=ROOT, status="done"):
    entry = journal.next_entry(root)
    journal.begin(entry, record(root))
    return entry if status == "applying" else journal.mark(entry, status)


def age(journal, entry):
    then = time.time() - KEPT_SECONDS - 60
    os.utime(journal.path(entry), (then, then))


def test_state_directory_is_chosen_by_argument_then_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "environment"))
    assert state_directory(tmp_path / "argument") == tmp_path / "argument"
    assert state_directory() == tmp_path / "environment"

    monkeypatch.setenv("AWAKEN_STATE_DIR", "relative")
    assert state_directory() == Path.cwd() / "relative"

    monkeypatch.delenv("AWAKEN_STATE_DIR")
    assert state_directory().name == "awaken"
    assert state_directory().is_absolute()


def test_only_the_user_may_look(tmp_path):
    before = os.umask(0)
    try:
        journal = Journal(tmp_path / "deep/state", REAL)
        add(journal)
        with hold(ROOT, journal.locks):
            places = [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in places}
    finally:
        os.umask(before)

    assert len(modes) == 7
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_record_comes_back(journal):
    saved = SavedFile(b"caf\xe9.py", digest(b"old"), digest(b"new"), b"old", 0o644)
    written = record(files=[saved, SavedFile(b"made.py", b"", digest(b"x"))])
    entry = journal.next_entry(ROOT)
    journal.begin(entry, written)

    assert journal.read(entry) == written
    assert written.place(saved.path) == ROOT / os.fsdecode(b"caf\xe9.py")


def test_the_original_is_on_the_disk_before_its_name(journal):
    add(journal)

    operations = journal.filesystem.operations
    assert operations[-6:-2] == ["set_mode", "sync", "replace", "sync_directory"]


def test_entries_are_per_root_and_in_order(journal):
    numbers = [add(journal, root).number for root in (ROOT, OTHER, ROOT, ROOT)]

    assert numbers == [1, 1, 2, 3]
    assert [entry.number for entry in journal.entries(ROOT)] == [1, 2, 3]
    assert len(journal.entries()) == 4


def test_more_than_a_million_applies_stay_in_order(journal):
    entry = add(journal)
    journal.path(entry).rename(
        journal.directory / journal.path(entry).name.replace("000001-", "999999-")
    )

    assert add(journal).number == 1_000_000
    assert journal.entries(ROOT)[-1].number == 1_000_000
    assert add(journal).number == 1_000_001


def test_foreign_files_are_ignored(journal):
    entry = add(journal)
    for name in ("notes.txt", ".DS_Store", f"{entry.id}.copy", "1.done"):
        (journal.directory / name).touch()

    assert journal.entries() == [entry]


def test_a_directory_that_is_missing_or_no_directory_is_empty(journal):
    assert journal.entries() == []
    journal.directory.parent.mkdir()
    journal.directory.touch()
    assert journal.entries() == []


def test_status_is_known_without_reading(journal):
    entries = [add(journal, status=status) for status in ("applying", "done", "undoing", "undone")]

    assert journal.unfinished_entries() == [entries[0], entries[2]]
    assert journal.find(entries[1].id) == entries[1]
    assert journal.find("000009-0123456789abcdef-01234567") is None


def test_a_newer_record_is_not_guessed_at(journal):
    entry = add(journal)
    journal.path(entry).write_bytes(msgspec.msgpack.encode({"format": 2, "root": 7}))

    with pytest.raises(DamagedJournalError, match="newer awaken"):
        journal.read(entry)


NAMES = [
    b"/etc/passwd",
    b"../outside.py",
    b"pkg/../../outside.py",
    b"..",
    b".",
    b"",
    b"pkg//a.py",
    b"./a.py",
    b"a.py/",
    b"a\0b.py",
    b".git/hooks/pre-commit",
    b"sub/.GIT/config",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_record_names_only_files_of_its_own_root(journal, name, what):
    files = [SavedFile(name, digest(b"o"), digest(b"n"), b"o")] if what == "file" else []
    entry = journal.next_entry(ROOT)
    directories = (name,) if what == "directory" else ()
    journal.begin(entry, msgspec.structs.replace(record(files=files), directories=directories))

    with pytest.raises(DamagedJournalError, match="names files that no apply of its project can"):
        journal.read(entry)


@pytest.mark.parametrize("root", [OTHER, Path("projects/one"), Path("/")])
def test_a_record_is_of_the_root_that_its_name_says(journal, root):
    entry = journal.next_entry(ROOT)
    journal.begin(entry, record(root))

    with pytest.raises(DamagedJournalError, match="names files that no apply of its project can"):
        journal.read(entry)


def other_owner(path):
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        path.chmod(0o620)


def link(path):
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o606), other_owner])
def test_a_journal_file_that_others_may_write_is_damaged(journal, spoil):
    entry = add(journal)
    spoil(journal.path(entry))

    with pytest.raises(DamagedJournalError, match=r"others may write|another user|mode is 0620"):
        journal.read(entry)


@pytest.mark.parametrize("swap", [link, lambda path: (path.unlink(), os.mkfifo(path))])
def test_a_journal_file_that_is_no_file_is_not_read(journal, swap):
    entry = add(journal)
    swap(journal.path(entry))

    with pytest.raises(StateDirectoryError):
        journal.read(entry)


def test_old_entries_go_but_never_unfinished_ones(journal):
    statuses = ("applying", "undoing", "done", "undone")
    for root in (ROOT, OTHER):
        for status in statuses:
            age(journal, add(journal, root, status))
    young = add(journal)

    journal.prune(ROOT)

    left = {entry.status for entry in journal.entries() if entry != young}
    assert left == {"applying", "undoing"}
    assert len(journal.entries()) == 5


def test_too_many_entries_go_the_oldest_first(journal):
    unfinished = add(journal, status="applying")
    others = [add(journal, OTHER) for _ in range(KEPT_PER_ROOT + 2)]
    own = [add(journal) for _ in range(KEPT_PER_ROOT + 2)]

    journal.prune(ROOT)

    assert journal.entries(ROOT) == [unfinished, *own[2:]]
    assert journal.entries(OTHER) == others


def test_an_old_entry_of_a_root_at_work_is_left_alone(journal):
    entry = add(journal, OTHER)
    age(journal, entry)

    with hold(OTHER, journal.locks):
        journal.prune(ROOT)
    assert journal.entries() == [entry]

    journal.prune(ROOT)
    assert journal.entries() == []


def test_an_old_entry_whose_undo_begins_meanwhile_is_left_alone(journal, monkeypatch):
    entry = add(journal, OTHER)
    age(journal, entry)
    read = Journal.read

    def read_and_begin(self, found):
        result = read(self, found)
        self.mark(found, "undoing")
        return result

    monkeypatch.setattr(Journal, "read", read_and_begin)

    journal.prune(ROOT)

    assert [found.status for found in journal.entries()] == ["undoing"]


def test_drafts_of_killed_runs_go(journal):
    add(journal)
    own = journal.directory / f".{journal.next_entry(ROOT).id}.draft"
    young = journal.directory / f".{journal.next_entry(OTHER).id}.draft"
    old = journal.directory / ".000001-0123456789abcdef-01234567.draft"
    for path in (own, young, old):
        path.touch()
    os.utime(old, (0, 0))

    journal.prune(ROOT)

    assert [path.exists() for path in (own, young, old)] == [False, True, False]
