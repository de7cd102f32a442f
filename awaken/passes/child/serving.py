"""Loads foreign code, and answers for one file after the other.

Each file gets a process that is forked from the one that loaded the code: what the code remembers
of a file it does not know with the next, and one that ends its process costs its file alone. Where
nothing can be forked, all files share a process.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Protocol

import msgspec

from awaken.passes.child.isolation import forbid, leave_the_network
from awaken.passes.framing import receive, send
from awaken.passes.messages import Answer, Failed, Item, Loaded, Setup, Unusable

SECONDS_PER_FILE = 60
"""Of the clock, for one file. LibCST's slowest own command takes 3 s for 5,000 lines."""
_MODULES = {"bowler": "bowler_scripts.loading", "libcst": "libcst_command"}
_MOST_SAID = 10_000
"""Bytes of what the code prints that are shown."""


class Loading(Protocol):
    """Loads foreign code; see ``Foreign``."""

    def __call__(self, setup: Setup) -> tuple[Loaded, Foreign | None]:
        """Return what came of it, and the code if it can be used."""


class Foreign(Protocol):
    """Foreign code that is loaded."""

    def rewritten(self, item: Item) -> Answer:
        """Return what it makes of a file. May raise anything."""


def serve() -> None:
    """Read a setup and then files from stdin, until it ends, and write answers to stdout."""
    asked, answered = _own_streams()
    first = receive(asked)
    if first is None:
        return
    setup = msgspec.msgpack.decode(first, type=Setup)
    words = _Words()
    leave_the_network()
    loaded, foreign = _loaded(setup)
    loaded = msgspec.structs.replace(loaded, said=words.taken())
    send(answered, msgspec.msgpack.encode(loaded))
    while foreign is not None and (message := receive(asked)) is not None:
        item = msgspec.msgpack.decode(message, type=Item)
        send(answered, _answer(foreign, item, words))


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return stdin and stdout as they are, and leave foreign code none of them."""
    asked, answered = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return asked, answered


class _Words:
    """What this process and those forked from it print, kept in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        for number in (1, 2):
            os.dup2(self._file.fileno(), number)
        sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace", buffering=1)
        sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1)

    def taken(self) -> str:
        """Return what was printed since it was asked last."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        self._file.seek(0)
        said = self._file.read(_MOST_SAID)
        self._file.seek(0)
        self._file.truncate()
        return said.decode(errors="replace")


def _loaded(setup: Setup) -> tuple[Loaded, Foreign | None]:
    try:
        load = _loading(setup)
    except ModuleNotFoundError as error:
        name = (error.name or setup.kind).partition(".")[0]
        how = f"pip install 'awaken[{setup.kind}]'"
        return Unusable(f"{setup.target} needs {name}, which is not here: {how}"), None
    except Exception as error:  # noqa: BLE001  a library that is not made for this Python
        return Unusable(f"{setup.kind} cannot be used here: {described(error)}"), None
    sys.argv = [setup.target, *setup.words]
    # The libraries are loaded by now, and have written what they keep for themselves.
    forbid(setup.root)
    try:
        return load(setup)
    except BaseException as error:  # noqa: BLE001  foreign code may raise anything when it is imported
        return Unusable(f"{setup.target} cannot be loaded: {described(error)}"), None


def _loading(setup: Setup) -> Loading:
    # Either library may be missing.
    module = importlib.import_module(f"awaken.passes.child.{_MODULES[setup.kind]}")
    load: Loading = module.load
    return load


def described(error: BaseException) -> str:
    """Return what was raised, and where in foreign code."""
    what = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    if isinstance(error, SystemExit):
        what = f"it ends the process (sys.exit({error.code!r}))"
    frames = traceback.extract_tb(error.__traceback__)
    ours = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    foreign = [one for one in frames if not one.filename.startswith((ours, "<frozen"))]
    # Where its author looks first, and not in the library that it calls.
    installed = tuple({*sysconfig.get_paths().values(), os.path.dirname(os.__file__)})  # noqa: PTH120
    own = [one for one in foreign if not one.filename.startswith(installed)]
    last = own[-1:] or foreign[-1:]
    return " ".join([what, *(f"({one.filename}:{one.lineno})" for one in last)])


def _answer(foreign: Foreign, item: Item, words: _Words) -> bytes:
    answer = _forked if hasattr(os, "fork") else _here
    return answer(lambda: _rewritten(foreign, item, words))


def _rewritten(foreign: Foreign, item: Item, words: _Words) -> bytes:
    answer: Answer
    try:
        answer = foreign.rewritten(item)
    except BaseException as error:  # noqa: BLE001  it may raise anything
        answer = Failed(described(error))
    return msgspec.msgpack.encode(msgspec.structs.replace(answer, said=words.taken()))


def _here(work: Callable[[], bytes]) -> bytes:
    return work()


def _forked(work: Callable[[], bytes]) -> bytes:
    """Return what ``work`` gives in a process of its own, or why it gives nothing."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.close(ours)
            with os.fdopen(theirs, "wb") as stream:
                stream.write(work())
        os._exit(0)
    os.close(theirs)
    message = _read(ours, time.monotonic() + SECONDS_PER_FILE)
    if message is None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if message:
        return message
    why = f"it took more than {SECONDS_PER_FILE} seconds for this file"
    if message is not None:
        code = os.waitstatus_to_exitcode(status)
        ending = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        why = f"it ended its process ({ending})"
    return msgspec.msgpack.encode(Failed(why))


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
