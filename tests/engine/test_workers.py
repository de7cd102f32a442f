"""Any number of processes gives the same results in the same order; a death costs one item."""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest

from awaken.engine.machine import workers
from awaken.engine.machine.work_limits import TOOK_TOO_MUCH, TookTooLong, memory_of, processor_time
from awaken.engine.machine.workers import Died, run_many

# pytest-xdist has threads; nothing here holds a lock that a forked child could miss
pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")


@pytest.fixture(params=["fork", "spawn"])
def method(request, monkeypatch):
    """Run the test with both ways to start a process."""
    monkeypatch.setattr(workers, "start_method", lambda: request.param)
    return request.param


def square(number):
    return number * number


def process_of(_):
    time.sleep(0.02)
    return os.getpid()


def deadly(number):
    faulthandler.disable()  # a death on purpose needs no report
    if number == 2:  # not the last of its chunk
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 16:
        os._exit(5)
    return number


def dies_once(directory, number):
    """Die for one item, as if memory had run out, but not a second time."""
    marker = directory / str(number)
    if number == 2 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def always_dies(_):
    os._exit(1)


class OddError(Exception):
    """An exception that does not survive pickling."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def raises(number):
    if number == 4:
        raise OddError("late", "riser")
    if number in {5, 9}:
        raise ValueError(f"item {number}")
    return number


def endless(number):
    while number == 1:
        try:
            number = 1
        except Exception:  # noqa: BLE001  as a rule may do
            continue
    return number


def greedy(number):
    held = []
    while number == 1:
        held.append(bytearray(1_000_000))
        if len(held) > 2_000:  # nobody came: the test fails, the machine lives
            return "too late"
    return number


def frozen_objects(_):
    return gc.get_freeze_count()


def large(number):
    return bytes([number]) * 3_000_000


def interrupt_handler(_):
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("jobs", [1, 2, 3, 7])
def test_results_are_in_order_for_any_number_of_jobs(jobs):
    assert run_many(square, range(100), jobs=jobs) == [n * n for n in range(100)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_items_give_no_results(jobs):
    assert run_many(square, [], jobs=jobs) == []


def test_workers_are_other_processes(method):
    del method
    found = run_many(process_of, range(16), jobs=2)

    assert os.getpid() not in found
    assert len(set(found)) == 2


@pytest.mark.parametrize("jobs", [1, 4])
def test_small_work_stays_here_for_any_number_of_jobs(jobs):
    assert set(run_many(process_of, range(3), jobs=jobs, estimated_seconds=0.5)) == {os.getpid()}


def test_large_work_is_done_by_a_worker_also_where_there_is_one():
    (worker,) = set(run_many(process_of, range(3), jobs=1))
    assert worker != os.getpid()


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize("seconds", [0.5, 1.0], ids=["here", "in workers"])
@pytest.mark.sampled(2)
def test_an_item_that_does_not_come_back_is_ended_alone(monkeypatch, jobs, seconds):
    monkeypatch.setattr(workers, "SECONDS_PER_ITEM", 1)
    found = run_many(endless, range(4), jobs=jobs, estimated_seconds=seconds)

    ended = Died("took more than 1 seconds of processor time", by_limit=True)
    assert found == [0, ended, 2, 3]


def test_a_limit_of_time_is_no_error_that_a_rule_may_catch():
    assert not issubclass(TookTooLong, Exception)


def test_the_limit_of_time_is_gone_afterwards():
    before = resource.getrlimit(resource.RLIMIT_CPU), signal.getsignal(signal.SIGXCPU)
    with processor_time(1):
        assert resource.getrlimit(resource.RLIMIT_CPU) != before[0]

    assert (resource.getrlimit(resource.RLIMIT_CPU), signal.getsignal(signal.SIGXCPU)) == before


def test_a_worker_that_takes_too_much_memory_is_ended(monkeypatch):
    monkeypatch.setattr(workers, "BYTES_PER_WORKER", memory_of(os.getpid()) + 300_000_000)
    monkeypatch.setattr(workers, "_SECONDS_BETWEEN_LOOKS", 0.02)
    found = run_many(greedy, range(4), jobs=2)

    assert found == [0, Died(TOOK_TOO_MUCH, by_limit=True), 2, 3]


def test_a_death_costs_its_item_only(method):
    del method
    found = run_many(deadly, range(40), jobs=2)

    assert found[2] == Died("ended its worker process twice (SIGSEGV)")
    assert found[16] == Died("ended its worker process twice (exit code 5)")
    assert [one for one in found if not isinstance(one, Died)] == [
        number for number in range(40) if number not in {2, 16}
    ]


def test_a_worker_that_died_by_accident_is_tried_again(tmp_path):
    assert run_many(partial(dies_once, tmp_path), range(5), jobs=2) == list(range(5))


def test_everything_may_die():
    found = run_many(always_dies, range(6), jobs=2)

    assert found == [Died("ended its worker process twice (exit code 1)")] * 6


def test_results_larger_than_a_pipe_arrive():
    found = run_many(large, range(6), jobs=2)

    assert [one[0] for one in found] == list(range(6))
    assert {len(one) for one in found} == {3_000_000}


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_first_error_is_raised(jobs):
    with pytest.raises(ValueError, match="item 5"):
        run_many(raises, [1, 2, 5, 6, 9, 7], jobs=jobs)


def test_an_error_that_cannot_be_sent_is_told():
    with pytest.raises(RuntimeError, match="OddError: late riser"):
        run_many(raises, [1, 4, 2], jobs=2)


def test_workers_freeze_what_they_inherit_and_leave_interrupts_to_the_parent(method):
    del method

    assert all(count > 1000 for count in run_many(frozen_objects, range(4), jobs=2))
    assert all(run_many(interrupt_handler, range(4), jobs=2))


def test_interrupt_ends_all_workers_and_is_raised(tmp_path):
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from awaken.engine.machine.workers import run_many

        def wait(number):
            (Path(sys.argv[1]) / str(number)).write_text(str(__import__("os").getpid()))
            time.sleep(60)

        if __name__ == "__main__":
            try:
                run_many(wait, range(4), jobs=2)
            except KeyboardInterrupt:
                print("interrupted")
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(workers.__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while len(written := [p for p in tmp_path.iterdir() if p.read_text()]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    output, errors = process.communicate(timeout=30)

    assert (output, errors, process.returncode) == (b"interrupted\n", b"", 0)
    for path in written:
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)


def test_workers_end_when_the_parent_is_killed(tmp_path):
    program = textwrap.dedent(
        """
        import os, sys, time
        from pathlib import Path
        from awaken.engine.machine.workers import run_many

        def note(number):
            (Path(sys.argv[1]) / str(number)).write_text(str(os.getpid()))
            time.sleep(0.2)

        run_many(note, range(200), jobs=2)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=Path(workers.__file__).parents[2]
    )
    deadline = time.monotonic() + 30
    while len({p.read_text() for p in tmp_path.iterdir()} - {""}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    children = {int(text) for path in tmp_path.iterdir() if (text := path.read_text())}
    while any(Path(f"/proc/{child}/fd").exists() and _alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert not any(_alive(child) for child in children)


def _alive(process):
    """Whether a process runs; one that ended but was never waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_number_of_results_is_told_as_they_arrive(jobs):
    told = []

    run_many(square, range(20), jobs=jobs, arrived=told.append)

    assert told == list(range(1, 21))
