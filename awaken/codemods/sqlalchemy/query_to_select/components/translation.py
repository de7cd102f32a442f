"""The translation of a statement into another function, which has other names."""

from __future__ import annotations

import ast
from dataclasses import replace

from msgspec import structs

from awaken.codemods.sqlalchemy.query_to_select.results.unique import may_repeat
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import Target
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import Item, What
from awaken.project.graph.call_edges import FunctionContext


def translate_statement(statement: Statement, reader: Reader, target: FunctionContext) -> Statement:
    """Return ``statement`` of another function as ``target``, in the file of ``reader``, sees it.

    Its criteria and options are judged in their own function.
    """
    return replace(
        statement,
        reader=reader,
        items=tuple(_seen_from(reader, target, item) for item in statement.items),
        orm_items=tuple(_seen_from(reader, target, item) for item in statement.orm_items),
        criteria=[],
        options=[],
        sources=[],
        unjudged=[],
        partners=tuple(
            result
            for partner in statement.partners
            if not partner.aliased and (result := _target(reader, target, partner)) is not None
        ),
        join_point=_target(reader, target, statement.join_point),
        source=_target(reader, target, statement.source),
        unsure=statement.unsure or may_repeat(statement),
    )


def _seen_from(reader: Reader, context: FunctionContext, item: Item) -> Item:
    is_named = item.owner is not None or item.model is not None  # maybe not where it came from
    if item.what not in {What.ENTITY, What.COLUMN} or not is_named:
        return item
    # An alias is a variable of the function that it comes from.
    owner = None if item.aliased else named_in(reader, context, item.model)
    return structs.replace(item, owner=owner)


def _target(reader: Reader, context: FunctionContext, target: Target | None) -> Target | None:
    return (
        None
        if target is None
        else structs.replace(target, text=named_in(reader, context, target.model))
    )


def named_in(reader: Reader, context: FunctionContext, qualified: str | None) -> str | None:
    """Return the name by which the function of ``context`` sees the class; None if it does not."""
    if qualified is None:
        return None
    name = qualified.rpartition(".")[2]
    scopes = reader.module.scopes
    if name in scopes.module.bindings and scopes.owner(name, context.flow.scope) is scopes.module:
        return name if _means(reader, ast.Name(name, ast.Load()), qualified) else None
    for node in reader.module.walk(context.function):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.attr == name and _means(reader, node, qualified):
            return ast.unparse(node)
    return None


def _means(reader: Reader, node: ast.expr, qualified: str) -> bool:
    """Whether ``node`` is the class, be it by the name of a package that exports it."""
    meant = reader.qualified_name(node)
    if meant is None or meant == qualified:
        return meant is not None
    facts = reader.project.class_facts(meant)
    return facts is not None and facts.qualified == qualified
