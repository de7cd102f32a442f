"""Functions of libraries that take a Query or a select(), and do the same with either."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.knowledge import knowledge
from awaken.knowledge.libraries import StatementTaker
from awaken.project.names.module_tables import target_of

if TYPE_CHECKING:
    from awaken.project.source.modules import Module


def taker_of(module: Module, node: ast.expr) -> StatementTaker | None:
    """Return the function of a library that is given the query ``node`` as its statement."""
    above = module.parent(node)
    call = module.call_taking(node)
    if call is None or any(isinstance(part, ast.Starred) for part in call.args):
        return None
    taker = knowledge().takes_statements.get(_imported_text(module, call.func) or "")
    if taker is None:
        return None
    is_named = isinstance(above, ast.keyword) and above.arg == taker.parameter
    is_placed = node in call.args and call.args.index(node) == taker.position
    return taker if is_named or is_placed else None


def _imported_text(module: Module, node: ast.expr) -> str | None:
    """Return the dotted name of what a file imports: once, and by a name of that alone."""
    match node:
        case ast.Name():
            binding = module.scopes.only_binding(node)
            if binding is None:
                return None
            target = target_of(module, binding)
            if target.kind == "from":
                return None if target.level else f"{target.text}.{target.name}"
            return target.text if target.kind == "module" else None
        case ast.Attribute(value=owner, attr=name):
            home = _imported_text(module, owner)
            return None if home is None else f"{home}.{name}"
    return None
