"""Facts about an engine: the call that makes it, its URL, and the driver in that.

``awaken/knowledge/ecosystem/drivers.toml`` has the facts about each driver.
"""

from __future__ import annotations

import ast
import re
from typing import Literal

from msgspec import Struct, structs

from awaken.contract import Place, Span
from awaken.knowledge.ecosystem import Driver, default_drivers, drivers
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

UNPOOLED = frozenset({"NullPool", "StaticPool"})
"""Pools that keep no connection, or one for good."""

_SCHEME_END = "://"
_QUOTE = re.compile(rb"[rRfFuU]{0,2}(\"\"\"|'''|\"|')")


class Engine(Struct, frozen=True):
    """One call that makes an engine; ``name`` is what it calls, by its qualified name.

    ``is_async`` says that it is, or is passed to, an asynchronous one. Of a ``configured`` engine
    URL and options come from a mapping.
    """

    module: Module
    call: ast.Call
    name: str
    is_async: bool
    configured: bool

    @property
    def url(self) -> ast.expr | None:
        """The argument with the URL; None where the call does not show it."""
        if self.configured:
            return None
        given = self.call.args[0] if self.call.args else self.options.get("url")
        return None if isinstance(given, ast.Starred) else given

    @property
    def options(self) -> dict[str, ast.expr]:
        """The keyword arguments."""
        return {node.arg: node.value for node in self.call.keywords if node.arg is not None}

    @property
    def unpacked_mappings(self) -> list[ast.expr]:
        """The mappings that are unpacked into keyword arguments."""
        return [keyword.value for keyword in self.call.keywords if keyword.arg is None]


class UrlText(Struct, frozen=True):
    """A text that a URL may be, as far as its beginning is written in the program.

    ``is_whole`` says that nothing follows ``text``. ``place`` is the string that it begins with,
    ``through`` are the variables through which it comes from there, the nearest to the engine
    first: each is the place that binds the name.
    """

    text: str
    is_whole: bool
    place: Place
    through: tuple[Place, ...] = ()

    @property
    def drivername(self) -> str:
        """``postgresql+asyncpg`` of ``postgresql+asyncpg://...``; empty if it is not all there."""
        name, end, _ = self.text.partition(_SCHEME_END)
        return name if end else ""

    def driver_span(self, source: bytes) -> Span | None:
        """Return where ``source``, its file, has the driver; None if that is in several pieces."""
        start, name = self.place.span.start, self.drivername.encode()
        begin = _QUOTE.match(source, start)
        # Inside an f-string the place is that of the text itself since Python 3.12.
        if not source.startswith(name, start) and begin is not None:
            start = begin.end()
        return Span(start, start + len(name)) if source.startswith(name, start) else None

    @property
    def is_in_memory(self) -> bool:
        """Whether it names a database that SQLite keeps in memory."""
        path = self.text.partition(_SCHEME_END)[2].partition("?")[0].strip("/")
        is_named = ":memory:" in self.text or "mode=memory" in self.text
        return self.text.startswith("sqlite") and (is_named or (self.is_whole and not path))

    @property
    def is_shared_memory(self) -> bool:
        """Whether it names a database in memory that SQLAlchemy takes for a file."""
        return self.text.startswith("sqlite") and "file::memory:" in self.text


class Outside(Struct, frozen=True):
    """A source of a URL that the program does not hold.

    ``name`` is that of the environment variable, setting or parameter, ``place`` where it is read.
    ``is_adapted`` says that the program replaces something in what it gets from there, such as the
    driver.
    """

    kind: Literal["environment", "settings", "parameter", "unseen"]
    name: str
    place: Place
    is_adapted: bool = False


