"""Undo is a stack per root; it touches nothing where a file was edited since."""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import suppress

import msgspec
import pytest
from faulty_filesystem import FaultyFileSystem, Killed
from small_project import tree

from awaken.engine.machine.apply_errors import (
    ApplyError,
    DamagedJournalError,
    FileConflictError,
    NothingToUndoError,
    TreeChangedError,
    TreeLockedError,
    UnfinishedApplyError,
)
from awaken.engine.machine.filesystem import digest
from awaken.engine.machine.signals import STOPPING, ignore_signals
from awaken.engine.writing.applying import FileWrite, apply
from awaken.engine.writing.journal import Record
from awaken.engine.writing.lock import hold
from awaken.engine.writing.undoing import Watch, pending, take_back_killed, undo, undo_list


class Project:
    """A root with its state directory; ``write`` applies contents, None meaning a new file."""

    def __init__(self, directory):
        self.root = directory.resolve() / "project"
        self.state = directory / "state"
        self.root.mkdir()

    def write(
        self, contents, filesystem=None, root=None, command="awaken apply", *, by_verify=False
    ):
        root = root or self.root
        writes = []
        for name, content in contents.items():
            path = root / name
            known = digest(path.read_bytes()) if path.exists() else b""
            writes.append(FileWrite(path, known, content))
        filesystem = filesystem or FaultyFileSystem()
        return apply(
            root,
            writes,
            command=command,
            by_verify=by_verify,
            state=self.state,
            filesystem=filesystem,
        )

    def undo(self, **arguments):
        return undo(self.root, state=self.state, **arguments)

    def stack(self):
        return undo_list(self.root, state=self.state)

    def kill(self, contents, root=None, at=15, **arguments):
        # Operation 15 comes after the journal is complete.
        filesystem = FaultyFileSystem(at, Killed(), lasting=True)
        with pytest.raises(Killed):
            self.write(contents, filesystem, root, **arguments)

    def take_back(self):
        return take_back_killed(self.root, state=self.state)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_undo_goes_down_the_stack(project):
    states = [tree(project.root)]
    for number in range(4):
        project.write({"a.py": b"%d" % number, f"only{number}/b.py": b"x"})
        states.append(tree(project.root))

    for expected in reversed(states[:-1]):
        project.undo()
        assert tree(project.root) == expected

    with pytest.raises(NothingToUndoError, match="nothing to undo in"):
        project.undo()


def test_a_project_inside_that_has_applies_is_named(project):
    inner = project.root / "inner"
    inner.mkdir()
    project.write({"a.py": b"1"}, root=inner)

    assert project.stack().inside == (inner,)
    with pytest.raises(NothingToUndoError, match=f"run awaken undo {inner}$"):
        project.undo()

    undo(inner, state=project.state)
    assert project.stack().inside == ()


def test_an_apply_after_an_undo_is_undone_first(project):
    project.write({"a.py": b"1"})
    project.write({"a.py": b"2"})
    project.undo()
    project.write({"a.py": b"3"})

    project.undo()
    assert (project.root / "a.py").read_bytes() == b"1"
    project.undo()
    assert not (project.root / "a.py").exists()


def test_undone_says_what_it_did(project):
    (project.root / "a.py").write_bytes(b"old")
    applied = project.write({"a.py": b"new", "b.py": b"new"}, command="awaken apply src")

    undone = project.undo()

    assert undone.journal == applied.journal
    assert undone.command == "awaken apply src"
    assert undone.restored == (project.root / "a.py",)
    assert undone.removed == (project.root / "b.py",)
    assert undone.kept == ()


def test_list_is_the_latest_first(project):
    project.write({"a.py": b"1"}, command="first")
    project.write({"a.py": b"2", "b.py": b"2"}, command="second")
    project.write({"a.py": b"3"}, command="undone")
    project.undo()

    stack = project.stack()

    assert [entry.command for entry in stack.entries] == ["second", "first"]
    assert stack.entries[0].files == (project.root / "a.py", project.root / "b.py")
    assert not stack.entries[0].unfinished
    assert stack.damaged == ()


