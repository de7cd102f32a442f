"""The session that loaded an object, where the function around makes its sessions itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.contract import Place
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.values.domain import InstanceOf, NoneValue, Origin, Session, Values

_REGISTRIES = {"scoped", "async-scoped"}


def _binding_of(module: Module, owner: ast.expr) -> Binding | None:
    """Return the only binding of a variable of a function that holds a session."""
    binding = module.scopes.only_binding(owner, "assignment", "with")
    return binding if binding is not None and binding.scope.kind == "function" else None


def bound_at(module: Module, owner: ast.expr) -> Place | None:
    """Return the place of that binding."""
    binding = _binding_of(module, owner)
    return None if binding is None else module.place(binding.node)


class Owners(ProgramFacts):
    """Answers for one program."""

    def are_others(
        self, module: Module, origins: Iterable[Origin | None], session: ast.expr
    ) -> bool:
        """Whether sessions other than ``session`` loaded all objects that come from ``origins``.

        Every session in question has a variable that its function binds once, to a new session.
        """
        own = self._new_session(module, session)
        loaders = [self._loader(module, origin) for origin in origins]
        bindings = [self._new_session(module, loader) for loader in loaders]
        return own is not None and bool(bindings) and {None, own}.isdisjoint(bindings)

    def _loader(self, module: Module, origin: Origin | None) -> ast.expr | None:
        """Return the session that runs the statement of an origin, if both are one expression."""
        if (
            origin is None
            or origin.kind != "call"
            or origin.way
            or origin.place.path != module.path
        ):
            return None
        for call in module.calls_at(origin.place.span):
            for node in (call, *module.ancestors(call)):
                match node:
                    case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in LOADING:
                        return owner
                    case ast.stmt():
                        break
        return None

    def _new_session(self, module: Module, owner: ast.expr | None) -> ast.AST | None:
        """Return what binds a variable to a session that nothing else shares."""
        binding = None if owner is None else _binding_of(module, owner)
        if binding is None or owner is None or not isinstance(binding.value, ast.Call):
            return None
        values = self._evaluator.values(module, owner)
        is_new = all(isinstance(item, Session) and item.kind not in _REGISTRIES for item in values)
        return binding.node if is_new else None


def origins_inside(values: Values) -> Iterator[Origin | None]:
    """Yield where the objects in values come from, None where that is unknown."""
    for value in values:
        if isinstance(value, InstanceOf) and value.parameters:
            yield from origins_inside(tuple(item for part in value.parameters for item in part))
        elif isinstance(value, InstanceOf):
            yield from value.origins or (None,)
        elif not isinstance(value, NoneValue):
            yield None
