"""Questions about the whole program: answered once for all units, each with its own evidence."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from awaken.project.source.looked_at import LookedAt
from awaken.workspace.parsing import Unparsable


class Recording(Protocol):
    """A project, with its evidence and the files that it could not parse.

    ``answers_noted`` are the questions whose evidence is in its own.
    """

    looked_at: LookedAt
    parse_failures: dict[str, Unparsable]
    answers_noted: set[Hashable]


Program = TypeVar("Program", bound=Recording)
Answer = TypeVar("Answer")

Ask = Callable[[Hashable, Callable[[Any], Any]], Any]
"""Takes a question and the function that answers it for a project; returns the answer."""


class WholeProgram(Generic[Program]):
    """Keeps answers for all projects that are ``apart`` from one; no answer may hold a tree."""

    def __init__(self, apart: Callable[[LookedAt], Program]) -> None:
        self._apart = apart
        self._known: dict[Hashable, tuple[Any, LookedAt, dict[str, Unparsable]]] = {}
        self._answering: set[Hashable] = set()

    def is_answering(self, question: Hashable) -> bool:
        """Whether the answer to ``question`` is being worked out: it leads back to itself."""
        return question in self._answering

    def ask(
        self, question: Hashable, answer: Callable[[Program], Answer], asking: Program
    ) -> Answer:
        """Return what ``answer`` gives for a project in which nothing else was asked.

        The ``asking`` project takes over the records of that one, once. Since then it may have sent
        them to another process.
        """
        if question not in self._known:
            program = self._apart(LookedAt())
            self._answering.add(question)
            try:
                result = answer(program)
            finally:
                self._answering.discard(question)
            self._known[question] = result, program.looked_at, program.parse_failures
        known: Answer
        known, looked_at, failures = self._known[question]
        if question not in asking.answers_noted:
            asking.answers_noted.add(question)
            asking.looked_at.add(looked_at)
            asking.parse_failures.update(failures)
        return known
