"""The truth of a variable that holds a query, where that is all that is asked of it.

A Query is always true, so that ``if query:`` asks whether it is None; of a select() that has to be
written.
"""

from __future__ import annotations

import ast

from msgspec import Struct

from awaken.contract import Place
from awaken.project.graph.call_edges import FunctionContext
from awaken.project.source.expressions.alternatives import is_tested


class Truth(Struct, frozen=True):
    """The truth of the variable ``name``; ``node`` is what asks for it, with its ``not``."""

    context: FunctionContext
    name: ast.Name
    node: ast.expr

    @property
    def text(self) -> str:
        """How it is asked without a Query."""
        return f"{self.name.id} is {'None' if self.node is not self.name else 'not None'}"

    @property
    def place(self) -> Place:
        """Where it is asked."""
        return self.context.place(self.node, "the test becomes a test for None")


def truth_of(context: FunctionContext, node: ast.expr) -> Truth | None:
    """Return the truth that is asked of ``node``; None where it is used in another way."""
    if not isinstance(node, ast.Name):
        return None
    above = context.module.parent(node)
    if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not):
        return Truth(context, node, above)
    # `query or 1` gives the query.
    return Truth(context, node, node) if is_tested(context.module, node) else None
