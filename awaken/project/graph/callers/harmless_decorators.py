"""Decorators that leave a function callable by its name alone."""

from __future__ import annotations

import ast

from awaken.knowledge.decorators import library_decorators
from awaken.project.names.functions.decorators import MANAGERS, OVERLOADS, REMEMBERING, TRANSPARENT
from awaken.project.names.functions.opaque import passed_names
from awaken.project.source.modules import Module
from awaken.project.values.evaluation import Evaluator

_CALLS_NOTHING_ELSE = TRANSPARENT | REMEMBERING | MANAGERS | OVERLOADS


def calls_nothing_else(
    evaluator: Evaluator, module: Module, decorator: ast.expr, name: str | None
) -> bool:
    """Whether a decorator lets nobody call the function but those who call its name.

    ``decorator`` is its expression in ``module``, without arguments, ``name`` its qualified name.
    """
    if name is None:
        return False
    call = module.parent(decorator)
    passed = passed_names(call) if isinstance(call, ast.Call) else None
    handing = evaluator.forwarding.handing_of(name, called=passed is not None)
    if handing is not None:
        return handing != "calls" and not evaluator.forwarding.hands_on(name, passed)
    return name in _CALLS_NOTHING_ELSE or library_decorators().only_forwards(name)
