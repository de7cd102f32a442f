"""A fault, a kill and a Ctrl-C at every single write of an apply, an undo and a putting back."""

from __future__ import annotations

import errno
import os
import signal
from contextlib import suppress

import pytest
from faulty_filesystem import FaultyFileSystem, Killed
from small_project import AFTER, Project, count, tree

from awaken.engine.machine.apply_errors import (
    ApplyError,
    PutBackError,
    UnfinishedApplyError,
    WriteError,
)
from awaken.engine.writing.undoing import pending, undo_list


@pytest.fixture
def projects(tmp_path):
    """Give a fresh project at each call."""
    numbers = iter(range(1_000_000))
    return lambda: Project(tmp_path / str(next(numbers)))


@pytest.fixture
def apply_points(projects):
    points = range(1, count(projects().apply) + 1)
    assert len(points) > 40
    return points


def test_every_kind_of_operation_is_covered(projects):
    filesystem = FaultyFileSystem()
    project = projects()
    project.apply(filesystem)
    project.undo(filesystem)

    kinds = {name for name in vars(FaultyFileSystem) if not name.startswith("_")}
    if os.geteuid() != 0:
        kinds.discard("set_owner")
    assert set(filesystem.operations) == kinds


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.sampled(3)
def test_a_failing_write_leaves_everything_as_it_was(projects, apply_points, code, torn):
    for at in apply_points:
        project = projects()
        filesystem = FaultyFileSystem(at, OSError(code, os.strerror(code)), torn=torn)

        with suppress(ApplyError):
            project.apply(filesystem)
            # Who is not root cannot give a file away; and at the last operation all is done.
            assert filesystem.operations[at - 1] == "set_owner" or at == apply_points[-1]
            project.undo(FaultyFileSystem())

        assert tree(project.root) == project.before, at
        assert pending(project.root, state=project.state) is None, at
        project.apply(FaultyFileSystem())
        assert project.contents() == AFTER, at


def test_a_failing_write_is_one_sentence_that_names_a_file(projects, apply_points):
    for at in apply_points[:-1]:
        project = projects()
        filesystem = FaultyFileSystem(at, OSError(errno.ENOSPC, "No space left on device"))

        with pytest.raises(ApplyError) as caught:
            project.apply(filesystem)

        message = str(caught.value)
        assert "No space left on device" in message
        assert ".awaken-" not in message
        assert "None" not in message
        assert "\n" not in message


def test_a_disk_that_stays_broken_is_undone_later(projects, apply_points):
    seen = set()
    for at in apply_points[:-1]:
        project = projects()
        filesystem = FaultyFileSystem(at, OSError(errno.EIO, "I/O error"), lasting=True)

        with pytest.raises(ApplyError) as caught:
            project.apply(filesystem)

        seen.add(type(caught.value))
        if isinstance(caught.value, PutBackError):
            assert f"awaken undo {project.root}" in str(caught.value)
            project.undo(FaultyFileSystem())
        assert tree(project.root) == project.before, at
        assert pending(project.root, state=project.state) is None, at
    assert {WriteError, PutBackError} <= seen


def test_control_c_puts_everything_back_and_goes_on_up(projects, apply_points):
    for at in apply_points:
        project = projects()

        with pytest.raises(KeyboardInterrupt):
            project.apply(FaultyFileSystem(at, KeyboardInterrupt(), torn=True))

        assert tree(project.root) == project.before, at
        assert pending(project.root, state=project.state) is None, at


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.sampled(3)
def test_a_killed_apply_is_found_and_undone(projects, apply_points, torn):
    found_at = 0
    for at in apply_points:
        project = projects()
        project.kill_apply(at, torn=torn)

        if pending(project.root, state=project.state):
            found_at += 1
            with pytest.raises(UnfinishedApplyError, match="awaken undo"):
                project.apply(FaultyFileSystem())
            project.undo(FaultyFileSystem())
        elif undo_list(project.root, state=project.state).entries:
            # Killed after its last rename: then everything was done.
            assert project.contents() == AFTER, at
            project.undo(FaultyFileSystem())
        # What is left was killed before its journal was complete, and wrote nothing.
        assert tree(project.root) == project.before, at
        project.apply(FaultyFileSystem())
        assert project.contents() == AFTER, at
    assert found_at > 30


