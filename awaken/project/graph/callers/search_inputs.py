"""Shared inputs of the search for callers: files, classes, modules as values."""

from __future__ import annotations

from functools import cached_property

from awaken.project.graph.callers.composed_names import COMPOSING
from awaken.project.graph.callers.importers import Importers
from awaken.project.graph.callers.method_mentions import Mentions
from awaken.project.graph.callers.module_values import ModuleValues
from awaken.project.graph.classes.hierarchies import Hierarchy
from awaken.project.graph.classes.override_sets import Overrides
from awaken.project.names.functions.definitions import Functions
from awaken.project.source.memo import cached_method
from awaken.project.source.words import Words
from awaken.project.values.evaluation import Evaluator


class Surroundings:
    """The program around a function."""

    def __init__(self, evaluator: Evaluator, words: Words) -> None:
        self.evaluator = evaluator
        self.words = words
        functions = Functions(evaluator.names, evaluator.names.facts)
        self.overrides = Overrides(evaluator.classes, functions, words)
        self.importers = Importers(evaluator.names.layout, words)
        self.module_values = ModuleValues(evaluator, words, self.importers)
        self.mentions = Mentions(evaluator)
        self.without_calls: set[tuple[str, str]] = set()
        """Names of functions with files of which it is known that no mention of the name may be a
        call of a function that the file cannot import."""

    @cached_method
    def hierarchy(self, qualified: str) -> Hierarchy:
        """Return the class ``qualified`` of the project with its relatives."""
        return Hierarchy(
            self.evaluator, self.words.files_with, self.overrides, self.hierarchy, qualified
        )

    @cached_property
    def composing(self) -> frozenset[str]:
        """The files in which names may be put together at run time."""
        return frozenset(path for word in COMPOSING for path in self.words.files_with(word))
