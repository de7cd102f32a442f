"""Decorators that leave a function callable by its name alone."""

from __future__ import annotations

import ast

from awaken.knowledge.decorators import library_decorators
from awaken.project.names.functions.decorators import (
    MANAGERS,
    OVERLOADS,
    REMEMBERING,
    TRANSPARENT,
)
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
    called = isinstance(module.parent(decorator), ast.Call)
    handed = evaluator.forwarding.of(name, called=called)
    if handed is not None:
        return handed.kind != "calls" and not handed.kept
    return name in _CALLS_NOTHING_ELSE or library_decorators().only_forwards(name)
