"""Widening: many classes as the one that they all inherit from."""

from __future__ import annotations

from awaken.project.names.classes import Ancestors, Classes
from awaken.project.values.domain import InstanceOf, Values, union


def widened_values(classes: Classes, values: Values) -> Values | None:
    """Return ``values`` with the nearest common base in place of instances of many classes.

    An instance of a class is one of its bases as well, so facts of the base hold for all. None
    where some inherit from no class of the program, or from nothing in common.
    """
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
