"""Writes set operations: the queries on one line where they fit, else one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.query_to_select import lines
from awaken.codemods.sqlalchemy.query_to_select.payload import Operation

_NOTHING = cst.SimpleWhitespace("")


def operated(first: cst.BaseExpression, link: cst.Call, operation: Operation) -> cst.Call:
    """``first.union(other)`` → ``select(aliased(Model, union(first, other).subquery()))``."""
    operands = [_on_one_line(first), *(_on_one_line(argument.value) for argument in link.args)]
    whole = _call(operation.function, *operands)
    if not operation.select:
        return whole
    value: cst.BaseExpression = cst.Call(cst.Attribute(whole, cst.Name("subquery")))
    if operation.model is not None:
        value = _call(operation.aliased, cst.parse_expression(operation.model), value)
    if operation.name is not None:
        value = cst.NamedExpr(cst.Name(operation.name), value)
    return _call(operation.select, value)


def _on_one_line(node: cst.BaseExpression) -> cst.BaseExpression:
    result = node.visit(_OneLine())
    return result if isinstance(result, cst.BaseExpression) else node


def _call(function: str, *arguments: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.parse_expression(function), [cst.Arg(one) for one in arguments])


class _OneLine(cst.CSTTransformer):
    """Puts an expression without comments on one line."""

    def leave_ParenthesizedWhitespace(  # noqa: N802  named by LibCST
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.BaseParenthesizableWhitespace:
        del original_node, updated_node
        return cst.SimpleWhitespace(" ")

    def leave_Dot(self, original_node: cst.Dot, updated_node: cst.Dot) -> cst.Dot:  # noqa: N802
        return cst.Dot() if lines.has_break(original_node) else updated_node

    def leave_Call(  # noqa: N802
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        if not lines.has_break(original_node) or not updated_node.args:
            return updated_node
        last = updated_node.args[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=_NOTHING
        )
        return updated_node.with_changes(
            args=[*updated_node.args[:-1], last], whitespace_before_args=_NOTHING
        )

    def leave_LeftSquareBracket(  # noqa: N802
        self, original_node: cst.LeftSquareBracket, updated_node: cst.LeftSquareBracket
    ) -> cst.LeftSquareBracket:
        return cst.LeftSquareBracket() if lines.has_break(original_node) else updated_node

    def leave_RightSquareBracket(  # noqa: N802
        self, original_node: cst.RightSquareBracket, updated_node: cst.RightSquareBracket
    ) -> cst.RightSquareBracket:
        return cst.RightSquareBracket() if lines.has_break(original_node) else updated_node

    def leave_LeftParen(  # noqa: N802
        self, original_node: cst.LeftParen, updated_node: cst.LeftParen
    ) -> cst.LeftParen:
        return cst.LeftParen() if lines.has_break(original_node) else updated_node

    def leave_RightParen(  # noqa: N802
        self, original_node: cst.RightParen, updated_node: cst.RightParen
    ) -> cst.RightParen:
        return cst.RightParen() if lines.has_break(original_node) else updated_node


# ---------------------------------------------------------------------------------------- renaming
def renamed(link: cst.Call, names: Sequence[tuple[str, str]], *, is_option: bool) -> cst.Call:
    """Return a later builder with ``names`` (old, new) in its arguments.

    Of a loader option only what it begins at is meant: ``joinedload(A.b).joinedload(B.a)``.
    """
    if not names:
        return link
    arguments = [_with_value(argument, dict(names), is_option) for argument in link.args]
    return link.with_changes(args=arguments)


def _with_value(argument: cst.Arg, names: dict[str, str], is_option: bool) -> cst.Arg:
    if is_option:
        return argument.with_changes(value=_begin_renamed(argument.value, names))
    return argument.with_changes(value=argument.value.visit(_Renamed(names)))


def _begin_renamed(option: cst.BaseExpression, names: dict[str, str]) -> cst.BaseExpression:
    if not isinstance(option, cst.Call):
        return option
    func = option.func
    if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Call):
        value = _begin_renamed(func.value, names)
        return option.with_changes(func=func.with_changes(value=value))
    arguments = [_with_value(argument, names, is_option=False) for argument in option.args]
    return option.with_changes(args=arguments)


class _Renamed(cst.CSTTransformer):
    """Puts new names where an expression has the old ones."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self._names = names

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802
        return lines.code(node) not in self._names

    def leave_Attribute(  # noqa: N802
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        new = self._names.get(lines.code(original_node))
        if new is not None:
            return cst.Name(new)
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Name(  # noqa: N802
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        del original_node
        new = self._names.get(updated_node.value)
        return updated_node if new is None else updated_node.with_changes(value=new)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:  # noqa: N802
        return updated_node.with_changes(keyword=original_node.keyword)


# ------------------------------------------------------------------------------------------ layout
def laid_out(node: cst.BaseExpression, indent: str, step: str, length: int) -> cst.BaseExpression:
    """Return a statement that stands at ``indent``, with its set operation broken if too long."""
    first_line = lines.code(node).partition("\n")[0]
    if len(indent) + len(first_line) <= length:
        return node
    if not lines.has_break(node) and lines.chain_length(node) > 1:
        node = lines.split_chain(node, indent)
    return _with_start(node, indent, step, length)


def _with_start(node: Any, indent: str, step: str, length: int) -> cst.BaseExpression:
    func = node.func
    if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Call):
        start = _with_start(func.value, indent, step, length)
        return cst.ensure_type(node, cst.Call).with_changes(func=func.with_changes(value=start))
    return _broken(node, indent, step, length)


def _broken(node: cst.BaseExpression, indent: str, step: str, length: int) -> cst.BaseExpression:
    """Return ``node`` on one line if it fits at ``indent``, else with an argument on each line."""
    if len(indent) + len(lines.code(node)) < length or lines.has_break(node):
        return node
    if isinstance(node, cst.NamedExpr):
        return node.with_changes(value=_forced(node.value, indent, step, length))
    if not isinstance(node, cst.Call):
        return node
    if isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Call):
        if node.args:
            return laid_out(node, indent, step, length)
        value = _forced(node.func.value, indent, step, length)
        return node.with_changes(func=node.func.with_changes(value=value))
    return exploded(node, indent, step, length)


def _forced(node: cst.BaseExpression, indent: str, step: str, length: int) -> cst.BaseExpression:
    """Return the call ``node`` broken, for it does not fit with what stands around it."""
    if not isinstance(node, cst.Call) or not node.args:
        return node
    if isinstance(node.func, cst.Attribute) and isinstance(node.func.value, cst.Call):
        return laid_out(node, indent, step, length)
    return exploded(node, indent, step, length)


def exploded(node: cst.Call, indent: str, step: str, length: int) -> cst.Call:
    """Return the one-line call ``node`` with each argument on a line of its own."""
    inner = lines.break_at(indent + step)
    values = [_broken(one.value, indent + step, step, length) for one in node.args]
    arguments = [
        argument.with_changes(value=value, comma=cst.Comma(whitespace_after=inner))
        for argument, value in zip(node.args, values, strict=True)
    ]
    close = lines.break_at(indent)
    last = arguments[-1].with_changes(comma=cst.Comma(whitespace_after=close))
    if len(arguments) == 1:
        last = last.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=close)
    return node.with_changes(args=[*arguments[:-1], last], whitespace_before_args=inner)
