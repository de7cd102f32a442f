"""The nodes that run when a piece of code runs, and those where it awaits or yields."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct

from awaken.project.source.trees import Function, children, parameters_of
from awaken.project.source.worklist import preorder


def own_nodes(parts: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Return the nodes of ``parts`` in source order, of inner functions only what is run at once.

    That are their decorators and defaults. The body of a class runs at its place.
    """
    return preorder(parts, _own_parts)


def _own_parts(node: ast.AST) -> list[ast.AST]:
    # By exact type first: hardly any node is one of them.
    if type(node) not in _NOT_AT_ONCE:
        return children(node)
    if isinstance(node, ast.AnnAssign):
        # Annotations of local variables are not evaluated.
        return [part for part in (node.target, node.value) if part is not None]
    if isinstance(node, Function | ast.Lambda):
        defaults = (part for _, part in parameters_of(node.args) if part is not None)
        return [*getattr(node, "decorator_list", ()), *defaults]
    return []


_NOT_AT_ONCE = {ast.AnnAssign, ast.AsyncFunctionDef, ast.FunctionDef, ast.Lambda}
"""Nodes of which parts do not run at their place."""


def what_runs(node: ast.AST) -> Sequence[ast.AST]:
    """Return the code that runs: of a function its body when it is called, else ``node``."""
    if isinstance(node, ast.Lambda):
        return [node.body]
    return node.body if isinstance(node, Function | ast.Module) else [node]


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
