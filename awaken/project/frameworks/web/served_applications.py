"""The applications that a program serves, those inside of them, and the lifespan of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from awaken.knowledge.applications import application_classes
from awaken.project.frameworks.resources import is_aside
from awaken.project.frameworks.web.applications import (
    Application,
    Applications,
    Resolved,
    argument_at,
)
from awaken.project.frameworks.web.registrations import GivenLifespan, Registrations
from awaken.project.frameworks.web.searched_files import FoundInFiles
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module, nodes_in
from awaken.project.values.domain import MOST_ALTERNATIVES, FunctionOf

MANAGER = "contextlib.asynccontextmanager"


class Served(Struct, frozen=True):
    """An application, made by ``call``, that is mounted nowhere.

    ``given`` is the place where it gets a lifespan, ``lifespan`` that function with its module;
    None if there is none, or it is unknown. ``handles`` says that it has handlers of start-up or
    shutdown instead.
    """

    module: Module
    call: ast.Call
    application: Application
    given: GivenLifespan | None
    lifespan: tuple[Module, ast.AsyncFunctionDef] | None
    handles: bool


class Serving:
    """All of a program but for those of its tests and scripts, found when first asked for."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        applications: Applications,
        registrations: Registrations,
        inclusions: Inclusions,
    ) -> None:
        self._evaluator = evaluator
        self._applications = applications
        self._registrations = registrations
        self._inclusions = inclusions

    @cached_property
    def all(self) -> tuple[Served, ...]:
        """Every application, by file and place."""
        mounted = {
            application
            for inclusion in self._inclusions.all
            if inclusion.how == "mount"
            for application in inclusion.child.applications
        }
        return tuple(server for server in self._made_servers() if server.application not in mounted)

    def _made_servers(self) -> Iterator[Served]:
        paths = self._evaluator.files_with((b"FastAPI", b"Starlette"))
        for module, call in nodes_in(
            self._evaluator.modules_at(path for path in paths if not is_aside(path)), ast.Call
        ):
            name = self._evaluator.names.qualified_name(module, call.func) or ""
            is_class = name in application_classes() or self._evaluator.classes.facts(name)
            made = self._applications.made_by(module, call) if is_class else None
            if made is not None and made.kind not in ROUTERS:
                yield self._server(module, call, made)

    def _server(self, module: Module, call: ast.Call, made: Application) -> Served:
        given = self._registrations.lifespan_of(made)
        handles = bool(self._registrations.registrations_on(made))
        function = None if given is None else self._function(given)
        return Served(module, call, made, given, function, handles)

    def _function(self, given: GivenLifespan) -> tuple[Module, ast.AsyncFunctionDef] | None:
        node = given.node
        if not isinstance(node, ast.Call):
            return None
        value = next(keyword.value for keyword in node.keywords if keyword.arg == "lifespan")
        result = self._evaluator.values(given.module, value)
        item = result[0] if len(result) == 1 else None
        if not isinstance(item, FunctionOf) or not isinstance(item.node, ast.AsyncFunctionDef):
            return None
        names = [
            self._evaluator.names.qualified_name(item.module, x) for x in item.node.decorator_list
        ]
        # Any other decorator may run something else around it.
        return (item.module, item.node) if names == [MANAGER] else None


How = Literal["include", "mount"]
ROUTERS = frozenset({"router", "starlette-router"})
_WORDS = (b".include_router", b".mount(")


class Inclusion(Struct, frozen=True):
    """``child`` is put into ``parent`` by the call ``node``."""

    module: Module
    node: ast.Call
    how: How
    parent: Resolved
    child: Resolved


class Inclusions(FoundInFiles[Inclusion]):
    """All of a program, found when first asked for."""

    words = _WORDS

    def roots(self, router: Application) -> list[tuple[Application, tuple[Inclusion, ...]]]:
        """Return every application that includes ``router``, also through others, and by what.

        The inclusions are those from the application down; one that is included twice comes twice.
        After eight ways no other one is looked for by which a router is included that has one.
        """
        roots: list[tuple[Application, tuple[Inclusion, ...]]] = []
        waiting: list[tuple[Application, tuple[Inclusion, ...]]] = [(router, ())]
        followed = {router}
        while waiting:
            child, below = waiting.pop(0)
            for item in self.all:
                # Routers that include each other would be followed for ever.
                if item.how != "include" or child not in item.child.applications or item in below:
                    continue
                for parent in item.parent.applications:
                    chain = (item, *below)
                    if parent.kind not in ROUTERS:
                        roots.append((parent, chain))
                    elif len(roots) < MOST_ALTERNATIVES or parent not in followed:
                        # Ways may be cut, applications may not: each has the router's handlers.
                        followed.add(parent)
                        waiting.append((parent, chain))
        return roots

    def _items_in(self, module: Module) -> Iterator[Inclusion]:
        for node in module.nodes(ast.Call):
            if not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "include_router":
                child = argument_at(node, 0, "router")
                how: How = "include"
            elif node.func.attr == "mount":
                child, how = argument_at(node, 1, "app"), "mount"
            else:
                continue
            if child is not None:
                parent = self._applications.applications_of(module, node.func.value)
                yield Inclusion(
                    module, node, how, parent, self._applications.applications_of(module, child)
                )
