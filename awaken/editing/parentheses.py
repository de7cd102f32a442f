"""The parentheses that Python's grammar needs around an expression in the place of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import libcst as cst

Expression = TypeVar("Expression", bound=cst.BaseExpression)

# The levels of the expression grammar, loosest first.
_YIELD, _NAMED, _LAMBDA, _IF, _OR, _AND, _NOT, _COMPARISON = range(8)
_BIT_OR, _BIT_XOR, _BIT_AND, _SHIFT, _SUM, _PRODUCT, _SIGN, _POWER, _AWAIT, _PRIMARY = range(8, 18)

_BINARY: Mapping[type[cst.BaseBinaryOp], int] = {
    cst.BitOr: _BIT_OR,
    cst.BitXor: _BIT_XOR,
    cst.BitAnd: _BIT_AND,
    cst.LeftShift: _SHIFT,
    cst.RightShift: _SHIFT,
    cst.Add: _SUM,
    cst.Subtract: _SUM,
    cst.Multiply: _PRODUCT,
    cst.Divide: _PRODUCT,
    cst.FloorDivide: _PRODUCT,
    cst.Modulo: _PRODUCT,
    cst.MatrixMultiply: _PRODUCT,
    cst.Power: _POWER,
}
_LOOSE: Mapping[type[cst.CSTNode], int] = {
    cst.Yield: _YIELD,
    cst.NamedExpr: _NAMED,
    cst.Lambda: _LAMBDA,
    cst.IfExp: _IF,
    cst.Comparison: _COMPARISON,
    cst.Await: _AWAIT,
}
_NEEDED: Mapping[tuple[type[cst.CSTNode], str], int] = {
    (cst.Attribute, "value"): _PRIMARY,
    (cst.Call, "func"): _PRIMARY,
    (cst.Subscript, "value"): _PRIMARY,
    (cst.Await, "expression"): _PRIMARY,
    (cst.Comparison, "left"): _BIT_OR,
    (cst.ComparisonTarget, "comparator"): _BIT_OR,
    (cst.IfExp, "body"): _OR,
    (cst.IfExp, "test"): _OR,
    (cst.CompFor, "iter"): _OR,
    (cst.CompIf, "test"): _OR,
    (cst.StarredElement, "value"): _BIT_OR,
    (cst.StarredDictElement, "value"): _BIT_OR,
    (cst.FormattedStringExpression, "expression"): _IF,
    (cst.Element, "value"): _NAMED,
    (cst.Index, "value"): _NAMED,
    (cst.Decorator, "decorator"): _NAMED,
    (cst.If, "test"): _NAMED,
    (cst.While, "test"): _NAMED,
    (cst.ListComp, "elt"): _NAMED,
    (cst.SetComp, "elt"): _NAMED,
    (cst.GeneratorExp, "elt"): _NAMED,
}
_TAKES_YIELD = (cst.Expr, cst.Assign, cst.AnnAssign, cst.AugAssign)


def parenthesise(node: Expression) -> Expression:
    """Return ``node`` in one pair of parentheses, or as it is if it has one."""
    if getattr(node, "lpar", None):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def needs_parentheses(parent: cst.CSTNode, field: str, node: cst.BaseExpression) -> bool:
    """Whether ``node`` without parentheses would read differently in ``field`` of ``parent``."""
    if getattr(node, "lpar", None):
        return False
    # LibCST's generators have no pair of their own, not even where they are a call's only argument.
    if isinstance(node, cst.GeneratorExp):
        return True
    level = _level(node)
    if isinstance(parent, _TAKES_YIELD):
        return level == _NAMED
    if isinstance(parent, cst.Arg):
        return level < (_LAMBDA if parent.star or parent.keyword else _NAMED)
    if isinstance(node, cst.Integer) and isinstance(parent, cst.Attribute):
        return True  # 1.real would be a number with a point
    return level < _needed_number(parent, field)


def _level(node: cst.BaseExpression) -> int:
    if isinstance(node, cst.BinaryOperation):
        return _BINARY[type(node.operator)]
    if isinstance(node, cst.BooleanOperation):
        return _AND if isinstance(node.operator, cst.And) else _OR
    if isinstance(node, cst.UnaryOperation):
        return _NOT if isinstance(node.operator, cst.Not) else _SIGN
    if isinstance(node, cst.Tuple):
        return _YIELD  # without parentheses of its own
    return _LOOSE.get(type(node), _PRIMARY)


def _needed_number(parent: cst.CSTNode, field: str) -> int:
    if isinstance(parent, cst.BinaryOperation):
        own = _BINARY[type(parent.operator)]
        if own == _POWER:  # it groups from the right, and -x ** -y is -(x ** (-y))
            return _AWAIT if field == "left" else _SIGN
        # All others group from the left: an equal one on the right needs the pair.
        return own if field == "left" else own + 1
    if isinstance(parent, cst.BooleanOperation):
        own = _AND if isinstance(parent.operator, cst.And) else _OR
        return own if field == "left" else own + 1
    if isinstance(parent, cst.UnaryOperation):
        return _NOT if isinstance(parent.operator, cst.Not) else _SIGN
    return _NEEDED.get((type(parent), field), _LAMBDA)
