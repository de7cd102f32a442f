"""The options of session-to-async."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract.nearest import did_you_mean

if TYPE_CHECKING:
    from awaken.project import Project


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

    def wrong_in(self, project: Project) -> Iterator[tuple[str, str]]:
        """Yield the options that name what a program does not have, and what is wrong with them."""
        for name in self.bridged:
            wrong = _no_function(project, name)
            if wrong:
                yield "bridged", f"names {name!r}, {wrong}"
        for name in self.foreign_models:
            wrong = _not_foreign(project, name)
            if wrong:
                yield "foreign_models", f"names {name!r}, {wrong}"


def _no_function(project: Project, name: str) -> str:
    """Return why an option cannot name a function so; empty if there is such a function."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        home, rest = ".".join(parts[:end]), ".".join(parts[end:])
        path = project.layout.path_of(home)
        if path is None:
            continue
        names = {one.replace(".<locals>", "") for one in project.function_names(path)}
        if rest in names:
            return ""
        return f"no function of {path}{did_you_mean(name, [f'{home}.{one}' for one in names])}"
    paths = project.files_with((f"def {parts[-1]}".encode(),))
    known = [f"{project.layout.name_of(one)}.{parts[-1]}" for one in paths]
    return f"of which the program has no module{did_you_mean(name, known)}"


def _packages(project: Project) -> set[str]:
    """Return the packages that files of a program import."""
    modules = map(project.module, project.files_with((b"import",)))
    nodes = [node for one in modules if one is not None for node in one.walk()]
    names = [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    homes = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {one.partition(".")[0] for one in (*names, *homes)} - {""}


def _not_foreign(project: Project, name: str) -> str:
    """Return why an option cannot name a package of others so, or a class; empty if it can."""
    parts = name.split(".")
    package = parts[0]
    if project.layout.may_have(name):
        return "which is part of the program: its models are read without the option"
    if not project.files_with((package.encode(),)):
        others = {one for one in _packages(project) if not project.layout.may_have(one)}
        meant = did_you_mean(package, others - sys.stdlib_module_names)
        return f"of which no file imports anything{meant}"
    model = next((one for one in parts[1:] if one[:1].isupper()), "")
    if len(parts) > 1 and not model:
        return f"a module: name its package, {package!r}, or a class"
    if model and not project.files_with((model.encode(),)):
        return f"and no file mentions {model!r}"
    return ""
