"""Runs foreign code in processes of its own, several at a time."""

from __future__ import annotations

import select
import sys
from collections import deque
from collections.abc import Sequence
from threading import Thread
from typing import Any

import msgspec

from awaken.engine.machine.programs import end_program, start_program
from awaken.engine.machine.workers import available_cores
from awaken.passes.framing import receive, send
from awaken.passes.messages import Answer, Failed, Item, Loaded, Ready, Setup, Unusable

SECONDS_TO_LOAD = 60
"""Of the clock, for foreign code to be imported."""
SECONDS_PER_FILE = 90
"""Of the clock, for a file. The process itself gives a file up before (``serving``)."""
_WORDS = (sys.executable, "-P", "-m", "awaken.passes.child")
_FILES_WORTH_A_PROCESS = 8
"""Importing LibCST takes as long as rewriting so many files."""


class ForeignCode:
    """Foreign code that is loaded in one process, and in more where there is much to do."""

    def __init__(self, setup: Setup, jobs: int | None = None) -> None:
        self._setup = setup
        self._jobs = jobs or available_cores()
        self._first: _Process | None = _Process(setup)
        self.loaded: Loaded = self._first.loaded

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Return what the code makes of files, in their order; its processes end with that."""
        waiting = deque(enumerate(items))
        found: dict[int, Answer] = {}
        number = max(1, min(self._jobs, len(items) // _FILES_WORTH_A_PROCESS))
        threads = [Thread(target=self._work, args=(waiting, found)) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[index] for index in range(len(items))]

    def end(self) -> None:
        """End the process that nothing was asked of."""
        if self._first is not None:
            self._first.end()

    def _work(self, waiting: deque[tuple[int, Item]], found: dict[int, Answer]) -> None:
        process, self._first = self._first, None
        while True:
            try:
                index, item = waiting.popleft()
            except IndexError:
                break
            process = process or _Process(self._setup)
            answer = process.answer(item)
            if answer is None:
                process.end()
                process = None
                answer = Failed("it ended the process that runs it")
            found[index] = answer
        if process is not None:
            process.end()


class _Process:
    """One process in which the code is loaded, or was tried to be."""

    def __init__(self, setup: Setup) -> None:
        self._process = start_program(_WORDS)
        self.loaded: Loaded = self._ask(setup, Ready | Unusable, SECONDS_TO_LOAD) or Unusable(
            f"{setup.target} does not come to an end, or ends its process, when it is loaded"
        )

    def answer(self, item: Item) -> Answer | None:
        """Return what becomes of a file; None if the process is of no more use."""
        answer: Answer | None = self._ask(item, Answer, SECONDS_PER_FILE)
        return answer

    def end(self) -> None:
        """End the process."""
        end_program(self._process)

    def _ask(self, message: object, kind: Any, seconds: int) -> Any:
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            return None
        try:
            send(asked, msgspec.msgpack.encode(message))
            if not select.select([answered], [], [], seconds)[0]:
                return None
            answer = receive(answered)
        except OSError:
            return None
        return None if answer is None else msgspec.msgpack.decode(answer, type=kind)
