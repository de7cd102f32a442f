"""The knowledge about applications that start and stop: their classes, and what works on them.

The TOML files of this folder, typed; each names the source of its rows.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import msgspec

from awaken.knowledge.typed_tables import read_table

Kind = Literal["fastapi", "starlette", "router", "starlette-router"]
Effect = Literal["registers", "wraps", "replaces", "nothing"]


class Frameworks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The classes of applications and routers, and what works on them.

    - ``classes``: what an instance of a class is; names as the program writes them are in
      ``same``, by the one name that ``classes`` has.
    - ``decorators``: decorators of libraries, and whether what they make is ``async``, ``sync``,
      or the ``same`` as the function.
    - ``methods``: functions and methods of libraries that are used as handlers: ``async`` or
      ``sync``.
    """

    source: str
    classes: dict[str, Kind]
    same: dict[str, str]
    decorators: dict[str, Literal["async", "sync", "same"]]
    methods: dict[str, Literal["async", "sync"]]


class Installer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function of a library that is given an application; ``name`` ends in ``*`` for all.

    ``effect``: it ``registers`` handlers, ``wraps`` the lifespan that the application has,
    ``replaces`` it, or does ``nothing`` to either. ``versions`` are those that do so, of
    ``distribution``; empty for all.
    """

    name: str
    effect: Effect
    distribution: str = ""
    versions: str = ""


class _Installers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    installers: tuple[Installer, ...]


@cache
def frameworks() -> Frameworks:
    """Return the facts of FastAPI and Starlette."""
    return read_table(__name__, "frameworks.toml", Frameworks)


@cache
def application_classes() -> dict[str, Kind]:
    """Return the classes of applications and routers by every name they have."""
    known = frameworks()
    return {**known.classes, **{name: known.classes[word] for name, word in known.same.items()}}


@cache
def installers() -> tuple[Installer, ...]:
    """Return the functions that are given an application."""
    return read_table(__name__, "installers.toml", _Installers).installers
