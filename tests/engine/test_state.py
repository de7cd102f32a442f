"""The state directory is the user's own, or it is not used and nothing is touched."""

from __future__ import annotations

import os
import stat

import pytest
from faulty_filesystem import FaultyFileSystem
from small_project import Project, tree

from awaken.engine.machine.apply_errors import StateDirectoryError
from awaken.engine.machine.filesystem import REAL
from awaken.engine.machine.state_directory import cache_key, state_directory
from awaken.engine.writing.lock import hold, holder
from awaken.engine.writing.undoing import pending, undo_list


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    made.apply(FaultyFileSystem())
    return made


def writable(mode):
    def change(path):
        path.chmod(mode)

    return change


def foreign(path):
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        path.chmod(0o770)


def linked(path):
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


SPOILED = {
    "others may write": (writable(0o777), "others may write to it, its mode is 0777"),
    "its group may write": (writable(0o770), "others may write to it, its mode is 0770"),
    "like a temporary directory": (writable(0o1777), "others may write to it, its mode is 1777"),
    "of another user": (foreign, "it belongs to another user, 12345|its mode is 0770"),
    "a link": (linked, "it is a link"),
}


@pytest.mark.parametrize("inside", ["", "journal", "locks"])
@pytest.mark.parametrize("how", SPOILED)
def test_a_directory_that_is_not_the_users_alone_is_refused(project, inside, how):
    spoil, words = SPOILED[how]
    spoil(project.state / inside)
    before = {path: path.read_bytes() for path in project.state.rglob("*") if path.is_file()}
    tree_before = tree(project.root)

    for work in (project.apply, project.undo):
        with pytest.raises(StateDirectoryError, match=words) as said:
            work(REAL)
        assert "set AWAKEN_STATE_DIR to a directory that only you" in str(said.value)
        assert "\n" not in str(said.value)

    assert tree(project.root) == tree_before
    after = {path: path.read_bytes() for path in project.state.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("how", SPOILED)
def test_nothing_is_even_read_from_it(project, how):
    SPOILED[how][0](project.state / "journal")

    with pytest.raises(StateDirectoryError):
        undo_list(project.root, state=project.state)
    with pytest.raises(StateDirectoryError):
        pending(project.root, state=project.state)


@pytest.mark.parametrize("how", SPOILED)
def test_locks_of_others_are_not_believed(tmp_path, how):
    locks = tmp_path / "locks"
    with hold(tmp_path, locks):
        pass
    SPOILED[how][0](locks)

    with pytest.raises(StateDirectoryError):
        holder(tmp_path, locks)
    with pytest.raises(StateDirectoryError), hold(tmp_path, locks):
        pass


@pytest.mark.parametrize("name", ["gate", "1-x.lock"])
def test_a_lock_that_is_a_link_is_not_followed(tmp_path, name):
    locks, victim = tmp_path / "locks", tmp_path / "victim"
    locks.mkdir(0o700)
    (locks / name).symlink_to(victim)

    with pytest.raises(StateDirectoryError), hold(tmp_path, locks):
        pass
    assert not victim.exists()


def test_a_directory_that_others_may_read_is_fine(project):
    project.state.chmod(0o755)

    project.undo(FaultyFileSystem())

    assert tree(project.root) == project.before


def test_the_directories_above_may_be_links(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to("disk")

    assert state_directory(tmp_path / "home" / "state") == tmp_path.resolve() / "disk" / "state"


def test_the_key_is_made_once_and_only_the_user_may_read_it(tmp_path):
    first = cache_key(tmp_path / "state")

    assert len(first) == 32
    assert first == cache_key(tmp_path / "state") != cache_key(tmp_path / "other")
    place = tmp_path / "state" / "cache-key"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["cache-key"]


def planted(place, victim):
    place.unlink()
    place.symlink_to(victim)


NO_KEY = {
    "empty": lambda place, _: place.write_bytes(b""),
    "too short": lambda place, _: place.write_bytes(b"k"),
    "of others": lambda place, _: place.chmod(0o622),
    "a link": planted,
    "a pipe": lambda place, _: (place.unlink(), os.mkfifo(place)),
    "a directory": lambda place, _: (place.unlink(), place.mkdir()),
}


@pytest.mark.parametrize("how", NO_KEY)
def test_a_key_that_may_be_somebody_elses_is_none(tmp_path, how):
    victim = tmp_path / "victim"
    victim.write_bytes(b"k" * 32)
    cache_key(tmp_path / "state")
    NO_KEY[how](tmp_path / "state" / "cache-key", victim)

    assert cache_key(tmp_path / "state") is None
    assert victim.read_bytes() == b"k" * 32


def test_without_a_state_directory_there_is_no_key(tmp_path):
    (tmp_path / "file").touch()
    assert cache_key(tmp_path / "file" / "state") is None

    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    assert cache_key(tmp_path / "open") is None
    assert list((tmp_path / "open").iterdir()) == []
