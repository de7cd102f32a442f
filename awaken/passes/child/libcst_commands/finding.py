"""Finds a command by the name that the user gives.

That is looked for as LibCST does, in its own commands and in the modules that
``.libcst.codemod.yaml`` names, and as it is. Codemods that the user did not ask for are not
imported: the file is the project's, and may name any module. So a module that it names is read
before, and imported only if the command may be in it.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from libcst.codemod import CodemodCommand
from libcst.metadata import TypeInferenceProvider

from awaken.passes.child.project_modules import FromSource, ProjectModules
from awaken.workspace.reading import SOURCE_LIMIT, read_named

STANDARD = ("libcst.codemod.commands",)
"""Where LibCST has its own commands."""


class Wrong(Exception):
    """The user's request cannot be run; one sentence says why."""


def command_named(
    target: str, modules: Sequence[str], projects: ProjectModules
) -> type[CodemodCommand]:
    """Return the command of a dotted name; ``modules`` are those of the settings.

    ``projects`` are the modules of the project. Raises Wrong.
    """
    # LibCST's own first: who names one of them, or misspells it, wants nothing of the project.
    is_own = _source(f"{STANDARD[0]}.{target.partition('.')[0]}", projects) is not None
    asked_for = STANDARD if is_own else (*STANDARD, "")
    for package in dict.fromkeys((*STANDARD, "", *modules)):
        is_asked_for = package in asked_for
        name = f"{package}.{target}".lstrip(".")
        before, _, last = name.rpartition(".")
        may_be = before and (is_asked_for or _may_hold(before, last, projects))
        module = _import_module(before, projects) if may_be else None
        found = getattr(module, last, None)
        if found is not None and not isinstance(found, ModuleType):
            return _check_command(found)
        may_be = is_asked_for or _source(name, projects) is not None
        commands = list(_in_module(name, projects)) if may_be else []
        if len(commands) > 1:
            names = ", ".join(sorted(one.__name__ for one in commands))
            raise Wrong(f"it has several commands, {names}: name one of them")
        if commands:
            return _check_command(commands[0])
    raise Wrong(f"there is no such command, here or in {', '.join(modules)}")


def _may_hold(name: str, word: str, projects: ProjectModules) -> bool:
    """Whether there is a module of this name that may know what ``word`` is."""
    source = _source(name, projects)
    return source is not None and bool(re.search(rf"\b{re.escape(word)}\b|import\s+\*", source))


def _source(name: str, projects: ProjectModules) -> str | None:
    """Return the text of a module, None if there is none. Nothing is imported for that."""
    spec: ModuleSpec | None = None
    within: list[str] | None = None
    whole = ""
    for part in name.split("."):
        whole = f"{whole}.{part}".lstrip(".")
        try:
            spec = _spec(whole, within, projects)
        except KeyError:
            # A directory without `__init__`, in a package that is not imported.
            places = [os.path.join(one, part) for one in within or ()]  # noqa: PTH118  strings
            spec, within = None, [place for place in places if os.path.isdir(place)]  # noqa: PTH112
        else:
            within = None if spec is None else list(spec.submodule_search_locations or ())
        if spec is None and not within:
            return None
    if spec is not None and isinstance(spec.loader, FromSource):
        return spec.loader.content.decode(errors="replace")
    return "" if spec is None or not spec.has_location else _text(Path(str(spec.origin)))


def _spec(name: str, within: Sequence[str] | None, projects: ProjectModules) -> ModuleSpec | None:
    # A module of the project with the same name does not shadow an imported one.
    imported = sys.modules.get(name)
    if imported is not None and imported.__spec__ is not None:
        return imported.__spec__
    return projects.look_up(name, within)


def _text(path: Path) -> str:
    try:
        return read_named(path, SOURCE_LIMIT).decode(errors="replace")
    except OSError:
        return ""


def _import_module(name: str, projects: ProjectModules) -> Any:
    """Return a module, None if there is none of that name; its own exceptions are raised."""
    projects.begin(name)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise


def _in_module(name: str, projects: ProjectModules) -> Iterator[type[CodemodCommand]]:
    """Yield the commands that a module of this name defines."""
    module = _import_module(name, projects)
    for value in vars(module).values() if module is not None else ():
        is_own = isinstance(value, type) and value.__module__ == name
        if is_own and issubclass(value, CodemodCommand) and not inspect.isabstract(value):
            yield value


def _check_command(found: object) -> type[CodemodCommand]:
    if not (isinstance(found, type) and issubclass(found, CodemodCommand)):
        raise Wrong("it is no class of a CodemodCommand")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise Wrong(f"it is abstract: it does not define {missing}")
    if TypeInferenceProvider in found.get_inherited_dependencies():
        raise Wrong("it asks for inferred types, which only a running Pyre can tell")
    return found
