"""Functions that code outside the project uses, or a base class or pytest calls by their names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.components.program_components import (
    piece_with,
    used_elsewhere,
)
from awaken.codemods.sqlalchemy.session_to_async.components.program_pieces import piece_around
from awaken.codemods.sqlalchemy.session_to_async.reasons import PUBLISHED
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.reasons import OUT_OF_SIGHT, cure_of_outside
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests, is_test_file
from awaken.project.source.trees import arguments_of, last_name, without_arguments

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project


def exported_functions(part: SynchronousPart) -> Iterator[tuple[FunctionPlace, Refused]]:
    """Yield the functions that wait and are part of an interface, if others may import it.

    A function, or a class with its public methods, is exported by an ``__all__``: of its file, or
    of a package around it. Most packaged applications export nothing.
    """
    if not part.project.published:
        return
    homes: list[tuple[str, dict[str, Place]]] = []
    for module in modules_with(part.project, (b"__all__",)):
        names = dict(_listed_pairs(module))
        if names:
            homes.append((module.name, names))
    for function in sorted(part.steps):
        first, *rest = function.qualname.split(".")
        if any(name.startswith("_") for name in rest):
            continue
        own = part.project.layout.name_of(function.path)
        for home, names in homes:
            if first in names and f"{own}.".startswith(f"{home}."):
                why = f"`__all__` names it, and {part.project.published_because}"
                detail = f"`{function.qualname}`: {why}"
                refused = Refused(PUBLISHED, detail, because=(names[first],))
                yield function, refused.answered_by("published = false")
                break


def _listed_pairs(module: Module) -> Iterator[tuple[str, Place]]:
    for binding in module.scopes.module.bindings.get("__all__", ()):
        if isinstance(binding.value, ast.List | ast.Tuple):
            for element in binding.value.elts:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    yield element.value, module.place(element)


def used_out_of_sight(part: SynchronousPart) -> Iterator[tuple[FunctionPlace, Refused]]:
    """Yield the functions that wait and that unread files use.

    Those belong to another project of the repository, are left out, or do not parse.
    """
    for function in sorted(part.steps):
        refused = used_elsewhere(part.project, function.path, function.qualname)
        if refused is not None:
            yield function, refused


def given_out_of_sight(
    part: SynchronousPart, rule: str, changing: Collection[Member]
) -> Iterator[Member]:
    """Yield the files that are not visible and are named in pieces of the program that change."""
    pieces = {piece_with(member) for member in changing}
    for module in part.project.modules_at(sorted({piece.path for piece in pieces})):
        for name, file in part.project.outside.imported_names(module):
            for node in module.mentions(name):
                if isinstance(node, ast.Name) and piece_around(module, node) in pieces:
                    shown = f"`{name}` comes from {file.path}, which {file.why}"
                    site: Site[ast.AST] = Site(rule, module, node)
                    refused = Refused(
                        OUT_OF_SIGHT, shown, cure_of_outside(file.why, part.project.outside.folder)
                    )
                    yield Member(site, refused, f"`{name}`")


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
