"""Searches through the files of a program that may say something of its applications."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Generic, TypeVar

from awaken.project.frameworks.web.applications import Applications
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module

Found = TypeVar("Found")


class FoundInFiles(ABC, Generic[Found]):
    """All of one kind in a program, found when first asked for; ``words`` say in which files."""

    words: ClassVar[Sequence[bytes]]

    def __init__(self, evaluator: ProgramEvaluator, applications: Applications) -> None:
        self._evaluator = evaluator
        self._applications = applications

    @cached_property
    def all(self) -> tuple[Found, ...]:
        """Return all of them, by file and place."""
        return tuple(
            item for module in self._modules(self.words) for item in self._items_in(module)
        )

    def _modules(self, words: Sequence[bytes]) -> Iterator[Module]:
        """Yield the files that hold one of ``words`` and can be parsed."""
        return self._evaluator.modules_with(words)

    @abstractmethod
    def _items_in(self, module: Module) -> Iterator[Found]:
        """Yield those of one file, in the order of their places."""