def test_modes_are_restored(project):
    path = project.root / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o750)
    project.write({"a.py": b"new"})
    path.chmod(0o444)

    project.undo()

    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("edit", ["content", "removal", "link", "directory", "moved directory"])
def test_an_edited_file_stops_the_undo_and_is_named(project, edit):
    (project.root / "pkg").mkdir()
    path = project.root / "pkg" / "b.py"
    for name in ("a.py", "pkg/b.py"):
        (project.root / name).write_bytes(b"old")
    project.write({"a.py": b"new", "pkg/b.py": b"new", "c.py": b"new"})
    if edit == "moved directory":
        path.parent.rename(project.root / "moved")
        path.parent.symlink_to("moved")
    elif edit == "content":
        path.write_bytes(b"edited")
    else:
        path.unlink()
        if edit == "link":
            path.symlink_to("../a.py")
        elif edit == "directory":
            path.mkdir()
    before = tree(project.root)

    with pytest.raises(FileConflictError) as caught:
        project.undo()

    assert tree(project.root) == before
    assert "nothing was undone: pkg/b.py was edited or removed since the apply" in str(caught.value)
    assert f"awaken undo --keep-edited {project.root}" in str(caught.value)

    undone = project.undo(keep_edited=True)

    assert undone.kept == (path,)
    assert undone.restored == (project.root / "a.py",)
    assert (project.root / "a.py").read_bytes() == b"old"
    assert tree(project.root) == {
        **{name: entry for name, entry in before.items() if name != "c.py"},
        "a.py": tree(project.root)["a.py"],
    }


def test_an_edited_created_file_is_named(project):
    project.write({"new/a.py": b"new"})
    (project.root / "new/a.py").write_bytes(b"edited")

    with pytest.raises(FileConflictError, match=r"new/a\.py"):
        project.undo()


def test_a_created_file_that_is_gone_already_is_fine(project):
    project.write({"new/a.py": b"new", "b.py": b"new"})
    (project.root / "new/a.py").unlink()
    (project.root / "new").rmdir()

    assert project.undo().removed == (project.root / "b.py",)
    assert tree(project.root) == {}


def test_a_made_directory_stays_if_something_else_is_in_it(project):
    project.write({"new/deep/a.py": b"new"})
    (project.root / "new/other.txt").touch()

    project.undo()

    assert set(tree(project.root)) == {"new", "new/other.txt"}


def test_a_killed_apply_stops_every_root_around_and_inside(project, tmp_path):
    inner = project.root / "inner"
    inner.mkdir()
    project.kill({"a.py": b"1", "b.py": b"2"}, root=inner)
    found = pending(project.root, state=project.state)

    assert found.root == inner
    assert f"awaken undo {inner}" in found.message
    assert pending(inner / "deeper", state=project.state) == found
    assert pending(tmp_path / "elsewhere", state=project.state) is None
    with pytest.raises(UnfinishedApplyError, match="inner"):
        project.write({"a.py": b"1"})


def test_a_killed_verification_is_taken_back_wherever_it_was(project):
    contents = {"a.py": b"new", "b.py": b"new", "new/c.py": b"new"}
    for name in ("a.py", "b.py"):
        (project.root / name).write_bytes(b"old")
    before = tree(project.root)
    counting = FaultyFileSystem()
    project.write(contents, counting, by_verify=True)
    project.undo()
    taken = 0

    for at in range(1, len(counting.operations) + 1):
        with suppress(Killed):
            project.write(contents, FaultyFileSystem(at, Killed(), lasting=True), by_verify=True)
        taken += len(project.take_back())
        if pending(project.root, state=project.state) is None and tree(project.root) != before:
            # It had come to its end before.
            project.undo()
        assert tree(project.root) == before, at
        assert pending(project.root, state=project.state) is None

    assert taken > 10


def test_a_killed_apply_that_no_verification_made_is_not_taken_back(project):
    project.kill({"a.py": b"1", "b.py": b"2"})

    assert project.take_back() == []
    assert pending(project.root, state=project.state) is not None


