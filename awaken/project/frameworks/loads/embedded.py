"""EXISTS and other statements inside of a statement, and whether they make it one of the ORM.

``select(exists(...))`` is a statement of the ORM, before which the session flushes, where what is
asked inside is. How far that is carried on differs: measured with SQLAlchemy 1.4.20 to 2.1.9.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from msgspec import Struct

from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.source.memo import recursive
from awaken.project.source.trees import arguments_of, last_name, receivers

_CORE = sql_names().core | sql_names().of_no_class | sql_names().tables
"""Functions that make something of Core, whatever they take."""
_OWN_FROM = {"any", "has", "over", "within_group"}
_CRITERIA = {"filter", "filter_by", "group_by", "having", "order_by", "where"}
_SET_OPERATIONS = sql_names().set_operations
_NEWLY_ORM = sql_names().scalar_subqueries | _SET_OPERATIONS


class Exists(Struct, frozen=True):
    """An EXISTS; ``orm`` says whether it is of the ORM: False of Core, None where it is unknown."""

    orm: bool | None


@recursive()
def exists_in(reader: ModuleReader, node: ast.expr) -> Exists | None:
    """Return the EXISTS that an expression is, also a negated one; None for all others.

    ``exists(...)`` with its methods, or ``query.exists()``.
    """
    match node:
        case ast.UnaryOp(op=ast.Invert(), operand=inner):
            negated: ast.expr | None = inner
        case ast.Call(args=[inner]) if reader.library_name(node.func) == "not_":
            negated = inner
        case _:
            negated = None
    if negated is not None:
        exists = exists_in(reader, negated)
        return Exists(orm=False) if exists is not None and _is_old(reader) else exists
    while isinstance(node, ast.Call):
        if reader.library_name(node.func) == "exists":
            asked = [one for one in node.args if _is_statement(reader, one) or not _is_old(reader)]
            return Exists(_any(reader, asked))
        if not isinstance(node.func, ast.Attribute):
            return None
        if node.func.attr == "exists" and not node.args:
            return Exists(is_orm(reader, node.func.value))
        if node.func.attr not in sql_names().of_exists:
            return None
        node = node.func.value
    return _exists_of_name(reader, node) if isinstance(node, ast.Name) else None


def _exists_of_name(reader: ModuleReader, node: ast.Name) -> Exists | None:
    """Return the EXISTS that a variable is, if it is one wherever it is assigned."""
    values = _first_values(reader, node)
    each = {exists_in(reader, value) for value in values or ()}
    if not each or None in each:
        return None
    return each.pop() if len(each) == 1 else Exists(None)


@recursive()
def is_orm(reader: ModuleReader, node: ast.expr) -> bool | None:
    """Whether ``node`` makes a ``select()`` that has it one of the ORM; None where it is unknown.

    False says that it is of Core: a Table, literals, connectives of criteria.
    """
    if entity_of(reader, node) is not None:
        return True
    exists = exists_in(reader, node)
    if exists is not None:
        return exists.orm
    match node:
        case ast.Call():
            return _is_orm_call(reader, node)
        case ast.Name():
            return _is_orm_name(reader, node)
        case ast.Constant() | ast.Attribute(attr="__table__"):
            return False
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return False
        case _:
            parts = _parts(node)
            return _any(reader, parts) if parts else None


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the expressions of which an expression has what makes it one of the ORM."""
    match node:
        case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
            return [value]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return elements
    return []


def _is_orm_call(reader: ModuleReader, node: ast.Call) -> bool | None:
    """Look at each call of a chain such as ``select(User.id).where(...).subquery()``."""
    parts: list[ast.expr] = []
    is_filtered = False
    inner: ast.expr = node
    while isinstance(inner, ast.Call):
        call, function = inner, inner.func
        name = reader.library_name(function)
        if name in _CORE or (name in _SET_OPERATIONS and _is_old(reader)):
            return False
        if is_filtered and reader.function_name(function) is not None:
            return False
        if _starts(reader, call):
            start = _conditions(call) if name == "case" else call.args
            return _any(reader, [*parts, *start])
        if not isinstance(function, ast.Attribute):
            return None
        method, inner = function.attr, function.value
        is_filtered = is_filtered or method == "filter"
        if method in _OWN_FROM or (method in _NEWLY_ORM and _is_old(reader)):
            return False
        if method not in _CRITERIA or not _is_old(reader):
            parts += arguments_of(call)
    return _any(reader, [inner, *parts])


def _starts(reader: ModuleReader, call: ast.Call) -> bool:
    """Whether nothing but the arguments of a call says what it makes, as of ``session.query``."""
    function = call.func
    is_query = isinstance(function, ast.Attribute) and function.attr == "query"
    return is_query or bool(reader.library_name(function) or reader.function_name(function))


def _conditions(case: ast.Call) -> list[ast.expr]:
    """Return the conditions of ``case((condition, result), ...)``; its results bring nothing in."""
    whens = case.args[0].elts if case.args and isinstance(case.args[0], ast.List) else case.args
    return [when.elts[0] if isinstance(when, ast.Tuple) and when.elts else when for when in whens]


def _is_statement(reader: ModuleReader, node: ast.expr) -> bool:
    """Whether ``node`` is a SELECT itself: no union, and no subquery."""
    if isinstance(node, ast.Name):
        value = reader.only_value(node)
        return (
            value is not None and not isinstance(value, ast.Name) and _is_statement(reader, value)
        )
    other = sql_names().subqueries | _NEWLY_ORM
    while isinstance(node, ast.Call):
        if reader.library_name(node.func) == "select":
            return True
        if not isinstance(node.func, ast.Attribute) or node.func.attr in other:
            return False
        node = node.func.value
    return False


def _is_orm_name(reader: ModuleReader, node: ast.Name) -> bool | None:
    answers = {is_orm(reader, value) for value in _first_values(reader, node) or ()}
    return answers.pop() if len(answers) == 1 else None


def _first_values(reader: ModuleReader, node: ast.Name) -> list[ast.expr] | None:
    """Return what a variable starts with; None for an unknown value.

    ``query = query.filter(...)`` adds to an earlier one.
    """
    bindings = reader.bindings(node)
    values = [one.value for one in bindings if one.kind == "assignment" and one.value is not None]
    if len(values) < len(bindings):
        return None
    return [value for value in values if _first_name(value) != node.id]


def _first_name(node: ast.expr) -> str:
    *_, first = receivers(node)
    return last_name(first)


def _any(reader: ModuleReader, nodes: Iterable[ast.expr]) -> bool | None:
    answers = [is_orm(reader, node) for node in nodes]
    return True in answers or (None if None in answers else False)


def _is_old(reader: ModuleReader) -> bool:
    """Whether criteria, unions and negations of the ORM make no ORM statement, as before 2.0.15."""
    return bool(reader.project.targets.admits("sqlalchemy", "<2.0.15"))
