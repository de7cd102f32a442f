"""The knowledge about what makes objects and passes them in: containers and dependencies.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache

import msgspec

from awaken.knowledge.typed_tables import read_table


class Injection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The classes of providers, by what a call of one gives, and what asks for it.

    ``calling`` call their first argument, ``resources`` do so and take the yielded value of a
    generator; ``containers`` are instances of their first argument. ``markers`` are subscripted
    with a provider, as the default of a parameter. ``dependencies`` are calls around a function, as
    the default of a parameter or inside of the subscript of one of ``annotated``.
    """

    source: str
    calling: frozenset[str]
    resources: frozenset[str]
    containers: frozenset[str]
    markers: frozenset[str]
    dependencies: frozenset[str]
    annotated: frozenset[str]


@cache
def injection() -> Injection:
    """Return the facts of containers and dependencies."""
    return read_table(__name__, "injection.toml", Injection)
