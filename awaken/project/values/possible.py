"""The possible values of an expression, for rules: ``project.values.of(module, node)``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from msgspec import Struct

from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    TupleOf,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.evaluation import Evaluator

_PRODUCERS = {
    "callable": "a callable that returns",
    "manager": "a context manager that gives",
    "generator": "a generator of",
    "coroutine": "a coroutine that returns",
    "awaitable": "an awaitable that gives",
    "factory": "a factory that makes",
}


def in_words(value: Value) -> str:
    """Return what ``value`` is, as a noun phrase."""
    match value:
        case Producer():
            return f"{_PRODUCERS[value.how]} {_one_of(value.inner)}"
        case InstanceOf():
            return f"an instance of `{value.qualified}`{_holding(value)}"
        case TupleOf():
            return f"a tuple of ({', '.join(map(_one_of, value.items))})"
        case FunctionOf():
            return f"the function {_where(value)}"
        case NoneValue():
            return "None"
        case Unknown():
            return f"unknown ({value.why})"
    return _of_name(value)


def _of_name(value: Value) -> str:
    match value:
        case Session():
            return f"a session of SQLAlchemy ({value.kind})"
        case ClassOf():
            return f"the class `{value.qualified}`"
        case ModuleOf():
            return f"the module {value.path}"
        case External():
            return f"`{value.qualified}` of a library"
        case DeclarativeBase():
            return "a base of mapped classes"
        case NotRelevant():
            return f"{value.what} of no certain class"
    return "something else"


def _one_of(values: Values) -> str:
    return " or ".join(dict.fromkeys(map(in_words, values))) or "nothing"


def _holding(value: InstanceOf) -> str:
    if not value.parameters:
        return ""
    return f" with [{'; '.join(map(_one_of, value.parameters))}]"


def _where(value: FunctionOf) -> str:
    name = getattr(value.node, "name", "lambda")
    return f"`{name}` ({value.module.path}:{value.node.lineno})"


_RUNNING = {"asyncio.Task", "asyncio.Future", "_asyncio.Task", "_asyncio.Future"}


class PossibleValues(Struct, frozen=True):
    """All possible values of an expression in its place.

    ``alternatives`` are of the classes in ``domain``. ``unknown`` says why they may not be all,
    and where that ends; it is None where they are.
    """

    alternatives: Values
    unknown: Unknown | None = None

    @property
    def is_known(self) -> bool:
        """Whether ``alternatives`` are all that it may be."""
        return self.unknown is None

    @property
    def may_be_none(self) -> bool:
        """Whether it may be None, or may be more than is known."""
        return self.unknown is not None or NoneValue() in self.alternatives

    @property
    def is_coroutine(self) -> bool:
        """Whether it is proved to be a coroutine, which nothing has begun to run."""
        return self._are_all(_is_coroutine)

    @property
    def is_awaitable(self) -> bool:
        """Whether it is proved to be a coroutine, a task, a future, or declared as one of them."""
        return self._are_all(lambda value: _is_awaited(value) or _is_running(value))

    @property
    def instance_of(self) -> tuple[str, ...]:
        """The classes of which it is an instance if it is not None; empty if it may be more."""
        return self._names(InstanceOf, [item for item in self.alternatives if item != NoneValue()])

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that it is itself; empty if it may be more."""
        return self._names(ClassOf, self.alternatives)

    def __str__(self) -> str:
        """Return what it may be, in words."""
        said = " or ".join(dict.fromkeys(map(in_words, self.alternatives)))
        if self.unknown is None:
            return said
        why = f"unknown: {self.unknown.why}"
        return f"{said} or {why}" if said else why

    def _are_all(self, holds: Callable[[Value], bool]) -> bool:
        return self.is_known and bool(self.alternatives) and all(map(holds, self.alternatives))

    def _names(self, kind: type[ClassOf | InstanceOf], values: Sequence[Value]) -> tuple[str, ...]:
        result = [value.qualified for value in values if isinstance(value, ClassOf | InstanceOf)]
        is_all = self.is_known and all(isinstance(value, kind) for value in values)
        return tuple(dict.fromkeys(result)) if is_all else ()


class ProgramValues:
    """Answers what the expressions of a program may be."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def alternatives_of(self, module: Module, node: ast.expr) -> Values:
        """Return what an expression may be, unknown or not."""
        return self.of(module, node).alternatives

    def of(self, module: Module, node: ast.expr) -> PossibleValues:
        """Return the values that ``node`` may have at its place.

        A variable has the values that reach that place, after the checks around it. An attribute
        has all values that its class gives it, anywhere.
        """
        return self._possible_values(self._evaluator.values(module, node), module, node)

    def without_callers(self, module: Module, node: ast.expr) -> PossibleValues:
        """Return what ``node`` may be, parameters that only callers know left unknown.

        That is cheaper than ``of``, which finds the same alternatives or more.
        """
        with self._evaluator.without_callers():
            return self.of(module, node)

    def items_of(self, module: Module, node: ast.expr) -> PossibleValues:
        """Return the values that iterating ``node`` gives at its place."""
        evaluator = self._evaluator
        result = evaluator.solve(
            ("items", node),
            module,
            node,
            lambda: evaluator.iterated_values(evaluator.values(module, node), module, node),
        )
        return self._possible_values(result, module, node)

    def attribute(
        self, module: Module, node: ast.expr, name: str, classes: tuple[str, ...]
    ) -> PossibleValues:
        """Return what the attribute ``name`` of instances of ``classes`` at ``node`` may be."""
        evaluator = self._evaluator
        result = evaluator.solve(
            ("attribute", node, name, classes),
            module,
            node,
            lambda: union(
                *(evaluator.attribute(InstanceOf(owner), name, module, node) for owner in classes)
            ),
        )
        return self._possible_values(result, module, node)

    def declared(self, module: Module, annotation: ast.expr) -> PossibleValues:
        """Return what an annotation says that a value is."""
        return self._possible_values(
            self._evaluator.declared_values(module, annotation), module, annotation
        )

    def _possible_values(self, values: Values, module: Module, node: ast.expr) -> PossibleValues:
        unknown: Unknown | None = None
        known: list[Value] = []
        for value in values:
            match value:
                case Unknown():
                    unknown = unknown or value
                case NotRelevant():
                    # Enough for those who look for a session; of which class it is, is not said.
                    unknown = unknown or Unknown(
                        f"{value.what} of no certain class", module.place(node)
                    )
                case _:
                    known.append(value)
        return PossibleValues(tuple(known), unknown)


def _is_coroutine(value: Value) -> bool:
    return isinstance(value, Producer) and value.how == "coroutine"


def _is_awaited(value: Value) -> bool:
    return isinstance(value, Producer) and value.is_used("coroutine")


def _is_running(value: Value) -> bool:
    return isinstance(value, InstanceOf) and value.qualified in _RUNNING
