"""The index of callers: searches that were made, and their going through files together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from awaken.project.graph.callers.call_sites import Callers
from awaken.project.graph.callers.caller_search import Search
from awaken.project.graph.callers.search_inputs import Surroundings
from awaken.project.graph.callers.target import Target
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.words import Words
from awaken.project.values.evaluation import Evaluator


class CallIndex:
    """Finds the callers of functions when asked, and keeps the places that it found."""

    def __init__(self, evaluator: Evaluator, words: Words) -> None:
        self._evaluator = evaluator
        self.words = words
        self._kept: dict[tuple[str, int], Callers] = {}
        self._surroundings = Surroundings(evaluator, words)
        self.module_values = self._surroundings.module_values
        self.hierarchy = self._surroundings.hierarchy
        self.overrides = self._surroundings.overrides

    def callers_of(self, module: Module, function: Function) -> Callers:
        """Return who calls ``function``, a function or method of ``module``."""
        self.search([(module, function)])
        return self._kept[module.key_of(function)]

    def target(self, module: Module, function: Function) -> Target:
        """Return what a search for the callers of ``function`` looks for."""
        return Target(self._surroundings, module, function)

    def search(self, functions: Iterable[tuple[Module, Function]]) -> None:
        """Find who calls ``functions``, so that ``of`` knows: a file is parsed once for them all.

        Their trees are not kept, so they may be made one after the other.
        """
        searches: dict[tuple[str, int], Search] = {}
        for module, function in functions:
            key = module.key_of(function)
            if key not in self._kept and key not in searches:
                # Else following a receiver would search for its callers, and so on without an end.
                with self._evaluator.without_callers():
                    searches[key] = Search(self._surroundings, module, function)
        with self._evaluator.without_callers():
            _run_together([item.run() for item in searches.values()])
        for key, search in searches.items():
            self._kept[key] = search.callers()


def _run_together(searches: Iterable[Iterator[str]]) -> None:
    """Run searches that say to which file each goes on, so that they go through files together.

    Each goes its own way, word by word and file by file, whatever the others look for.
    """
    waiting: dict[str, list[Iterator[str]]] = {}
    ahead, behind, current = list[str](), list[str](), ""

    def go_on(search: Iterator[str]) -> None:
        path = next(search, None)
        if path is None:
            return
        if path not in waiting:
            heappush(ahead if path > current else behind, path)
        waiting.setdefault(path, []).append(search)

    for search in searches:
        go_on(search)
    while waiting:
        if not ahead:
            ahead, behind = behind, ahead
        current = heappop(ahead)
        for search in waiting.pop(current):
            go_on(search)
