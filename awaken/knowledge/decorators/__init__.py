"""Decorators of libraries, by what they make of the function below them.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_table

DecoratorEffect = Literal[
    "same",
    "forwards",
    "calls",
    "returns",
    "coroutines",
    "coroutine",
    "both",
    "manager",
    "registered",
    "outside",
]
"""What is true of what a decorator makes of its function.

- ``same``: it is the function itself, so that the next four are true as well.
- ``forwards``: each call of it is a call of the function, with the same arguments.
- ``calls``: it calls the function, maybe with others.
- ``returns``: its calls, or reads, give what calls of the function give.
- ``coroutines``: it gives a coroutine if the function is a coroutine function, maybe another one.
- ``coroutine``: it gives a coroutine, whatever the function is.
- ``both``: it does the same for coroutine functions as for others, and awaits their results.
- ``manager``: it gives a context manager of what the function yields.
- ``registered``: somebody else calls the function as well.
- ``outside``: code of a library runs around the function.
"""
DecoratorEffects = frozenset[DecoratorEffect]
SAME: DecoratorEffects = frozenset({"same", "forwards", "calls", "returns", "coroutines"})
FORWARDING: DecoratorEffects = frozenset({"forwards", "calls", "returns"})
NO_EFFECTS: DecoratorEffects = frozenset()
EVERYTHING: DecoratorEffects = FORWARDING | SAME | {"coroutine", "both", "manager"}
AWAITING: DecoratorEffects = frozenset({"same", "registered", "both"})
"""True of an application or a router, which awaits a coroutine function that it calls."""
_BOTH: DecoratorEffects = frozenset({"both"})
ALSO_FALSE: DecoratorEffects = frozenset({"registered", "outside"})
"""True of what one of several decorators makes, it is true of what they make together."""
_GROUPS: dict[str, DecoratorEffects] = {
    "both": _BOTH,
    "same": SAME | _BOTH,
    "handing_on": SAME,
    "forwarding": FORWARDING | {"outside"},
    "registering": SAME | {"registered"},
    "fixtures": frozenset({"calls", "returns", "registered", "outside"}),
    "managers": frozenset({"forwards", "calls", "manager", "outside"}),
    "overloads": frozenset({"forwards", "calls", "outside"}),
    "properties": frozenset({"returns", "outside"}),
}


class Decorators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Qualified names, ``package.*`` for all that is below one; each group says what they do.

    ``methods`` are those of instances of a class: they give back the function itself, which is
    called by somebody else. Classes that are ``awaiting`` await its result if it is a coroutine.
    ``unread`` wrap it by `functools.wraps`, pass on all arguments, and read no default of it.
    """

    source: str
    awaiting: frozenset[str]
    both: frozenset[str]
    same: frozenset[str]
    handing_on: frozenset[str]
    forwarding: frozenset[str]
    registering: frozenset[str]
    managers: frozenset[str]
    overloads: frozenset[str]
    fixtures: frozenset[str]
    properties: frozenset[str]
    unread: frozenset[str]
    methods: dict[str, tuple[str, ...]]


@cache
def library_decorators() -> Decorators:
    """Return the facts of the decorators of libraries."""
    return read_table(__name__, "decorators.toml", Decorators)


@cache
def _by_name() -> dict[str, DecoratorEffects]:
    known, result = library_decorators(), dict[str, DecoratorEffects]()
    rows = [(name, group) for key, group in _GROUPS.items() for name in getattr(known, key)]
    for owner, names in known.methods.items():
        group = _GROUPS["registering"] | (_BOTH if owner in known.awaiting else NO_EFFECTS)
        rows += [(f"{owner}.{name}", group) for name in names]
    for name, group in rows:
        result[name] = result.get(name, NO_EFFECTS) | group
    return result


@cache
def known_methods() -> frozenset[str]:
    """Return the last names of all decorators of libraries."""
    return frozenset(name.rpartition(".")[2] for name in _by_name())


def library_effects(qualified: str) -> DecoratorEffects:
    """Return what is true of what a decorator of a library makes; nothing of others."""
    known, (owner, _, _) = _by_name(), qualified.rpartition(".")
    return known.get(qualified) or known.get(f"{owner}.*", NO_EFFECTS)


def common_effects(effects: Iterable[DecoratorEffects]) -> DecoratorEffects:
    """Return what is true of whatever one of several decorators makes; nothing of none."""
    known = list(effects)
    some = NO_EFFECTS.union(*known) & ALSO_FALSE
    return known[0].intersection(*known) | some if known else NO_EFFECTS
