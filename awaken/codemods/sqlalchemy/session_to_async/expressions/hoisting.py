"""Whether an awaited expression can get a statement of its own."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module


def stands_alone(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` breaks its lines inside its own brackets alone."""
    try:
        ast.parse(module.text_of(node), mode="eval")
    except SyntaxError:
        return False
    return True


def steps_to(module: Module, statement: ast.stmt | None, node: ast.expr) -> int | None:
    """Return how many steps lead from the value of a statement to ``node``, which comes first.

    None where the statement evaluates something else before it.
    """
    if not isinstance(statement, ast.Return | ast.Expr | ast.AnnAssign | ast.Assign):
        return None
    child: ast.AST = node
    for steps, above in enumerate(module.ancestors(node)):
        if child is statement.value:
            return steps
        match above:
            case ast.Attribute(value=first) | ast.Call(func=first) | ast.Subscript(value=first):
                pass
            case ast.BinOp(left=first) | ast.Compare(left=first) | ast.BoolOp(values=[first, *_]):
                pass
            case _:
                return None
        if first is not child:
            return None
        child = above
    return None
