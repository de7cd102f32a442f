"""What apply writes, what it refuses, and that it then writes nothing at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from faulty_filesystem import FaultyFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st
from small_project import tree

from awaken.engine.machine.apply_errors import (
    FileConflictError,
    StateDirectoryError,
    TreeLockedError,
)
from awaken.engine.machine.filesystem import REAL, digest, write_file
from awaken.engine.writing import applying
from awaken.engine.writing.applying import FileWrite, apply
from awaken.engine.writing.lock import hold
from awaken.engine.writing.undoing import undo, undo_list


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def root(tmp_path):
    place = (tmp_path / "project").resolve()
    place.mkdir()
    return place


@pytest.fixture
def run(root, state):
    """Apply ``writes`` to the project."""

    def call(*writes):
        return apply(root, writes, command="awaken apply", state=state)

    return call


def existing(path, old=b"old\n", new=b"new\n"):
    """Make a file and return what rewrites it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(old)
    return FileWrite(path, digest(old), new)


def refused(run, root, *writes):
    """Return the sentence of the refusal, having checked that nothing was touched."""
    before = tree(root)
    with pytest.raises(FileConflictError) as caught:
        run(*writes)
    assert tree(root) == before
    return str(caught.value)


def test_bytes_are_written_as_they_are(run, root):
    content = b"\xef\xbb\xbfa = 1\r\nb = '\xff'\n\rc = 3"

    applied = run(existing(root / "a.py", new=content))

    assert (root / "a.py").read_bytes() == content
    assert applied.files == (root / "a.py",)


def test_permissions_are_kept_and_no_bit_that_runs_it_as_somebody_else(run, root):
    write = existing(root / "a.py")
    write.path.chmod(0o6751)

    run(write)

    assert stat.S_IMODE(write.path.stat().st_mode) == 0o751


def test_owner_is_kept_where_the_system_allows(root, state):
    write = existing(root / "a.py")
    asked = []

    class Owners(FaultyFileSystem):
        def set_owner(self, _descriptor, user, group):
            asked.append((user, group))
            raise PermissionError(1, "not yours")

        def create(self, path, mode):
            descriptor = super().create(path, mode)
            if path.parent == root:
                os.chown(write.path, *other) if os.geteuid() == 0 else None
            return descriptor

    other = (4321, 1234)
    apply(root, [write], command="", state=state, filesystem=Owners())

    assert asked == ([(4321, 1234)] if os.geteuid() == 0 else [])
    assert write.path.read_bytes() == b"new\n"


def test_created_file_has_the_mode_of_the_umask(run, root):
    before = os.umask(0o027)
    try:
        run(FileWrite(root / "new/a.py", b"", b"x"))
    finally:
        os.umask(before)

    assert stat.S_IMODE((root / "new/a.py").stat().st_mode) == 0o640
    assert stat.S_IMODE((root / "new").stat().st_mode) == 0o750


def test_a_link_stays_a_link_and_its_target_is_rewritten(run, root):
    write = existing(root / "real.py")
    (root / "middle.py").symlink_to("real.py")
    (root / "link.py").symlink_to("middle.py")

    applied = run(FileWrite(root / "link.py", write.digest, b"new\n"))

    assert (root / "link.py").readlink() == Path("middle.py")
    assert write.path.read_bytes() == b"new\n"
    assert applied.files == (write.path,)


def test_a_project_reached_through_a_link(tmp_path, root, state):
    existing(root / "a.py")
    link = tmp_path / "link"
    link.symlink_to(root)

    apply(link, [FileWrite(link / "a.py", digest(b"old\n"), b"new\n")], command="", state=state)

    assert (root / "a.py").read_bytes() == b"new\n"
    assert undo(root, state=state).restored == (root / "a.py",)


def test_one_file_reached_twice_is_written_once(run, root):
    write = existing(root / "real.py")
    (root / "link.py").symlink_to("real.py")

    applied = run(write, FileWrite(root / "link.py", write.digest, b"new\n"))

    assert applied.files == (root / "real.py",)


def test_one_file_with_two_results_is_refused(run, root):
    write = existing(root / "real.py")
    (root / "link.py").symlink_to("real.py")

    message = refused(run, root, write, FileWrite(root / "link.py", write.digest, b"other\n"))

    assert "link.py is reached by two paths, with two different results" in message


