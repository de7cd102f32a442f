"""The code that runs between a generator and its items, and before which a list would be made."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.reasons import GENERATOR_USE, NOT_AWAITABLE_HERE
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import library_names
from awaken.project.source.modules import Module

_TELLING = (ast.Await, ast.Call, ast.NamedExpr, ast.Yield, ast.YieldFrom)
"""What others may see when it is evaluated."""

MADE_OF_ALL = library_names().consuming - {"all", "any"}
"""Builtins that take all items before anything follows."""

ON_DEMAND = {"enumerate", "zip"}
"""Builtins that take an item when they are asked for one."""


def check_others(module: Module, call: ast.Call) -> None:
    """Check that ``call``, of a builtin, may be passed a list of the items. Raises Refused.

    Arguments after the first do nothing before the items are made, and all items are taken first.
    """
    if module.scopes.builtin_called(call) in ON_DEMAND and not _takes_all(module, call):
        raise Refused(GENERATOR_USE, module.excerpt(call.args[0]))
    others = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    evaluated = [node for node in others if not isinstance(node, ast.Lambda)]
    if any(isinstance(node, _TELLING) for other in evaluated for node in ast.walk(other)):
        raise Refused(NOT_AWAITABLE_HERE, f"the first argument of `{module.excerpt(call)}`")


def _takes_all(module: Module, call: ast.Call) -> bool:
    """Whether ``call`` is asked for all of its items at once: a loop may end before, or write."""
    is_strict = any(keyword.arg == "strict" for keyword in call.keywords)
    is_zip = module.scopes.builtin_called(call) == "zip"
    if is_zip and len(call.args) > 1 and not is_strict:
        # The shortest argument ends it.
        return False
    match module.parent(call):
        case ast.Call(args=[given, *_]) as consuming if given is call:
            return module.scopes.builtin_called(consuming) in MADE_OF_ALL
        case ast.Starred():
            return True
        case ast.comprehension() as clause:
            return _does_nothing_else(module.parent(clause), call)
    return False


def _does_nothing_else(comprehension: ast.AST | None, call: ast.Call) -> bool:
    """Whether a list, a set or a dictionary is made of items, and nothing happens between them."""
    inside = {*ast.walk(call)}
    return isinstance(comprehension, ast.ListComp | ast.SetComp | ast.DictComp) and not any(
        isinstance(node, _TELLING) for node in ast.walk(comprehension) if node not in inside
    )
