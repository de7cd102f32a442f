"""Signals that ask awaken to end. All act as Ctrl-C: unfinished writes are rolled back."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOPPING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
    if hasattr(signal, name)
)
"""Those that leave a process time to end, as far as the system has them."""

_SECONDS_UNTIL_AGAIN = 0.01


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Inside, each of these signals raises a KeyboardInterrupt, which holds its number.

    One that the caller ignores stays ignored, as ``nohup`` wants, and one that has a handler
    already keeps it: Ctrl-C has Python's. One that comes while a destructor runs is not lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Not those that are ignored or handled already: the caller, or Python, wants it so.
    ours = [number for number in STOPPING if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        with _sent_again():
            yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def ignore_signals() -> Iterator[None]:
    """Ignore these signals inside: putting files back is short, and half of it helps nobody."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler or signal.SIG_DFL)


def number_of(interrupt: KeyboardInterrupt) -> signal.Signals:
    """Return the signal of ``interrupt``."""
    said = interrupt.args[0] if interrupt.args else None
    return said if isinstance(said, signal.Signals) else signal.SIGINT


@contextmanager
def _sent_again() -> Iterator[None]:
    """Send a signal again that met a destructor: Python passes over all that one raises.

    Source: https://docs.python.org/3/library/signal.html#note-on-signal-handlers-and-exceptions
    """
    before = sys.unraisablehook

    def hook(passed_over: sys.UnraisableHookArgs) -> None:
        if isinstance(passed_over.exc_value, KeyboardInterrupt):
            # Later, and from elsewhere: sent here it would be raised, and passed over, here.
            again = number_of(passed_over.exc_value)
            threading.Timer(_SECONDS_UNTIL_AGAIN, _send_to_main_thread, (again,)).start()
        else:
            before(passed_over)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _send_to_main_thread(number: signal.Signals) -> None:
    if hasattr(signal, "pthread_kill"):  # so that it wakes up from what it waits for
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number))
