"""Hoisting: an awaited expression gets a statement of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.kit.names_here import snake_case
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, variable_of, walk

_TAKING_ONE = {"bool", "len", "list", "set", "sorted", "tuple"}
"""Builtins that a call looks up and does nothing else with before it has their argument."""


def breaks_inside_brackets(text: str) -> bool:
    """Whether an expression breaks its lines inside its own brackets alone."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def way_to(module: Module, statement: ast.stmt | None, node: ast.expr) -> list[ast.AST] | None:
    """Return the nodes around ``node``, which the value of a statement evaluates first.

    From the inside out, that value included. None where something else is evaluated before.
    """
    if not isinstance(statement, ast.Return | ast.Expr | ast.AnnAssign | ast.Assign):
        return None
    child: ast.AST = node
    way: list[ast.AST] = []
    first: ast.AST
    for above in module.ancestors(node):
        if child is statement.value:
            return way
        match above:
            case ast.Call(args=[first, *_]) if (
                first is child and module.scopes.builtin_called(above) in _TAKING_ONE
            ):
                pass
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                # The first iterable of a comprehension is evaluated immediately, and outside of it.
                first = above.generators[0]
            case ast.Attribute(value=first) | ast.Call(func=first) | ast.Subscript(value=first):
                pass
            case ast.BinOp(left=first) | ast.Compare(left=first) | ast.BoolOp(values=[first, *_]):
                pass
            case ast.comprehension(iter=first):
                pass
            case _:
                return None
        if first is not child:
            return None
        way.append(above)
        child = above
    return None


def is_in_brackets(node: ast.AST, way: list[ast.AST]) -> bool:
    """Whether a way leads through the brackets of a call, or of a comprehension."""
    for child, above in zip([node, *way], way, strict=False):
        match above:
            case ast.comprehension():
                return True
            case ast.Call(args=[first, *_]) if first is child:
                return True
    return False


def names_of_result(statement: ast.stmt, node: ast.expr) -> Iterator[str]:
    """Yield names for the value of ``node``, the best first: of what it is, or becomes."""
    yield "result"
    if (variable := variable_of(statement)) is not None:
        name = variable.id.strip("_")
        yield "rows" if name == "result" else f"{name}_result"
    for call in walk(node):
        match call:
            case ast.Call(args=[ast.Name(id=name), *_]) if last_name(call.func) == "select":
                yield f"{snake_case(name)}_result"
