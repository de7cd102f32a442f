"""Statements that wait, outside of all functions of a file or in one of them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import entered_at
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import Region
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.dispatch import Called
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function


class Waiting(Struct, frozen=True):
    """Operations, managers of the program that are entered, and calls of what waits."""

    operations: Sequence[Operation]
    entered: Sequence[ast.expr]
    calls: Sequence[ast.expr]

    def nodes(self) -> list[ast.expr]:
        """Return all of them."""
        return [*(operation.node for operation in self.operations), *self.entered, *self.calls]


def waiting_in(part: SynchronousPart, module: Module, function: Function | None = None) -> Waiting:
    """Return what waits in a function, or in a file outside of all; a task runs itself."""
    top = part.place_of(module, function)
    entered = [entered_at(module, place) for place in part.entries.get(top, ())]
    calls = [
        node
        for call in part.calls.get(top, ())
        if not call.functions or not all(map(part.entry_points.is_task, call.functions))
        for node in module.calls_at(call.place.span)[:1]
    ]
    return Waiting(part.operations_of(module, top), entered, calls)


def is_entered(module: Module, node: ast.AST) -> bool:
    """Whether what a call gives is entered, iterated or a decorator, and not awaited."""
    taking = ast.comprehension | ast.For | ast.withitem | ast.ClassDef | Function
    return isinstance(module.parent(node), taking)


def is_one_call(part: SynchronousPart, region: Region, waiting: Waiting) -> bool:
    """Whether all that waits in a region is one call: its coroutine runs at its place."""
    module = region.module
    inside = [node for node in waiting.nodes() if region.holds(module.place(node))]
    is_alone = len(inside) == 1 and inside[0] in waiting.calls
    return is_alone and not (is_entered(module, inside[0]) or iterates(part, module, inside[0]))


def iterates(part: SynchronousPart, module: Module, node: ast.expr) -> bool:
    """Whether a call gives a generator: that becomes asynchronous, and nothing awaits it."""
    calls = part.project.calls
    called = calls.function_called(module, node) if isinstance(node, ast.Call) else None
    return isinstance(called, Called) and called.module.is_generator(called.function)
