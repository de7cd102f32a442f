"""Functions that a builtin calls where they are passed to it, as ``sorted`` calls its key."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import library_names, name_table
from awaken.project.source.modules import Module

BY_KEY = name_table("keywords_by_key")
"""Builtins that call their ``key`` for each item, with the keywords that they may be given."""
_OVER_ITEMS = {"filter", "map"}
_CONSUMING = library_names().consuming


def called_in_place(module: Module, function: ast.expr) -> ast.Call | None:
    """Return the call of a builtin that calls its argument ``function`` before anything follows.

    That is the key of a sort, and the function of ``map`` and ``filter`` whose items are taken at
    once.
    """
    call = module.call_taking(function)
    return call if call is not None and applied_by(module, call) is function else None


def applied_by(module: Module, call: ast.expr) -> ast.expr | None:
    """Return the argument that ``call`` calls for each of the items that it is given."""
    if not isinstance(call, ast.Call) or any(isinstance(node, ast.Starred) for node in call.args):
        return None
    name = module.scopes.builtin_called(call)
    if name in _OVER_ITEMS and len(call.args) > 1 and not call.keywords:
        is_one = len(call.args) == len(("function", "items")) or name == "map"
        return call.args[0] if is_one and is_consumed_in_place(module, call) else None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in BY_KEY and len(call.args) == 1 and given.keys() <= set(BY_KEY[name]):
        return given.get("key")
    return None


def is_consumed_in_place(module: Module, items: ast.expr) -> bool:
    """Whether all of ``items`` are taken before anything follows."""
    match module.parent(items):
        case ast.Call(args=[given]) as call if given is items:
            is_join = isinstance(call.func, ast.Attribute) and call.func.attr == "join"
            return is_join or module.scopes.builtin_called(call) in _CONSUMING
        case ast.Starred():
            return True
        case ast.For(iter=iterated):
            return iterated is items
        case ast.comprehension(iter=iterated) as clause if iterated is items:
            return not isinstance(module.parent(clause), ast.GeneratorExp)
    return False
