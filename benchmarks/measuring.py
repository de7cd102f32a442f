"""Measures one command: wall time, CPU time and peak memory of its whole process tree (Linux)."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

MEGABYTE = 1e6
POLLED_EVERY = 0.02  # seconds


def nothing() -> None:
    """Prepare nothing."""


class Command(NamedTuple):
    """What is measured; `prepare` runs before each start and is not measured."""

    name: str
    arguments: list[str]
    directory: Path
    environment: Mapping[str, str] = os.environ
    prepare: Callable[[], None] = nothing

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; what it prints is thrown away."""
        return subprocess.Popen(
            self.arguments,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Timing(NamedTuple):
    """One run: seconds of wall clock and of CPU (with all children), and the exit code.

    ``user`` is the part of ``cpu`` outside the kernel, which other work on the machine moves least.
    """

    wall: float
    cpu: float
    code: int
    user: float


class Memory(NamedTuple):
    """Peaks of the process tree in megabytes.

    `proportional` counts a page shared by several processes once, `resident` once per process.
    """

    proportional: float
    resident: float


def timed(command: Command) -> Timing:
    """Run once and time it; nothing polls meanwhile."""
    command.prepare()
    started = time.perf_counter()
    running = command.start()
    _, status, usage = os.wait4(running.pid, 0)
    return timing(running, time.perf_counter() - started, status, usage)


def peak_memory(command: Command) -> Memory:
    """Run once more, polling."""
    return observed(command)[1]


def observed(command: Command) -> tuple[Timing, Memory]:
    """Run once, timed and polled; a peak shorter than the pause between two looks is missed.

    Polling waits longer for a large process, into which a look takes longer, so that it takes a
    twentieth of one core at most.
    """
    command.prepare()
    started = time.perf_counter()
    running = command.start()
    peak = Memory(0, 0)
    ended = 0
    while not ended:
        looked = time.perf_counter()
        now = [memory_of(process) for process in tree(running.pid)]
        peak = Memory(
            max(peak.proportional, sum(memory.proportional for memory in now)),
            max(peak.resident, sum(memory.resident for memory in now)),
        )
        time.sleep(max(POLLED_EVERY, 19 * (time.perf_counter() - looked)))
        ended, status, usage = os.wait4(running.pid, os.WNOHANG)
    return timing(running, time.perf_counter() - started, status, usage), peak


def timing(
    running: subprocess.Popen[bytes], wall: float, status: int, usage: resource.struct_rusage
) -> Timing:
    """Return what a process took that was waited for."""
    running.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return Timing(wall, cpu, running.returncode, usage.ru_utime)


def tree(process: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in (reading(children) or "").split():
            yield from tree(int(child))


def memory_of(process: int) -> Memory:
    """Return what one process holds now; nothing if it has ended."""
    text = reading(Path(f"/proc/{process}/smaps_rollup"))
    sizes = dict(line.split(":", 1) for line in (text or "").splitlines()[1:])
    proportional, resident = (
        int(sizes.get(name, "0 kB").split()[0]) * 1024 / MEGABYTE for name in ("Pss", "Rss")
    )
    return Memory(proportional, resident)


def reading(file: Path) -> str | None:
    """Return the text of a file of /proc, None if its process has just ended."""
    try:
        return file.read_text()
    except OSError:
        return None
