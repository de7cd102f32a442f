"""Calls that receive a coroutine: the library's use of it, or the parameter that gets it."""

from __future__ import annotations

import ast
from typing import Literal

from msgspec import Struct

from awaken.knowledge.coroutines import Awaitable, Taker, Taking, coroutines
from awaken.knowledge.library_names import name_list
from awaken.project.effects.coroutines.awaitables import Awaitables
from awaken.project.effects.instance_attributes import Attributes
from awaken.project.graph.classes.stubs import is_stub
from awaken.project.graph.dispatch import Called, functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.bindings import Binding
from awaken.project.source.modules import Module
from awaken.project.values.domain import Unknown

TakenKind = Literal["asked", "called", "run", "stored", "unknown", "used"]
_KINDS: dict[Taking, TakenKind] = {
    "runs": "run",
    "starts": "run",
    "asks": "asked",
    "calls": "called",
}
_SAME_ITEMS = {f"builtins.{name}" for name in name_list("builtins_with_same_items")}
_ONE_ITEM = {f"builtins.{name}" for name in ("max", "min", "next")}
_OF_CONTAINERS = {f"builtins.{name}" for name in ("all", "any", "bool", "isinstance", "len")}


class Taken(Struct, frozen=True):
    """The call ends it: ``kind`` as in ``Fate``, ``by`` which function."""

    kind: TakenKind
    by: str = ""
    why: str = ""


class Onward(Struct, frozen=True):
    """The call returns it: as it is, in a container of ``depth`` layers, or in a coroutine."""

    depth: int
    kind: Awaitable | None = None


class IntoParameter(Struct, frozen=True):
    """A function of the program gets it, as ``parameter`` of the file ``module``."""

    module: Module
    parameter: Binding
    depth: int


class PassingOn:
    """Answers for one project."""

    def __init__(self, evaluator: ProgramEvaluator, awaitables: Awaitables) -> None:
        self._evaluator = evaluator
        self._awaitables = awaitables
        self._attributes = Attributes(evaluator)
        self._takers = coroutines().takers

    def uses_of_argument(
        self, module: Module, call: ast.Call, given: ast.expr, depth: int
    ) -> list[Taken | Onward | IntoParameter]:
        """Return what ``call`` does with its argument ``given``, each possibility.

        ``depth`` layers of containers lie around the coroutine.
        """
        names = self._awaitables.library_names(module, call)
        if isinstance(names, Unknown):
            return [Taken("unknown", why=names.why)]
        where = _Argument.of(call, given)
        if names:
            return [item for name in names for item in self._by_library(name, where, depth)]
        called = functions_called(self._evaluator, module, call)
        if isinstance(called, Unknown):
            return [self._by_class(module, call, where, depth, called)]
        real = [item for item in called if not is_stub(self._evaluator, item.module, item.function)]
        if not real:
            why = f"the implementation of `{called[0].function.name}` is unknown"
            return [Taken("unknown", why=why)]
        return [_to_function(callee, where, depth) for callee in real]

    def _by_library(self, name: str, where: _Argument, depth: int) -> list[Taken | Onward]:
        taker = self._takers.get(name)
        # A star takes one layer off.
        inner = depth - where.is_starred
        if taker is not None and _takes(taker, where) and inner == int(taker.items):
            if taker.does == "wraps":
                return [Onward(0, "coroutine")]
            return [Taken(_KINDS[taker.does], name)]
        if depth and name in _OF_CONTAINERS:
            return []
        if depth and name in _SAME_ITEMS:
            return [Onward(depth)]
        if depth and name in _ONE_ITEM:
            return [Onward(depth - 1)]
        # ``x.append`` and the like; a coroutine itself has no such methods.
        if (name.count(".") > 1 and name.startswith("builtins.")) or name == "builtins.setattr":
            return [Taken("stored", name)]
        if not depth and name.startswith("builtins."):
            return [Taken("used", name)]
        return [Taken("unknown", name, f"awaken does not know how `{name}` uses it")]

    def _by_class(
        self, module: Module, call: ast.Call, where: _Argument, depth: int, otherwise: Unknown
    ) -> Taken | IntoParameter:
        """Return what making an instance of a class of the project does."""
        made = self._attributes.initialiser(module, call)
        if isinstance(made, Called):
            return _to_function(made, where, depth)
        if made:
            return Taken("stored", module.excerpt(call.func))
        return Taken("unknown", why=otherwise.why)


class _Argument(Struct, frozen=True):
    """How a call passes something: by a position, a keyword, or unpacked from there on."""

    position: int | None = None
    keyword: str | None = None
    is_starred: bool = False

    @staticmethod
    def of(call: ast.Call, given: ast.expr) -> _Argument:
        for number, argument in enumerate(call.args):
            if argument is given:
                return _Argument(number)
            if isinstance(argument, ast.Starred) and argument.value is given:
                return _Argument(number, is_starred=True)
        name = next((keyword.arg for keyword in call.keywords if keyword.value is given), None)
        return _Argument(keyword=name)


def _takes(taker: Taker, where: _Argument) -> bool:
    if where.position is None:
        return bool(taker.keyword) and where.keyword == taker.keyword
    if taker.all:
        return True
    return where.position in taker.positions and not where.is_starred


def _to_function(called: Called, where: _Argument, depth: int) -> Taken | IntoParameter:
    """Return the parameter of ``called`` that gets the argument."""
    arguments = called.function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    name, inner = where.keyword, depth
    if where.position is not None:
        number = where.position + called.bound
        if number < len(positional) and not where.is_starred:
            name = positional[number].arg
        elif arguments.vararg is not None and number >= len(positional):
            name, inner = arguments.vararg.arg, depth + 1 - where.is_starred
    scope = called.module.scopes.scope_made_by(called.function)
    bindings = [item for item in scope.bindings_of(name or "") if item.kind == "parameter"]
    if not bindings:
        why = f"which parameter of `{called.function.name}` gets it is not certain"
        return Taken("unknown", why=why)
    return IntoParameter(called.module, bindings[0], inner)
