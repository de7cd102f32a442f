"""The nodes that run when a piece of code runs, without the bodies that run at another time."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.project.source.trees import Function, children, parameters_of


def own_nodes(parts: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of ``parts`` in source order, of inner functions only what is run at once.

    That are their decorators and defaults. The body of a class runs at its place.
    """
    stack = list(reversed(parts))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Function | ast.Lambda):
            below: list[ast.AST] = list(getattr(node, "decorator_list", ()))
            below += [part for _, part in parameters_of(node.args) if part is not None]
        elif isinstance(node, ast.AnnAssign):
            # Annotations of local variables are not evaluated.
            below = [part for part in (node.target, node.value) if part is not None]
        else:
            below = children(node)
        stack += reversed(below)


def what_runs(node: ast.AST) -> Sequence[ast.AST]:
    """Return the code that runs: of a function its body when it is called, else ``node``."""
    if isinstance(node, ast.Lambda):
        return [node.body]
    return node.body if isinstance(node, Function | ast.Module) else [node]
