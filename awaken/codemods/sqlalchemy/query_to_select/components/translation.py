"""What is known of a statement that goes into another function, where other names are in sight."""

from __future__ import annotations

import ast
from dataclasses import replace

from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import Frame
from awaken.codemods.sqlalchemy.query_to_select.decide.unique import may_repeat
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reading.items import Item, What
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.codemods.sqlalchemy.query_to_select.statements.targets import Target


def crossed(statement: Statement, source: Frame, target: Frame) -> Statement:
    """Return ``statement`` of the function ``source`` as the function ``target`` sees it.

    Its criteria and options are judged where they stand.
    """
    if source is target:
        return statement
    return replace(
        statement,
        reader=target.reader,
        items=tuple(_seen_from(target, item) for item in statement.items),
        orm_items=tuple(_seen_from(target, item) for item in statement.orm_items),
        criteria=[],
        options=[],
        sources=[],
        join_point=_target(target, statement.join_point),
        source=_target(target, statement.source),
        unsure=statement.unsure or may_repeat(statement),
    )


def _seen_from(frame: Frame, item: Item) -> Item:
    is_named = item.owner is not None or item.model is not None  # maybe not where it came from
    if item.what not in {What.ENTITY, What.COLUMN} or not is_named:
        return item
    owner = None if item.aliased else named_in(frame, item.model)
    return replace(item, owner=owner)


def _target(frame: Frame, target: Target | None) -> Target | None:
    return None if target is None else replace(target, text=named_in(frame, target.model))


def named_in(frame: Frame, qualified: str | None) -> str | None:
    """Return the name by which the function of ``frame`` sees the class; None if it does not."""
    if qualified is None:
        return None
    name, reader = qualified.rpartition(".")[2], frame.reader
    scopes = reader.module.scopes
    if name in scopes.module.bindings and scopes.owner(name, frame.flow.scope) is scopes.module:
        return name if _means(reader, ast.Name(name, ast.Load()), qualified) else None
    for node in reader.module.walk(frame.function):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.attr == name and _means(reader, node, qualified):
            return ast.unparse(node)
    return None


def _means(reader: Reader, node: ast.expr, qualified: str) -> bool:
    """Whether ``node`` is the class, be it by the name of a package that exports it."""
    meant = reader.qualified(node)
    if meant is None or meant == qualified:
        return meant is not None
    facts = reader.project.class_facts(meant)
    return facts is not None and facts.qualified == qualified
