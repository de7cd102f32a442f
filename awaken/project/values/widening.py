"""Widening: many classes as the one that they all inherit from."""

from __future__ import annotations

from awaken.project.names.classes import Ancestors, Classes
from awaken.project.values.domain import MOST_ALTERNATIVES, InstanceOf, Value, Values, union


def widened_values(classes: Classes, values: Values) -> Values | None:
    """Return ``values`` with the nearest common base in place of instances of many classes.

    An instance of a class is one of its bases as well, so facts of the base hold for all. Many
    containers of one class are one that holds what any of them does. None where some inherit from
    no class of the program, or from nothing in common.
    """
    joined = _joined_containers(values)
    if len(joined) <= MOST_ALTERNATIVES:
        return joined
    instances = [value for value in values if isinstance(value, InstanceOf)]
    lines = [classes.ancestors(instance.qualified) for instance in instances]
    known = [line for line in lines if line is not None and not line.unresolved]
    if not known or len(known) < len(lines):
        return None
    common = _common(known)
    if common is None:
        return None
    others = tuple(value for value in values if not isinstance(value, InstanceOf))
    return union((InstanceOf(common),), others)


def _joined_containers(values: Values) -> Values:
    """Return ``values`` with one container in place of those of one class."""
    by_class: dict[tuple[str, int], InstanceOf] = {}
    others: list[Value] = []
    for value in values:
        if not isinstance(value, InstanceOf) or not value.parameters:
            others.append(value)
            continue
        known = by_class.setdefault((value.qualified, len(value.parameters)), value)
        if known is not value:
            held = tuple(map(union, known.parameters, value.parameters))
            grows = known.grows or value.grows
            by_class[value.qualified, len(held)] = InstanceOf(
                value.qualified, parameters=held, grows=grows
            )
    return (*by_class.values(), *others)


def _common(lines: list[Ancestors]) -> str | None:
    """Return the class that all lines have and that inherits from no other such class."""
    shared = set.intersection(*({facts.qualified for facts in line.inside} for line in lines))
    above = {
        base
        for line in lines
        for facts in line.inside
        if facts.qualified in shared
        for base in facts.bases
        if base is not None
    }
    lowest = sorted(shared - above)
    return lowest[0] if len(lowest) == 1 else None