def test_nothing_to_change_leaves_no_journal(run, root, state):
    applied = run(existing(root / "a.py", new=b"old\n"))

    assert applied.journal is None
    assert applied.files == ()
    assert undo_list(root, state=state).entries == ()


def test_a_file_that_does_not_change_is_left_out(run, root):
    applied = run(existing(root / "a.py", new=b"old\n"), existing(root / "b.py"))

    assert applied.files == (root / "b.py",)


def test_files_changed_since_are_refused_by_name(run, root):
    good, bad = existing(root / "a.py"), existing(root / "pkg/b.py")
    bad.path.write_bytes(b"edited\n")

    message = refused(run, root, good, bad)

    assert "nothing was written: pkg/b.py was changed since it was read" in message


def test_all_refusals_are_given_and_the_others_counted(run, root):
    writes = [existing(root / f"{name}.py") for name in "abc"]
    for write in writes:
        write.path.unlink()

    with pytest.raises(FileConflictError) as caught:
        run(*writes)

    assert [one.path for one in caught.value.conflicts] == ["a.py", "b.py", "c.py"]
    assert "a.py was removed since it was read (and 2 more files" in str(caught.value)


def test_read_only_file_is_refused_even_for_root(run, root):
    write = existing(root / "a.py")
    write.path.chmod(0o444)

    assert "a.py is read-only" in refused(run, root, write)


def test_directory_without_permission_is_refused(run, root, monkeypatch):
    write = existing(root / "pkg/a.py")
    new = FileWrite(root / "pkg/new.py", b"", b"")
    # Root may write everywhere, so the system's answer is given by hand.
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != root / "pkg")

    assert "pkg/a.py lies in pkg, a directory that cannot be written" in refused(run, root, write)
    assert "the directory pkg is not writable" in refused(run, root, new)


