"""The options of session-to-async."""

from __future__ import annotations

from msgspec import Struct


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """What only the owner of a program knows.

    ``drivers`` names the asynchronous driver for a database: ``{postgresql = "asyncpg"}``.
    ``component`` is a module or a function: only what belongs together with it is migrated.
    ``foreign_models`` are packages, or classes of them: of their objects nothing loads when it is
    read but what looks like a relationship, and attributes that are named there themselves, as
    ``package.models.User.title``. ``levels`` says up to which number of relationships behind the
    first object of a statement those are read that lead from a class to itself; 0 where that is not
    known. ``bridged`` are functions that something calls without awaiting them, in whatever thread,
    as ``package.module.function``: each call waits in a thread with an event loop and connections
    of its own.
    """

    drivers: dict[str, str] = {}
    component: str = ""
    foreign_models: list[str] = []
    levels: int = 0
    bridged: list[str] = []
