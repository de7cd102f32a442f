"""Type variables: their solutions, and substitution."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from awaken.contract import Place
from awaken.project.values.domain import (
    NOWHERE,
    ClassOf,
    InstanceOf,
    Producer,
    TypeVariable,
    Unknown,
    Value,
    Values,
    union,
    values_inside,
    with_parts,
)
from awaken.project.values.items import MUTABLE

SELF = "Self"
Solution = Mapping[str, Values]
"""The place of what is unknown in a stub; whoever asks puts the place of the question there."""


def has_variables(values: Values) -> bool:
    """Whether ``values`` contain a type variable."""
    return any(
        isinstance(value, TypeVariable) or has_variables(values_inside(value)) for value in values
    )


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


def without_variables(values: Values, place: Place, why: str = "") -> Values:
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
            return classes_of(result) if value.as_class else result
    return (with_parts(value, lambda part: solved_values(part, solution)),)


def _closed_values(value: Value, place: Place, why: str) -> Values:
    match value:
        case TypeVariable(bound=()):
            open_type = f"`{value.name.rpartition('.')[2]}` is not a type of one kind"
            return (Unknown(why or open_type, place),)
        case TypeVariable():
            bound = without_variables(value.bound, place, why)
            return classes_of(bound) if value.as_class else bound
        case Unknown(place=old) if old == NOWHERE:
            return (replace(value, place=place),)
    return (with_parts(value, lambda part: without_variables(part, place, why)),)


def classes_of(instances: Values) -> Values:
    """Return the classes of what ``type[...]`` names."""
    return tuple(map(_as_class, instances))


def _as_class(value: Value) -> Value:
    match value:
        case InstanceOf():
            return ClassOf(value.qualified)
        case TypeVariable():
            return replace(value, as_class=True)
    return value