def test_unreadable_file_is_refused(run, root, monkeypatch):
    write = existing(root / "a.py")

    def fail(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(applying, "read_regular", fail)

    with pytest.raises(FileConflictError, match=r"a\.py cannot be read \(Permission denied\)"):
        run(write)


@pytest.mark.parametrize("kind", ["directory", "pipe", "broken link", "loop"])
def test_what_is_no_regular_file_is_refused(run, root, kind):
    path = root / "a.py"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere.py" if kind == "broken link" else "a.py")
    expected = "is not a regular" if kind in {"directory", "pipe"} else "was removed"

    with pytest.raises(FileConflictError, match=expected):
        run(FileWrite(path, digest(b""), b""))


def test_a_link_out_of_the_project_is_refused(run, root, tmp_path):
    outside = existing(tmp_path / "outside.py")
    (root / "a.py").symlink_to(outside.path)
    (root / "pkg").symlink_to(tmp_path)

    link = refused(run, root, FileWrite(root / "a.py", outside.digest, b"new\n"))
    new = refused(run, root, FileWrite(root / "pkg/new.py", b"", b"new\n"))

    assert f"a.py is a link to {outside.path}, outside the project" in link
    assert f"pkg/new.py would be created at {tmp_path / 'new.py'}, outside" in new


@pytest.mark.parametrize("kind", ["file", "directory", "broken link"])
def test_a_created_file_must_not_exist(run, root, kind):
    path = root / "a.py"
    if kind == "file":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere.py")

    assert "a.py exists already" in refused(run, root, FileWrite(path, b"", b""))


def test_a_created_file_below_a_file_is_refused(run, root):
    existing(root / "a")

    message = refused(run, root, FileWrite(root / "a/b/c.py", b"", b""))

    assert "a/b/c.py cannot be created: a is not a directory" in message


def test_a_relative_path_is_a_mistake_of_the_caller(run):
    with pytest.raises(ValueError, match="not an absolute path"):
        run(FileWrite(Path("a.py"), b"", b""))


@pytest.mark.parametrize("created", [False, True])
def test_an_editor_that_saves_while_we_write_wins(root, state, created):
    others = [existing(root / "a.py"), existing(root / "z.py")]
    path = root / "m.py"
    write = FileWrite(path, b"", b"new\n") if created else existing(path)
    before = tree(root)

    class Editor(FaultyFileSystem):
        def replace(self, source, target):
            super().replace(source, target)
            if target == root / "a.py":
                path.write_bytes(b"typed by hand\n")

    with pytest.raises(FileConflictError, match=r"m\.py was changed just now"):
        apply(root, [*others, write], command="", state=state, filesystem=Editor())

    assert path.read_bytes() == b"typed by hand\n"
    assert {**tree(root), "m.py": None} == {**before, "m.py": None}


def test_another_run_on_the_tree_is_refused(run, root, state):
    write = existing(root / "a.py")
    with hold(root, state / "locks"), pytest.raises(TreeLockedError, match=str(os.getpid())):
        run(write)

    assert run(write).files == (write.path,)


def test_state_directory_that_cannot_be_used_is_one_sentence(root, tmp_path):
    write = existing(root / "a.py")
    (tmp_path / "file").touch()

    with pytest.raises(StateDirectoryError, match="AWAKEN_STATE_DIR"):
        apply(root, [write], command="", state=tmp_path / "file" / "state")

    assert write.path.read_bytes() == b"old\n"


def test_a_journal_that_vanishes_does_not_lose_the_originals(root, state):
    writes = [existing(root / name) for name in ("a.py", "b.py")]
    before = tree(root)

    class Vanishing(FaultyFileSystem):
        def replace(self, source, target):
            super().replace(source, target)
            if target == root / "b.py":
                for path in (state / "journal").iterdir():
                    path.unlink()

    with pytest.raises(Exception, match="every file is as it was before"):
        apply(root, writes, command="", state=state, filesystem=Vanishing())

    assert tree(root) == before


def test_a_system_that_writes_little_at_a_time(root, state):
    class Short(FaultyFileSystem):
        def write(self, descriptor, content):
            return super().write(descriptor, content[:3])

    write = existing(root / "a.py", new=b"0123456789")

    apply(root, [write], command="", state=state, filesystem=Short())

    assert write.path.read_bytes() == b"0123456789"
    assert undo(root, state=state).restored == (write.path,)


def test_a_temporary_file_never_overwrites_another(root):
    write = existing(root / "a.py")

    with pytest.raises(FileExistsError):
        write_file(REAL, write.path, b"new", 0o644)

    assert write.path.read_bytes() == b"old\n"


def test_an_apply_throws_old_entries_away(run, root, state):
    run(existing(root / "a.py"))
    (entry,) = (state / "journal").iterdir()
    os.utime(entry, (0, 0))

    run(existing(root / "b.py"))

    assert not entry.exists()


def test_names_that_are_not_text_are_written_and_shown(run, root):
    path = root / os.fsdecode(b"caf\xe9.py")
    write = existing(path)

    assert run(write).files == (path,)
    message = refused(run, root, write)

    assert "caf\\xe9.py was changed" in message
    assert message.encode()


NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"),
    min_size=1,
    max_size=12,
).filter(lambda name: name.strip(".") and len(name.encode()) < 100)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=60) | st.text(alphabet="aé\r\n\t ", max_size=30).map(str.encode)
FILES = st.dictionaries(PATHS, st.tuples(CONTENTS | st.none(), CONTENTS), max_size=6)


@settings(max_examples=120, deadline=None)
@given(FILES, st.sampled_from([0o600, 0o644, 0o755]))
@pytest.mark.slow
def test_undo_after_apply_is_identity(files, mode):
    with tempfile.TemporaryDirectory() as directory:
        root, state = (Path(directory) / "project").resolve(), Path(directory) / "state"
        root.mkdir()
        wanted = make_tree(root, files, mode)
        before = tree(root)
        writes = [
            FileWrite(root / path, b"" if old is None else digest(old), new)
            for path, (old, new) in wanted.items()
        ]

        applied = apply(root, writes, command="", state=state, filesystem=FaultyFileSystem())

        assert {path: (root / path).read_bytes() for path in wanted} == {
            path: new for path, (_, new) in wanted.items()
        }
        if applied.journal is not None:
            undo(root, state=state, filesystem=FaultyFileSystem())
        assert tree(root) == before


def make_tree(root, files, mode):
    """Make the old files, and return those of ``files`` whose paths do not exclude each other."""
    wanted = {}
    for path, (old, new) in files.items():
        parents = [parent.as_posix() for parent in Path(path).parents]
        if any(path in Path(other).parents or other in parents for other in wanted):
            continue
        if any(Path(path) in Path(other).parents for other in wanted):
            continue
        wanted[path] = (old, new)
        if old is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(old)
            (root / path).chmod(mode)
    return wanted
