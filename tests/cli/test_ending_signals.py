"""A signal that asks awaken to end is taken as Ctrl-C is: put back, one sentence, 128 and more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from real_program import GOOD, Program

from awaken.engine.machine.signals import STOPPING, as_interrupts, number_of
from awaken.engine.writing.undoing import undo_list

PROGRAM = """
import os, sys
from awaken.cli import main
from awaken.engine.machine.filesystem import FileSystem

count = 0

def counted(operation):
    def work(self, *arguments):
        global count
        count += 1
        if count == int(sys.argv[2]):
            os.kill(os.getpid(), int(sys.argv[1]))
        return operation(self, *arguments)
    return work

for name in [name for name in vars(FileSystem) if name[0] != "_"]:
    setattr(FileSystem, name, counted(getattr(FileSystem, name)))
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "shop", {"a.py": GOOD, "b.py": GOOD})


def ended(program, tmp_path, number, at, *words):
    """Run awaken, which is sent a signal before its operation number ``at`` on the disk."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(int(number)), str(at), *words],
        cwd=program.root,
        env={**os.environ, "AWAKEN_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )


POINTS = (1, 16, 22, 24)
"""Of the operations of this apply: the first, in the middle, and among the last."""


@pytest.mark.parametrize("number", [one for one in STOPPING if one != signal.SIGINT])
@pytest.mark.parametrize(
    "at", [pytest.param(at, marks=() if at == 16 else pytest.mark.slow) for at in POINTS]
)
@pytest.mark.slow
def test_an_apply_is_put_back(program, tmp_path, number, at):
    before = program.contents()

    done = ended(program, tmp_path, number, at, "apply", "--no-cache")

    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr == f"Stopped by {number.name}.\n"
    assert program.contents() == before
    assert undo_list(program.root, state=tmp_path / "state").entries == ()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.sampled(2)
def test_an_undo_is_finished_first(program, tmp_path, number):
    before = program.contents()
    assert ended(program, tmp_path, 0, 0, "apply", "--no-cache").returncode == 0
    assert program.contents() != before

    done = ended(program, tmp_path, number, 5, "undo")

    assert done.returncode == 128 + number
    assert program.contents() == before


def test_what_the_caller_ignores_stays_ignored(program, tmp_path):
    """As under nohup."""
    before = program.contents()
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = ended(program, tmp_path, signal.SIGHUP, 16, "apply", "--no-cache")
    finally:
        signal.signal(signal.SIGHUP, previous)

    assert done.returncode == 0
    assert program.contents() != before


def test_handlers_are_as_before_afterwards():
    before = {number: signal.getsignal(number) for number in STOPPING}

    with pytest.raises(KeyboardInterrupt) as caught, as_interrupts():
        signal.raise_signal(signal.SIGTERM)

    assert number_of(caught.value) is signal.SIGTERM
    assert {number: signal.getsignal(number) for number in STOPPING} == before


class Destroyed:
    """An object that meets a signal on its way out."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_that_meets_a_destructor_is_not_lost(number):
    def meet():
        Destroyed(number)
        time.sleep(20)

    with as_interrupts(), pytest.raises(KeyboardInterrupt) as caught:
        meet()

    assert number_of(caught.value) is number


class Failing:
    """An object whose destructor fails."""

    def __del__(self):
        raise ValueError("at the end")


def test_other_errors_of_destructors_go_where_they_went(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: told.append(error.exc_type))

    with as_interrupts():
        Failing()

    assert told == [ValueError]
