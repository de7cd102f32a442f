"""The knowledge about distributions around a program: database drivers, test plugins, settings.

The TOML files of this folder, typed; each names the source of its rows.
"""

from __future__ import annotations

from functools import cache

import msgspec

from awaken.knowledge.typed_tables import read_table


class Driver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A database driver: its distribution, those that hold the same, and its engine URLs.

    ``urls`` are for ``create_engine``, ``async_urls`` for ``create_async_engine``: the part before
    ``://``. ``stricter`` says what an asynchronous driver refuses or reads otherwise that the
    synchronous ones of its database take, a clause each, ``in_memory`` what it does otherwise with
    a database in memory, ``pinging`` where a pool tests its connections; ``since`` the version of
    SQLAlchemy that brought its asynchronous dialect, if not the first with any. ``own_parameters``
    says that it does not take the parameters that follow ``?`` in the URLs of the others,
    ``loop_bound`` that a connection works in the event loop alone in which it was opened.
    ``with_library`` is what is to be required where the C library of the database shall come with
    it, ``versions`` those that work with SQLAlchemy's dialect, and ``limits`` those that work with
    some of SQLAlchemy.
    ``rows_together`` says that SQLAlchemy has it send the rows of an INSERT in one statement,
    whether it gives something back or not, ``untyped`` that a string is sent without a type, so
    that the database takes it for what it is compared with, ``exact`` that it takes no text for a
    number.
    """

    distribution: str
    database: str
    also: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    async_urls: tuple[str, ...] = ()
    stricter: tuple[str, ...] = ()
    in_memory: tuple[str, ...] = ()
    pinging: tuple[str, ...] = ()
    since: str = ""
    own_parameters: bool = False
    loop_bound: bool = False
    with_library: str = ""
    versions: str = ""
    limits: dict[str, str] = {}
    exact: bool = False
    rows_together: bool = False
    untyped: bool = False

    @property
    def distributions(self) -> tuple[str, ...]:
        """All distributions that hold the driver."""
        return self.distribution, *self.also


class AsyncTestPlugin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution that runs coroutine tests.

    ``setting`` is the key of pytest's configuration for its mode, ``option`` the same on pytest's
    command line, and ``mode`` what holds where neither is given; empty where it has none.
    ``since`` is the version that brought a key, or ``scoped_loops``: loops of the scope of their
    fixtures. ``pytest`` maps such versions to the pytest that they need. ``replacements`` are the
    versions that may replace a pinned one, the newest first, with the pytest that they need.
    """

    distribution: str
    setting: str = ""
    option: str = ""
    mode: str = ""
    since: dict[str, str] = {}
    pytest: dict[str, str] = {}
    replacements: dict[str, str] = {}


class LoopHolder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution whose ``fixtures`` keep a loop running in the thread of the tests.

    No other test of that run can start one then. Those of its ``twin`` are awaited instead.
    """

    distribution: str
    fixtures: tuple[str, ...]
    twin: str


class SettingsClasses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``class Config`` of settings in pydantic 2.

    ``bases`` are the names of the class that settings inherit, ``legacy_bases`` those of pydantic
    1, ``empty_bases`` classes of which a ``Config`` may inherit and get nothing. ``keys`` are the
    existing settings, ``renamed`` and ``removed`` those of pydantic 1: their new names, and the
    replacements.
    """

    source: str
    bases: tuple[str, ...]
    legacy_bases: tuple[str, ...]
    empty_bases: tuple[str, ...]
    keys: tuple[str, ...]
    renamed: dict[str, str]
    removed: dict[str, str]


class DefaultDrivers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The drivers of URLs that name only a database.

    ``drivers`` are those of SQLAlchemy until 2.0, by dialect, ``since_2_1`` those that are others
    since. ``renamed`` are names of dialects that SQLAlchemy 1.4 removed. ``builtin`` is the
    driver that comes with Python.
    """

    builtin: str
    drivers: dict[str, str]
    since_2_1: dict[str, str]
    renamed: dict[str, str]


class _Drivers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    defaults: DefaultDrivers
    drivers: tuple[Driver, ...]


class _TypedArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``types`` of arguments of ``functions`` of a database, by their position."""

    source: str
    functions: tuple[str, ...]
    types: dict[str, str]


class _AsyncTestPlugins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    plugins: tuple[AsyncTestPlugin, ...]
    holders: tuple[LoopHolder, ...]


@cache
def drivers() -> tuple[Driver, ...]:
    """Return the database drivers that SQLAlchemy's own dialects use, by database."""
    return read_table(__name__, "drivers.toml", _Drivers).drivers


@cache
def default_drivers() -> DefaultDrivers:
    """Return which drivers SQLAlchemy takes for URLs that name none."""
    return read_table(__name__, "drivers.toml", _Drivers).defaults


@cache
def typed_arguments() -> dict[tuple[str, int], str]:
    """Return the types of arguments that are no text, by function and position."""
    known = read_table(__name__, "typed_arguments.toml", _TypedArguments)
    return {(name, int(at)): kind for name in known.functions for at, kind in known.types.items()}


@cache
def async_test_plugins() -> tuple[AsyncTestPlugin, ...]:
    """Return what lets pytest and unittest run coroutine tests, the most used first."""
    return read_table(__name__, "async_test_plugins.toml", _AsyncTestPlugins).plugins


@cache
def loop_holders() -> tuple[LoopHolder, ...]:
    """Return what keeps a loop running in the thread of tests that are not asynchronous."""
    return read_table(__name__, "async_test_plugins.toml", _AsyncTestPlugins).holders


@cache
def settings_classes() -> SettingsClasses:
    """Return the facts of the settings classes of pydantic."""
    return read_table(__name__, "settings_classes.toml", SettingsClasses)
