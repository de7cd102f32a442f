"""The session that loaded an object, where the function around makes its sessions itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf, NoneValue, Origin, Session, Values

_REGISTRIES = {"scoped", "async-scoped"}


def bound_at(module: Module, owner: ast.expr) -> Place | None:
    """Return the place of the only binding of a variable of a function that holds a session."""
    bindings = module.scopes.bindings_of(owner) if isinstance(owner, ast.Name) else []
    if len(bindings) != 1 or bindings[0].kind not in {"assignment", "with"}:
        return None
    return module.place(bindings[0].node) if bindings[0].scope.kind == "function" else None


class Owners:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def are_others(self, module: Module, values: Values, session: Place) -> bool:
        """Whether sessions other than the one bound at ``session`` loaded all objects of a value.

        Every session in question has a variable that its function binds once, to a new session.
        """
        origins = list(_origins(values))
        loaders = [None if one is None else self._loader(module, one) for one in origins]
        variables = [None if one is None else bound_at(module, one) for one in loaders]
        is_certain = self._is_new(module, session) and all(
            place is not None and self._is_new(module, place) for place in variables
        )
        return bool(variables) and is_certain and session not in variables

    def _loader(self, module: Module, origin: Origin) -> ast.expr | None:
        """Return the session that runs the statement of an origin, if both are one expression."""
        if origin.kind != "call" or origin.way or origin.place.path != module.path:
            return None
        for call in module.calls_at(origin.place.span):
            for node in (call, *module.ancestors(call)):
                match node:
                    case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in LOADING:
                        return owner
                    case ast.stmt():
                        break
                    case _:
                        pass
        return None

    def _is_new(self, module: Module, variable: Place) -> bool:
        """Whether the value bound at a place is a session that nothing else shares."""
        for node in module.walk():
            if isinstance(node, ast.Name) and module.place(node) == variable:
                above = module.parent(node)
                made = getattr(above, "context_expr", None) or getattr(above, "value", None)
                values = self._evaluator.values(module, node)
                return isinstance(made, ast.Call) and all(
                    isinstance(one, Session) and one.kind not in _REGISTRIES for one in values
                )
        return False


def _origins(values: Values) -> Iterator[Origin | None]:
    """Yield where the objects in values come from, None where that is unknown."""
    for value in values:
        if isinstance(value, InstanceOf) and value.parameters:
            yield from _origins(tuple(one for part in value.parameters for one in part))
        elif isinstance(value, InstanceOf):
            yield from value.origins or (None,)
        elif not isinstance(value, NoneValue):
            yield None
