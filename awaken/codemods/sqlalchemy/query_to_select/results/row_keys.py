"""The keys of rows: which column a name means, and which columns have one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reading.help import short_text
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.results.rows import Shape, Uses, uses_of
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import Item, What


def key_caveats(statement: Statement) -> Iterator[str]:
    """Yield what may change for the keys of the rows; raises Refused where something does.

    They are compared with how the rows are used, as far as that can be seen.
    """
    for items in statement.lists or (statement.items,):
        yield from _caveats(statement, items)


def caveats_of_statement(statement: Statement) -> list[str]:
    """Return what may change for who reads ``query.statement``.

    The rows of ``execute(query.statement)`` have the legacy keys, those of a select its own.
    """
    lists = statement.lists or (statement.items,)
    if any(doubled_keys(items) or first_unlabelled(items) is not None for items in lists):
        return ["rows of the statement have a key for every column"]
    return []


def _caveats(statement: Statement, items: Sequence[Item]) -> Iterator[str]:
    doubled, unlabelled = doubled_keys(items), first_unlabelled(items)
    # Rows are followed only where their keys may change.
    uses = _uses(statement) if doubled or unlabelled is not None else None
    if uses is None:
        return
    for key in doubled:
        if key in uses.attributes or uses.keys:
            raise Refused(reasons.EQUAL_NAMES, key)
        if uses.out_of_sight or uses.any_attribute:
            yield f"`row.{key}` is the first of two columns with that name, no longer the last"
    if unlabelled is not None:
        if uses.keys or not uses.attributes.isdisjoint(_possible_keys(items)):
            raise Refused(reasons.UNLABELLED_KEYS, unlabelled)
        if uses.out_of_sight or uses.any_attribute:
            yield f"`{unlabelled}` gets a key in the rows, unless it has a `.label(...)`"


def doubled_keys(items: Sequence[Item]) -> list[str]:
    """Return the names that several columns may have, in the order of the second ones."""
    seen, doubled = set[str](), dict[str, None]()
    for item in items:
        if item.what is not What.ENTITY:
            doubled.update(dict.fromkeys(sorted(item.keys & seen)))
            seen |= item.keys
    return list(doubled)


def first_unlabelled(items: Sequence[Item]) -> str | None:
    """Return the first expression without a label, as a message can hold it."""
    result = (item for item in items if item.what is What.EXPRESSION and item.key is None)
    first = next(result, None)
    return None if first is None else short_text(first.node)


def _possible_keys(items: Sequence[Item]) -> set[str]:
    """Return the names that expressions without a label may give the rows: parts of their own.

    That of ``func.max(User.age)`` is ``max``, and that of ``cast(User.age, String)`` is ``age``.
    """
    result: set[str] = set()
    labelled: set[str] = set()
    for item in items:
        labelled |= item.keys
        if item.what is What.EXPRESSION and item.key is None:
            parts = [
                node for node in ast.walk(item.node) if isinstance(node, ast.Name | ast.Attribute)
            ]
            result |= {part.id if isinstance(part, ast.Name) else part.attr for part in parts}
    return result - labelled


def _uses(statement: Statement) -> Uses | None:
    """Return how the rows are used; None where no row comes out."""
    chain = statement.chain
    shapes: dict[str, Shape] = {"all": "rows", "first": "row", "one": "row", "one_or_none": "row"}
    if chain.ending == "executed" and chain.end in shapes:
        return uses_of(statement.reader, chain.node, shapes[chain.end])
    if chain.ending == "sliced" and chain.end == "[i]":
        return uses_of(statement.reader, chain.node, "row")
    if chain.ending in {"iterated", "sliced"} or chain.end == "values":
        return uses_of(statement.reader, chain.node, "rows")
    return None
