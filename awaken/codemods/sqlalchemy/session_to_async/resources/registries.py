"""Registries of sessions (``scoped_session``): who removes the session of a request.

A thread serves one request after the other with the same session; each request is a task of its
own, so what nobody removes is there forever, with its connection.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with, nodes_with, uses_of
from awaken.project.frameworks.web.endpoints import FRAMEWORKS, METHODS
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.names.functions.injections import Provider
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, last_name, without_arguments

if TYPE_CHECKING:
    from awaken.project import Project

_OTHER_TASKS = frozenset({"lifespan", "middleware", "on_event"})
"""Decorators of functions that run in another task than what answers a request."""
_SHARED = frozenset({"APIRouter", "FastAPI", "include_router"})
"""What takes the dependencies of many endpoints."""


def never_removed(project: Project, registry: str) -> Place | None:
    """Return an endpoint whose session nobody removes from a registry; None if there is none.

    ``registry`` is the qualified name of a variable.
    """
    return _Registry(project, registry).forgetting() if project.files_with(FRAMEWORKS) else None


class _Registry:
    """Where one registry is used, and where its sessions are removed."""

    def __init__(self, project: Project, registry: str) -> None:
        self._project = project
        graph = project.calls.graph()
        used, removed = set[FunctionPlace](), set[FunctionPlace]()
        for module, node in uses_of(project, {registry}, is_around_tests):
            above, around = module.parent(node), function_around(module, node)
            place = None if around is None else self._place(module, around)
            if place is None or around is None:
                continue
            used.add(place)
            is_removal = isinstance(above, ast.Attribute) and above.attr == "remove"
            if is_removal and not self._is_other_task(module, around):
                removed.add(place)
        self._using = frozenset(graph.reaching(used))
        self._removing = frozenset(graph.reaching(removed))

    def forgetting(self) -> Place | None:
        """Return an endpoint that uses a session which is not removed."""
        if not self._removing.isdisjoint(self._places(self._of_all_routes())):
            return None
        for module in modules_with(self._project, FRAMEWORKS, is_around_tests):
            for node in module.functions:
                if _is_endpoint(node):
                    providers = self._project.injections.of_function(module, node)
                    run = {self._place(module, node), *self._places(providers)}
                    if self._using.intersection(run) and self._removing.isdisjoint(run):
                        return module.place(node)
        return None

    def _of_all_routes(self) -> Iterator[Provider]:
        """Yield the dependencies of whole applications and routers."""
        for module, node in nodes_with(
            self._project, (b"dependencies",), ast.Call, is_around_tests
        ):
            if last_name(node.func) in _SHARED:
                for keyword in node.keywords:
                    if keyword.arg == "dependencies":
                        yield from self._project.injections.providers_below(module, keyword.value)

    def _places(self, providers: Iterable[Provider]) -> Iterator[FunctionPlace]:
        """Yield the functions that run for what is injected."""
        for home, function in self._project.web.endpoints.depended_on(providers):
            place = self._place(home, function)
            if place is not None:
                yield place

    def _place(self, module: Module, function: Function) -> FunctionPlace | None:
        graph = self._project.calls.graph()
        return graph.function_at(*module.key_of(function))

    def _is_other_task(self, module: Module, function: Function) -> bool:
        """Whether a function runs in another task than the endpoint, such as a middleware."""
        owner = module.enclosing_class(function)
        if owner is not None and function.name == "dispatch":
            return True
        decorators = {last_name(without_arguments(node)) for node in function.decorator_list}
        return not decorators.isdisjoint(_OTHER_TASKS) or function.name == "lifespan"


def _is_endpoint(function: Function) -> bool:
    return any(last_name(without_arguments(node)) in METHODS for node in function.decorator_list)
