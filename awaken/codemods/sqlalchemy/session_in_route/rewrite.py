"""The rewriters: a parameter more, and a block that goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_in_route.payload import Parameter
from awaken.contract import Surroundings
from awaken.editing.parameters import fitted_parameters


def add_parameter(node: cst.FunctionDef, data: Parameter, around: Surroundings) -> cst.FunctionDef:
    """``def f(a)`` → ``def f(a, db: Session = Depends(get_db))``."""
    parsed = cst.ensure_type(cst.parse_statement(f"def f({data.code}): pass"), cst.FunctionDef)
    added = parsed.params.params[0]
    parameters = node.params
    # After the last positional parameter, unless only names are accepted anyway.
    name = "kwonly_params" if parameters.kwonly_params else "params"
    before: Sequence[cst.Param] = getattr(parameters, name)
    if before:
        last = before[-1]
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        if isinstance(last.comma, cst.Comma):
            # It closes the list as the last one did.
            added = added.with_changes(
                comma=last.comma, whitespace_after_param=last.whitespace_after_param
            )
            between = before[-2].comma if len(before) > 1 else comma
            comma = between if isinstance(between, cst.Comma) else comma
        elif len(before) > 1 and isinstance(before[-2].comma, cst.Comma):
            comma = before[-2].comma
            added = added.with_changes(whitespace_after_param=last.whitespace_after_param)
        space = cst.SimpleWhitespace("")
        before = [*before[:-1], last.with_changes(comma=comma, whitespace_after_param=space)]
    return fitted_parameters(node, parameters.with_changes(**{name: [*before, added]}), around)


def unwrap(node: cst.With, _data: None, _around: Surroundings) -> Sequence[cst.BaseStatement]:
    """``with SessionLocal() as db: f(db)`` → ``f(db)``."""
    body: Any = node.body
    first, *others = body.body
    lines = [*node.leading_lines]
    if body.header.comment is not None:
        lines.append(cst.EmptyLine(comment=body.header.comment))
    return [first.with_changes(leading_lines=[*lines, *first.leading_lines]), *others]
