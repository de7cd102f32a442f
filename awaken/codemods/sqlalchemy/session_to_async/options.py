"""The options of session-to-async."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from awaken.contract.nearest import did_you_mean


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

    def __post_init__(self) -> None:
        """Raise ValueError, with a clause for each value that can mean nothing."""
        wrong = [*self._wrong_drivers(), *self._wrong_names()]
        if self.levels < 0:
            wrong.append(f"'levels' is a number of relationships, not {self.levels}")
        if wrong:
            raise ValueError("; ".join(wrong))

    def _wrong_names(self) -> Iterator[str]:
        for option, names in (
            ("component", [self.component] if self.component else []),
            ("foreign_models", self.foreign_models),
            ("bridged", self.bridged),
        ):
            for name in names:
                if not all(part.isidentifier() for part in name.split(".")):
                    yield f"'{option}' names {name!r}, which is not written as package.module.name"

    def _wrong_drivers(self) -> Iterator[str]:
        from awaken.project.frameworks.sqlalchemy.engines.drivers import (  # noqa: PLC0415  few say
            async_databases,
            async_drivers,
        )

        databases = async_databases() if self.drivers else ()
        for database, driver in self.drivers.items():
            if database not in databases:
                hint = did_you_mean(database, databases, f"there are {', '.join(databases)}")
                yield f"'drivers' names {database!r}, no database with an asynchronous driver{hint}"
                continue
            known = sorted({one.drivername.partition("+")[2] for one in async_drivers(database)})
            if driver not in known:
                hint = did_you_mean(driver, known, f"there are {', '.join(known)}")
                yield f"'drivers' names {driver!r}, no asynchronous driver of {database}{hint}"
