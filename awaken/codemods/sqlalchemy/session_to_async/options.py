"""The options of session-to-async."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from awaken.contract.nearest import did_you_mean, nearest

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.workspace.formats.toml_text import KeyPath


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """The facts that only the owner of a program knows."""

    drivers: Annotated[
        dict[str, str],
        Meta(description='Driver to use for each database: `{ postgresql = "asyncpg" }`.'),
    ] = {}
    component: Annotated[
        str,
        Meta(description="Module or function to migrate, with everything that depends on it."),
    ] = ""
    foreign_models: Annotated[
        list[str],
        Meta(
            description="Installed packages with mapped classes, or attributes of these classes "
            "that load when they are read."
        ),
    ] = []
    levels: Annotated[
        int,
        Meta(
            description="How many relationships from a class to itself the program follows in a "
            "row. 0 means unknown."
        ),
    ] = 0
    bridged: Annotated[
        list[str],
        Meta(
            description="Functions that stay synchronous: `package.module.function`. Each call "
            "waits in a thread with its own event loop and connections."
        ),
    ] = []

    def wrong(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield where a value can mean nothing in any program, and why."""
        yield from self._wrong_drivers()
        for path, name in self._names():
            if not all(part.isidentifier() for part in name.split(".")):
                yield (
                    path,
                    f"{path[0]!r} names {name!r}, which does not have the form package.module.name",
                )
        if self.levels < 0:
            yield ("levels",), f"'levels' is a number of relationships, not {self.levels}"

    def _names(self) -> Iterator[tuple[KeyPath, str]]:
        if self.component:
            yield ("component",), self.component
        for option, names in (("foreign_models", self.foreign_models), ("bridged", self.bridged)):
            yield from (((option, number), name) for number, name in enumerate(names))

    def _wrong_drivers(self) -> Iterator[tuple[KeyPath, str]]:
        from awaken.project.frameworks.sqlalchemy.engines.engine_facts import (  # noqa: PLC0415  few say
            async_databases,
            async_drivers,
        )

        databases = async_databases() if self.drivers else ()
        for database, driver in self.drivers.items():
            path = ("drivers", database)
            if database not in databases:
                hint = did_you_mean(database, databases, f"choose from {', '.join(databases)}")
                why = f"no database with an asynchronous driver{hint}"
                yield path, f"'drivers' names {database!r}, {why}"
                continue
            known = sorted({item.drivername.partition("+")[2] for item in async_drivers(database)})
            if driver not in known:
                hint = did_you_mean(driver, known, f"choose from {', '.join(known)}")
                why = f"no asynchronous driver of {database}{hint}"
                yield path, f"'drivers' names {driver!r}, {why}"

    def wrong_in(self, project: Project) -> Iterator[tuple[KeyPath, str]]:
        """Yield where a value names what a program does not have, and what is wrong with it."""
        whys = {"component": _no_part, "foreign_models": _not_foreign, "bridged": _no_function}
        for path, name in self._names():
            why = whys[str(path[0])](project, name)
            if why:
                yield path, f"{path[0]!r} names {name!r}, {why}"


def _no_part(project: Project, name: str) -> str:
    """Return why no module, class or function is called so, nor ends in it; empty if one is."""
    known = project.layout.modules()
    for path in project.files_with((name.rpartition(".")[2].encode(),)):
        home = project.layout.name_of(path)
        known += [f"{home}.{location}" for location in _names_in(project, path)]
    if any(f".{word}.".endswith(f".{name}.") or word.startswith(f"{name}.") for word in known):
        return ""
    suggestion = _suggestion(project, name, known)
    return f"but the program has no such module, class or function{suggestion}"


def _suggestion(project: Project, name: str, modules: list[str]) -> str:
    """Return what looks like the name of a part: a module, or what is in the one it begins with."""
    home = nearest(name.rpartition(".")[0], modules)
    path = project.layout.path_of(home) if home is not None else None
    names = () if path is None else (f"{home}.{location}" for location in _names_in(project, path))
    return did_you_mean(name, [*modules, *names])


def _names_in(project: Project, path: str) -> set[str]:
    """Return the functions of a file, and the classes that they are in."""
    names = {location.replace(".<locals>", "") for location in project.function_names(path)}
    return names | {name.rpartition(".")[0] for name in names} - {""}


def _no_function(project: Project, name: str) -> str:
    """Return why an option cannot name a function so; empty if there is such a function."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        home, rest = ".".join(parts[:end]), ".".join(parts[end:])
        path = project.layout.path_of(home)
        if path is None:
            continue
        names = {location.replace(".<locals>", "") for location in project.function_names(path)}
        if rest in names:
            return ""
        return f"no function of {path}{did_you_mean(name, [f'{home}.{word}' for word in names])}"
    paths = project.files_with((f"def {parts[-1]}".encode(),))
    known = [f"{project.layout.name_of(location)}.{parts[-1]}" for location in paths]
    return f"but the program has no such module{did_you_mean(name, known)}"


def _packages(project: Project, words: tuple[bytes, ...]) -> set[str]:
    """Return the packages that files with one of ``words`` import."""
    modules = map(project.module, project.files_with(words))
    nodes = [node for module in modules if module is not None for node in module.walk()]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    homes = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in (*names, *homes)} - {""}


def _not_foreign(project: Project, name: str) -> str:
    """Return why an option cannot name a package of others so, or a class; empty if it can."""
    parts = name.split(".")
    package = parts[0]
    if project.layout.may_have(name):
        return "which is part of the program: awaken reads its models without the option"
    if package not in _packages(project, (package.encode(),)):
        imported = _packages(project, (b"import",))
        others = {word for word in imported if not project.layout.may_have(word)}
        meant = did_you_mean(package, others - sys.stdlib_module_names)
        return f"but no file imports anything from it{meant}"
    model = next((part for part in parts[1:] if part[:1].isupper()), "")
    if len(parts) > 1 and not model:
        return f"a module: name its package, {package!r}, or a class"
    if model and not project.files_with((model.encode(),)):
        return f"and no file mentions {model!r}"
    return ""
