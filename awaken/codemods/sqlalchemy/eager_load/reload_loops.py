"""Loops that reload objects of a session one by one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project

LOOPS = (ast.For, ast.AsyncFor, ast.While)
_EXPIRING = frozenset({"commit", "expire", "expire_all", "expunge_all", "rollback"})
# A helper that saves, or a method that calls one; deeper calls rarely serve one object.
_DEEPEST = 2


class Loop(Struct, frozen=True):
    """A loop of a file."""

    module: Module
    node: ast.AST


class Expiry:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._within = cache(self._search)

    def in_loops(self, loops: Iterable[Loop], load: Place) -> Place | None:
        """Return a call in one of ``loops``, or around it, that ends what was loaded at ``load``.

        A loop that contains the statement itself loads the objects again each time.
        """
        for loop in loops:
            for node in (loop.node, *loop.module.ancestors_inside(loop.node)):
                here = loop.module.path == load.path and loop.module.span(node).contains(load.span)
                if isinstance(node, LOOPS) and (not here or _is_gone_over(loop.module, node, load)):
                    place = self._within(loop.module, node, _DEEPEST)
                    if place is not None:
                        return place
        return None

    def _search(self, module: Module, node: ast.AST, depth: int) -> Place | None:
        calls = list(module.nodes_below(node, ast.Call))
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in _EXPIRING:
                return module.place(call)
        for call in calls if depth else ():
            for home, function in self._called_pairs(module, call):
                place = self._within(home, function, depth - 1)
                if place is not None:
                    return place
        return None

    def _called_pairs(self, module: Module, call: ast.Call) -> Iterator[tuple[Module, ast.AST]]:
        callees = self._project.calls.functions_called(module, call)
        for callee in () if isinstance(callees, Unknown) else callees:
            yield callee.module, callee.function


def _is_gone_over(module: Module, loop: ast.AST, load: Place) -> bool:
    """Whether the statement is at the head of a loop: it runs once."""
    over = getattr(loop, "iter", None)
    return over is not None and module.span(over).contains(load.span)
