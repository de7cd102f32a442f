"""Decorators of libraries that still call the function.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache

import msgspec

from awaken.knowledge.typed_tables import read_table


class Decorators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decorators that give back the function, or what calls it as it is called.

    ``same`` and ``forwarding`` are qualified names, ``package.*`` all that is below one: they give
    back the function itself, or what passes on all arguments and the result. ``registering`` and
    ``methods`` (those of instances of a class) give it back and have it called by somebody else.
    ``unread`` wrap it by `functools.wraps`, pass on all arguments, and read no default of it.
    """

    source: str
    same: tuple[str, ...]
    forwarding: tuple[str, ...]
    registering: tuple[str, ...]
    unread: tuple[str, ...]
    methods: dict[str, tuple[str, ...]]

    def is_same(self, qualified: str) -> bool:
        """Whether the decorator with this name gives back the function itself."""
        owner, _, _ = qualified.rpartition(".")
        return qualified in self.same or f"{owner}.*" in self.same

    def only_forwards(self, qualified: str) -> bool:
        """Whether the function runs where its name is called, and by nobody else."""
        return self.is_same(qualified) or qualified in self.forwarding

    def forwards(self, qualified: str) -> bool:
        """Whether a call of what it makes is a call of the function, and gives its result."""
        return self.only_forwards(qualified) or qualified in self.registering

    def registers(self, owner: str, method: str) -> bool:
        """Whether ``method`` of an instance of a class gives back the function itself."""
        return method in self.methods.get(owner, ())


@cache
def library_decorators() -> Decorators:
    """Return the facts of the decorators of libraries."""
    return read_table(__name__, "decorators.toml", Decorators)
