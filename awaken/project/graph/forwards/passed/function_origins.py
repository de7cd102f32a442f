"""The sources of the value of an expression: the step before, of a function passed as a value."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import chain

from awaken.contract import Place
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.graph.forwards.call_graph import Call
from awaken.project.graph.forwards.passed.slots import (
    CALLING,
    IN_PAIRS,
    KEYS,
    PASSING,
    SAME,
    TABLES_OF,
    TAKING,
    End,
    Found,
    Slots,
    Spot,
    elements_at,
    without_keys,
    without_position,
)
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    NoneValue,
    Unknown,
    Values,
    are_instances,
)
from awaken.project.values.pytest_fixtures import fixtures_asked_for, is_asking

_CONTAINERS = {f"builtins.{name}" for name in ("dict", "frozenset", "list", "set", "str")}
_DEFINED = {"function", "import"}
_CONVERTING = name_list("converting")
_ASKED = {None, "side_effect", "wraps", *name_list("specs_of_mocks")}
"""Arguments by which a mock may give what a function or a class gives."""


class Origins:
    """Answers for one program; ``call_at`` gives the resolved call at a place."""

    def __init__(self, slots: Slots, call_at: Callable[[Place], Call | None]) -> None:
        self._slots = slots
        self._call_at = call_at

    def sources_of(self, spot: Spot) -> Found:
        """Yield where the value of ``spot`` comes from."""
        module, node, depth = spot
        match node:
            case ast.Name():
                yield from self._name(module, node, depth)
            case ast.Attribute():
                yield from self._attribute(module, node, depth)
            case ast.Call():
                yield from self._call(module, node, depth)
            case ast.Lambda() if depth == 0:
                yield End("lambda", module, node)
            case ast.Await():
                yield Spot(module, node.value, depth)
            case ast.Subscript(value=value, slice=key):
                # The positions of a list have one answer, which is worked out once.
                is_list = _is_list(module, value)
                depth_of = self._slots.depth_by if is_list else self._slots.depth_read
                yield Spot(module, value, depth_of(module, key, depth))
            case _ if parts := alternatives(node):
                yield from (Spot(module, part, depth) for part in parts)
            case _:
                yield from self._display(spot)

    def _display(self, spot: Spot) -> Found:
        node, depth = spot.node, spot.depth
        match node:
            case ast.Constant():
                # None, or what cannot be called.
                return
            case _ if depth == 0:
                yield self._unknown(spot)
            case _:
                yield from self._keys(spot) if depth == KEYS + 1 else self._items(spot)

    def _items(self, spot: Spot) -> Found:
        module, node, depth = spot
        match node:
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if not self._slots.has_another(module, key, depth):
                        yield Spot(module, value, depth if key is None else depth - 1)
            case ast.List() | ast.Tuple() | ast.Set():
                is_tuple = isinstance(node, ast.Tuple)
                for element in elements_at(node.elts, depth) if is_tuple else node.elts:
                    if isinstance(element, ast.Starred):
                        yield from self._slots.iterable(
                            module, element.value, without_position(depth)
                        )
                    else:
                        yield Spot(module, element, depth - 1)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                yield Spot(module, node.elt, depth - 1)
            case ast.DictComp():
                yield Spot(module, node.value, depth - 1)
            case ast.BinOp(left=left, op=ast.BitOr() | ast.Add(), right=right):
                yield from (Spot(module, part, without_position(depth)) for part in (left, right))
            case _:
                yield self._unknown(spot)

    def _keys(self, spot: Spot) -> Found:
        """Yield the keys of a dictionary; other displays have none."""
        module, node, depth = spot
        match node:
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    yield Spot(module, value, depth) if key is None else Spot(module, key, 0)
            case ast.DictComp():
                yield Spot(module, node.key, 0)
            case ast.List() | ast.Tuple() | ast.Set():
                return
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                yield from (Spot(module, part, depth) for part in (left, right))
            case _:
                yield self._unknown(spot)

    def _unknown(self, spot: Spot, why: str = "") -> End:
        shown = spot.module.excerpt(spot.node)
        return End("leak", spot.module, spot.node, why or f"the value of `{shown}` is unknown")

    def _name(self, module: Module, node: ast.Name, depth: int) -> Found:
        bindings = module.scopes.bindings_of(node)
        # Without a binding, a star import may give the name.
        is_defined = all(binding.kind in _DEFINED for binding in bindings)
        values = self._slots.evaluator.values(module, node) if is_defined and not depth else ()
        if values and all(isinstance(value, FunctionOf) for value in values):
            # The name of a function is no variable: its other uses have nothing to do with this.
            for alternative in values:
                if isinstance(alternative, FunctionOf):
                    yield End("function", alternative.module, alternative.node)
            return
        slot = self._slots.variable(module, node, depth)
        if slot is not None:
            yield slot
        elif not depth and node.id in _CONVERTING:
            yield End("plain", module, node)
        else:
            yield self._unknown(Spot(module, node, depth))

    def _attribute(self, module: Module, node: ast.Attribute, depth: int) -> Found:
        values = self._slots.evaluator.values(module, node) if depth == 0 else ()
        functions = [value for value in values if isinstance(value, FunctionOf)]
        if functions and len(functions) == len(values):
            for function in functions:
                kind = "function" if isinstance(function.node, Function) else "lambda"
                yield End(kind, function.module, function.node)  # type: ignore[arg-type]
            return
        owners = self._slots.evaluator.values(module, node.value) if depth == 0 else ()
        if are_instances(owners, _CONTAINERS.__contains__):
            yield End("plain", module, node)
            return
        if values and not functions and self._gives_nothing(module, node, values):
            yield End("plain", module, node)
            return
        yield from self._slots.of_attribute(module, node, depth)

    def _gives_nothing(self, module: Module, node: ast.Attribute, values: Values) -> bool:
        """Whether ``node`` is a method of a library that is known to give None, so no coroutine."""
        if not all(isinstance(value, External) for value in values):
            return False
        call = ast.copy_location(ast.Call(node, [], []), node)
        given = self._slots.evaluator.call_results(values, module, call)
        return bool(given) and all(isinstance(argument, NoneValue) for argument in given)

    # ------------------------------------------------------------------------------------- calls
    def _call(self, module: Module, node: ast.Call, depth: int) -> Found:
        qualified = self._slots.evaluator.names.qualified_name(module, node.func) or ""
        if qualified == "builtins.enumerate" and depth and node.args:
            yield from self._slots.iterable(module, node.args[0], _without_pair(depth))
            return
        given = self._given_through(node, qualified, depth)
        for one in given or ():
            is_item = qualified in SAME - TABLES_OF
            yield from (
                self._slots.iterable(module, one, without_position(depth))
                if is_item
                else (Spot(module, one, depth),)
            )
        if given is not None:
            return
        named = self._by_name(module, node, depth)
        if named is not None:
            yield from named
            return
        resolved = self._call_at(module.place(node))
        if resolved is not None and resolved.kind in {"one", "several"}:
            yield from self._results(resolved, depth)
            return
        if isinstance(node.func, ast.Attribute) and depth:
            yield from self._of_method(module, node, node.func, depth)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in TAKING:
            yield from self._items_of_receiver(module, node, node.func, depth)
        else:
            yield from self._made_method(module, node, depth)

    def _by_name(self, module: Module, node: ast.Call, depth: int) -> Found | None:
        """Return what the name alone tells: an attribute of an object, a fixture, or a mock."""
        if not depth and self._is_mock(module, node):
            return iter([End("plain", module, node)])
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(str(name)), *_]):
                read = ast.copy_location(ast.Attribute(owner, name, ast.Load()), node)
                defaults = (Spot(module, argument, depth) for argument in node.args[2:])
                return chain(self._slots.of_attribute(module, read, depth), defaults)
        fixtures = (
            fixtures_asked_for(self._slots.evaluator, module, node) if is_asking(node) else None
        )
        if fixtures is None:
            return None
        return (self._slots.result(fixture.module, fixture.node, depth) for fixture in fixtures)

    def _of_method(self, module: Module, node: ast.Call, func: ast.Attribute, depth: int) -> Found:
        """Yield the containers of which a method gives what holds functions."""
        if func.attr in TAKING:
            yield from self._items_of_receiver(module, node, func, depth)
        elif func.attr == "keys":
            yield from (Spot(module, func.value, KEYS + 1),) if int(depth) == 1 else ()
        elif func.attr in PASSING:
            if func.attr == "items":
                yield Spot(module, func.value, _without_pair(depth))
            elif func.attr == "copy":
                yield Spot(module, func.value, depth)
            elif depth != KEYS + 1:
                yield Spot(module, func.value, without_keys(depth))
        else:
            yield from self._made_method(module, node, depth)

    def _items_of_receiver(
        self, module: Module, node: ast.Call, func: ast.Attribute, depth: int
    ) -> Found:
        yield Spot(module, func.value, self._slots.depth_taken(module, node, depth))
        for argument in node.args[1:2]:
            yield Spot(module, argument, depth)

    def _given_through(self, node: ast.Call, qualified: str, depth: int) -> list[ast.expr] | None:
        """Return the arguments that a call gives back as they are, or as good as that."""
        if qualified in CALLING and node.args:
            return node.args[:1]
        if qualified in library_names().casts:
            return node.args[-1:]
        return node.args if qualified in SAME and depth else None

    def _results(self, resolved: Call, depth: int) -> Found:
        places = [(place.path, place.start) for place in resolved.functions]
        for home, function in self._slots.evaluator.functions_at(places):
            yield self._slots.result(home, function, depth)

    def _made_method(self, module: Module, node: ast.Call, depth: int) -> Found:
        """Yield the method that is called where an object of the program is."""
        evaluator = self._slots.evaluator
        for value in evaluator.values(module, node):
            match value:
                case NoneValue():
                    continue
                case FunctionOf(node=ast.Lambda()):
                    yield End("lambda", value.module, value.node)
                case FunctionOf():
                    yield End("function", value.module, value.node)
                case InstanceOf() if self._slots.is_own(value.qualified) and not depth:
                    methods = evaluator.attribute(value, "__call__", module, node)
                    for method in methods:
                        if isinstance(method, FunctionOf):
                            yield End("function", method.module, method.node)
                        else:
                            yield self._unknown(Spot(module, node, depth))
                case ClassOf() if self._slots.is_own(value.qualified):
                    yield self._unknown(Spot(module, node, depth), "a class is called")
                case Unknown():
                    yield self._unknown(Spot(module, node, depth), value.why)
                case _:
                    yield self._unknown(Spot(module, node, depth))

    def _is_mock(self, module: Module, node: ast.Call) -> bool:
        """Whether a call makes a mock that gives no coroutine, and that calls no function."""
        made = self._slots.evaluator.names.qualified_name(module, node.func)
        is_alone = not node.args and not any(part.arg in _ASKED for part in node.keywords)
        return made in library_names().mocks and is_alone


def _without_pair(depth: int) -> int:
    """Return the depth in a container; among the pairs of its items the depth is ``depth``."""
    return int(depth) - 1 if int(depth) == IN_PAIRS else depth - 1


def _is_list(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` is a variable that is bound to lists alone."""
    bindings = module.scopes.bindings_of(node) if isinstance(node, ast.Name) else []
    return bool(bindings) and all(isinstance(binding.value, ast.List) for binding in bindings)
