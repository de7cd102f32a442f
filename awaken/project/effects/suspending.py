"""The places where a piece of code awaits, and where it yields."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct

from awaken.project.effects.own_nodes import own_nodes, what_runs

_YIELDS = ast.Yield | ast.YieldFrom


class Suspensions(Struct, frozen=True):
    """The nodes at which a function of its own accord lets others run, in source order.

    ``awaits``: ``await``, ``async for``, ``async with`` and ``async`` comprehensions; ``yields``:
    ``yield`` and ``yield from``.
    """

    awaits: tuple[ast.AST, ...]
    yields: tuple[ast.Yield | ast.YieldFrom, ...]


def suspensions(node: ast.AST) -> Suspensions:
    """Return where ``node`` itself suspends; of a function, where its body does when it is run.

    Functions that it calls do not count: only the function of this code can suspend here.
    """
    nodes = list(own_nodes(what_runs(node)))
    return Suspensions(
        tuple(part for part in nodes if waited_for(part)),
        tuple(part for part in nodes if isinstance(part, _YIELDS)),
    )


def waited_for(node: ast.AST) -> Sequence[ast.expr]:
    """Return what a coroutine awaits, enters or iterates over at ``node``."""
    match node:
        case ast.Await():
            return (node.value,)
        case ast.AsyncWith():
            return [item.context_expr for item in node.items]
        case ast.AsyncFor() | ast.comprehension(is_async=1):
            return (node.iter,)
    return ()
