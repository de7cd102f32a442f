"""Connections that get options where a ``with`` enters them."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name


def entered_with_options(module: Module, made: ast.expr) -> ast.Call | None:
    """Return `engine.connect().execution_options(...)` of a ``with``, around ``made``.

    None of anything else. An engine takes the same options, and is there before it connects.
    """
    outer = module.method_call_on(made)
    if outer is None or not isinstance(module.parent(outer), ast.withitem):
        return None
    match made:
        case ast.Call(func=ast.Attribute(attr="connect"), args=[], keywords=[]):
            return outer if last_name(outer.func) == "execution_options" else None
    return None


def is_entered_with_options(module: Module, node: ast.expr) -> bool:
    """Whether ``node`` gives options to a connection that a ``with`` enters."""
    match node:
        case ast.Call(func=ast.Attribute(value=made)):
            return entered_with_options(module, made) is node
    return False
