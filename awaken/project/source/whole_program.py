"""Questions about the whole program: answered once for all units, each with its own evidence."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from awaken.project.source.looked_at import LookedAt

Program = TypeVar("Program")
Answer = TypeVar("Answer")

Ask = Callable[[Hashable, Callable[[Any], Any]], Any]
"""Takes a question and the function that answers it for a project; returns the answer."""


class WholeProgram(Generic[Program]):
    """Keeps answers for all projects that are ``apart`` from one; no answer may hold a tree."""

    def __init__(self, apart: Callable[[LookedAt], Program]) -> None:
        self._apart = apart
        self._known: dict[Hashable, tuple[Any, LookedAt]] = {}
        self._answering: set[Hashable] = set()

    def is_answering(self, question: Hashable) -> bool:
        """Whether the answer to ``question`` is being worked out: it leads back to itself."""
        return question in self._answering

    def ask(
        self, question: Hashable, answer: Callable[[Program], Answer], looked_at: LookedAt
    ) -> Answer:
        """Return what ``answer`` gives for a project in which nothing else was asked.

        Its evidence is added to ``looked_at``, each time.
        """
        if question not in self._known:
            evidence = LookedAt()
            self._answering.add(question)
            try:
                self._known[question] = answer(self._apart(evidence)), evidence
            finally:
                self._answering.discard(question)
        known: Answer
        known, evidence = self._known[question]
        looked_at.add(evidence)
        return known
