"""Code that enters or closes a session or a connection other than by ``with session:``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.knowledge.asynchronous import Resource, twins
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.alternatives import branches, whole_conditional
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

    def entered_resource(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        """Return which resource ``with node`` enters; Unknown if it may be something else as well.

        None if it enters none, or the call of a method of one.
        """
        parts = [part for part in branches(node) if not self._is_call_of(module, part, _NULL)]
        if len(parts) == 1 and parts[0] is node:
            return None if self._is_method(node) else self._plain_resource(module, node)
        resources = {
            self._result_of(module, part)
            if self._is_method(part)
            else self._plain_resource(module, part)
            for part in parts
        }
        known = {resource for resource in resources if isinstance(resource, str)}
        if not known or len(resources) == 1:
            return next(iter(known), None)
        return self._mixed_reason(module, node)

    def closed_resource(self, module: Module, node: ast.expr) -> tuple[ast.expr, Resource] | None:
        """Return what ``with closing(session)`` closes, if ``async with session`` does as well."""
        if not isinstance(node, ast.Call) or not self._is_call_of(module, node, CLOSING):
            return None
        if len(node.args) != 1 or not isinstance(module.parent(node), ast.withitem):
            return None
        held = node.args[0]
        result = self._result_of(module, held) if self._is_method(held) else None
        resource = result or self._resource_of(module, held)
        return (held, resource) if isinstance(resource, str) and resource in _CLOSED else None

    def is_entered(self, module: Module, call: ast.expr) -> bool:
        """Whether a ``with`` enters ``call`` as one of several, or what closes it."""
        above = module.parent(whole_conditional(module, call))
        if isinstance(above, ast.withitem):
            return above is not module.parent(call)
        return isinstance(above, ast.Call) and (
            self.closed_resource(module, above) is not None or self._keeps(module, above)
        )

    def keeping(self, module: Module, call: ast.Call) -> Iterator[tuple[ast.expr, Resource]]:
        """Yield the resources that ``call`` takes to enter, or to close, later."""
        if not call.args or not self._keeps(module, call):
            return
        resource = self._result_of(module, call.args[0]) or self._resource_of(module, call.args[0])
        if isinstance(resource, str) and resource in _ENTERED:
            yield call.args[0], resource

    def escaping_resource(self, module: Module, node: ast.Attribute) -> Resource | None:
        """Return the resource of which ``node`` is a method that waits, and is not called here."""
        above = module.parent(node)
        if isinstance(above, ast.Attribute | ast.Compare | ast.Expr | ast.withitem):
            return None
        is_called = isinstance(above, ast.Call) and above.func is node
        if is_called or replaces_method(module, above, node):
            return None
        if isinstance(above, ast.Assign) and _is_only_called(module, above):
            return None
        owner = self._resource_of(module, node.value)
        return owner if isinstance(owner, str) and self._waits(owner, node.attr) else None

    # -------------------------------------------------------------------------------------- parts
    def _waits(self, resource: Resource, method: str) -> bool:
        kinds: tuple[Resource, ...] = ("scoped", "session") if resource == "scoped" else (resource,)
        tables = (self._twins.awaited, self._twins.entered)
        return any(method in table.get(kind, ()) for kind in kinds for table in tables)

    def _plain_resource(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        resource = self._resource_of(module, node)
        if isinstance(resource, Unknown):
            values = self._evaluator.values(module, node)
            kinds = [value.kind for value in values if isinstance(value, Session)]
            return None if all(kind.startswith("async") for kind in kinds) else resource
        return resource if resource in _ENTERED else None

    def _mixed_reason(self, module: Module, node: ast.expr) -> Unknown:
        why = f"`{module.excerpt(node)}` may also be something else"
        return self._evaluator.unknown(module, node, why)

    def _is_method(self, node: ast.expr) -> bool:
        """Whether ``node`` calls what gives something to be entered: found as the call it is."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        return any(node.func.attr in methods for methods in self._twins.entered.values())

    def _result_of(self, module: Module, node: ast.expr) -> Resource | None:
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
            and self._evaluator.names.qualified_name(module, node.func) == name
        )

    def _keeps(self, module: Module, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _KEEPING:
            # Only exit stacks have a method of that name.
            if call.func.attr == "enter_context":
                return True
            owners = self._evaluator.values(module, call.func.value)
            return any(isinstance(one, InstanceOf) and one.qualified in _STACKS for one in owners)
        return (
            self._is_call_of(module, call, CLOSING) and self.closed_resource(module, call) is None
        )


def replaces_method(module: Module, statement: ast.AST | None, method: ast.Attribute) -> bool:
    """Whether an object gets one of its methods for another one: `session.commit = session.flush`.

    A caller that awaits the other one awaits this one.
    """
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=owner)]):
            return module.text_of(owner) == module.text_of(method.value)
    return False


def _is_only_called(module: Module, assignment: ast.Assign) -> bool:
    """Whether the variable that is assigned is called wherever it is read."""
    match assignment.targets:
        case [ast.Name(id=name)]:
            scope = module.scopes.scope_of(assignment.targets[0])
        case _:
            return False
    return all(module.call_of(read) is not None for read in scope.reads.get(name, []))
