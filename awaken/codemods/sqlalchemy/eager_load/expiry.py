"""Loops that reload objects of a session one by one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project

LOOPS = (ast.For, ast.AsyncFor, ast.While)
_EXPIRING = frozenset({"commit", "expire", "expire_all", "expunge_all", "rollback"})
# A helper that saves, or a method that calls one; deeper calls rarely serve one object.
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Loop:
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
        for one in loops:
            for node in (one.node, *one.module.ancestors(one.node)):
                if isinstance(node, FunctionOrLambda):
                    break
                here = one.module.path == load.path and one.module.span(node).contains(load.span)
                if isinstance(node, LOOPS) and (not here or _is_gone_over(one.module, node, load)):
                    found = self._within(one.module, node, _DEEPEST)
                    if found is not None:
                        return found
        return None

    def _search(self, module: Module, node: ast.AST, depth: int) -> Place | None:
        calls = [one for one in module.walk(node) if isinstance(one, ast.Call)]
        for one in calls:
            if isinstance(one.func, ast.Attribute) and one.func.attr in _EXPIRING:
                return module.place(one)
        for one in calls if depth else ():
            for home, function in self._called(module, one):
                found = self._within(home, function, depth - 1)
                if found is not None:
                    return found
        return None

    def _called(self, module: Module, call: ast.Call) -> Iterator[tuple[Module, ast.AST]]:
        found = self._project.calls.functions_called(module, call)
        for one in () if isinstance(found, Unknown) else found:
            yield one.module, one.function


def _is_gone_over(module: Module, loop: ast.AST, load: Place) -> bool:
    """Whether the statement is at the head of a loop: it runs once."""
    over = getattr(loop, "iter", None)
    return over is not None and module.span(over).contains(load.span)
