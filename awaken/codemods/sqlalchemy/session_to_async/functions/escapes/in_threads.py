"""Calls that run a function in a thread, and await it themselves on the asynchronous side."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_ON
from awaken.contract import Span
from awaken.kit.sites import Refused
from awaken.project.source.modules import Module

_OF_THREADS = {"abandon_on_cancel", "cancellable", "limiter"}


class Moved(NamedTuple):
    """A ``function`` that no longer runs in the thread of ``runner``.

    Each span of ``replaced`` becomes the text next to it: ``function(*arguments)``.
    """

    runner: ast.expr
    function: ast.expr
    replaced: Sequence[tuple[Span, str]]


def moved_out_of_thread(module: Module, call: ast.AST, session: str = "") -> Moved:
    """Return the function that ``call`` runs in a thread, and how it is called in its place.

    The function is given ``session``, as it is written, before its arguments. Raises Refused where
    no coroutine waits for the call.
    """
    around = module.enclosing_function(call)
    if not isinstance(call, ast.Call) or not isinstance(around, ast.AsyncFunctionDef):
        raise Refused(HANDED_ON, module.excerpt(call))
    is_executor = isinstance(call.func, ast.Attribute) and call.func.attr == "run_in_executor"
    function, *rest = call.args[1:] if is_executor else call.args
    is_named = isinstance(function, ast.Name | ast.Attribute)
    own = {node.arg for node in call.keywords} & _OF_THREADS
    if not is_named or own:
        raise Refused(HANDED_ON, module.excerpt(function))
    span, inner = module.span(call), module.span(function)
    behind = [*rest, *(keyword for keyword in call.keywords)]
    end = min((module.span(node).start for node in behind), default=span.end - 1)
    if call.keywords and not rest and call.keywords[0].arg is None:
        end -= len("**")
    # Aligned arguments stay aligned.
    before = module.source.text[module.span(call.func).end : inner.start].decode()
    opening = before if behind and not is_executor and before.strip() == "(" else "("
    if session:
        opening += f"{session}, " if behind else session
    replaced = [(Span(span.start, inner.start), ""), (Span(inner.end, end), opening)]
    return Moved(call.func, function, replaced)
