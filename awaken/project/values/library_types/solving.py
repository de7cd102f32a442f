"""Type variables: their solutions, and substitution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from awaken.contract import Place
from awaken.project.values.domain import (
    NOWHERE,
    ClassOf,
    InstanceOf,
    Producer,
    TupleOf,
    TypeVariable,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.items import MUTABLE

SELF = "Self"
Solution = Mapping[str, Values]
"""The place of what is unknown in a stub; whoever asks puts the place of the question there."""


def has_variables(values: Values) -> bool:
    """Whether ``values`` contain a type variable."""
    return any(map(_is_open, values))


def _is_open(value: Value) -> bool:
    match value:
        case TypeVariable():
            return True
        case Producer():
            return has_variables(value.inner)
        case InstanceOf():
            return any(map(has_variables, value.parameters))
        case TupleOf():
            return any(map(has_variables, value.items))
    return False


def solved_values(values: Values, solution: Solution) -> Values:
    """Return ``values`` with the value of each variable that ``solution`` names."""
    return union(*(_solved_values(value, solution) for value in values))


def growing(values: Values) -> Values:
    """Return what a stub says of a result, with the containers that are new as such.

    They hold what was seen when they were made: more may be put into them.
    """
    return tuple(map(_growing, values))


def _growing(value: Value) -> Value:
    match value:
        case InstanceOf() if value.parameters and value.qualified in MUTABLE:
            return replace(value, grows=True)
        case Producer(how="awaitable" | "coroutine"):
            return replace(value, inner=growing(value.inner))
    return value


def closed(values: Values, place: Place, why: str = "") -> Values:
    """Return ``values`` with the bounds of the variables that nothing solved; else unknown.

    Types that a stub leaves open are unknown as well, at ``place``.
    """
    return union(*(_closed_values(value, place, why) for value in values))


def _solved_values(value: Value, solution: Solution) -> Values:
    match value:
        case TypeVariable():
            result = solution.get(value.name)
            if result is None:
                return (value,)
            return tuple(map(_as_class, result)) if value.as_class else result
        case Producer():
            return (replace(value, inner=solved_values(value.inner, solution)),)
        case InstanceOf() if value.parameters:
            return (value.with_held(lambda each: solved_values(each, solution)),)
        case TupleOf():
            return (TupleOf(tuple(solved_values(item, solution) for item in value.items)),)
    return (value,)


def _closed_values(value: Value, place: Place, why: str) -> Values:
    match value:
        case TypeVariable(bound=()):
            open_type = f"`{value.name.rpartition('.')[2]}` is not a type of one kind"
            return (Unknown(why or open_type, place),)
        case TypeVariable():
            bound = closed(value.bound, place, why)
            return tuple(map(_as_class, bound)) if value.as_class else bound
        case Unknown(place=old) if old == NOWHERE:
            return (replace(value, place=place),)
        case Producer():
            return (replace(value, inner=closed(value.inner, place, why)),)
        case InstanceOf() if value.parameters:
            return (value.with_held(lambda each: closed(each, place, why)),)
        case TupleOf():
            return (TupleOf(tuple(closed(item, place, why) for item in value.items)),)
    return (value,)


def _as_class(value: Value) -> Value:
    match value:
        case InstanceOf():
            return ClassOf(value.qualified)
        case TypeVariable():
            return replace(value, as_class=True)
    return value
