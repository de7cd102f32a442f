"""Writes set operations: functions of the queries, read off a subquery where that goes on."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from awaken.codemods.sqlalchemy.query_to_select.payload import Operation
from awaken.editing.call_arguments import code
from awaken.editing.chains import chain_lines


def operated_call(first: cst.BaseExpression, link: cst.Call, operation: Operation) -> cst.Call:
    """``first.union(other)`` → ``select(aliased(Model, union(first, other).subquery()))``."""
    operands = [
        chain_lines.one_line(first),
        *(chain_lines.one_line(argument.value) for argument in link.args),
    ]
    whole = _call(operation.function, *operands)
    if not operation.select:
        return whole
    value: cst.BaseExpression = cst.Call(cst.Attribute(whole, cst.Name("subquery")))
    if operation.model is not None:
        value = _call(operation.aliased, cst.parse_expression(operation.model), value)
    if operation.name is not None:
        # Named in place, as later builders of the same expression use the name.
        value = cst.NamedExpr(cst.Name(operation.name), value)
    return _call(operation.select, value)


def _call(function: str, *arguments: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.parse_expression(function), [cst.Arg(argument) for argument in arguments])


# ---------------------------------------------------------------------------------------- renaming
def renamed_call(link: cst.Call, names: Sequence[tuple[str, str]], *, is_option: bool) -> cst.Call:
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
        # `models.User` is replaced as a whole, not a `models` in it.
        return code(node) not in self._names

    def leave_Attribute(  # noqa: N802
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        new = self._names.get(code(original_node))
        if new is not None:
            return cst.Name(new)
        # The name after the dot is that of an attribute, not of the class.
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Name(  # noqa: N802
        self, original_node: cst.Name, updated_node: cst.Name
    ) -> cst.BaseExpression:
        del original_node
        new = self._names.get(updated_node.value)
        return updated_node if new is None else updated_node.with_changes(value=new)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:  # noqa: N802
        # The name of a keyword is no expression.
        return updated_node.with_changes(keyword=original_node.keyword)
