"""Results of values that are called elsewhere, entered, iterated or awaited."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    How,
    InstanceOf,
    NotRelevant,
    Origin,
    Producer,
    TupleOf,
    TypeVariable,
    Unknown,
    Value,
    Values,
    as_instance,
    union,
)
from awaken.project.values.library.calls.overloads import Lines
from awaken.project.values.library_types.declared_types import of_class
from awaken.project.values.library_types.signatures import signature
from awaken.project.values.library_types.solving import without_variables
from awaken.project.values.questions import LibraryTypes, Questions

_ENTERED = {"generator": ("__iter__", "__aiter__"), "manager": ("__enter__", "__aenter__")}


class Uses:
    """Follows what values give by what stubs say of their methods."""

    def __init__(self, evaluator: Questions, lines: Lines, library: LibraryTypes) -> None:
        self._evaluator = evaluator
        self._lines = lines
        self._library = library

    def results_of_use(
        self, how: How, value: Value, module: Module, node: ast.AST
    ) -> Values | None:
        """Return what ``value`` gives when it is used in the way ``how`` (see ``Producer``).

        None where it cannot be used so, or nothing says what it gives.
        """
        match value:
            case Producer() if value.is_used(how):
                return value.inner
            case Unknown() | NotRelevant(mock=True):
                return (value,)
            case External() if how in _ENTERED:
                variable = self._library.variable(value)
                return (
                    None if variable is None else self.results_of_use(how, variable, module, node)
                )
            case TupleOf() if how == "generator":
                return union(*value.items)
            case TypeVariable():
                return None
            case _ if how == "callable":
                return self.when_called(value, module, node)
            case InstanceOf() if how in {"awaitable", "coroutine"}:
                held = self._lines.parameters_as(value, "collections.abc.Awaitable")
                return held[0] if held else None
            case InstanceOf() if how in _ENTERED:
                return self._entered_values(how, value, module, node)
        return None

    def when_called(self, value: Value, module: Module, node: ast.AST) -> Values | None:
        """Return the result of a call with unknown arguments; None if nothing says so."""
        match value:
            case ClassOf():
                made = of_class(value.qualified)
                origin = (Origin(module.place(node)),)
                return tuple(
                    replace(item, origins=origin) if isinstance(item, InstanceOf) else item
                    for item in made
                )
            case FunctionOf():
                return self._evaluator.results_of(value)
            case Producer(how="callable" | "factory"):
                return value.inner
            case External():
                return self._external(value, module, node)
            case InstanceOf():
                return self.method(value, "__call__", module, node)
            case Unknown():
                return (value,)
        return None

    def _external(self, function: External, module: Module, node: ast.AST) -> Values | None:
        """Return the result of a function that is called elsewhere, with unknown arguments."""
        call = ast.copy_location(ast.Call(ast.Name("_"), [], []), node)
        if function.receiver is None:
            made = self._library.instance_of(function.qualified, module, call, ())
            if made is not None:
                return made
        result = self._library.call_results(function, module, call, ())
        declared = self._lines.declaration(function.qualified)
        if result is not None or declared is None or function.receiver is not None:
            return result
        functions = [part for part in declared.nodes if isinstance(part, Function)]
        results = union(
            *(signature(declared.module, part, is_method=False).returns for part in functions)
        )
        why = f"the return type of `{function.qualified}` is unknown"
        return without_variables(results, module.place(node), why) or None

    def _entered_values(
        self, how: How, value: InstanceOf, module: Module, node: ast.AST
    ) -> Values | None:
        plain, waiting = _ENTERED[how]
        method = self.method(value, plain, module, node)
        is_async = method is None
        if method is None:
            method = self.method(value, waiting, module, node)
        if method is None:
            return None
        if how == "manager":
            return self._awaited_values(method, module, node) if is_async else method
        given: Values = ()
        for entry in method:
            match entry:
                case Producer(how="generator"):
                    given = union(given, entry.inner)
                case InstanceOf():
                    item = self.method(entry, "__anext__" if is_async else "__next__", module, node)
                    if item is None:
                        return None
                    given = union(
                        given, self._awaited_values(item, module, node) if is_async else item
                    )
                case Unknown():
                    given = union(given, (entry,))
                case _:
                    return None
        return given or None

    def _awaited_values(self, values: Values, module: Module, node: ast.AST) -> Values:
        return union(
            *(self.results_of_use("coroutine", value, module, node) or () for value in values)
        )

    def method(self, value: Value, name: str, module: Module, node: ast.AST) -> Values | None:
        """Return what calling a method without arguments gives; None where there is none."""
        if isinstance(value, Producer) and value.how == "generator":
            own = name in {"__iter__", "__aiter__"}
            return (value,) if own else value.inner if name == "__next__" else None
        if isinstance(value, TupleOf):
            value = as_instance(value)
        if not isinstance(value, InstanceOf):
            return None
        found: Values = ()
        for item in self._evaluator.attribute(value, name, module, node):
            result = None if isinstance(item, Unknown) else self.when_called(item, module, node)
            if result is None:
                return None
            found = union(found, result)
        return found or None
