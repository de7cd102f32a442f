"""The alternatives of an expression, and the conditions around one, by syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.project.source.modules import Module
from awaken.project.source.trees import is_none, last_name

_CONDITIONS: dict[type[ast.AST], str] = {
    **dict.fromkeys((ast.Assert, ast.If, ast.IfExp, ast.While), "test"),
    ast.BoolOp: "values",
    ast.comprehension: "ifs",
}


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


def whole_alternative(module: Module, node: ast.expr) -> ast.expr:
    """Return the outermost expression that has ``node`` among its `alternatives`; else ``node``."""
    above = module.parent(node)
    while isinstance(above, ast.expr) and node in alternatives(above):
        node, above = above, module.parent(above)
    return node


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
            return getattr(above, "test", None) is node


def conditions_in(module: Module) -> Iterator[ast.expr]:
    """Yield all conditions of a file, of ``and`` and ``or`` each part."""
    for kind, field in _CONDITIONS.items():
        for conditions in (getattr(node, field) for node in module.nodes(kind)):
            yield from conditions if isinstance(conditions, list) else (conditions,)


def conditions_passed(outer: ast.AST, inner: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the conditions that ``outer`` asks before it runs its part ``inner``, and the answers.

    Those of an expression, and of a statement before one of its blocks.
    """
    match outer:
        case ast.If() | ast.While() if inner in outer.body:
            yield outer.test, True
        case ast.If() if inner in outer.orelse:
            yield outer.test, False
        case ast.IfExp() if inner is not outer.test:
            yield outer.test, inner is outer.body
        case ast.BoolOp():
            for node in outer.values[: outer.values.index(inner)]:  # type: ignore[arg-type]
                yield node, isinstance(outer.op, ast.And)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp() if not isinstance(
            inner, ast.comprehension
        ):
            for generator in outer.generators:
                yield from ((condition, True) for condition in generator.ifs)


def types_in(module: Module, annotation: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the types that ``annotation`` admits, None among them; none without an annotation."""
    match annotation:
        case ast.Constant(value=str()):
            yield from types_in(module, module.parse_string(annotation))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from types_in(module, left)
            yield from types_in(module, right)
        case ast.Subscript(value=value, slice=inner) if last_name(value) == "Optional":
            yield from types_in(module, inner)
            yield ast.copy_location(ast.Constant(None), annotation)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=elements)) if last_name(value) in {
            "Annotated",
            "Union",
        }:
            for element in elements if last_name(value) == "Union" else elements[:1]:
                yield from types_in(module, element)
        case ast.expr():
            yield annotation


def type_in(module: Module, annotation: ast.expr | None) -> ast.expr | None:
    """Return the only type that ``annotation`` admits, None aside; None if there are more."""
    types = [node for node in types_in(module, annotation) if not is_none(node)]
    return types[0] if len(types) == 1 else None
