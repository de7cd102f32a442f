"""The functions that tests put in the place of others: they are coloured with them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.testing import Replacement
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project

_WORDS = (b"patch", b"setattr", b"test", b"Mock")


class StandIns:
    """Which functions are replaced in tests, and by what; keeps places and no trees."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._of: defaultdict[FunctionPlace, set[FunctionPlace]] = defaultdict(set)
        self._replaced: defaultdict[FunctionPlace, set[FunctionPlace]] = defaultdict(set)
        self._mixed: set[FunctionPlace] = set()
        self._put: defaultdict[Place, set[FunctionPlace]] = defaultdict(set)
        self._returned: defaultdict[Place, set[FunctionPlace]] = defaultdict(set)
        self._of_sessions: set[Place] = set()
        self.paths = [path for path in project.files_with(_WORDS) if is_around_tests(path)]
        for module in project.modules_at(self.paths):
            for replacement in project.replacements.in_module(module):
                self._add(module, replacement)

    def _add(self, module: Module, replacement: Replacement) -> None:
        for node in effects_of(module, replacement):
            self._put[module.place(node)] |= set(replacement.functions)
            above = module.parent(node)
            if isinstance(above, ast.Assign):
                # The mock is the only one that gets the stored value.
                self._put[module.place(above.targets[0])] |= set(replacement.functions)
        given = replacement.given
        self._add_returned(module, replacement)
        if given is None:
            return
        self._put[module.place(given)] |= set(replacement.functions)
        if replacement.session and replacement.name in twins().awaited["session"]:
            self._of_sessions.add(module.place(given))
        if replacement.cls:
            self._add_class(replacement.cls, self._project.replacements.classes_of(module, given))
        for item in self._project.replacements.functions_of(module, given):
            if item.qualname.endswith("__call__") or not is_around_tests(item.path):
                continue
            if not replacement.functions:
                self._mixed.add(item)
            for function in replacement.functions:
                self._of[function].add(item)
                self._replaced[item].add(function)

    def _add_returned(self, module: Module, replacement: Replacement) -> None:
        """Add what a lambda returns that replaces something, or a mock that a patch makes."""
        match replacement:
            case Replacement(given=ast.Lambda(body=body)):
                nodes = [body]
            case Replacement(given=None, node=ast.Call(keywords=keywords)):
                nodes = [item.value for item in keywords if item.arg == "return_value"]
            case _:
                return
        for node in nodes:
            self._returned[module.place(node)] |= set(replacement.functions)

    def _add_class(self, replaced: str, fakes: tuple[str, ...]) -> None:
        """Add the methods of a test class that replaces one of the program."""
        replacements = self._project.replacements
        for fake in fakes:
            facts = self._project.class_facts(fake)
            if facts is None or not is_around_tests(facts.path):
                continue
            for name in sorted(facts.members):
                for function in replacements.methods(replaced, name):
                    for method in replacements.methods(fake, name):
                        self._of[function].add(method)
                        self._replaced[method].add(function)

    def stand_ins_for(
        self, function: FunctionPlace, waiting: Collection[FunctionPlace]
    ) -> Iterator[FunctionPlace]:
        """Yield the functions that tests put in the place of ``function`` and others that wait.

        A replacement of other functions too, which do not wait, stays as it is.
        """
        for item in sorted(self._of.get(function, ())):
            if item not in self._mixed and all(each in waiting for each in self._replaced[item]):
                yield item

    def replaced_by(self, function: FunctionPlace) -> Iterable[FunctionPlace]:
        """Return the functions in whose place tests put ``function``, and nothing else."""
        return () if function in self._mixed else sorted(self._replaced.get(function, ()))

    def replaced_at(self, place: Place) -> set[FunctionPlace]:
        """Return the functions in whose place the expression at ``place`` is put."""
        return self._put.get(place, set())

    def returned_for(self, place: Place) -> set[FunctionPlace]:
        """Return the functions in whose place something returns the expression at ``place``."""
        return self._returned.get(place, set())

    def is_of_session(self, place: Place) -> bool:
        """Whether the expression at ``place`` is put in the place of a method that waits."""
        return place in self._of_sessions


def effects_of(module: Module, replacement: Replacement) -> Iterator[ast.expr]:
    """Yield what a mock that a patch makes calls by itself: its ``side_effect``, or ``wraps``."""
    node = replacement.node
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg in {"side_effect", "wraps"}:
            yield keyword.value
    # The node of a function includes its decorators.
    around = module.enclosing_def(node)
    if not replacement.bound:
        return
    for part in module.walk(around) if around is not None else ():
        match part:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=name), attr="side_effect")], value=value
            ) if name == replacement.bound:
                yield value
