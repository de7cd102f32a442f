"""Sessions that a program hands to functions of libraries."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator

from awaken.knowledge.asynchronous import twins
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.values.domain import ClassOf, External, InstanceOf


class HandedSessions:
    """Finds the calls of libraries that are given a session, one after the other."""

    def __init__(
        self, evaluator: ProgramEvaluator, is_session: Callable[[Module, ast.expr], bool]
    ) -> None:
        self._evaluator = evaluator
        self._is_session = is_session
        self._harmless = frozenset(twins().handed.harmless)

    def of(self, module: Module, call: ast.Call) -> tuple[str, ast.expr] | None:
        """Return the library function that ``call`` calls, and the session that it is given."""
        given = list(_given(call))
        if not given:
            return None
        name = self._evaluator.names.qualified(module, call.func)
        if name is not None and not self._is_of_library(name):
            return None
        session = next((one for one in given if self._is_session(module, one)), None)
        if session is None:
            return None
        called = name or self._method(module, call.func)
        return None if called is None else (called, session)

    def _is_of_library(self, name: str) -> bool:
        """Whether ``name`` is of a library that may use what it is given."""
        root = name.partition(".")[0]
        if root in sys.stdlib_module_names or root in {"builtins", *self._harmless}:
            return False
        return self._evaluator.names.locate(name) is None

    def _method(self, module: Module, function: ast.expr) -> str | None:
        """Return the method of a library that ``function`` is; None if it may be another."""
        if not isinstance(function, ast.Attribute):
            return None
        for owner in self._evaluator.values(module, function.value):
            match owner:
                case InstanceOf() | ClassOf() | External():
                    is_own = self._evaluator.classes.facts(owner.qualified) is not None
                    if is_own or not self._is_of_library(owner.qualified):
                        return None
                case _:
                    return None
            return f"{owner.qualified}.{function.attr}"
        return None


def _given(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the arguments that may be a session, or what gives its connection."""
    for argument in (*call.args, *(one.value for one in call.keywords)):
        match argument:
            case ast.Call(func=ast.Attribute(value=owner, attr="connection" | "get_bind")):
                yield from (owner,) if isinstance(owner, ast.Name | ast.Attribute) else ()
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr="bind"):
                yield owner
            case ast.Name() | ast.Attribute():
                yield argument
            case _:
                pass
