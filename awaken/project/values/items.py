"""The items of values that hold others: iterated, subscripted or unpacked."""

from __future__ import annotations

from collections.abc import Sequence

from awaken.knowledge.library_names import name_list
from awaken.project.values.domain import InstanceOf, TupleOf, Value, Values, instances_in, union

STR = InstanceOf("builtins.str")
INT = InstanceOf("builtins.int")
BOOL = InstanceOf("builtins.bool")
FLOAT = InstanceOf("builtins.float")
BYTES = InstanceOf("builtins.bytes")

LISTS = {"builtins.list", "collections.deque"}
SETS = {"builtins.set"}
DICTS = name_list("dictionaries")
MUTABLE = LISTS | SETS | DICTS
_OF_THEMSELVES = {
    "builtins.str": STR,
    "builtins.bytes": INT,
    "builtins.bytearray": INT,
    "builtins.range": INT,
}
_WITH_ITEMS_FIRST = MUTABLE | name_list("items_first")
_SEQUENCES = {*LISTS, "builtins.tuple"}
MOST_PLACES = 20
"""Places of a tuple that are told apart: of longer ones, tables of data, all are one."""


def items_of(value: Value) -> Values | None:
    """Return the items that ``for`` gives of a container; None if unknown, or no container."""
    match value:
        case TupleOf():
            return union(*value.items)
        case InstanceOf(qualified="builtins.enumerate", parameters=[inner, *_]):
            return (TupleOf(((INT,), inner)),)
        case InstanceOf(qualified="collections.abc.ItemsView", parameters=[keys, values]):
            return (TupleOf((keys, values)),)
        case InstanceOf(qualified=name) if name in _OF_THEMSELVES:
            return (_OF_THEMSELVES[name],)
        case InstanceOf(qualified=name, parameters=[inner, *_]) if name in _WITH_ITEMS_FIRST:
            return inner
    return None


def subscripted_item(value: Value, key: object) -> Values | None:
    """Return the item of a container at ``key``, a constant or None; None if not known."""
    match value:
        case TupleOf() if isinstance(key, int):
            # An index out of range raises, so it gives nothing.
            is_in = -len(value.items) <= key < len(value.items)
            return value.items[key] if is_in else ()
        case TupleOf():
            return union(*value.items)
        case InstanceOf(qualified=name, parameters=[_, inner]) if name in DICTS:
            known = value.item(key)
            return inner if known is None else known
        case InstanceOf(qualified=name, parameters=[inner]) if name in _SEQUENCES:
            return inner
        case InstanceOf(qualified="builtins.str"):
            return (STR,)
        case InstanceOf(qualified="builtins.bytes"):
            return (INT,)
    return None


def slice_of(value: Value, start: int | None, stop: int | None, *, known: bool) -> Values | None:
    """Return a slice of a sequence; ``known`` if its bounds are these and its step is 1."""
    match value:
        case TupleOf() if known:
            return (TupleOf(value.items[start:stop]),)
        case TupleOf():
            return (InstanceOf("builtins.tuple", parameters=(union(*value.items),)),)
        case InstanceOf(qualified=name) if name in {*_SEQUENCES, "builtins.str", "builtins.bytes"}:
            return (value,)
    return None


def place_of(value: TupleOf, position: int, before: int | None, after: int) -> Values | None:
    """Return what the target at ``position`` gets of a tuple; None if the tuple does not fit.

    ``before`` are the targets before a starred one, ``after`` those after it. Without a starred one
    ``before`` is None and ``after`` their number.
    """
    items = value.items
    if before is None:
        return items[position] if len(items) == after else None
    if len(items) < before + after:
        return None
    if position < before:
        return items[position]
    if position == before:
        return (list_of(union(*items[before : len(items) - after])),)
    return items[len(items) - after + position - before - 1]


def list_of(items: Values) -> InstanceOf:
    """Return a list that was built here, of these items."""
    return InstanceOf("builtins.list", parameters=(items,), grows=True)


def tuple_of(places: Sequence[Values]) -> Value:
    """Return a tuple of these places; of many, one of any length."""
    if len(places) > MOST_PLACES:
        return InstanceOf("builtins.tuple", parameters=(union(*places),))
    return TupleOf(tuple(places))


def is_tuple(value: Value) -> bool:
    """Whether a value is a tuple, of known places or of any length."""
    return isinstance(value, TupleOf) or (
        isinstance(value, InstanceOf) and value.qualified == "builtins.tuple"
    )


def is_growing(value: Value) -> bool:
    """Whether what is put into ``value``, or into what it holds, later counts as well."""
    return any(instance.grows for instance in instances_in((value,)))
