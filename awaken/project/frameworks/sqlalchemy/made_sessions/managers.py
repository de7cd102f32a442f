"""What enters or closes a session or a connection other than by ``with session:``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.knowledge.asynchronous import Resource, twins
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf, Session, Unknown

CLOSING = "contextlib.closing"
_NULL = "contextlib.nullcontext"
_STACKS = frozenset({"contextlib.AsyncExitStack", "contextlib.ExitStack"})
_KEEPING = frozenset({"enter_context", "push"})
_ENTERED = frozenset({"connection", "scoped", "session", "transaction"})
_CLOSED = frozenset({"connection", "session"})
"""What ``async with`` closes."""


class EnteredResources:
    """Answers for one program; ``resource_of`` says which resource an expression is."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        resource_of: Callable[[Module, ast.expr], Resource | Unknown | None],
    ) -> None:
        self._evaluator = evaluator
        self._resource_of = resource_of
        self._twins = twins()

    def entered(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        """Return which resource ``with node`` enters; Unknown if it may be something else as well.

        None if it enters none, or the call of a method of one.
        """
        parts = [one for one in _alternatives(node) if not self._is_call_of(module, one, _NULL)]
        if len(parts) == 1 and parts[0] is node:
            return None if self._is_method(node) else self._alone(module, node)
        found = {
            self._given_by(module, one) if self._is_method(one) else self._alone(module, one)
            for one in parts
        }
        known = {one for one in found if isinstance(one, str)}
        if not known or len(found) == 1:
            return next(iter(known), None)
        return self._mixed(module, node)

    def closed(self, module: Module, node: ast.expr) -> tuple[ast.expr, Resource] | None:
        """Return what ``with closing(session)`` closes, if ``async with session`` does as well."""
        if not isinstance(node, ast.Call) or not self._is_call_of(module, node, CLOSING):
            return None
        if len(node.args) != 1 or not isinstance(module.parent(node), ast.withitem):
            return None
        given = node.args[0]
        found = self._given_by(module, given) if self._is_method(given) else None
        resource = found or self._resource_of(module, given)
        is_closed = isinstance(resource, str) and resource in _CLOSED
        return (given, resource) if is_closed and isinstance(resource, str) else None

    def is_entered(self, module: Module, call: ast.expr) -> bool:
        """Whether a ``with`` enters ``call`` as one of several, or what closes it."""
        above = module.parent(call)
        while isinstance(above, ast.IfExp):
            above = module.parent(above)
        if isinstance(above, ast.withitem):
            return above is not module.parent(call)
        return isinstance(above, ast.Call) and (
            self.closed(module, above) is not None or self._keeps(module, above)
        )

    def keeping(self, module: Module, call: ast.Call) -> Iterator[tuple[ast.expr, Resource]]:
        """Yield the resources that ``call`` takes to enter, or to close, later."""
        given = call.args[0] if call.args else None
        if given is None or not self._keeps(module, call):
            return
        found = self._given_by(module, given) or self._resource_of(module, given)
        if isinstance(found, str) and found in _ENTERED:
            yield given, found

    def handed_on(self, module: Module, node: ast.Attribute) -> Resource | None:
        """Return the resource of which ``node`` is a method that waits, and is not called here."""
        above = module.parent(node)
        if isinstance(above, ast.Attribute | ast.Compare | ast.Expr | ast.withitem):
            return None
        is_called = isinstance(above, ast.Call) and above.func is node
        if is_called or (isinstance(above, ast.Assign) and _is_only_called(module, above)):
            return None
        found = self._resource_of(module, node.value)
        return found if isinstance(found, str) and self._waits(found, node.attr) else None

    # -------------------------------------------------------------------------------------- parts
    def _waits(self, resource: Resource, method: str) -> bool:
        kinds: tuple[Resource, ...] = ("scoped", "session") if resource == "scoped" else (resource,)
        tables = (self._twins.awaited, self._twins.entered)
        return any(method in table.get(kind, ()) for kind in kinds for table in tables)

    def _alone(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        found = self._resource_of(module, node)
        if isinstance(found, Unknown):
            values = self._evaluator.values(module, node)
            sessions = [one for one in values if isinstance(one, Session)]
            return found if any(not one.kind.startswith("async") for one in sessions) else None
        return found if found in _ENTERED else None

    def _mixed(self, module: Module, node: ast.expr) -> Unknown:
        why = f"`{module.excerpt(node)}` may also be something else"
        return self._evaluator.unknown(module, node, why)

    def _is_method(self, node: ast.expr) -> bool:
        """Whether ``node`` calls what gives something to be entered: found as the call it is."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        return any(node.func.attr in methods for methods in self._twins.entered.values())

    def _given_by(self, module: Module, node: ast.expr) -> Resource | None:
        """Return what ``engine.connect()`` gives, or ``session.begin()``."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        owner = self._resource_of(module, node.func.value)
        if not isinstance(owner, str) or not self._waits(owner, node.func.attr):
            return None
        if owner == "engine":
            return "connection"
        return "session" if owner == "factory" else "transaction"

    def _is_call_of(self, module: Module, node: ast.expr, name: str) -> bool:
        return (
            isinstance(node, ast.Call)
            and self._evaluator.names.qualified(module, node.func) == name
        )

    def _keeps(self, module: Module, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _KEEPING:
            if call.func.attr == "enter_context":
                return True
            owners = self._evaluator.values(module, call.func.value)
            return any(isinstance(one, InstanceOf) and one.qualified in _STACKS for one in owners)
        return self._is_call_of(module, call, CLOSING) and self.closed(module, call) is None


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _alternatives(node.body)
        yield from _alternatives(node.orelse)
    else:
        yield node


def _is_only_called(module: Module, assignment: ast.Assign) -> bool:
    """Whether the variable that is assigned is called wherever it is read."""
    match assignment.targets:
        case [ast.Name(id=name)]:
            scope = module.scopes.scope_of(assignment.targets[0])
        case _:
            return False
    reads = [module.parent(one) for one in scope.reads.get(name, [])]
    return all(isinstance(one, ast.Call) and _is_called_by(one, name) for one in reads)


def _is_called_by(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name
