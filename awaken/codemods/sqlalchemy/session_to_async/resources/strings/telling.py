"""Strings, columns that hold none, and what waits inside of an expression."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.mapping import ColumnFacts
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_text, last_name
from awaken.project.values.domain import NoneValue

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

INTEGERS = {"BIGINT", "BigInteger", "INTEGER", "Integer", "SMALLINT", "SmallInteger"}
"""Types of columns of whole numbers."""
_TYPES = INTEGERS | name_list("plain_types")
_STRING = {"builtins.str"}
_CLASSES = {"Decimal", "bool", "date", "datetime", "float", "int", "time", "timedelta"}


def type_of(column: ColumnFacts) -> str:
    """Return the last name of the type of a column, or of the class that it is annotated as."""
    return (column.type or column.annotated or "").rpartition(".")[2]


def is_typed(project: Project, module: Module, node: ast.Attribute) -> bool:
    """Whether an expression is a column of a mapped class that holds no strings."""
    mapped = project.orm.mapped_class(project.qualified_name(module, node.value))
    column = None if mapped is None else mapped.columns.get(node.attr)
    if column is None:
        return False
    return type_of(column) in (_CLASSES if column.type is None else _TYPES)


def is_string(project: Project, module: Module, node: ast.expr) -> bool | None:
    """Whether a string may be None instead; None where it may be anything else."""
    if isinstance(node, ast.Name) and _is_decoded(project, module, node):
        return False
    classes, values = _classes(project, module, node), project.values.of(module, node)
    is_text = classes == _STRING or _is_passed(project, module, node, classes)
    is_optional = NoneValue() in values.alternatives
    if not is_text or (is_optional and not isinstance(node, ast.Name | ast.Attribute)):
        return None
    return is_optional


def _classes(project: Project, module: Module, node: ast.expr) -> set[str]:
    """Return the classes of what an expression may be, None aside; empty for what is no object."""
    if _is_subject(project, module, node):
        return _STRING
    values = project.values.of(module, node).alternatives
    return {getattr(value, "qualified", "") for value in values if value != NoneValue()}


def _is_subject(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether it is the subject of a token, which is a string by RFC 7519."""
    match module.scopes.only_value(node) or node:
        case (
            ast.Call(func=ast.Attribute(value=claims, attr="get"), args=[ast.Constant("sub"), *_])
            | ast.Subscript(value=claims, slice=ast.Constant("sub"))
        ):
            known = project.values.of(module, claims)
            return known.is_known and _classes(project, module, claims) == {"builtins.dict"}
    return False


def _is_passed(project: Project, module: Module, node: ast.expr, declared: set[str]) -> bool:
    """Whether a caller passes a string to a parameter that is declared as what a column holds."""
    binding = module.scopes.parameter_of(node)
    names = {name.rpartition(".")[2] for name in declared}
    if binding is None or not names or not names <= _CLASSES:
        return False
    passed = project.calls.passed_to(module, binding, declared=True)
    given = () if passed is None else passed.given
    return any(_classes(project, item.module, item.node) == _STRING for item in given)


def _is_decoded(project: Project, module: Module, node: ast.Name) -> bool:
    """Whether a variable has just been given what ``decode`` makes of bytes."""
    start = module.span(node).start
    before = [
        binding
        for binding in module.scopes.bindings_of(node)
        if module.span(binding.node).start < start and not isinstance(binding.node, ast.arg)
    ]
    if not before:
        return False
    last = max(before, key=lambda binding: module.span(binding.node).start)
    statement, here = module.statement_of(last.node), module.statement_of(node)
    match statement:
        case ast.Assign(
            value=ast.Call(func=ast.Attribute(value=owner, attr="decode"), args=args, keywords=[])
        ) if last_name(owner) not in {"codecs", "jwt"}:
            is_plain = all(map(is_text, args))
        case _:
            return False
    is_module = project.qualified_name(module, owner) is not None
    block = module.block_of(statement)
    return is_plain and not is_module and here is not None and here in block


class Waiting:
    """The expressions that wait in one program: `await` is written before each."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._calls = {call.place for calls in part.calls.values() for call in calls}

    def starts(self, module: Module, node: ast.expr) -> set[int]:
        """Return where that begins which waits inside of an expression."""
        around = self._part.function_around(module, node)
        operations = {module.place(x.node) for x in self._part.operations_of(module, around)}
        waiting = operations | self._calls
        inside = list(module.nodes_below(node, ast.expr))
        return {module.span(part).start for part in inside if module.place(part) in waiting}
