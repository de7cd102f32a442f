"""The decision about one query: how it is rewritten, and what may change by that."""

from __future__ import annotations

import ast

from msgspec import Struct, field

from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ExtensionRewrite,
    GetRewrite,
    QueryRewrite,
    SliceRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import sqlalchemy_name
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.kit.names_here import Written


class Decision(Struct):
    """How a site is rewritten; ``caveats`` say what may change (none: the rewrite is safe).

    ``requires`` are the queries that must be rewritten with it.
    """

    data: QueryRewrite | BulkRewrite | SliceRewrite | GetRewrite | ExtensionRewrite | None
    needs: list[Written] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    requires: list[ast.expr] = field(default_factory=list)


def note_sqlalchemy_name(statement: Statement, decision: Decision, name: str) -> str:
    """Return how SQLAlchemy's ``name`` is written here; ``decision`` notes the import."""
    result = sqlalchemy_name(statement.reader, statement.chain.root, name)
    decision.needs.append(result)
    return result.text
