"""Loads foreign code, and answers for one file after the other.

Each file gets a process, forked from the one that loaded the code. So no state of one file reaches
the next, and a crash costs one file. Code that is known to remember nothing needs none of its own.
"""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import BinaryIO, Protocol

import msgspec

from awaken.passes.child.forking import (
    TookTooLong,
    hand_out,
    run_forked,
    run_limited,
    took_too_long,
)
from awaken.passes.child.isolation import end_with_parent, forbid, leave_the_network
from awaken.passes.child.project_modules import ProjectModules
from awaken.passes.framing import receive, send
from awaken.passes.protocol import (
    Answer,
    Failed,
    Item,
    Loaded,
    Ready,
    Rewritten,
    Setup,
    Unchanged,
    Unusable,
)

_RECURSION = 10_000
_MODULES = {"bowler": "bowler_scripts.script_loading", "libcst": "libcst_commands.command_loading"}
_MOST_SAID = 10_000
"""Bytes of what the code prints that are shown."""


class Loading(Protocol):
    """Loads foreign code; see ``Foreign``."""

    def __call__(self, setup: Setup, modules: ProjectModules) -> tuple[Loaded, Foreign | None]:
        """Return what came of it, and the code if it can be used.

        ``modules`` are those of the project.
        """


class Foreign(Protocol):
    """Foreign code that is loaded."""

    def rewritten(self, item: Item) -> Answer:
        """Return what it makes of a file. May raise anything."""


def serve(lines: Sequence[int]) -> None:
    """Read a setup from stdin, load the code, and answer for the files that come over ``lines``.

    They are sockets, each for one process. It ends when stdin does.
    """
    asked, answered = _own_streams()
    first = receive(asked)
    if first is None:
        return
    setup = msgspec.msgpack.decode(first, type=Setup)
    words = _Words()
    # As deep as files that awaken reads may be: LibCST takes several calls for each level.
    sys.setrecursionlimit(_RECURSION)
    leave_the_network()
    end_with_parent()
    loaded, foreign = _load(setup)
    loaded = msgspec.structs.replace(loaded, said=words.take())
    send(answered, msgspec.msgpack.encode(loaded))
    if foreign is None or isinstance(loaded, Unusable):
        return
    hand_out(lines, asked, partial(_answer_all, foreign, loaded, setup.seconds))


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return stdin and stdout as they are, and leave foreign code none of them."""
    asked, answered = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return asked, answered


def _load(setup: Setup) -> tuple[Loaded, Foreign | None]:
    try:
        load = _loading(setup)
    except ModuleNotFoundError as error:
        name = (error.name or setup.kind).partition(".")[0]
        how = f"`uv tool install --force '.[{setup.kind}]'` in the clone of awaken"
        return Unusable(f"{setup.target} needs {name}, which is not here: {how}"), None
    except Exception as error:  # noqa: BLE001  a library that is not made for this Python
        return Unusable(f"{setup.kind} cannot be used here: {describe_error(error)}"), None
    sys.argv = [setup.target, *setup.words]
    # The libraries are loaded by now, and have written what they keep for themselves.
    forbid(setup.root)
    modules = ProjectModules(setup)
    modules.install()
    try:
        return load(setup, modules)
    except BaseException as error:  # noqa: BLE001  foreign code may raise anything when it is imported
        return Unusable(f"{setup.target} cannot be loaded: {describe_error(error)}"), None


def _loading(setup: Setup) -> Loading:
    # Either library may be missing.
    module = importlib.import_module(f"awaken.passes.child.{_MODULES[setup.kind]}")
    load: Loading = module.load
    return load


def describe_error(error: BaseException) -> str:
    """Return what was raised, and where in foreign code."""
    what = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    if isinstance(error, SystemExit):
        what = f"it ends the process (sys.exit({error.code!r}))"
    frames = traceback.extract_tb(error.__traceback__)
    ours = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    foreign = [one for one in frames if not one.filename.startswith((ours, "<"))]
    # Where its author looks first, and not in the library that it calls.
    installed = tuple({*sysconfig.get_paths().values(), os.path.dirname(os.__file__)})  # noqa: PTH120
    own = [one for one in foreign if not one.filename.startswith(installed)]
    last = own[-1:] or foreign[-1:]
    return " ".join([what, *(f"({one.filename}:{one.lineno})" for one in last)])


def _answer_all(
    foreign: Foreign, ready: Ready, seconds: float, asked: BinaryIO, answered: BinaryIO
) -> None:
    # Of its own: another process may write to the file of this one.
    words = _Words()
    while (message := receive(asked)) is not None:
        item = msgspec.msgpack.decode(message, type=Item)
        work = partial(_answer, foreign, item, words, seconds)
        run = run_limited if ready.forgetful else run_forked
        send(answered, run(work, seconds))


def _answer(foreign: Foreign, item: Item, words: _Words, seconds: float) -> bytes:
    answer: Answer
    try:
        answer = foreign.rewritten(item)
    except TookTooLong:
        answer = Failed(took_too_long(seconds))
    except RecursionError as error:
        what = describe_error(error).removeprefix(f"{type(error).__name__}: ")
        answer = Failed(f"its code is nested too deeply for the codemod: {what}")
    except BaseException as error:  # noqa: BLE001  it may raise anything
        answer = Failed(describe_error(error))
    if isinstance(answer, Rewritten) and answer.content == item.content:
        answer = Unchanged(answer.warnings)
    return msgspec.msgpack.encode(msgspec.structs.replace(answer, said=words.take()))


class _Words:
    """Output of this process and of those forked from it, kept in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        for number in (1, 2):
            os.dup2(self._file.fileno(), number)
        sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace", buffering=1)
        sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1)

    def take(self) -> str:
        """Return what was printed since it was asked last."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        self._file.seek(0)
        said = self._file.read(_MOST_SAID)
        self._file.seek(0)
        self._file.truncate()
        return said.decode(errors="replace")
