"""The alternatives of an expression, and the places that ask only for its truth, by syntax."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.project.source.modules import Module

_TESTING = (ast.Assert, ast.If, ast.IfExp, ast.While)


def branches(node: ast.expr) -> list[ast.expr]:
    """Return what a conditional expression may be, of nested ones each part; else ``node``."""
    if isinstance(node, ast.IfExp):
        return [*branches(node.body), *branches(node.orelse)]
    return [node]


def alternatives(node: ast.AST) -> Sequence[ast.expr]:
    """Return what a conditional expression, ``and``, ``or`` or a walrus may be; else nothing."""
    match node:
        case ast.NamedExpr(value=value):
            return (value,)
        case ast.IfExp(body=body, orelse=other):
            return body, other
        case ast.BoolOp(values=values):
            return values
    return ()


def whole_conditional(module: Module, node: ast.expr) -> ast.expr:
    """Return the outermost conditional expression that may be ``node``; else ``node``."""
    above = module.parent(node)
    while isinstance(above, ast.IfExp) and above.test is not node:
        node, above = above, module.parent(above)
    return node


def is_tested(module: Module, node: ast.AST) -> bool:
    """Whether only the truth of ``node`` is asked: by a statement, a condition or ``not``."""
    match module.parent(node):
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.comprehension(ifs=ifs):
            return node in ifs
        case ast.BoolOp() as above:
            return is_tested(module, above)
        case above:
            return isinstance(above, _TESTING) and above.test is node
