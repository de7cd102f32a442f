"""Calls that make plain data of bytes or text, such as ``json.loads``, and columns of JSON."""

from __future__ import annotations

import ast

from awaken.project.source.modules import Module
from awaken.project.values.domain import External, InstanceOf
from awaken.project.values.questions import Questions

_COLUMNS = {"sqlalchemy.Column", "sqlalchemy.orm.mapped_column"}


def decodes(evaluator: Questions, module: Module, call: ast.Call) -> bool:
    """Whether ``call`` makes plain data, and is given nothing that makes more of it."""
    func = call.func
    qualified = evaluator.names.qualified_name(module, func)
    known = evaluator.knowledge.decoded
    if qualified in _COLUMNS:
        types = (part.func if isinstance(part, ast.Call) else part for part in call.args)
        return any(evaluator.names.qualified_name(module, part) in known for part in types)
    if qualified is not None and evaluator.names.locate(qualified) is None:
        return qualified in known and len(call.args) == 1 and not call.keywords
    if not isinstance(func, ast.Attribute) or call.args or call.keywords:
        return False
    owners = evaluator.values(module, func.value)
    return bool(owners) and all(
        isinstance(owner, External | InstanceOf) and f"{owner.qualified}.{func.attr}" in known
        for owner in owners
    )
