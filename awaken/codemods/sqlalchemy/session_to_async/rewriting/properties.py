"""Writes methods in the place of properties."""

from __future__ import annotations

from typing import Any

import libcst as cst

from awaken.codemods.sqlalchemy.session_to_async.payload import Method
from awaken.contract import Surroundings
from awaken.editing.statements import as_block


def method(node: cst.FunctionDef, data: Method, _around: Surroundings) -> Any:
    """``@property def total(self)`` → ``async def total(self)``; a cached one keeps its result."""
    others = [item for number, item in enumerate(node.decorators) if number != data.decorator]
    made = node.with_changes(decorators=others, asynchronous=cst.Asynchronous())
    return made.with_changes(body=_keeping(node.body, data)) if data.kept else made


def _keeping(body: cst.BaseSuite, data: Method) -> cst.IndentedBlock:
    """Return the body of a method that works its result out once for each object."""
    suite = as_block(body)
    statements: list[Any] = [*suite.body]
    first, last = statements[: data.has_docstring], statements[-1]
    *before, returned = last.body
    kept = cst.Attribute(cst.Name(data.own), cst.Name(data.kept))
    assigned = cst.Assign([cst.AssignTarget(kept)], returned.value)
    worked_out = [*statements[data.has_docstring : -1], last.with_changes(body=[*before, assigned])]
    test = cst.parse_expression(f'"{data.kept}" not in vars({data.own})')
    check = cst.If(test, cst.IndentedBlock(worked_out))
    given = cst.SimpleStatementLine([cst.Return(kept)])
    return suite.with_changes(body=[*first, check, given])
