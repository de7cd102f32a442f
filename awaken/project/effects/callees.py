"""The callees of a call: names of library functions, and the builtin types of receivers."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import name_table
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.modules import Module
from awaken.project.values.attributes.made_bases import hidden_base
from awaken.project.values.domain import (
    ClassOf,
    External,
    InstanceOf,
    NoneValue,
    Session,
    TupleOf,
    Unknown,
    Value,
)

_SESSIONS = name_table("classes_of_sessions")
_BUILTINS = name_table("builtin_types")


class Callees(ProgramFacts):
    """Names what calls call, as far as no function of the project is meant."""

    def library_names(self, module: Module, func: ast.expr) -> tuple[str, ...] | Unknown:
        """Return the names of the library functions that ``func`` may be, by their classes.

        ``requests.Session.get`` for ``self.http.get``; empty for what the project defines. Unknown
        has the reason.
        """
        name = self._evaluator.names.qualified_name(module, func)
        located = None if name is None else self._evaluator.names.locate(name)
        if name is not None and located is None:
            return (name,)
        if not isinstance(func, ast.Attribute) or (located and len(located.rest) <= 1):
            return ()
        builtin = self.builtin_type(module, func.value)
        if builtin is not None:
            return (f"builtins.{builtin}.{func.attr}",)
        result = [
            self._of_value(value, module, func)
            for value in self._evaluator.values(module, func.value)
            if value != NoneValue()  # which has no method
        ]
        unknown = next((value for value in result if isinstance(value, Unknown)), None)
        # Half of the answer would be names, the other half functions: neither is all.
        if unknown is None and any(result) and () in result:
            why = f"`{module.excerpt(func)}` may be of the program or of a library"
            unknown = self._evaluator.unknown(module, func, why)
        known = (value for value in result if not isinstance(value, Unknown))
        return unknown or tuple(name for names in known for name in names)

    def _of_value(
        self, value: Value, module: Module, func: ast.Attribute
    ) -> tuple[str, ...] | Unknown:
        """Return the names that the method ``func`` of a receiver may have."""
        match value:
            case InstanceOf() | ClassOf():
                return self._of_class(value.qualified, module, func)
            case Session():
                return (f"{_SESSIONS[value.kind]}.{func.attr}",)
            case External():
                return (f"{value.qualified}.{func.attr}",)
            case Unknown():
                return value
        return ()

    def _of_class(
        self, owner: str, module: Module, func: ast.Attribute
    ) -> tuple[str, ...] | Unknown:
        """Return the names of a method that ``owner`` inherits from libraries; none if its own.

        Definitions of the program count first, whatever their class inherits.
        """
        ancestors = self._evaluator.classes.ancestors(owner)
        if ancestors is None:
            return (f"{owner}.{func.attr}",)
        # Overrides of the program are followed, not looked up.
        if any(self._defines(candidate.qualified, func.attr) for candidate in ancestors.inside):
            return ()
        hidden = hidden_base(self._evaluator, ancestors, func.attr)
        if hidden is not None:
            why = f"the base class `{hidden}` is unknown and may have `{func.attr}`"
            return self._evaluator.unknown(module, func, why)
        result = tuple(f"{name}.{func.attr}" for name in ancestors.outside)
        if not result:
            return ()
        hierarchy = self._evaluator.callers.hierarchy(owner)
        # A subclass of the program may be what is called, with a method of its own.
        overriding = [name for name in hierarchy.descendants if self._defines(name, func.attr)]
        if overriding or hierarchy.is_too_large:
            which = f"`{min(overriding)}`" if overriding else f"a class that inherits `{owner}`"
            return self._evaluator.unknown(module, func, f"{which} may have its own `{func.attr}`")
        return result

    def _defines(self, qualified: str, name: str) -> bool:
        """Whether a class of the project sets ``name`` itself; True for one that is there twice."""
        home = self._evaluator.classes.node(qualified)
        return home is None or bool(self._evaluator.members.given_to(*home, name))

    def builtin_type(self, module: Module, node: ast.expr) -> str | None:
        """Return the builtin type that ``node`` surely has; ``float`` means any number."""
        result = {_builtin(value) for value in self._evaluator.values(module, node)}
        return result.pop() if len(result) == 1 else None


def _builtin(value: Value) -> str | None:
    match value:
        case TupleOf():
            return "tuple"
        case InstanceOf(qualified=name):
            return _BUILTINS.get(name)
    return None
