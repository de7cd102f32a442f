"""The uses of the value of an expression: the next step of a function that is passed as a value."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.graph.forwards.call_graph import Call
from awaken.project.graph.forwards.passed.passed_functions import Arguments
from awaken.project.graph.forwards.passed.slots import (
    ADDING,
    IDLE,
    IN_PAIRS,
    JOINING,
    KEYS,
    PASSING,
    TAKING,
    End,
    Found,
    Slots,
    Spot,
    depth_in,
    elements_at,
    iterated_depth,
    without_keys,
    without_position,
)
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.names.usages import CALLING
from awaken.project.source.expressions.expression_uses import Way, targets_of, use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda
from awaken.project.values.domain import NotRelevant


class Consumers:
    """Answers for one program; ``call_at`` gives the resolved call at a place."""

    def __init__(self, slots: Slots, call_at: Callable[[Place], Call | None]) -> None:
        self._slots = slots
        self._arguments = Arguments(slots, call_at)

    def uses_of(self, spot: Spot) -> Found:  # noqa: C901  one case a way
        """Yield where the value of ``spot`` goes."""
        module, node, depth = spot
        way, above = use_of(module, node)
        match way:
            case "called" if depth == 0:
                yield End("call", module, above)
            case "argument" | "unpacked" if (call := module.call_taking(node)) is not None:
                yield from self._arguments.uses_of(module, call, node, depth)
            case "returned" if isinstance(above, ast.Return):
                function = module.enclosing_function(node)
                if isinstance(function, FunctionOrLambda):
                    yield self._slots.result(module, function, depth)
            case "attribute":
                yield from self._attribute(module, above, depth)
            case "awaited" | "bound" | "same":
                for target in targets_of(above):
                    for item in self._target(module, target, depth):
                        # The value itself becomes invisible.
                        yield item._replace(node=node) if isinstance(item, End) else item
                if way != "bound":
                    yield Spot(module, above, depth)
            case "iterated" if not self._slots.gives_keys(spot):
                yield from self._loop_variables(spot, above.target)
            case "compared" | "deleted" | "iterated" | "dropped" | "formatted" | "tested":
                return
            case _:
                yield from self._containers_of(spot, way, above)

    def _loop_variables(self, spot: Spot, target: ast.expr) -> Found:
        """Yield the variables of a loop over ``spot``."""
        module, node, depth = spot
        pair = _of_pair(target, node)
        if pair is None:
            yield from self._target(module, target, iterated_depth(depth))
        elif depth == KEYS + IN_PAIRS:
            yield from self._target(module, pair[0], 0)
        else:
            yield from self._target(module, pair[1], depth - IN_PAIRS)

    def _containers_of(self, spot: Spot, way: Way, above: Any) -> Found:
        """Yield the container or table that ``spot`` is a part of."""
        module, node, depth = spot
        match way:
            case "element":
                yield Spot(module, above, self._depth_inside(module, above, node, depth))
            case "key" if depth == 0 and isinstance(above, ast.Dict):
                yield Spot(module, above, KEYS + 1)
            case "index" if getattr(above.value, "attr", "") == OVERRIDES and not depth:
                return
            case "index" if self._slots.is_table(module, above.value):
                # As an index it is only looked up, unless that is where something is put.
                if isinstance(above.ctx, ast.Store) and not depth:
                    yield Spot(module, above.value, KEYS + 1)
            case "item" if depth:
                yield from self._item_uses(module, above, depth)
            case "unpacked" if isinstance(module.parent(above), ast.List | ast.Set | ast.Tuple):
                yield Spot(module, module.parent(above), without_position(depth))  # type: ignore[arg-type]
            case "yielded":
                function = module.enclosing_function(node)
                if self._is_in_fixture(module, node) and isinstance(function, Function):
                    yield self._slots.result(module, function, depth)
                else:
                    name = getattr(function, "name", "a lambda")
                    why = f"awaken does not follow the values that `{name}` yields"
                    yield End("leak", module, node, why)
            case _:
                yield End.leak(module, node)

    def _item_uses(self, module: Module, item: ast.Subscript, depth: int) -> Found:
        """Yield what is read from a container, or put there, by a key that may be the same."""
        is_read = isinstance(item.ctx, ast.Load)
        is_another = self._slots.has_another if is_read else self._slots.puts_another
        statement = module.parent(item)
        if is_another(module, item.slice, depth):
            return
        if is_read:
            yield Spot(module, item, depth - 1)
        elif isinstance(statement, ast.Assign):
            # A question about a container needs its other additions.
            yield Spot(module, statement.value, depth - 1)

    def _depth_inside(self, module: Module, display: ast.expr, value: ast.expr, depth: int) -> int:
        """Return the depth of a display with a value; a dictionary takes all of ``**value``."""
        if isinstance(display, ast.Tuple):
            return depth_in(display.elts, value, depth)
        if not isinstance(display, ast.Dict):
            return depth + 1
        key = display.keys[display.values.index(value)]
        return depth if key is None else self._slots.depth_by(module, key, depth)

    def _is_in_fixture(self, module: Module, node: ast.AST) -> bool:
        around = module.enclosing_function(node)
        if not isinstance(around, Function):
            return False
        return any("fixture" in module.text_of(decorator) for decorator in around.decorator_list)

    def _attribute(self, module: Module, node: ast.Attribute, depth: int) -> Found:
        if node.attr.startswith("__") and (depth or node.attr not in CALLING):
            return
        call = module.call_of(node)
        if not depth and self._is_of_mock(module, node):
            return
        if not depth or call is None:
            yield End.leak(module, node)
        elif depth in (KEYS + 1, KEYS + IN_PAIRS):
            yield from self._of_table(module, node, call, depth)
        elif node.attr in TAKING:
            yield from self._taken_items(module, call, depth)
        elif node.attr in PASSING:
            inside = depth if node.attr == "copy" else without_keys(depth)
            yield Spot(module, call, inside + PASSING[node.attr])
        elif node.attr in ADDING and len(call.args) > ADDING[node.attr]:
            yield Spot(module, call.args[ADDING[node.attr]], depth - 1)
        elif node.attr in JOINING and not call.keywords:
            yield from (Spot(module, argument, without_position(depth)) for argument in call.args)
        elif node.attr not in IDLE:
            yield End.leak(module, node)

    def _is_of_mock(self, module: Module, node: ast.Attribute) -> bool:
        """Whether a test configures a mock, or asks it: that calls no function."""
        if not library_names().is_of_mock(node.attr):
            return False
        values = self._slots.evaluator.values(module, node.value)
        return bool(values) and all(
            isinstance(value, NotRelevant) and value.mock for value in values
        )

    def _taken_items(self, module: Module, call: ast.Call, depth: int) -> Found:
        """Yield what a method takes out of a container, and what it puts there first."""
        if not self._slots.takes_another(module, call, depth):
            is_put = getattr(call.func, "attr", "") == "setdefault"
            nodes = [call, *call.args[1:2]] if is_put else [call]
            yield from (Spot(module, node, depth - 1) for node in nodes)

    def _of_table(self, module: Module, node: ast.Attribute, call: ast.Call, depth: int) -> Found:
        """Yield where the keys of a dictionary go, of which ``call`` calls a method."""
        is_inside = depth > KEYS + 1
        above = module.parent(call)
        if node.attr == "setdefault" and not is_inside:
            yield from (Spot(module, argument, 0) for argument in call.args[:1])
        elif node.attr in TAKING:
            yield from (Spot(module, call, depth - 1),) if is_inside else ()
        elif node.attr == "keys" and not is_inside:
            yield Spot(module, call, 1)
        elif node.attr == "copy" or (node.attr == "values" and is_inside):
            yield Spot(module, call, depth)
        elif node.attr == "items" and isinstance(above, ast.For | ast.comprehension):
            if _of_pair(above.target, call) is None:
                yield End.leak(module, node)
            else:
                yield Spot(module, call, depth + 1)
        elif node.attr in JOINING and not call.keywords:
            yield from (Spot(module, argument, depth) for argument in call.args)
        elif node.attr not in {*IDLE, *ADDING, "values"}:
            yield End.leak(module, node)

    # ------------------------------------------------------------------------------- assignments
    def _target(self, module: Module, target: ast.expr, depth: int) -> Found:
        match target:
            case ast.Name():
                slot = self._slots.variable(module, target, depth)
                if slot is not None:
                    yield slot
            case ast.Attribute():
                yield from self._slots.of_attribute(module, target, depth)
            case _ if depth == KEYS:
                return
            case ast.Subscript(value=container, slice=key):
                yield Spot(module, container, self._slots.depth_by(module, key, depth))
            case ast.Tuple(elts=elements) | ast.List(elts=elements) if depth:
                for element in elements_at(elements, depth):
                    yield from self._target(module, element, depth - 1)
            case _:
                yield End.leak(module, target)


def _of_pair(target: ast.expr, given: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """Return what takes the two of each pair of `for key, value in d.items()`."""
    match target, given:
        case ast.Tuple(elts=[first, second]), ast.Call(func=ast.Attribute(attr="items")):
            return first, second
        case ast.Tuple(elts=[first, second]), ast.Call(func=ast.Name(id="enumerate")):
            return first, second
    return None
