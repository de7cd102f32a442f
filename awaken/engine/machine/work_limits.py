"""The last resort against work that does not end: processor time for each item, memory for workers.

Sizes and steps, equal on every machine, limit the analysis of a program. These limits are not, so
they are wide, and what they end is said. Time is that of the processor, so that a machine which has
other things to do gives up nothing. It is limited where there is the module ``resource`` (not on
Windows), memory where there is ``/proc`` (Linux).

Memory is looked at from outside, and the worker killed: a limit that the system sets for it would
raise MemoryError anywhere, also where that is taken for a file that cannot be parsed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import resource

SECONDS_PER_ITEM = 300
"""For one file and one rule. The whole of mlflow (1,315 files) takes 27 s."""

SECONDS_PER_RULE = 1800
"""For a rule that is planned for all files at once. The longest measured is litellm's 110 s."""

BYTES_PER_WORKER = 4 << 30
"""Memory of a worker, with what it shares with the process it comes from. The largest process
measured took 1.8 GB, for litellm."""

TOOK_TOO_MUCH = f"took more than {BYTES_PER_WORKER >> 30} GB of memory"


class TookTooLong(BaseException):
    """The processor time is used up. No error of a rule: nothing that it catches."""


def took_too_long(seconds: int) -> str:
    """Return the clause that says so."""
    return f"took more than {seconds} seconds of processor time"


@contextmanager
def processor_time(seconds: int) -> Iterator[None]:
    """Raise TookTooLong in this thread after so many ``seconds`` of processor time.

    Only the main thread can be interrupted; in others there is no limit.
    """
    # Python runs handlers of signals in the main thread only.
    is_main = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or not is_main:
        yield
        return
    handler = signal.signal(signal.SIGXCPU, _raise)
    limits = resource.getrlimit(resource.RLIMIT_CPU)
    try:
        _allow(seconds)
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, limits)
        signal.signal(signal.SIGXCPU, handler)


def end_after(seconds: int) -> None:
    """Let the system end this process, by SIGXCPU, after so many more ``seconds``."""
    if sys.platform != "win32":
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        _allow(seconds)


def memory_of(process: int) -> int:
    """Return how many bytes a process has in memory; 0 if unknown."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _allow(seconds: int) -> None:
    """Let this process use so many more ``seconds``, unless its user allows it less."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + seconds + 1  # the limit counts whole seconds
    if hard == resource.RLIM_INFINITY or allowed < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _raise(_number: int, _frame: object) -> None:
    raise TookTooLong
