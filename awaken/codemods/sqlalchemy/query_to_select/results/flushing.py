"""The flush of pending changes before a statement, as it comes before any Query."""

from __future__ import annotations

from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.embedded import is_orm


def is_buffered(statement: Statement) -> bool:
    """Whether all rows of ``statement`` are read before the first is passed out, as of a Query.

    The ORM reads all rows (``loading.instances``); Core objects alone are read row by row.
    """
    named = (*statement.orm_items, *statement.items)
    if statement.yields or any(item.orm for item in named):
        return True
    return any(is_orm(statement.reader, node) for node in statement.sources)


def flushes_first(statement: Statement) -> bool:
    """Whether the session flushes before ``statement``, as it does before any Query.

    Before 2.1 it does not where a select is of Core objects alone (issue 9809).
    """
    targets = statement.reader.project.targets
    if not targets.admits("sqlalchemy", "<2.1"):
        return True
    if any(item.orm for item in statement.orm_items):
        return True
    if any(is_orm(statement.reader, node) for node in statement.sources):
        return True
    in_criteria = any(is_orm(statement.reader, node) for node in statement.criteria)
    # Before 2.0.15 criteria alone make no ORM statement; together with a join they do.
    return in_criteria and (statement.joined or not targets.admits("sqlalchemy", "<2.0.15"))
