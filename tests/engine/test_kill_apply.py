"""An apply or undo that is ended at any moment loses nothing, and leaves nothing half-written.

AWAKEN_KILLS in the environment sets how many processes are ended. Of three, the first is killed,
and the others are asked to end: they put back what they began.
"""

from __future__ import annotations

import collections
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from faulty_filesystem import FaultyFileSystem, Killed
from small_project import AFTER, Project, count, tree

from awaken.engine.machine.filesystem import REAL
from awaken.engine.writing.undoing import pending, undo_list

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("AWAKEN_KILLS", "90"))
SECONDS_TO_END = 60
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)

WORK_FOR_EVER = """
import sys
from pathlib import Path
from small_project import Project
from awaken.engine.machine.filesystem import REAL
from awaken.engine.machine.signals import as_interrupts, number_of
project = Project.__new__(Project)
project.open(Path(sys.argv[1]))
try:
    with as_interrupts():
        project.apply(REAL)  # what is imported late is imported now
        project.undo(REAL)
        print("ready", flush=True)
        while True:
            project.apply(REAL)
            project.undo(REAL)
except KeyboardInterrupt as interrupt:
    sys.exit(128 + number_of(interrupt))
"""


def start(directory):
    """Start a process that applies and undoes until it is killed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", WORK_FOR_EVER, str(directory)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout.readline() == b"ready\n"
    return process


def wait_for(process):
    """Wait until ``process`` has ended; one that goes on fails, with what it does."""
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # its faulthandler shows where it is
        raise


def recover(project):
    """Bring the tree back by what awaken offers after a kill; return what was found."""
    found = pending(project.root, state=project.state)
    if found is not None:
        project.undo(REAL)
        return found.message.split(" (")[0]
    if undo_list(project.root, state=project.state).entries:
        assert project.contents() == AFTER
        project.undo(REAL)
        return "applied"
    return "as before"


def state(project):
    """Return how the tree looks: as before, as after the apply, or half-written."""
    if tree(project.root) == project.before:
        return "as before"
    return "applied" if project.contents() == AFTER else "half-written"


def test_ended_at_random_moments(tmp_path, record_property):
    project = Project(tmp_path)
    seed = random.SystemRandom().randrange(1 << 32)
    record_property("seed", seed)
    moments = random.Random(seed)
    found = collections.Counter()
    for number in range(KILLS):
        ending = SIGNALS[number % len(SIGNALS)]
        with start(tmp_path) as process:
            time.sleep(moments.uniform(0, 0.15))
            process.send_signal(ending)
            wait_for(process)

        if ending is signal.SIGKILL:
            found[f"{ending.name}: {state(project)}"] += 1
        else:
            assert process.returncode == 128 + ending, (seed, number)
            assert pending(project.root, state=project.state) is None, (seed, number)
            assert state(project) in {"as before", "applied"}, (seed, number)
            assert not list(project.root.rglob(".awaken-*")), (seed, number)
        found[f"{ending.name}: {recover(project)}"] += 1
        assert tree(project.root) == project.before, (seed, number)
        assert pending(project.root, state=project.state) is None, (seed, number)
    record_property("found", dict(found))

    project.apply(REAL)
    assert project.contents() == AFTER
    assert found["SIGKILL: an apply"] > KILLS // 60
    assert found["SIGKILL: the undo of an apply"] > KILLS // 60


@pytest.mark.parametrize("torn", [False, True])
def test_every_kill_of_an_undo_after_every_kill_of_an_apply(tmp_path, torn, record_property):
    numbers = iter(range(1_000_000))

    def killed(at):
        project = Project(tmp_path / str(next(numbers)))
        project.kill_apply(at, torn=torn)
        return project

    pairs = 0
    for at in range(1, count(Project(tmp_path / "first").apply) + 1):
        project = killed(at)
        if pending(project.root, state=project.state) is None:
            continue
        for undo_at in range(1, count(project.undo) + 1):
            project = killed(at)
            with pytest.raises(Killed):
                project.undo(FaultyFileSystem(undo_at, Killed(), lasting=True, torn=torn))
            recover(project)
            assert tree(project.root) == project.before, (at, undo_at)
            pairs += 1
    record_property("pairs", pairs)
    assert pairs > 400
