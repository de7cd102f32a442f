"""Results of the program's own functions: coroutines, generators, managers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from awaken.knowledge.library_names import library_names
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.functions.decorators import TRANSPARENT
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function

if TYPE_CHECKING:
    from awaken.project import Project

_MANAGERS = library_names().manager_makers
Kind = Literal["coroutine", "generator", "manager", "plain", "plain generator", "plain manager"]
ASYNCHRONOUS: frozenset[Kind] = frozenset({"coroutine", "generator", "manager"})
"""What has to be awaited, or iterated or entered asynchronously."""

_AWAITABLE = ("Awaitable", "Coroutine", "Future", "Task")
_ANY = "Any"


class Kinds:
    """Answers for one program."""

    def __init__(self, after: Project) -> None:
        self._after = after

    def kind_of(self, function: FunctionPlace) -> Kind:
        """Return what a call of ``function`` gives."""
        return self._kinds(function.path).get(function.start, "plain")

    @cached_method
    def _kinds(self, path: str) -> dict[int, Kind]:
        module = self._after.module(path)
        return {} if module is None else dict(self._of_file(module))

    def promises(self, function: FunctionPlace) -> bool:
        """Whether a plain function says, or shows, that it returns something to await.

        Of one that may return anything each result counts of which it is not known what it is.
        """
        home = self._after.calls.definition_of(function)
        if home is None:
            return False
        module, node = home
        declared = "" if node.returns is None else module.text_of(node.returns)
        if any(word in declared for word in _AWAITABLE):
            return True
        if declared and _ANY not in declared:
            return False
        returned = [part.value for part in own_nodes(node.body) if isinstance(part, ast.Return)]
        result = [self._after.effects.awaitable(module, one) for one in returned if one is not None]
        return any(one is not None and (bool(declared) or isinstance(one, str)) for one in result)

    def is_wrapped(self, function: FunctionPlace) -> bool:
        """Whether a decorator may give something else than ``function`` does."""
        names = {
            self._after.qualified_name(module, decorator)
            for module, node in self._after.calls.definitions_of([function])
            for decorator in node.decorator_list
        }
        return not names <= TRANSPARENT

    def _of_file(self, module: Module) -> Iterator[tuple[int, Kind]]:
        for node in module.functions:
            yield module.span(node).start, self._of_function(module, node)

    def _of_function(self, module: Module, node: Function) -> Kind:
        waits = isinstance(node, ast.AsyncFunctionDef)
        if any(self._after.qualified_name(module, one) in _MANAGERS for one in node.decorator_list):
            return "manager" if waits else "plain manager"
        if module.is_generator(node):
            return "generator" if waits else "plain generator"
        return "coroutine" if waits else "plain"
