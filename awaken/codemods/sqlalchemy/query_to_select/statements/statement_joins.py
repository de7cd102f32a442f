"""The joins of the fields of a statement, where two ways meet: one declaration for each field.

A statement in a variable is what it may have become on any way that leads there. Each field has its
way of joining, so that none can be forgotten; the rest is derived.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import Field
from typing import Any, TypeVar

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.alike import looks
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import Target
from awaken.project.frameworks.loads.query_items import Item

Value = TypeVar("Value")
_DECLARED = "join"
_DIFFERS = "a class that depends on the branch"


class Join(Struct, frozen=True):
    """How a field is joined.

    ``either`` is what holds if one of two values does, ``both`` what holds if each does, ``key``
    what tells whether a value is another one than before, and ``carried`` what the statement has
    of it at first that goes on from this one.
    """

    either: Callable[[Any, Any], Any]
    both: Callable[[Any, Any], Any]
    key: Callable[[Any], Hashable] = lambda value: value
    carried: Callable[[Any], Any] = lambda value: value

    @property
    def metadata(self) -> Mapping[str, Join]:
        """The metadata of a field that is joined so."""
        return {_DECLARED: self}


def join_of(declared: Field[Any]) -> Join:
    """Return how the field ``declared`` is joined; KeyError if nobody said it."""
    join: Join = declared.metadata[_DECLARED]
    return join


def _first(one: Value, _other: Value) -> Value:
    return one


def same(described: str) -> Join:
    """Return the join of a field that has to be the same on each path, Refused where it is not."""

    def refuse_others(one: Value, other: Value) -> Value:
        if one != other:
            raise Refused(reasons.DIFFERENT_QUERIES, described)
        return one

    return Join(refuse_others, _first)


def _all_nodes(one: Sequence[ast.expr], other: Sequence[ast.expr]) -> list[ast.expr]:
    # In order and once each: every round of a loop brings the same nodes again.
    return list(dict.fromkeys([*one, *other]))


def _shared_nodes(one: Sequence[ast.expr], other: Sequence[ast.expr]) -> list[ast.expr]:
    return [node for node in one if node in other]


def _ids(nodes: Sequence[ast.expr]) -> Hashable:
    return frozenset(map(id, nodes))


def _target(one: Target | None, other: Target | None) -> Target | None:
    if one is other or (one is not None and other is not None and one.text == other.text):
        return one
    return Target(None, _DIFFERS)


def _same_at_first(one: Sequence[Item], other: Sequence[Item]) -> Sequence[Item]:
    """Return what was asked for at first; Refused where only one way makes an ORM statement."""
    are_orm = all(any(item.orm for item in items) for items in (one, other))
    # If both ways make an ORM statement, it does not matter what by.
    if not are_orm and looks(one) != looks(other):
        raise Refused(reasons.DIFFERENT_QUERIES, "other columns initially")
    return one


def _nothing(_value: object) -> Hashable:
    return None


def _shared_targets(one: tuple[Target, ...], other: tuple[Target, ...]) -> tuple[Target, ...]:
    return tuple(each for each in one if each in other)


def _all_targets(one: tuple[Target, ...], other: tuple[Target, ...]) -> tuple[Target, ...]:
    return tuple(dict.fromkeys([*one, *other]))


SOME_WAY = Join(operator.or_, operator.and_)
"""True if it is on some way: what makes a statement less known."""
EACH_WAY = Join(operator.and_, operator.or_)
"""True if it is on each way: what makes a statement better known."""
NODES = Join(_all_nodes, _shared_nodes, key=_ids, carried=list)
"""Expressions that were added on some way."""
TARGET = Join(_target, _target, key=lambda target: target if target is None else (target.text,))
"""What a builder means, nothing that can be written if it depends on the way."""
PARTNERS = Join(_shared_targets, _all_targets, key=frozenset)
"""What is joined on each way."""
NAME = Join(lambda item, other: item or other, lambda item, other: item and other, key=bool)
"""The name of some builder, for messages; whether there is one is what counts."""
ITEMS = Join(_first, _first, key=looks)
"""Items, which look the same on both ways before anything else is joined."""
ORM_ITEMS = Join(_same_at_first, _first, key=_nothing)
"""What makes an ORM statement."""
LISTS = Join(_first, _first, key=lambda lists: frozenset(map(looks, lists)))
"""Lists of items, as ``ITEMS``."""
OF_CHAIN = Join(lambda _one, _other: [], _first, key=_nothing, carried=lambda _value: [])
"""What belongs to the builders of one chain, and says nothing of what comes behind it."""
OF_PLACE = Join(_first, _first, key=_nothing)
"""Where the statement stands."""
