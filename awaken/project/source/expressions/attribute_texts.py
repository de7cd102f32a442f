"""Texts that name an attribute, as ``getattr(x, "name")``, and what sees all names of a scope."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.knowledge.library_names import library_names, name_list
from awaken.project.source.bindings import Scope
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


_OF_OBJECTS = {"dir", "vars"}
"""With an argument, these see the names of an object alone."""


def readers_of_names(module: Module, scope: Scope) -> Iterator[ast.Name]:
    """Yield the reads of such builtins in ``scope`` and below, by scope and by name.

    ``globals()`` sees no variables of a function. Functions below see those that they read.
    """
    scopes = module.scopes
    names = library_names().listing_names - ({"globals"} if scope is not scopes.module else set())
    for below in scopes.scopes_inside(scope):
        for name in sorted(names & below.reads.keys()):
            for read in below.reads[name]:
                call = module.call_of(read)
                is_of_object = name in _OF_OBJECTS and call is not None and call.args
                if not is_of_object and not scopes.is_bound(name, read):
                    yield read
