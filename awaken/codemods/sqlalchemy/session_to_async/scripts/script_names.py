"""The names of a script that others see: they stay those of its file."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.kit.sites import Refused
from awaken.project.source.bindings import Binding
from awaken.project.source.expressions.listed_names import readers_of_names
from awaken.project.source.modules import Module


def names_kept(module: Module, statements: Sequence[ast.stmt]) -> tuple[str, ...]:
    """Return the names that stay global where ``statements`` move into a function.

    Those are read or bound elsewhere in the file as well, or name builtins before they are bound.
    Raises Refused where the names are unknown or cannot be declared.
    """
    shown = f"`{module.excerpt(statements[0])}`"
    inside = {id(node) for statement in statements for node in module.walk(statement)}
    stars = (node for node in module.nodes(ast.ImportFrom) if id(node) in inside and _is_star(node))
    for node in (*stars, *readers_of_names(module, module.scopes.module)):
        raise Refused(reasons.AT_IMPORT, shown, because=(module.place(node),))
    kept: list[str] = []
    for name, bindings in module.scopes.module.bindings.items():
        own = [binding for binding in bindings if id(binding.node) in inside]
        if own and _is_seen(module, name, bindings, inside):
            declared = next((binding for binding in own if _is_declared(module, binding)), None)
            if declared is not None:
                place = module.place(declared.node)
                raise Refused(reasons.AT_IMPORT, shown, because=(place,))
            kept.append(name)
    return tuple(sorted(kept))


def _is_star(node: ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _is_seen(module: Module, name: str, bindings: Sequence[Binding], inside: set[int]) -> bool:
    """Whether a name that statements bind is more than a variable of theirs."""
    scopes = module.scopes
    is_bound_elsewhere = any(
        id(binding.node) not in inside or module.enclosing_function(binding.node) is not None
        for binding in bindings
    )
    if is_bound_elsewhere or hasattr(builtins, name):
        return True
    # In the body of a class, a name that is bound there is not looked for in functions.
    if any(scope.kind == "class" and name in scope.bindings for scope in scopes.scopes):
        return True
    return any(id(read) not in inside for read in scopes.reads_in(scopes.module, name))


def _is_declared(module: Module, binding: Binding) -> bool:
    """Whether a binding has an annotation, which global names cannot have in a function."""
    return isinstance(module.parent(binding.node), ast.AnnAssign)