def test_an_undo_killed_anywhere_is_done_again(projects):
    project = projects()
    project.apply(FaultyFileSystem())
    found_at = 0
    for at in range(1, count(project.undo) + 1):
        project = projects()
        project.apply(FaultyFileSystem())
        with pytest.raises(Killed):
            project.undo(FaultyFileSystem(at, Killed(), lasting=True, torn=True))

        found = pending(project.root, state=project.state)
        if found is not None:
            assert found.message.startswith("the undo of an apply")
            found_at += 1
        if undo_list(project.root, state=project.state).entries:
            project.undo(FaultyFileSystem())

        assert tree(project.root) == project.before, at
        assert pending(project.root, state=project.state) is None, at
    assert found_at > 20


@pytest.mark.parametrize("what", ["apply", "undo"])
def test_a_second_control_c_does_not_stop_the_putting_back(projects, what):
    class Impatient(FaultyFileSystem):
        def _step(self, name, path=None):
            if len(self.operations) > self.at:
                os.kill(os.getpid(), signal.SIGINT)
            super()._step(name, path)

    for at in (12, 20, 25):
        project = projects()
        if what == "undo":
            project.apply(FaultyFileSystem())

        with pytest.raises(KeyboardInterrupt, match="the first"):
            getattr(project, what)(Impatient(at, KeyboardInterrupt("the first")))

        assert tree(project.root) == project.before, at
        assert not undo_list(project.root, state=project.state).entries, at


def test_a_last_sync_that_fails_does_not_ask_for_a_second_undo(projects):
    project = projects()
    last_of_apply = count(project.apply)
    last_of_undo = count(project.undo)

    project.apply(FaultyFileSystem(last_of_apply, OSError(errno.EIO, "I/O error")))
    assert project.contents() == AFTER
    project.undo(FaultyFileSystem(last_of_undo, OSError(errno.EIO, "I/O error")))
    assert tree(project.root) == project.before


def test_directories_are_synced_before_the_journal_says_done(projects):
    project = projects()
    for run in (project.apply, project.undo):
        filesystem = FaultyFileSystem()
        run(filesystem)

        # The last two are the journal's own; made, made/deep, pkg and the root come before.
        syncs = 4 if run == project.apply else 2
        assert filesystem.operations[-2 - syncs :] == [
            *["sync_directory"] * syncs,
            "replace",
            "sync_directory",
        ]


def test_control_c_in_an_undo_finishes_it_first(projects):
    project = projects()
    project.apply(FaultyFileSystem())
    for at in range(1, count(project.undo) + 1):
        project = projects()
        project.apply(FaultyFileSystem())

        with pytest.raises(KeyboardInterrupt):
            project.undo(FaultyFileSystem(at, KeyboardInterrupt(), torn=True))

        assert tree(project.root) == project.before, at
        assert not undo_list(project.root, state=project.state).entries, at


def test_a_failing_undo_says_how_to_go_on(projects):
    project = projects()
    project.apply(FaultyFileSystem())
    last = count(project.undo)
    for at in range(1, last + 1):
        project = projects()
        project.apply(FaultyFileSystem())
        filesystem = FaultyFileSystem(at, OSError(errno.EIO, "I/O error"))
        with suppress(PutBackError):
            project.undo(filesystem)

        # The first removes a draft that is not there; the last syncs what is done.
        failed = 1 < at < last
        assert bool(undo_list(project.root, state=project.state).entries) == failed, at
        if failed:
            project.undo(FaultyFileSystem())
        assert tree(project.root) == project.before, at


@pytest.mark.slow
def test_an_undo_killed_after_a_killed_apply_is_done_again(projects, apply_points):
    # Every third point of each: all pairs are in the slow tests.
    for at in apply_points[::3]:
        project = projects()
        project.kill_apply(at)
        if pending(project.root, state=project.state) is None:
            continue
        last = count(project.undo)
        for undo_at in range(1 + at % 3, last + 1, 3):
            project = projects()
            project.kill_apply(at)
            with pytest.raises(Killed):
                project.undo(FaultyFileSystem(undo_at, Killed(), lasting=True))
            if undo_list(project.root, state=project.state).entries:
                project.undo(FaultyFileSystem())
            assert tree(project.root) == project.before, (at, undo_at)
