"""The knowledge about what is asynchronous in place of what: names, methods, and who takes both.

The TOML file of this folder, typed; it names the source of its rows.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.libraries import knowledge
from awaken.knowledge.typed_tables import read_table

Resource = Literal["client", "connection", "engine", "factory", "scoped", "session", "transaction"]


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``methods``: what creates and drops tables."""

    methods: tuple[str, ...]


class _Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``harmless``: packages whose functions use no session that they are given.

    ``inspecting`` are those functions of them that make inspectors, which read the database.
    ``keeping`` are classes whose objects keep a connection, and the modules that use it.
    ``sending`` are functions of others that send SQL over an engine, and methods of any object.
    ``taking`` are packages that take an asynchronous engine as well.
    """

    harmless: tuple[str, ...]
    inspecting: tuple[str, ...]
    keeping: dict[str, str]
    sending: tuple[str, ...]
    taking: tuple[str, ...]


class _Absorbing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``functions`` take a function as an argument, and await its result if it is a coroutine."""

    functions: tuple[str, ...]


class Bodies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``keywords`` of what a request sends, and the ``methods`` of a client that take them."""

    keywords: tuple[str, ...]
    methods: tuple[str, ...]


class Clients(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Synchronous clients of tests, and ``httpx.AsyncClient`` in their place.

    ``names`` are their classes. ``awaited`` methods are coroutine functions on the other side;
    ``missing`` is what is not there. Of the ``arguments`` of theirs it takes the same, and its
    transport those of ``transport``, by the names that these have there. ``requests`` and
    ``bodies`` are the keywords that a request takes there. ``httpx`` are the versions that support
    the new code. With those ``of_requests``, by distribution, the synchronous clients are not
    httpx's, and with those ``without_address`` an application sees no address of the client.
    """

    names: tuple[str, ...]
    awaited: tuple[str, ...]
    missing: tuple[str, ...]
    arguments: tuple[str, ...]
    transport: dict[str, str]
    requests: tuple[str, ...]
    bodies: Bodies
    httpx: str
    of_requests: dict[str, str]
    without_address: dict[str, str]


class _ObjectFactories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Classes that make mapped objects, and put them into a session that they hold.

    Classes that inherit from ``bases`` are made by calling them; calls that ``plain`` names do not
    make one.
    """

    bases: tuple[str, ...]
    plain: tuple[str, ...]


class Twins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asynchronous counterparts of synchronous names.

    - ``names``: qualified names, with those of their twins.
    - ``locks``: those of threads, with those of tasks; ``stack_methods``: of ``ExitStack``.
    - ``awaited``: methods that are coroutine functions there; ``entered`` those that give what
      ``async with`` enters; ``missing`` and ``bridged`` those that are not there, the latter to
      be called by ``run_sync``.
    - ``inner``: what sends nothing to the database, and only the synchronous session has.
    - ``pools``: pools of connections; ``queued``: options of those with a queue; ``streamed``:
      methods whose result comes row by row.
    - ``members``: all that an object of the synchronous side has, where that is known.
    - ``functions``: functions of libraries that are given a session, with their twins; ``handed``
      which of the others do nothing with it.
    - ``schema``: what ``run_sync`` has to call.
    - ``clients``: those of tests.
    - ``absorbing``: who takes functions of both kinds.
    - ``object_factories``: what makes objects by a session of its own.
    - ``registers``: decorators that keep functions, with the attribute that has them.
    """

    source: str
    queued: tuple[str, ...]
    names: dict[str, str]
    locks: dict[str, str]
    stack_methods: dict[str, str]
    awaited: dict[Resource, tuple[str, ...]]
    entered: dict[Resource, tuple[str, ...]]
    missing: dict[Resource, tuple[str, ...]]
    members: dict[Resource, tuple[str, ...]]
    bridged: dict[Resource, tuple[str, ...]]
    inner: dict[Resource, tuple[str, ...]]
    pools: dict[str, str]
    streamed: dict[Resource, dict[str, str]]
    functions: dict[str, str]
    handed: _Handed
    schema: _Schema
    clients: Clients
    absorbing: _Absorbing
    object_factories: _ObjectFactories
    registers: dict[str, str]

    def methods(self) -> frozenset[str]:
        """Return the names of all methods that are not the same on both sides."""
        tables = (self.awaited, self.entered, self.missing, self.bridged)
        names = {name for table in tables for methods in table.values() for name in methods}
        return frozenset(names | set(self.schema.methods))


@cache
def twins() -> Twins:
    """Return the facts of the asynchronous side."""
    return read_table(__name__, "twins.toml", Twins)


@cache
def session_classes() -> frozenset[str]:
    """Return the qualified names of the classes of synchronous sessions that have a twin."""
    types = knowledge().types
    return frozenset(name for name in twins().names if types.get(name) == "session")
