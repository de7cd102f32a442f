"""Calls that see all names of a scope at once: one more, or one less, makes a difference there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Reason
from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.trees import last_name
from awaken.project.values.domain import ModuleOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.bindings import Scope
    from awaken.project.source.modules import Module

NAMES_LISTED = Reason(
    "names-listed",
    "`{}` sees every name here, and would see an additional name",
    "List the intended names explicitly.",
)

_OF_OBJECTS = {"dir", "getmembers", "vars"}


def lists_names(module: Module, scope: Scope) -> ast.Call | None:
    """Return a call that sees all names of ``scope``, which is a function or the file."""
    is_file = scope is module.scopes.module
    for read in readers_of_names(module, scope):
        # Functions below see no name that they do not read, and `globals()` sees those of the file.
        sees_more = read.id == "globals" or module.scopes.scope_of(read) is scope
        call = module.call_of(read)
        if call is None or not sees_more or (is_file and read.id in {"eval", "exec"}):
            continue
        if not _is_one_item(module, call):
            return call
    return None


def lists_module(project: Project, module: Module) -> tuple[Module, ast.expr] | None:
    """Return what lists the names of a file by its module object, in any file."""
    word = module.name.rpartition(".")[2].encode()
    naming = {module.path, *project.files_with([word])}
    listing = project.files_calling(_OF_OBJECTS).union(project.files_with([b".__dict__"]))
    homes = (project.module(path) for path in sorted(naming & listing))
    for home in (candidate for candidate in homes if candidate is not None):
        for node in home.walk():
            match node:
                case ast.Call(func=called, args=[owner, *_]) if last_name(called) in _OF_OBJECTS:
                    pass
                case ast.Attribute(value=owner, attr="__dict__") if not _is_one_item(home, node):
                    pass
                case _:
                    continue
            if _is_module(project, home, owner, module):
                return home, node
    return None


def _is_module(project: Project, home: Module, node: ast.expr, module: Module) -> bool:
    """Whether ``node`` is the module object of a file, which ``sys.modules`` has as well."""
    match node:
        case ast.Subscript(value=table, slice=ast.Name(id="__name__")):
            return home.path == module.path and last_name(table) == "modules"
        case ast.Subscript(value=table, slice=ast.Constant(value=name)):
            return name == module.name and last_name(table) == "modules"
        case _:
            values = project.values.of(home, node).alternatives
            return any(isinstance(item, ModuleOf) and item.path == module.path for item in values)


def _is_one_item(module: Module, namespace: ast.expr) -> bool:
    """Whether one item is read, or set, by its key, whatever else there is."""
    above = module.parent(namespace)
    return isinstance(above, ast.Subscript) or (
        isinstance(above, ast.Attribute) and above.attr in {"get", "setdefault", "update"}
    )
