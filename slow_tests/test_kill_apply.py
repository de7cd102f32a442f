"""An apply or undo killed by the system at any moment loses nothing.

Run by `pytest slow_tests`; KILLS in the environment sets how many processes are killed.
"""

from __future__ import annotations

import collections
import os
import random
import subprocess
import sys
import time

import pytest
from faulty_filesystem import FaultyFileSystem, Killed
from small_project import AFTER, Project, count, tree

from awaken.engine.filesystem import REAL
from awaken.engine.undo import pending, undo_list

KILLS = int(os.environ.get("KILLS", "400"))

WORK_FOR_EVER = """
import sys
from pathlib import Path
from small_project import Project
from awaken.engine.filesystem import REAL
project = Project.__new__(Project)
project.open(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    project.apply(REAL)
    project.undo(REAL)
"""


def start(directory):
    """Start a process that applies and undoes until it is killed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, "-c", WORK_FOR_EVER, str(directory)],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout.readline() == b"ready\n"
    return process


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


def test_killed_at_random_moments(tmp_path, record_property):
    project = Project(tmp_path)
    seed = random.SystemRandom().randrange(1 << 32)
    record_property("seed", seed)
    moments = random.Random(seed)
    found = collections.Counter()
    for number in range(KILLS):
        with start(tmp_path) as process:
            time.sleep(moments.uniform(0, 0.15))
            process.kill()
            process.wait()

        found[recover(project)] += 1
        assert tree(project.root) == project.before, (seed, number)
        assert pending(project.root, state=project.state) is None, (seed, number)
    print(dict(found))

    project.apply(REAL)
    assert project.contents() == AFTER
    assert sum(found.values()) == KILLS
    assert found["an apply"] > KILLS // 20
    assert found["the undo of an apply"] > KILLS // 20


@pytest.mark.parametrize("torn", [False, True])
def test_every_kill_of_an_undo_after_every_kill_of_an_apply(tmp_path, torn):
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
    print(pairs, "pairs")
    assert pairs > 400
