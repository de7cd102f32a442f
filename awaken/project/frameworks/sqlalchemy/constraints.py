"""Constraints that are not columns: in ``__table_args__``, or in ``Table(...)``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from awaken.project.source.trees import is_constant

_HARMLESS = frozenset({"CheckConstraint", "Comment", "Column"})
_KEYS = frozenset({"PrimaryKeyConstraint", "UniqueConstraint"})
# They say of which rows, or until when, no two may have the same values.
_WEAKENING = ("where", "deferrable", "initially", "nulls_not_distinct")


class ForeignKeys(Struct, frozen=True):
    """One foreign key: its columns, and ``"table.column"`` of each that it refers to."""

    columns: tuple[str, ...]
    refers: tuple[str, ...]


class Constraints(Struct, frozen=True):
    """Declarations of a table other than columns, by the columns' names in the database.

    ``keys`` are sets of columns of which no two rows have the same values, ``primary`` those that
    are said to be its primary key. ``known`` is False if there may be more foreign keys.
    """

    keys: tuple[tuple[str, ...], ...] = ()
    primary: tuple[str, ...] = ()
    foreign: tuple[ForeignKeys, ...] = ()
    known: bool = True


NONE = Constraints()
UNKNOWN = Constraints(known=False)


def constraints_of(
    nodes: Sequence[ast.expr], called: Callable[[ast.expr], str], columns: Mapping[str, str]
) -> Constraints:
    """Return what the elements of ``__table_args__``, or arguments of a ``Table``, declare.

    ``called`` gives the name in SQLAlchemy of what is called, ``columns`` the name in the database
    of each attribute.
    """
    keys, foreign, known = list[tuple[str, ...]](), list[ForeignKeys](), True
    primary: tuple[str, ...] = ()
    for node in nodes:
        if isinstance(node, ast.Constant | ast.Dict):
            continue
        name = called(node.func) if isinstance(node, ast.Call) else ""
        if not isinstance(node, ast.Call) or not name:
            known = False
        elif name in _KEYS:
            key = _columns(node.args, columns) if _is_plain(node) else None
            keys += [key] if key else []
            primary = key or () if name == "PrimaryKeyConstraint" else primary
        elif name == "Index":
            key = _columns(node.args[1:], columns) if _is_plain(node) else None
            keys += [key] if key and _is_unique(node) else []
        elif name == "ForeignKeyConstraint":
            item = _foreign(node, columns)
            known = known and item is not None
            foreign += [] if item is None else [item]
        elif name not in _HARMLESS:
            known = False
    return Constraints(tuple(keys), primary, tuple(foreign), known)


def constraints_of_value(
    value: ast.expr | None, called: Callable[[ast.expr], str], columns: Mapping[str, str]
) -> Constraints:
    """Return what the value of ``__table_args__`` declares."""
    match value:
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return constraints_of(elements, called, columns)
        case ast.Dict():
            return NONE
    return UNKNOWN


def _is_plain(call: ast.Call) -> bool:
    """Whether a key holds for all rows, and at any time."""
    return all(
        keyword.arg is not None and not any(word in keyword.arg for word in _WEAKENING)
        for keyword in call.keywords
    )


def _is_unique(call: ast.Call) -> bool:
    return any(
        node.arg == "unique" and is_constant(node.value, value=True) for node in call.keywords
    )


def _columns(nodes: Iterable[ast.expr], columns: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the columns that strings, or attributes, name; None if not all are columns."""
    names: list[str] = []
    for node in nodes:
        match node:
            case ast.Constant(value=str() as name):
                names.append(name)
            case ast.Name(id=name) if name in columns:
                names.append(columns[name])
            case _:
                return None
    return tuple(names)


def _foreign(call: ast.Call, columns: Mapping[str, str]) -> ForeignKeys | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    given = dict(zip(("columns", "refcolumns"), call.args, strict=False))
    here, there = (given.get(item) or named.get(item) for item in ("columns", "refcolumns"))
    match here, there:
        case (
            ast.List(elts=own) | ast.Tuple(elts=own),
            ast.List(elts=other) | ast.Tuple(elts=other),
        ):
            mine, referred = _columns(own, columns), _columns(other, {})
            if mine and referred and len(mine) == len(referred):
                return ForeignKeys(mine, referred)
    return None
