"""What is evaluated between a generator and its items, and what a list would be made before."""

from __future__ import annotations

import ast

from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.kit.sites import Refused
from awaken.project.source.modules import Module

_TELLING = (ast.Await, ast.Call, ast.NamedExpr, ast.Yield, ast.YieldFrom)
"""What others may see when it is evaluated."""


def check_others(module: Module, call: ast.Call) -> None:
    """Raise Refused where arguments behind the first do something before that gives its items."""
    others = [*call.args[1:], *(one.value for one in call.keywords)]
    evaluated = [one for one in others if not isinstance(one, ast.Lambda)]
    if any(isinstance(one, _TELLING) for other in evaluated for one in ast.walk(other)):
        raise Refused(NOT_AWAITABLE_HERE, f"the first argument of `{module.excerpt(call)}`")
