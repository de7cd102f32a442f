"""Registries of sessions (``scoped_session``): who removes the session of a request.

A thread serves one request after the other with the same session; each request is a task of its
own, so what nobody removes is there for ever, with its connection.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.knowledge.injection import injection
from awaken.project.frameworks.web.endpoints import FRAMEWORKS, METHODS
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import Function, last_name, without_arguments
from awaken.project.values.domain import FunctionOf

if TYPE_CHECKING:
    from awaken.project import Project

_OTHER_TASKS = frozenset({"lifespan", "middleware", "on_event"})
"""Decorators of functions that run in another task than what answers a request."""
_SHARED = frozenset({"APIRouter", "FastAPI", "include_router"})
"""What is given dependencies of many endpoints."""


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
        for module in modules_with(project, (registry.rpartition(".")[2].encode(),), _is_of_tests):
            for node in module.mentions(registry.rpartition(".")[2]):
                if not isinstance(node, ast.Name | ast.Attribute):
                    continue
                if project.qualified_name(module, node) != registry:
                    continue
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
        if any(one in self._removing for one in self._shared()):
            return None
        for module in modules_with(self._project, FRAMEWORKS, _is_of_tests):
            for node in module.walk():
                if isinstance(node, Function) and _is_endpoint(node):
                    run = [*self._run_for(module, node)]
                    if self._using.intersection(run) and self._removing.isdisjoint(run):
                        return module.place(node)
        return None

    def _shared(self) -> Iterator[FunctionPlace]:
        """Yield the dependencies of whole applications and routers."""
        for module in modules_with(self._project, (b"dependencies",), _is_of_tests):
            for node in module.walk():
                if isinstance(node, ast.Call) and last_name(node.func) in _SHARED:
                    for one in node.keywords:
                        if one.arg == "dependencies":
                            yield from self._depended(module, one.value)

    def _run_for(self, module: Module, endpoint: Function) -> Iterator[FunctionPlace]:
        """Yield an endpoint and its dependencies, with theirs."""
        waiting, seen = [(module, endpoint)], set[FunctionPlace]()
        while waiting:
            home, function = waiting.pop()
            place = self._place(home, function)
            if place is None or place in seen:
                continue
            seen.add(place)
            yield place
            for one in self._header(home, function):
                waiting += self._functions(*one)

    def _header(self, module: Module, function: Function) -> Iterator[tuple[Module, ast.expr]]:
        """Yield what may name a dependency: decorators, defaults, annotations and their aliases."""
        args = function.args
        given = [*args.defaults, *(one for one in args.kw_defaults if one is not None)]
        yield from ((module, one) for one in (*function.decorator_list, *given))
        for one in (*args.posonlyargs, *args.args, *args.kwonlyargs):
            if one.annotation is None:
                continue
            yield module, one.annotation
            name = self._project.qualified_name(module, one.annotation)
            known = None if name is None else self._project.definition(name)
            home = None if known is None else self._project.module(known.path)
            if home is not None and name is not None:
                for binding in home.scopes.module.bindings.get(name.rpartition(".")[2], ()):
                    if binding.value is not None:
                        yield home, binding.value

    def _depended(self, module: Module, node: ast.expr) -> Iterator[FunctionPlace]:
        for home, function in self._functions(module, node):
            place = self._place(home, function)
            if place is not None:
                yield place

    def _functions(self, module: Module, root: ast.expr) -> Iterator[tuple[Module, Function]]:
        """Yield the functions in ``Depends(...)`` below ``root``."""
        for node in module.walk(root):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if self._project.qualified_name(module, node.func) not in injection().dependencies:
                continue
            for one in self._project.values.of(module, node.args[0]).alternatives:
                if isinstance(one, FunctionOf) and isinstance(one.node, Function):
                    yield one.module, one.node

    def _place(self, module: Module, function: Function) -> FunctionPlace | None:
        graph = self._project.calls.graph()
        number = graph.number_of(module.path, module.span(function).start)
        return None if number is None else graph.functions()[number]

    def _is_other_task(self, module: Module, function: Function) -> bool:
        """Whether a function runs in another task than the endpoint, such as a middleware."""
        owner = module.enclosing_class(function)
        if owner is not None and function.name == "dispatch":
            return True
        decorators = {last_name(without_arguments(one)) for one in function.decorator_list}
        return not decorators.isdisjoint(_OTHER_TASKS) or function.name == "lifespan"


def _is_endpoint(function: Function) -> bool:
    return any(last_name(without_arguments(one)) in METHODS for one in function.decorator_list)


def _is_of_tests(path: str) -> bool:
    return is_test_file(path) or is_around_tests(path)
