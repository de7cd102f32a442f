"""Runs foreign code in processes of its own, several at a time."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import IO, Any

import msgspec

from awaken.engine.machine.programs import end_program, start_program
from awaken.engine.machine.workers import available_cores
from awaken.passes.framing import receive, send
from awaken.passes.protocol import Answer, Failed, Item, Loaded, Ready, Setup, Unusable

SECONDS_TO_LOAD = 60
"""Of the clock, for foreign code to be imported."""
_SECONDS_TO_END = 1
"""Of the clock, for a process of which nothing more is asked."""
_PATIENCE = 10
"""How many times its processor time we wait for a file. The process itself gives it up before
(``awaken.passes.child.forking``)."""
_WORDS = (sys.executable, "-P", "-m", "awaken.passes.child")
_NO_FORK = Unusable(
    "third-party codemods need processes that fork, and this system has none; on Windows, "
    "run awaken in WSL"
)
_FILES_WORTH_A_PROCESS = 4
"""Forking one costs a part of what LibCST needs for a file."""


class ForeignCode:
    """Foreign code that is loaded in one process, from which others are forked for the files.

    Where nothing can be forked it is unusable: in one process a file would see the one before.
    """

    def __init__(self, setup: Setup, jobs: int | None = None) -> None:
        self._setup = setup
        self._jobs = jobs or available_cores()
        self._waiting: deque[tuple[int, Item]] = deque()
        self._processes = [_Process(setup, self._jobs)] if hasattr(os, "fork") else []
        self.loaded: Loaded = self._processes[0].loaded if self._processes else _NO_FORK

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Return what the code makes of files, in their order."""
        self._waiting.extend(enumerate(items))
        result: dict[int, Answer] = {}
        number = max(1, min(self._jobs, len(items) // _FILES_WORTH_A_PROCESS))
        threads = [Thread(target=self._work, args=(line, result)) for line in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lost = Failed("the process that would run it cannot be started")
        return [result.get(index, lost) for index in range(len(items))]

    def end(self) -> None:
        """End its processes."""
        self._waiting.clear()
        for process in self._processes:
            process.end()

    def _work(self, number: int, found: dict[int, Answer]) -> None:
        line = self._processes[0].line(number)
        while True:
            try:
                index, item = self._waiting.popleft()
            except IndexError:
                return
            line = line or self._another()
            answer: Answer | None = line.ask(item, Answer, _PATIENCE * self._setup.seconds)
            if answer is None:
                line = None
                answer = Failed("it ended the process that runs it")
            found[index] = answer

    def _another(self) -> _Line:
        """Return a line to a process of its own."""
        process = _Process(self._setup, 1)
        self._processes.append(process)
        line = process.line(0)
        if line is None:
            raise OSError("a process has no line")
        return line


class _Process:
    """One process in which the code is loaded, or was tried to be.

    It has so many ``lines``, each with a process forked for it.
    """

    def __init__(self, setup: Setup, lines: int) -> None:
        pairs = [socket.socketpair() for _ in range(lines)]
        numbers = [theirs.fileno() for _, theirs in pairs]
        self._process = start_program((*_WORDS, *map(str, numbers)), numbers)
        for _, theirs in pairs:
            theirs.close()
        self._lines = [_Line(item.makefile("rb"), item.makefile("wb")) for item, _ in pairs]
        for ours, _ in pairs:
            ours.close()  # when its files are
        self._control = _Line(self._process.stdout, self._process.stdin)
        loaded = self._control.ask(setup, Ready | Unusable, SECONDS_TO_LOAD)
        self.loaded: Loaded = loaded or Unusable(
            f"{setup.target} does not come to an end, or ends its process, when it is loaded"
        )

    def line(self, number: int) -> _Line | None:
        """Return the line of this number, None if there are not so many."""
        return self._lines[number] if number < len(self._lines) else None

    def end(self) -> None:
        """End the process, and those that were forked from it."""
        for line in (*self._lines, self._control):
            line.close()
        # By itself, if it can: nothing is lost then of what its children used.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_END)
        end_program(self._process)


class _Line:
    """A way to ask a process and to get its answer."""

    def __init__(self, answered: IO[bytes] | None, asked: IO[bytes] | None) -> None:
        self._answered = answered
        self._asked = asked

    def ask(self, message: object, kind: Any, seconds: float) -> Any:
        """Return the answer, of this kind; None if there is none, and it is of no more use."""
        if self._asked is None or self._answered is None:
            return None
        try:
            send(self._asked, msgspec.msgpack.encode(message))
            if not select.select([self._answered], [], [], seconds)[0]:
                return None
            answer = receive(self._answered)
        except (OSError, ValueError):  # it is closed, at their end or at ours
            return None
        return None if answer is None else msgspec.msgpack.decode(answer, type=kind)

    def close(self) -> None:
        """Close it."""
        for stream in (self._asked, self._answered):
            if stream is not None:
                with suppress(OSError):  # what was not sent cannot be
                    stream.close()
