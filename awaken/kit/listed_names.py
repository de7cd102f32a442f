"""Calls that see all names of a scope at once: one more, or one less, makes a difference there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.contract import Reason

if TYPE_CHECKING:
    from awaken.project.source.bindings import Scope
    from awaken.project.source.modules import Module

NAMES_LISTED = Reason(
    "names-listed",
    "`{}` sees every name here, and would see another one",
    "Name what is meant there, one by one.",
)

_OF_FUNCTIONS = ("dir", "eval", "exec", "locals", "vars")
_OF_MODULES = ("dir", "locals", "vars")
_WITHOUT_ARGUMENTS = {"dir", "vars"}


def lists_names(module: Module, scope: Scope) -> ast.Call | None:
    """Return a call that sees all names of ``scope``, which is a function or the file."""
    scopes = module.scopes
    if scope is not scopes.module:
        return _listing(module, scope, _OF_FUNCTIONS)
    found = _listing(module, scope, _OF_MODULES)
    # The names of a file are read in all of it.
    every = (_listing(module, one, ("globals",)) for one in scopes.inside(scope))
    return found or next((one for one in every if one is not None), None)


def _listing(module: Module, scope: Scope, names: tuple[str, ...]) -> ast.Call | None:
    for name in names:
        for read in scope.reads.get(name, ()):
            call = module.parent(read)
            if isinstance(call, ast.Call) and call.func is read and _lists(module, call, name):
                return call
    return None


def _lists(module: Module, call: ast.Call, name: str) -> bool:
    if module.scopes.builtin_called(call) != name:
        return False
    if name in _WITHOUT_ARGUMENTS:
        return not call.args
    # One item is read, or set, by its key, whatever else there is.
    above = module.parent(call)
    return not isinstance(above, ast.Subscript) and not (
        isinstance(above, ast.Attribute) and above.attr in {"get", "setdefault", "update"}
    )
