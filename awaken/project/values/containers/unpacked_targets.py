"""The way from the value that a statement takes apart to one of its targets."""

from __future__ import annotations

import ast
from typing import Literal

from msgspec import Struct

from awaken.project.source.modules import Module

How = Literal["whole", "iterated", "entered"]


class Step(Struct, frozen=True):
    """One target of an unpacking, as ``place_of`` in ``items`` takes it."""

    position: int
    before: int | None
    after: int


class Received(Struct, frozen=True):
    """The value of a target: ``steps`` into the result of ``how`` on ``value``."""

    value: ast.expr
    how: How
    steps: tuple[Step, ...]


def received_value(module: Module, target: ast.expr) -> Received | None:
    """Return the value that ``target`` receives; None if its statement gives none."""
    steps: list[Step] = []
    part: ast.AST = target
    while True:
        above = module.parent(part)
        match above:
            case ast.Tuple() | ast.List():
                steps.append(_step(above.elts, part))
            case ast.Starred():
                pass
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() if above.value is not None:
                return Received(above.value, "whole", tuple(reversed(steps)))
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                return Received(above.iter, "iterated", tuple(reversed(steps)))
            case ast.withitem():
                return Received(above.context_expr, "entered", tuple(reversed(steps)))
            case _:
                return None
        part = above


def _step(targets: list[ast.expr], part: ast.AST) -> Step:
    position = next(at for at, node in enumerate(targets) if node is part)
    starred = [at for at, node in enumerate(targets) if isinstance(node, ast.Starred)]
    if not starred:
        return Step(position, None, len(targets))
    return Step(position, starred[0], len(targets) - starred[0] - 1)
