"""Reads unknown items by their use: only a class has attributes that are columns."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select.items import Item, What

_COLUMN_OPERATORS = frozenset(
    [
        "in_",
        "notin_",
        "not_in",
        "is_",
        "isnot",
        "is_not",
        "like",
        "ilike",
        "contains",
        "startswith",
        "endswith",
        "between",
        "desc",
        "asc",
        "label",
        "op",
        "any_",
        "all_",
    ]
)


def read_by_use(item: Item, criteria: Sequence[ast.expr]) -> Item:
    """Read an unknown item by its use in ``criteria``: only a class has attributes as columns.

    ``query(v).filter(v.id == 1)`` or ``query(v.name).filter(v.id == 1)``: tables and subqueries
    would need ``v.c``, and columns have no attributes but their operators.
    """
    node = item.node
    if item.what is not What.UNKNOWN and not item.assumed:
        return item
    if _is_used_as_class(ast.unparse(node), criteria):
        return Item(node, What.ENTITY, owner=ast.unparse(node))
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return item
    owner = node.value.id
    if owner not in {"self", "cls"} and _is_used_as_class(owner, criteria):
        return Item(node, What.COLUMN, owner=owner, key=node.attr, hashable=None)
    return item


def _is_used_as_class(text: str, criteria: Sequence[ast.expr]) -> bool:
    """Whether an attribute of ``text`` is compared, or asked by an operator, in ``criteria``."""
    compared = {
        node.attr
        for criterion in criteria
        for node in _compared(criterion)
        if ast.unparse(node.value) == text
    }
    return bool(compared) and compared.isdisjoint(_COLUMN_OPERATORS | {"c", "columns"})


def _compared(criterion: ast.expr) -> Iterator[ast.Attribute]:
    """Yield the attributes on the left of comparisons, and those whose operator is called."""
    for node in ast.walk(criterion):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            yield node.left
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            column = node.func.value
            if node.func.attr in _COLUMN_OPERATORS and isinstance(column, ast.Attribute):
                yield column
