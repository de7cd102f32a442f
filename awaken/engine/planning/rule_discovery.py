"""Finds rules: every ``Rule`` below ``awaken.codemods``, and the ``awaken.rules`` entry points."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from types import ModuleType

from awaken.kit.rule import Rule

ENTRY_POINT_GROUP = "awaken.rules"

_REQUIRED = ("name", "family", "phase")
"""What has no default in ``Rule``."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return one instance of every rule, built-in ones and those of installed plug-ins.

    Raises TypeError if a rule lacks an attribute, or names what can never match.
    """
    return in_order((*built_in(), *plugins()))


def built_in() -> list[Rule]:
    """Return one instance of every rule of awaken's own. Raises TypeError as ``all_rules``."""
    return _complete([rule() for module in _modules() for rule in _rules_of(module)])


def plugins() -> list[Rule]:
    """Return one instance of every rule of a plug-in. Raises TypeError as ``all_rules``."""
    from importlib import metadata  # noqa: PLC0415  30 ms that the help need not pay

    entry_points = metadata.entry_points(group=ENTRY_POINT_GROUP)
    return _complete([entry_point.load()() for entry_point in entry_points])


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return ``rules`` in the order in which they are listed."""
    return tuple(sorted(rules, key=lambda rule: (rule.family, rule.name)))


def _complete(rules: list[Rule]) -> list[Rule]:
    for rule in rules:
        _require_complete(type(rule))
    return rules


def _require_complete(rule: type[Rule]) -> None:
    """Raise TypeError if ``rule`` lacks an attribute that every rule must have."""
    missing = [name for name in _REQUIRED if not hasattr(rule, name)]
    if missing:
        raise TypeError(f"the rule {rule.__module__}.{rule.__qualname__} has no `{missing[0]}`")
    functions = getattr(rule, "functions", ())
    if not functions:
        return
    from awaken.knowledge.libraries import knowledge  # noqa: PLC0415  a recalled run needs none of it

    # The index resolves every spelling to one canonical name, so another name never matches.
    who = f"the rule {rule.__module__}.{rule.__qualname__}"
    knowledge().require_canonical(who, functions)


def _modules() -> Iterator[ModuleType]:
    package = importlib.import_module("awaken.codemods")
    for family in pkgutil.iter_modules(package.__path__, "awaken.codemods."):
        for module in pkgutil.iter_modules(
            importlib.import_module(family.name).__path__, f"{family.name}."
        ):
            yield importlib.import_module(module.name)


def _rules_of(module: ModuleType) -> Iterator[type[Rule]]:
    for value in vars(module).values():
        if not (isinstance(value, type) and issubclass(value, Rule) and value is not Rule):
            continue
        # A rule that a module only imports belongs to the module that defines it.
        if value.__module__ == module.__name__ or value.__module__.startswith(
            f"{module.__name__}."
        ):
            yield value


def in_running_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return ``rules`` by phase, and within a phase after those that they name in ``after``.

    Foreign code comes last in its phase.

    Raises ValueError where rules wait for each other.
    """
    # By name first, so that no order of discovery shows in the result.
    by_name = {rule.name: rule for rule in sorted(rules, key=lambda rule: rule.name)}
    waits = {
        name: [other for other in rule.after if other in by_name] for name, rule in by_name.items()
    }
    try:
        order = list(TopologicalSorter(waits).static_order())
    except CycleError as error:
        raise ValueError(f"these rules wait for each other: {', '.join(error.args[1])}") from error
    ordered = (by_name[name] for name in order)
    return tuple(sorted(ordered, key=lambda rule: (rule.phase, rule.is_foreign)))
