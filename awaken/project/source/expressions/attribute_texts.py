"""Texts that name an attribute: ``getattr(x, "name")``, ``vars(x)["name"]`` and their like."""

from __future__ import annotations

import ast
from collections.abc import Callable

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name, last_word

QualifiedName = Callable[[Module, ast.expr], str | None]
_READERS, _GETTERS = name_list("attribute_readers"), name_list("attribute_getters")
_NAMESPACES = name_list("namespaces")


def named_owner(
    module: Module, text: ast.AST, qualified_name: QualifiedName
) -> tuple[ast.expr, ast.expr | None] | None:
    """Return what reads the attribute that a text names, and the object; else None.

    The object is None where the text does not show it, as in ``attrgetter("name")``.
    """

    def is_in(names: frozenset[str], function: ast.expr) -> bool:
        return last_word(qualified_name(module, function) or last_name(function)) in names

    above = module.parent(text)
    match above:
        case ast.Call(func=func, args=[owner, *_]) if is_in(_READERS, func):
            return above, owner
        case ast.Call(func=func) if is_in(_GETTERS, func):
            return above, None
        case (
            ast.Subscript(value=names)
            | ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[names])
            | ast.Call(func=ast.Attribute(value=names, attr="get" | "pop"))
        ):
            match names:
                case ast.Call(func=func, args=args) if is_in(_NAMESPACES, func):
                    return above, next(iter(args), None)
                case ast.Attribute(value=owner, attr="__dict__"):
                    return above, owner
    return None
