"""Functions that code outside of the program calls by their names: a base class, or pytest."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import arguments_of, last_name, without_arguments

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_KNOWN = boundaries().overrides


def called_by_base(
    part: SynchronousPart, module: Module, node: ast.FunctionDef, function: FunctionPlace
) -> str | None:
    """Return the external class that calls a method without awaiting it, or None.

    Of a base that is not known, that is whatever no code of the program calls or hands on.
    """
    owner = module.enclosing_class(node)
    if owner is None:
        return None
    qualified = module.full_name(owner)
    heirs = (qualified, *part.project.all_subclasses(qualified))
    bases = sorted({base for name in heirs for base in part.project.library_ancestors(name)})
    unknown: list[str] = []
    for base in bases:
        hooks = [methods for name, methods in _KNOWN.hooks.items() if fnmatchcase(base, name)]
        if any(_is_like(node.name, methods) for methods in hooks):
            return base
        is_awaited = _is_like(f"{base}.{node.name}", _KNOWN.awaited)
        if not hooks and not is_awaited and not _is_like(base, _KNOWN.plain):
            unknown.append(base)
    is_hidden = unknown and not _is_own(node) and not _is_called(part, function)
    return unknown[0] if is_hidden else None


def given_with_its_object(
    part: SynchronousPart, module: Module, node: ast.FunctionDef, function: FunctionPlace
) -> Place | None:
    """Return where a library is given an object whose method no code of the program calls."""
    owner = module.enclosing_class(node)
    if owner is None or _is_own(node) or _is_called(part, function):
        return None
    return module.memoize((_given_at, owner), lambda: _given_at(part.project, module, owner))


def _given_at(project: Project, module: Module, owner: ast.ClassDef) -> Place | None:
    """Return where a library is given an object of a class."""
    qualified = module.full_name(owner)
    for home, call in nodes_with(project, [owner.name.encode()], ast.Call):
        names = project.effects.library_functions(home, call)
        if all(_is_like(name, _KNOWN.plain) for name in names):
            continue
        # The values of all arguments take longer than the name of what is called.
        arguments = [item for item in arguments_of(call) if not isinstance(item, ast.Constant)]
        if any(qualified in project.instance_of(home, item) for item in arguments):
            return home.place(call)
    return None


def called_by_pytest(
    part: SynchronousPart, module: Module, node: ast.FunctionDef, function: FunctionPlace
) -> bool:
    """Whether pytest calls a function by its name, and does not await it."""
    if module.enclosing_function(node) is not None:
        return False
    # A fixture may have any name.
    if any(last_name(without_arguments(item)) == "fixture" for item in node.decorator_list):
        return False
    if _is_like(node.name, _KNOWN.collected):
        return True
    if node.name not in _KNOWN.set_up or not is_test_file(module.path):
        return False
    # pytest calls `setup` itself before 8.0; a helper of this name has callers.
    is_plain = "_" not in node.name and node.name.islower()
    return not (is_plain and any(part.project.calls.graph().callers(function)))


def _is_own(node: ast.FunctionDef) -> bool:
    """Whether something else calls a method: an object that is called may be a dependency."""
    return bool(node.decorator_list) or (node.name.startswith("__") and node.name.endswith("__"))


def _is_like(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_called(part: SynchronousPart, function: FunctionPlace) -> bool:
    """Whether the program calls a method itself, other than for one that overrides it."""
    if is_around_tests(function.path):
        return True
    calls = part.project.calls
    method = function.name
    return bool(calls.passed_functions().components_of(function)) or any(
        not is_test_file(caller.place.path) and caller.caller.name != method
        for caller in calls.graph().callers(function)
    )
