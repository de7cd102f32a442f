"""Processes that are forked from the one that loaded foreign code, and the time a file may take.

The time is that of the processor, which does not depend on what else the machine does.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

import msgspec

from awaken.passes.child.isolation import end_with_parent, fork
from awaken.passes.protocol import Failed

_GARBAGE = 100_000
"""How many objects a process that serves one file makes before it looks for garbage."""
_PATIENCE = 5
"""How many times its processor time a file may take by the clock: the machine may have other
things to do, and code that waits for something uses no time at all."""


def hand_out(
    lines: Sequence[int], control: BinaryIO, work: Callable[[BinaryIO, BinaryIO], None]
) -> None:
    """Let a process of its own do the ``work`` of each line, from the first message on it.

    ``lines`` are the numbers of sockets. It ends when ``control`` does.
    """
    # Loaded objects stay: a collection would copy them page by page.
    gc.freeze()
    waiting = [socket.socket(fileno=number) for number in lines]
    for line in waiting:
        line.set_inheritable(False)
    workers: list[int] = []
    while True:
        watched: list[Any] = [control, *waiting]
        ready = select.select(watched, [], [])[0]
        if control in ready:
            for worker in workers:
                os.waitpid(worker, 0)
            return
        for line in ready:
            waiting.remove(line)
            workers.append(fork())
            if workers[-1] == 0:
                end_with_parent()
                for other in waiting:
                    other.close()
                with suppress(BaseException):
                    work(line.makefile("rb"), line.makefile("wb"))
                os._exit(0)
            line.close()


class TookTooLong(BaseException):
    """The processor time of a file is used up. No error that foreign code would catch."""


def run_limited(work: Callable[[], bytes], seconds: float) -> bytes:
    """Return what ``work`` gives in this process; it raises TookTooLong within it."""
    if not hasattr(signal, "setitimer"):
        return work()
    signal.signal(signal.SIGPROF, _raise)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _raise(_number: int, _frame: object) -> None:
    raise TookTooLong


def run_forked(work: Callable[[], bytes], seconds: float) -> bytes:
    """Return what ``work`` gives in a process of its own, or why it gives nothing.

    It may take so many ``seconds`` of processor time.
    """
    ours, theirs = os.pipe()
    child = fork()
    if child == 0:
        with suppress(BaseException):
            end_with_parent()
            os.close(ours)
            # It ends with this file, so little of its garbage is worth being looked for.
            gc.set_threshold(_GARBAGE)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            with os.fdopen(theirs, "wb") as stream:
                stream.write(work())
        os._exit(0)
    os.close(theirs)
    message = _read(ours, time.monotonic() + _PATIENCE * seconds)
    if message is None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if message:
        return message
    return msgspec.msgpack.encode(Failed(_ending(status, seconds, by_clock=message is None)))


def _ending(status: int, seconds: float, *, by_clock: bool) -> str:
    """Return how a process ended that gave nothing."""
    if by_clock:
        return f"it took more than {_PATIENCE * seconds:g} seconds for this file"
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGPROF:
        return took_too_long(seconds)
    ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"it ended its process ({ending})"


def took_too_long(seconds: float) -> str:
    """Return the message on a file that took more than ``seconds`` of processor time."""
    return f"it took more than {seconds:g} seconds of processor time for this file"


def _read(pipe: int, until: float) -> bytes | None:
    """Return all that comes through a pipe; None if it is not closed in time."""
    parts: list[bytes] = []
    with os.fdopen(pipe, "rb", buffering=0) as stream:
        while True:
            left = until - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                return None
            part = stream.read(1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
