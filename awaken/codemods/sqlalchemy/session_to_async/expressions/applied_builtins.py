"""Builtins that call a function that waits: keys of sorts, ``map`` and ``filter``."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.expressions.function_writing import Writing
from awaken.codemods.sqlalchemy.session_to_async.expressions.generator_order import check_others
from awaken.codemods.sqlalchemy.session_to_async.payload import APPLY, Applied
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.kit.names_here import is_dotted
from awaken.kit.sites import Refused
from awaken.project.graph.forwards.in_place import applied_by


def apply(writing: Writing, call: ast.Call) -> None:
    """Write ``call``, which calls its function for each item, as a loop. Raises Refused."""
    module = writing.module
    function = applied_by(module, call)
    items = 1 if call.keywords else len(call.args) - 1
    if function is None or not _can_stand_in_loop(function, items):
        raise Refused(NOT_AWAITABLE_HERE, f"what `{module.excerpt(call)}` calls")
    # Comments between its arguments would have no place.
    if b"#" in module.text_of(call).encode():
        raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(call)}`, which has comments")
    around = module.parent(call)
    consuming = call if call.keywords else around
    if isinstance(consuming, ast.Call):
        check_others(module, consuming)
    item = writing.item(call)
    match module.scopes.builtin_called(call):
        case "sorted" | "max" | "min" as name:
            writing.rewrite(call, APPLY, Applied(name, item))
        case _ if isinstance(around, ast.Call):
            match module.scopes.builtin_called(around):
                case "all" | "any" | "list" | "set" as outer if not around.keywords:
                    writing.rewrite(around, APPLY, Applied(outer, item))
                case _:
                    writing.rewrite(call, APPLY, Applied("items", item))
        case _ if isinstance(around, ast.Starred):
            writing.rewrite(call, APPLY, Applied("items", item))
        case _:
            writing.rewrite(call, APPLY, Applied("generator", item))


def _can_stand_in_loop(function: ast.expr, items: int) -> bool:
    """Whether a loop can call ``function`` in each round, or hold its body."""
    if not isinstance(function, ast.Lambda):
        return is_dotted(function)
    given = function.args
    others = (given.posonlyargs, given.kwonlyargs, given.defaults, given.vararg, given.kwarg)
    return (
        len(given.args) == items
        and not any(others)
        and not any(
            isinstance(node, ast.NamedExpr | ast.Yield | ast.YieldFrom)
            for node in ast.walk(function.body)
        )
    )