def test_a_file_that_was_edited_since_is_left_to_undo(project):
    (project.root / "a.py").write_bytes(b"old")
    project.kill({"a.py": b"1", "b.py": b"2"}, by_verify=True)
    (project.root / "a.py").write_bytes(b"edited")

    assert project.take_back() == []
    assert (project.root / "a.py").read_bytes() == b"edited"
    assert pending(project.root, state=project.state) is not None


def test_a_verification_inside_or_around_is_taken_back_too(project):
    inner = project.root / "inner"
    inner.mkdir()
    project.kill({"a.py": b"1", "b.py": b"2"}, root=inner, by_verify=True)
    project.take_back()
    project.kill({"a.py": b"1", "b.py": b"2"}, by_verify=True)
    take_back_killed(inner, state=project.state)

    assert set(tree(project.root)) == {"inner"}
    assert pending(project.root, state=project.state) is None


def test_a_living_verification_is_not_taken_back(project):
    seen = []

    class Looking(FaultyFileSystem):
        def replace(self, source, target):
            super().replace(source, target)
            seen.append(project.take_back())

    project.write({"a.py": b"1"}, Looking(), by_verify=True)

    assert seen
    assert not any(seen)
    assert (project.root / "a.py").read_bytes() == b"1"


def test_an_undo_of_the_outer_root_waits_for_the_inner_one(project):
    project.write({"a.py": b"1"})
    inner = project.root / "inner"
    inner.mkdir()
    project.kill({"a.py": b"1", "b.py": b"2"}, root=inner)

    with pytest.raises(UnfinishedApplyError, match="inner"):
        project.undo()

    undo(inner, state=project.state)
    project.undo()
    assert set(tree(project.root)) == {"inner"}


def test_a_living_apply_is_not_pending(project):
    seen = []

    class Looking(FaultyFileSystem):
        def replace(self, source, target):
            super().replace(source, target)
            seen.append(pending(project.root, state=project.state))

    project.write({"a.py": b"1"}, Looking())

    assert seen
    assert set(seen) == {None}


def test_reading_beside_a_living_apply_is_refused(project):
    said = []

    class Looking(FaultyFileSystem):
        def replace(self, source, target):
            super().replace(source, target)
            if target.suffix == ".py":
                with pytest.raises(TreeLockedError, match="another awaken run") as refused:
                    Watch(project.state).require_settled([project.root / "pkg"])
                said.append(str(refused.value))

    Watch(project.state).require_settled([project.root])
    project.write({"a.py": b"1", "b.py": b"1"}, Looking())
    Watch(project.state).require_settled([project.root])

    assert len(said) == 2
    assert f"process {os.getpid()}, since" in said[0]


@pytest.mark.parametrize("where", ["project", "project/inner", "."])
def test_an_apply_that_came_to_its_end_meanwhile_is_noticed(project, tmp_path, where):
    (project.root / "inner").mkdir()
    root = (tmp_path / where).resolve()
    watch = Watch(project.state)
    watch.require_settled([project.root])
    project.write({"x.py": b"1"}, root=root)

    with pytest.raises(TreeChangedError, match=f"changed files in {project.root} while they"):
        watch.require_settled([project.root])

    watch = Watch(project.state)
    undo(root, state=project.state)
    with pytest.raises(TreeChangedError):
        watch.require_settled([project.root])


def test_an_apply_elsewhere_meanwhile_is_no_matter(project, tmp_path):
    elsewhere = tmp_path.resolve() / "elsewhere"
    elsewhere.mkdir()
    watch = Watch(project.state)
    project.write({"x.py": b"1"}, root=elsewhere)

    watch.require_settled([project.root])