class Url(Struct, frozen=True):
    """All that a URL may be: texts of the program, and what comes from outside of it."""

    texts: tuple[UrlText, ...] = ()
    outside: tuple[Outside, ...] = ()

    @property
    def drivernames(self) -> tuple[str, ...]:
        """The drivers it may name, without repetition; empty where one of them is not known."""
        names = tuple(dict.fromkeys(text.drivername for text in self.texts))
        return () if self.outside or "" in names else names

    @property
    def may_be_in_memory(self) -> bool:
        """Whether it may name a database in memory, as far as its beginnings tell."""
        of_sqlite = [text for text in self.texts if text.text.startswith("sqlite")]
        is_open = any(text.is_in_memory or not text.is_whole for text in of_sqlite)
        return is_open or (bool(self.outside) and (bool(of_sqlite) or not self.texts))

    @property
    def dialects(self) -> tuple[str, ...]:
        """The databases it may name, as ``sqlite``; empty where one of them is not known."""
        if self.outside or any(not text.text for text in self.texts):
            return ()
        names = (text.text.partition(_SCHEME_END)[0].partition("+")[0] for text in self.texts)
        return tuple(dict.fromkeys(names))


class AsyncDriver(Driver, frozen=True, kw_only=True):
    """An asynchronous driver for a database; ``drivername`` is what a URL begins with."""

    drivername: str

    @property
    def is_for_both(self) -> bool:
        """Whether the same name makes a synchronous engine as well."""
        return self.async_urls == self.urls

    def differences(self, engine: Engine | None, url: Url | None) -> tuple[str, ...]:
        """Return what it does otherwise than synchronous drivers with a database, a clause each.

        Sessions of an engine with a ``StaticPool`` share its one connection already.
        """
        pool = None if engine is None else engine.options.get("poolclass")
        is_shared = pool is not None and last_name(pool) == "StaticPool"
        is_pinging = engine is not None and "pool_pre_ping" in engine.options
        said = (*self.stricter, *(self.pinging if is_pinging else ()))
        texts = () if is_shared or url is None else url.texts
        if not any(text.is_in_memory and not text.is_shared_memory for text in texts):
            return said
        return (*said, *self.in_memory)


def full_drivername(drivername: str, *, current: bool) -> str:
    """Return ``postgresql+psycopg2`` for ``postgresql``: the driver that SQLAlchemy takes.

    ``current`` is SQLAlchemy 2.1 or later, which takes other ones. A name that has its driver, and
    one of a database unknown to SQLAlchemy, is returned unchanged.
    """
    dialect, _, driver = drivername.partition("+")
    known = default_drivers()
    dialect = known.renamed.get(dialect, dialect)
    if driver:
        return f"{dialect}+{driver}"
    named = (known.since_2_1 if current else {}).get(dialect) or known.drivers.get(dialect)
    return dialect if named is None else f"{dialect}+{named}"


def is_async_driver(drivername: str, *, current: bool) -> bool | None:
    """Whether ``create_async_engine`` takes a URL with this driver; None if that is not known."""
    full = full_drivername(drivername, current=current)
    if any(full in _as_dialect(driver.async_urls, full) for driver in drivers()):
        return True
    blocks = any(full in _as_dialect(driver.urls, full) for driver in drivers())
    return False if blocks or full == default_drivers().builtin else None


def async_databases() -> tuple[str, ...]:
    """Return the databases that have an asynchronous driver, as URLs name them."""
    named = {url.partition("+")[0] for driver in drivers() for url in driver.async_urls}
    # MariaDB has the drivers of MySQL, under a name of its own.
    return tuple(sorted(named | {"mariadb"}))


def async_drivers(drivername: str) -> tuple[AsyncDriver, ...]:
    """Return the asynchronous drivers for the database of a URL, the most used first."""
    dialect = drivername.partition("+")[0]
    dialect = default_drivers().renamed.get(dialect, dialect)
    return tuple(
        AsyncDriver(drivername=url, **structs.asdict(driver))
        for driver in drivers()
        for url in _as_dialect(driver.async_urls, dialect)
        if url.partition("+")[0] == dialect
    )


def _as_dialect(urls: tuple[str, ...], drivername: str) -> list[str]:
    """Return ``urls`` for the name that ``drivername`` has for the database: MariaDB is MySQL."""
    if drivername.partition("+")[0] != "mariadb":
        return list(urls)
    return [f"mariadb+{url.removeprefix('mysql+')}" for url in urls if url.startswith("mysql+")]
