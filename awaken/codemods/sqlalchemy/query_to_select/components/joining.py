"""The join of two statements, where the way that leads to a place decides which it is."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Hashable, Sequence
from dataclasses import replace

from msgspec import structs

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.results.flushing import flushes_first
from awaken.codemods.sqlalchemy.query_to_select.results.unique import may_repeat
from awaken.codemods.sqlalchemy.query_to_select.statements.alike import (
    are_alike,
    either,
    give_rows,
    looks,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import Item, What

_MOST_LISTS = 8
"""Ways with other columns each: a loop that adds one has no end of them. In superset and
ckan there are 2 at most."""


def joined_statement(statements: Sequence[Statement]) -> Statement:
    """Return the facts of a statement that is one of ``statements``; raises Refused."""
    statement, *others = statements
    for other in others:
        statement = join(statement, other)
    return statement


def join(one: Statement, other: Statement) -> Statement:
    """Return the facts of a statement that is ``one`` or ``other``; raises Refused."""
    one, other = _with_same_items(one, other)
    statement = one.either(other)
    # Code that makes the statement flush may be in one branch only.
    statement.unflushed |= flushes_first(statement) and not flushes_first(one.combine(other))
    return statement


def _with_same_items(one: Statement, other: Statement) -> tuple[Statement, Statement]:
    """Return both statements with items that look the same; raises Refused if there are none."""
    are_same = looks(one.items) == looks(other.items) or are_alike(one.items, other.items)
    if not are_same and not (give_rows(one.items) and give_rows(other.items)):
        raise _different(one.items, other.items)
    if _lists(one) == _lists(other):
        return one, other
    # Where they are alike, one item can represent that of each branch.
    if are_alike(one.items, other.items) and not one.lists and not other.lists:
        items = tuple(map(either, one.items, other.items))
        return _of_several(one, items), _of_several(other, items)
    return _with_lists(one, other), _with_lists(other, one)


def _lists(statement: Statement) -> frozenset[tuple[Hashable, ...]]:
    return frozenset(map(looks, statement.lists or (statement.items,)))


def _different(one: Sequence[Item], other: Sequence[Item]) -> Refused:
    first, second = (", ".join(ast.unparse(item.node) for item in items) for items in (one, other))
    if first == second:
        detail = f"`{first}`, which means different things on each branch"
        return Refused(reasons.DIFFERENT_QUERIES, detail)
    return Refused(reasons.DIFFERENT_QUERIES, f"`{first}` or `{second}`")


def _with_lists(one: Statement, other: Statement) -> Statement:
    """Return ``one`` as a statement for its own columns, or for those of ``other``."""
    lists = list(one.lists or (one.items,))
    known = _lists(one)
    lists += [items for items in other.lists or (other.items,) if looks(items) not in known]
    if len(lists) > _MOST_LISTS:
        raise _different(lists[0], lists[-1])
    # No class is the first one, which filter_by() would mean.
    items = tuple(
        structs.replace(item, what=What.EXPRESSION, mixed=True) for item in itertools.chain(*lists)
    )
    return replace(one, items=items, lists=tuple(lists))


def _of_several(statement: Statement, items: tuple[Item, ...]) -> Statement:
    """Return ``statement`` as one for ``items`` of several classes, its own criteria judged."""
    return replace(
        statement,
        items=items,
        criteria=[],
        options=[],
        unjudged=[],
        unsure=statement.unsure or may_repeat(statement),
        several=True,
    )
