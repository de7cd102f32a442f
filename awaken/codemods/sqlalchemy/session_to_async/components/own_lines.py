"""Statements that new ones are written next to, or replace: they need lines of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async.payload import DELEGATE, HOIST, REPLACE
from awaken.codemods.sqlalchemy.session_to_async.reasons import SHARED_LINE
from awaken.contract import Edit, InsertStatements, NodeEdit
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Rewrite
from awaken.project.source.lines.statement_lines import statements_of_line
from awaken.project.source.modules import Module

if TYPE_CHECKING:
    from awaken.project import Project

_WRITING_LINES = {DELEGATE, HOIST, REPLACE}


def on_own_lines(project: Project, members: Iterable[Member]) -> Iterator[Member]:
    """Yield ``members``; refused is what would write lines where a statement shares its own."""
    for member in members:
        edits = member.outcome.edits if isinstance(member.outcome, Rewrite) else ()
        refused = next(filter(None, (_refusal(project, edit) for edit in edits)), None)
        yield member if refused is None else structs.replace(member, outcome=refused)


def _refusal(project: Project, edit: Edit) -> Refused | None:
    match edit:
        case InsertStatements(where="before" | "after" | "body-start", at=at):
            pass
        case NodeEdit(rewriter=rewriter, anchor=at) if rewriter in _WRITING_LINES:
            pass
        case _:
            return None
    module = project.module(edit.path)
    statement = None if module is None else next(module.nodes_at({at}), None)
    if isinstance(edit, InsertStatements) and edit.where == "body-start":
        statement = getattr(statement, "body", [None])[0]
    if module is None or not isinstance(statement, ast.stmt):
        return None
    # New lines part two statements of one line, but not one from the header of its block.
    line = statements_of_line(module, statement)
    if _begins_line(module, line[0]) and (isinstance(edit, InsertStatements) or len(line) == 1):
        return None
    because = (module.place(statement),)
    return Refused(SHARED_LINE, f"`{module.excerpt(statement)}`", because=because)


def _begins_line(module: Module, statement: ast.stmt) -> bool:
    # Decorators come before.
    return not module.text_alongside(statement)[0].strip() or bool(
        getattr(statement, "decorator_list", ())
    )
