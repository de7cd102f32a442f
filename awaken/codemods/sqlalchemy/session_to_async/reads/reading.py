"""Which expressions read something of an object, and in front of which statement that is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from awaken.project.source.modules import Module

_LOOKING = {"bool", "callable", "id", "isinstance", "issubclass", "len", "type"}
"""Builtins that read nothing of an object."""
_OF_SESSIONS = {"add", "add_all", "delete", "expire", "expunge", "merge", "refresh"}
"""Methods of sessions, which load what they need themselves."""


def reads_of_object(module: Module, node: ast.expr, *, is_many: bool) -> bool:
    """Whether something may be read of the object that an expression gives, or of its items."""
    above = module.parent(node)
    match above:
        case ast.Attribute(ctx=ctx):
            return isinstance(ctx, ast.Load) and not is_many
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if test is node:
            return False
        case ast.UnaryOp(op=ast.Not()) | ast.Compare():
            return False
        case ast.BoolOp():
            return not _is_tested(module, above)
        case ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
            # What reads it is found by its other name.
            return False
        case ast.Call(func=ast.Name(id=name)) if name in _LOOKING:
            return False
        case ast.Call(func=ast.Attribute(attr=name)) if name in _OF_SESSIONS:
            return False
        case _:
            return True


def _is_tested(module: Module, node: ast.BoolOp) -> bool:
    """Whether nobody gets the value of an expression: it only decides what happens."""
    above = module.parent(node)
    match above:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return test is node
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return _is_tested(module, above)
        case _:
            return False


def is_conditional(module: Module, node: ast.expr, statement: ast.stmt) -> bool:
    """Whether an expression may be left out when a statement runs."""
    for above in module.ancestors(node):
        if above is statement:
            return False
        if isinstance(above, ast.BoolOp | ast.IfExp | ast.comprehension | ast.stmt):
            return True
    return True


def whole_if(module: Module, statement: ast.stmt) -> ast.stmt:
    """Return the statement, of an ``elif`` the ``if`` that it belongs to."""
    above = module.parent(statement)
    while isinstance(statement, ast.If) and isinstance(above, ast.If):
        start = module.span(statement).start
        is_elif = above.orelse == [statement] and module.source.text.startswith(b"elif", start)
        if not is_elif:
            break
        statement, above = above, module.parent(above)
    return statement
