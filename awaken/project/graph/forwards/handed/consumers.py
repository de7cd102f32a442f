"""Where the value of an expression goes: the next step of a function that is handed on."""

from __future__ import annotations

import ast
from collections.abc import Callable

from awaken.contract import Place
from awaken.project.graph.forwards.call_graph import Call
from awaken.project.graph.forwards.handed.arguments import Arguments
from awaken.project.graph.forwards.handed.libraries import (
    ADDING,
    IDLE,
    JOINING,
    PASSING,
    TABLES,
    TAKING,
)
from awaken.project.graph.forwards.handed.slots import (
    KEYS,
    OVERRIDES,
    End,
    Found,
    Slots,
    Spot,
    iterated_depth,
)
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, FunctionOrLambda
from awaken.project.values.domain import InstanceOf

_ONLY_LOOKED_AT = (
    ast.Assert, ast.Compare, ast.Delete, ast.Expr, ast.FormattedValue, ast.If, ast.While,
)  # fmt: skip

_IN_PAIRS = 2
"""The containers that `items` puts around the values of a dictionary, its own in place of that."""


class Consumers:
    """Answers for one program; ``call_at`` gives the resolved call at a place."""

    def __init__(self, slots: Slots, call_at: Callable[[Place], Call | None]) -> None:
        self._slots = slots
        self._arguments = Arguments(slots, call_at)

    def of(self, spot: Spot) -> Found:
        """Yield where the value of ``spot`` goes."""
        module, node, depth = spot
        above = module.parent(node)
        match above:
            case ast.Call(func=func) if func is node and depth == 0:
                yield End("call", module, above)
            case _ if (call := module.call_taking(node)) is not None:
                yield from self._arguments.of(module, call, node, depth)
            case ast.keyword():
                pass
            case ast.Return():
                function = module.enclosing_function(node)
                if isinstance(function, FunctionOrLambda):
                    yield self._slots.result(module, function, depth)
            case ast.Attribute():
                yield from self._attribute(module, above, depth)
            case _ if not isinstance(above, _ONLY_LOOKED_AT):
                yield from self._bound_variables(spot, above)

    def _bound_variables(self, spot: Spot, above: ast.AST | None) -> Found:
        """Yield the variables that are given ``spot``."""
        module, node, depth = spot
        match above:
            case ast.Assign(targets=targets, value=value) if value is node:
                for target in targets:
                    for item in self._target(module, target, depth):
                        # The value itself becomes invisible.
                        yield item._replace(node=node) if isinstance(item, End) else item
            case ast.AnnAssign(target=target):
                yield from self._target(module, target, depth)
            case ast.NamedExpr(target=target):
                yield from self._target(module, target, depth)
                yield Spot(module, above, depth)
            case (
                ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value)
            ) if value is node:
                pair = _of_pair(target, node)
                if pair is None:
                    yield from self._target(module, target, iterated_depth(depth))
                elif depth == KEYS + _IN_PAIRS:
                    yield from self._target(module, pair[0], 0)
                else:
                    yield from self._target(module, pair[1], depth - _IN_PAIRS)
            case ast.Dict() | ast.List() | ast.Tuple() | ast.Set():
                yield from self._displayed(spot, above)
            case _:
                yield from self._inside(spot, above)

    def _displayed(self, spot: Spot, above: ast.AST) -> Found:
        """Yield the container that ``spot`` is put into."""
        module, node, depth = spot
        match above:
            case ast.Dict(keys=keys, values=values) if node in values:
                is_unpacked = keys[values.index(node)] is None
                yield Spot(module, above, depth if is_unpacked else depth + 1)
            case ast.Dict():
                yield self._leak(module, node) if depth else Spot(module, above, KEYS + 1)
            case ast.List() | ast.Tuple() | ast.Set():
                yield Spot(module, above, depth + 1)
            case _:
                yield self._leak(module, node)

    def _inside(self, spot: Spot, above: ast.AST | None) -> Found:  # noqa: C901, PLR0912  one case a form
        """Yield the expression that ``spot`` is a part of."""
        module, node, depth = spot
        match above:
            case (
                ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element)
            ) if element is node:
                yield Spot(module, above, depth + 1)
            case ast.DictComp(value=value) if value is node:
                yield Spot(module, above, depth + 1)
            case ast.BoolOp() | ast.IfExp() if node not in alternatives(above):
                return
            case ast.BoolOp() | ast.IfExp() | ast.Await():
                yield Spot(module, above, depth)
            case ast.Subscript(value=ast.Attribute(attr=name)) if name == OVERRIDES and not depth:
                return
            case ast.Subscript(value=value) if value is not node and self._is_table(module, value):
                # As an index it is only looked up, unless that is where something is put.
                if isinstance(above.ctx, ast.Store) and not depth:
                    yield Spot(module, value, KEYS + 1)
            case ast.Subscript(value=value, ctx=ast.Load()) if value is node and depth:
                yield Spot(module, above, depth - 1)
            case ast.Subscript(value=value) if value is node and depth:
                # A question about a container needs its other additions.
                statement = module.parent(above)
                if isinstance(statement, ast.Assign):
                    yield Spot(module, statement.value, depth - 1)
            case ast.Starred():
                display = module.parent(above)
                if isinstance(display, ast.List | ast.Set | ast.Tuple):
                    yield Spot(module, display, depth)
                else:
                    yield self._leak(module, node)
            case ast.UnaryOp(op=ast.Not()):
                return
            case ast.Yield() if self._is_in_fixture(module, node):
                function = module.enclosing_function(node)
                if isinstance(function, Function):
                    yield self._slots.result(module, function, depth)
            case ast.Yield():
                function = module.enclosing_function(node)
                name = getattr(function, "name", "a lambda")
                yield End(
                    "leak", module, node, f"awaken does not follow the values that `{name}` yields"
                )
            case _:
                yield self._leak(module, node)

    def _is_table(self, module: Module, node: ast.expr) -> bool:
        values = self._slots.evaluator.values(module, node)
        return bool(values) and all(
            isinstance(value, InstanceOf) and value.qualified in TABLES for value in values
        )

    def _is_in_fixture(self, module: Module, node: ast.AST) -> bool:
        around = module.enclosing_function(node)
        if not isinstance(around, Function):
            return False
        return any("fixture" in module.text_of(decorator) for decorator in around.decorator_list)

    def _attribute(self, module: Module, node: ast.Attribute, depth: int) -> Found:
        if node.attr.startswith("__"):
            return
        call = module.call_of(node)
        if not depth or call is None:
            yield self._leak(module, node)
        elif depth in (KEYS + 1, KEYS + _IN_PAIRS):
            yield from self._of_table(module, node, call, depth)
        elif node.attr in TAKING:
            yield Spot(module, call, depth - 1)
            if node.attr == "setdefault":
                yield from (Spot(module, argument, depth - 1) for argument in call.args[1:2])
        elif node.attr in PASSING:
            yield Spot(module, call, depth + PASSING[node.attr])
        elif node.attr in ADDING and len(call.args) > ADDING[node.attr]:
            yield Spot(module, call.args[ADDING[node.attr]], depth - 1)
        elif node.attr in JOINING and not call.keywords:
            yield from (Spot(module, argument, depth) for argument in call.args)
        elif node.attr not in IDLE:
            yield self._leak(module, node)

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
                yield self._leak(module, node)
            else:
                yield Spot(module, call, depth + 1)
        elif node.attr in JOINING and not call.keywords:
            yield from (Spot(module, argument, depth) for argument in call.args)
        elif node.attr not in {*IDLE, *ADDING, "values"}:
            yield self._leak(module, node)

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
            case ast.Subscript(value=container):
                yield Spot(module, container, depth + 1)
            case ast.Tuple(elts=elements) | ast.List(elts=elements) if depth:
                for element in elements:
                    yield from self._target(module, element, depth - 1)
            case _:
                yield self._leak(module, target)

    def _leak(self, module: Module, node: ast.AST, to: ast.AST | None = None) -> End:
        shown = module.excerpt(node if to is None else to)
        return End("leak", module, node, f"`{shown}` may call it")


def _of_pair(target: ast.expr, given: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """Return what takes the two of each pair of `for key, value in d.items()`."""
    match target, given:
        case ast.Tuple(elts=[first, second]), ast.Call(func=ast.Attribute(attr="items")):
            return first, second
        case ast.Tuple(elts=[first, second]), ast.Call(func=ast.Name(id="enumerate")):
            return first, second
        case _:
            return None
