"""Functions that tests put in the place of dependencies, and what they take out of there again.

The framework calls them, and takes coroutine functions as well. A test may look one up and call it,
or keep those of before and put them back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.forwards.handed.receivers import JOINING, TAKING
from awaken.project.graph.forwards.handed.slots import Found, Slots, Spot
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.modules import Module


def overrides(slots: Slots) -> Found:
    """Yield what is taken out of the overrides, and where that is used all that is put there."""
    attributes = [
        (module, node)
        for module, node in slots.mentions(OVERRIDES)
        if isinstance(node, ast.Attribute) and node.attr == OVERRIDES
    ]
    taken = [item for module, node in attributes for item in _taken_spots(module, node)]
    yield from taken
    for module, node in attributes if taken else ():
        yield from _put(module, node)


def _taken_spots(module: Module, node: ast.Attribute) -> Iterator[Spot]:
    """Yield what is taken out where ``node`` are the overrides, if anything is done with it."""
    match module.parent(node):
        case ast.Subscript(value=value, ctx=ast.Load()) as above if value is node:
            yield Spot(module, above, 0)
        case ast.Attribute(attr=name) as method:
            call = module.parent(method)
            if isinstance(call, ast.Call) and not isinstance(module.parent(call), ast.Expr):
                if name in TAKING:
                    yield Spot(module, call, 0)
                elif name in {"copy", "values"}:
                    yield Spot(module, call, 1)
                elif name == "items":
                    yield Spot(module, call, 2)
        case ast.Assign(value=value) if value is node:
            yield Spot(module, node, 1)


def _put(module: Module, node: ast.Attribute) -> Iterator[Spot]:
    """Yield what is put there."""
    match module.parent(node):
        case ast.Subscript(ctx=ast.Store()) as above:
            statement = module.parent(above)
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                yield Spot(module, statement.value, 0)
        case ast.Assign(targets=targets, value=value) if node in targets:
            yield Spot(module, value, 1)
        case ast.Attribute(attr=name) as method:
            call = module.parent(method)
            if isinstance(call, ast.Call) and name in JOINING:
                yield from (Spot(module, argument, 1) for argument in call.args)
        case ast.Call(func=ast.Attribute(attr="setitem"), args=[_, _, given]):
            yield Spot(module, given, 0)
