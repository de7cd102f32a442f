"""Facts about an engine: the call that makes it, its URL, and the driver in that."""

from __future__ import annotations

import ast
from typing import Literal

from msgspec import Struct

from awaken.contract import Place
from awaken.project.source.modules import Module

UNPOOLED = frozenset({"NullPool", "StaticPool"})
"""Pools that keep no connection, or one for good."""

_SCHEME_END = "://"


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
