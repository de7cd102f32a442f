"""DISTINCT with ORDER BY, which selects other columns on SQLAlchemy 1.4."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import Item, What


def check_distinct(statement: Statement) -> None:
    """Raise Refused where SQLAlchemy 1.4 would select the ORDER BY columns as well."""
    if not (statement.distinct and statement.ordered):
        return
    if not statement.reader.project.targets.admits("sqlalchemy", "<2.0"):
        return
    # Every way to this place has columns of its own, and each must hold the order.
    lists = statement.lists or (statement.items,)
    if not all(_selects_order(statement.ordered, items) for items in lists):
        raise Refused(reasons.DISTINCT_ORDER_BY)


def _selects_order(ordered: Sequence[ast.expr], items: Sequence[Item]) -> bool:
    """Whether every ORDER BY expression is one of the selected columns already."""
    texts = {ast.unparse(item.node) for item in items}
    owners = {item.owner for item in items if item.what is What.ENTITY}
    return all(_is_selected(node, texts, owners) for node in ordered)


def _is_selected(node: ast.expr, texts: set[str], owners: set[str | None]) -> bool:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in {"asc", "desc"}:
            return False
        # `User.id.desc()` is a method of the column, `sa.desc(User.id)` a function of it.
        node = node.func.value if not node.args else node.args[0]
    if ast.unparse(node) in texts:
        return True
    # A select of a class selects all of its columns.
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) in owners
