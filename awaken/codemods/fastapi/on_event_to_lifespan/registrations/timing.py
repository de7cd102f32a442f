"""The moment of a registration, as seen from where its application is made."""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.home import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.registration_conditions import (
    is_conditional,
    test_around,
)
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steady import (
    Condition,
    steady_condition,
)
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.applications import OF_OTHERS
from awaken.project.frameworks.web.inclusion import Inclusion
from awaken.project.frameworks.web.registrations import Registration
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function

Order = tuple[int, ...]
_ONCE = "0.112.2"


class Timing(Struct, frozen=True):
    """``order`` sorts the handlers of an event.

    ``conditional``: it may not be executed at all, as ``test`` says if it can. ``foreign``: it is
    in another file, which is imported before the application is made (``first``) or after.
    ``caveats`` say what may change.
    """

    order: Order
    conditional: bool = False
    test: Condition | None = None
    foreign: bool = False
    first: bool = False
    caveats: tuple[str, ...] = ()


class Clock:
    """Tells the time of registrations of one application."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def timing_of(
        self, registration: Registration, statement: ast.stmt, via: tuple[Inclusion, ...]
    ) -> Timing:
        """Return when ``statement`` registers, on a router that is included ``via``.

        Raises Refused if it is unknown.
        """
        module = registration.module
        if via:
            return self._timing_through(registration, statement, via)
        timing = self.of_statement(module, statement)
        if timing is not None:
            return timing
        start = module.span(statement).start
        here = module.path == self._home.module.path
        scope = module.scopes.scope_of(statement)
        if scope.kind == "module":
            caveats = self._require_one_call(module, statement)
            self._require_always(module, statement)
            # The module's own statements run after those of the factory that it calls: order 2.
            if here:
                return Timing((2, start), caveats=caveats)
            return self._imported_time(module, statement)
        raise self._refusal_elsewhere(module, statement)

    def of_statement(self, module: Module, statement: ast.stmt) -> Timing | None:
        """Return when ``statement`` is executed; None if not where the application is made."""
        scope = module.scopes.scope_of(statement)
        if not same_node(module, scope.node, self._home.module, self._home.scope.node):
            return None
        conditional = is_conditional(self._home, statement)
        test = test_around(self._home, statement) if conditional else None
        steady = None if test is None else steady_condition(self._project, self._home, test)
        return Timing((1, module.span(statement).start), conditional, steady)

    def _refusal_elsewhere(self, module: Module, statement: ast.stmt) -> Refused:
        where = module.scope_name(statement)
        where = f"`{where}`" if where != "<module>" else module.path
        place = module.place(statement)
        return Refused(reasons.REGISTERED_ELSEWHERE, where, because=(place,))

    def _require_one_call(self, module: Module, statement: ast.stmt) -> tuple[str, ...]:
        """Refuse what is registered on one of several applications that a factory makes.

        Return what may change if others make more.
        """
        function, home = self._home.function, self._home.module
        if function is None:
            return ()
        callers = self._project.calls.callers_of(home, function)
        hidden = [obstacle for obstacle in callers.obstacles if obstacle.kind not in OF_OTHERS]
        # The lifespan would be given to every application that the factory makes.
        if len(callers.sites) != 1 or hidden:
            place = module.place(statement)
            raise Refused(reasons.FACTORY, function.name, because=(place,))
        if callers.complete:
            return ()
        return (
            (
                f"applications that code outside the project gets from `{function.name}` also "
                "have the lifespan"
            ),
        )

    def _require_always(self, module: Module, statement: ast.stmt) -> None:
        # A flag would have to be in a file that the application does not know.
        if not isinstance(module.parent(statement), ast.Module):
            place = module.place(statement)
            why = f"`{module.path}` registers it under a condition"
            raise Refused(reasons.CONDITIONAL, why, because=(place,))

    def _imported_time(self, module: Module, statement: ast.stmt) -> Timing:
        """Return the time of what another file registers when it is imported."""
        home = self._home.module
        result = self._project.web.imports.statement(home, module.path)
        if result is None:
            raise self._refusal_elsewhere(module, statement)
        # The file's handlers are registered at the moment of its import.
        at, start = home.span(result).start, module.span(statement).start
        caveat = f"the lifespan imports what {module.path} registers"
        return Timing((1, at, start), foreign=True, caveats=(caveat,))

    # ------------------------------------------------------------------------------------ routers
    def _timing_through(
        self, registration: Registration, statement: ast.stmt, via: tuple[Inclusion, ...]
    ) -> Timing:
        module = registration.module
        place = registration.place
        scope = module.scopes.scope_of(statement)
        here = same_node(module, scope.node, self._home.module, self._home.scope.node)
        if not here and scope.kind != "module":
            raise self._refusal_elsewhere(module, statement)
        if not isinstance(module.parent(statement), ast.Module | Function):
            raise Refused(reasons.ROUTER_HANDLER, "under a condition", because=(place,))
        inner = via[-1]
        start = module.span(statement).start
        # `include_router` copies the handlers that the router has at that moment.
        if inner.module.path == module.path and inner.module.span(inner.node).start < start:
            raise Refused(reasons.ROUTER_HANDLER, "added after it was included", because=(place,))
        order: Order = (1,)
        for inclusion in via:
            order = (*order, inclusion.module.span(inclusion.node).start)
        self._require_included_once(via[0])
        caveats: tuple[str, ...] = ()
        # From that version on the router's own merged lifespan runs its handlers as well.
        if not self._project.targets.guarantees("fastapi", f"<{_ONCE}"):
            caveats = (f"handlers of routers run twice since FastAPI {_ONCE}, and once afterwards",)
        foreign = module.path != self._home.module.path
        return Timing((*order, start), foreign=foreign, first=foreign, caveats=caveats)

    def _require_included_once(self, inclusion: Inclusion) -> None:
        """Refuse an inclusion that is not always executed, where the application is made."""
        module, home = inclusion.module, self._home
        place = module.place(inclusion.node)
        statement = module.statement_of(inclusion.node)
        same = module.path == home.module.path
        if statement is None or not same:
            raise Refused(reasons.ROUTER_HANDLER, f"included in {module.path}", because=(place,))
        known = next(home.module.nodes_at({module.span(statement)}), None)
        if not isinstance(known, ast.stmt):
            raise Refused(reasons.ROUTER_HANDLER, f"included in {module.path}", because=(place,))
        scope = home.module.scopes.scope_of(known)
        if scope.kind == "module" and home.function is not None:
            self._require_one_call(home.module, known)
            self._require_always(home.module, known)
            return
        if scope.node is not home.scope.node or is_conditional(home, known):
            raise Refused(reasons.ROUTER_HANDLER, "included in some cases only", because=(place,))