@pytest.mark.parametrize("mode", [0o6777, 0o4755, 0o1644, 0o100644, -1])
def test_undo_sets_no_bit_that_runs_a_file_as_somebody_else(project, mode):
    path = project.root / "a.py"
    path.write_bytes(b"old")
    project.write({"a.py": b"new"})
    (place,) = (project.state / "journal").iterdir()
    record = msgspec.msgpack.decode(place.read_bytes(), type=Record)
    (saved,) = record.files
    forged = msgspec.structs.replace(saved, mode=mode)
    place.write_bytes(msgspec.msgpack.encode(msgspec.structs.replace(record, files=(forged,))))

    project.undo()

    assert stat.S_IMODE(path.stat().st_mode) == mode & 0o777


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_directory_that_becomes_a_link_leads_nowhere(project, tmp_path, at):
    """Between any two steps of an apply and an undo: nothing outside is written or removed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.py").write_bytes(b"old")
    pkg = project.root / "pkg"
    pkg.mkdir()
    for name in ("b.py", "c.py"):
        (pkg / name).write_bytes(b"old")

    class Swapping(FaultyFileSystem):
        def _step(self, name, path=None):
            super()._step(name, path)
            if name == "replace" and self.operations.count("replace") == at + 1:
                pkg.rename(tmp_path / "moved")
                pkg.symlink_to(outside)

    with suppress(ApplyError, OSError):
        project.write({"pkg/b.py": b"new", "pkg/c.py": b"new"}, Swapping())
    with suppress(ApplyError, OSError):
        project.undo(filesystem=FaultyFileSystem(), keep_edited=True)

    assert tree(outside) == {"b.py": ("file", 0o644, b"old")}


def test_a_file_edited_after_the_kill_is_named_and_can_be_kept(project):
    (project.root / "a.py").write_bytes(b"old")
    project.kill({"a.py": b"1", "b.py": b"2", "c.py": b"3"})
    (project.root / "a.py").write_bytes(b"edited")

    with pytest.raises(FileConflictError, match=r"a\.py was edited"):
        project.undo()
    project.undo(keep_edited=True)

    assert tree(project.root).keys() == {"a.py"}
    assert (project.root / "a.py").read_bytes() == b"edited"
    assert pending(project.root, state=project.state) is None


def test_an_undo_needs_the_tree_for_itself(project):
    project.write({"a.py": b"1"})

    with hold(project.root, project.state / "locks"), pytest.raises(TreeLockedError):
        project.undo()

    assert (project.root / "a.py").read_bytes() == b"1"


def test_nothing_to_undo_makes_no_state(project):
    with pytest.raises(NothingToUndoError):
        project.undo()

    assert not project.state.exists()


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81\xa6format\x63", None])
def test_a_damaged_journal_is_one_sentence(project, damage):
    project.write({"a.py": b"1"}, command="first")
    (project.root / "b.py").write_bytes(b"original")
    project.write({"a.py": b"2", "b.py": b"2"}, command="second")
    path = max((project.state / "journal").iterdir())
    content = path.read_bytes().replace(b"original", b"0riginal")
    path.write_bytes(content if damage is None else damage)
    before = tree(project.root)

    with pytest.raises(DamagedJournalError) as caught:
        project.undo()
    stack = project.stack()

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert stack.damaged == (str(caught.value),)
    assert [entry.command for entry in stack.entries] == ["first"]
    assert tree(project.root) == before


def test_a_damaged_unfinished_journal_stops_only_its_own_root(project, tmp_path):
    project.kill({"a.py": b"1", "b.py": b"2"})
    next((project.state / "journal").iterdir()).write_bytes(b"?")

    with pytest.raises(DamagedJournalError):
        pending(project.root, state=project.state)
    assert pending(tmp_path, state=project.state) is None


@pytest.mark.parametrize("number", STOPPING)
def test_putting_back_is_not_interrupted(number):
    before = signal.signal(number, signal.default_int_handler)
    try:
        with ignore_signals():
            os.kill(os.getpid(), number)
        after = signal.getsignal(number)
    finally:
        signal.signal(number, before)

    assert after == signal.default_int_handler


def test_putting_back_works_in_any_thread(project):
    failures = []

    def work():
        try:
            project.write(dict.fromkeys("ab", b"1"), FaultyFileSystem(15, KeyboardInterrupt()))
        except KeyboardInterrupt:
            failures.append(tree(project.root))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert failures == [{}]
