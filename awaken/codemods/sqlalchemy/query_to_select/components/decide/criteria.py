"""Bulk writes of queries that load as well, written with the criteria of the statement.

``query.delete()`` becomes ``session.execute(delete(A).where(query.whereclause))``: these criteria
are the very objects that Query hands on. Of a statement without any, ``whereclause`` is None, which
``where()`` takes for NULL: nothing would be written. So each way to the write must add one.
(``Select.whereclause`` is there since 1.4; run on 1.4.54, 2.0 and 2.1.)
"""

from __future__ import annotations

import ast
from dataclasses import replace

import msgspec
from msgspec import structs

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.decide.held_writes import (
    CRITERIA_OF_COLUMNS,
)
from awaken.codemods.sqlalchemy.query_to_select.components.states import States, keep_meaning
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import check_link, executed_write
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import (
    Decision,
    note_sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.query_items import What

_CRITERIA = frozenset({"filter", "where"})
_FOLLOWED = _CRITERIA | {"filter_by", "options"}
"""Builders that leave criteria, or nothing that a bulk write would look at."""
_OPERATORS = CRITERIA_OF_COLUMNS | {"any", "has"}
"""Methods that make a criterion of a column or relationship."""


def decide_write_by_criteria(
    component: Component, states: States, use: ChainFragment, session: str
) -> Decision:
    """Decide the rewrite of ``use``, which ends in update() or delete(); raises Refused."""
    ways = _fragments_leading_to(component, use)
    for fragment in ways:
        for link in fragment.links:
            check_link(component.reader(fragment.context), use.end, link)
            if link.name not in _FOLLOWED:
                raise Refused(reasons.BULK_WITH_SETTINGS, link.name, because=(fragment.place(),))
    if _may_have_no_criteria(component, use):
        detail = f"`.{use.end}()` of a query that may have no criteria"
        raise Refused(reasons.BULK_WRITE, detail, because=(use.place(),))
    # Not read as a write: it stays a select(), of which only the criteria are passed on.
    statement = states.required_statement(
        structs.replace(use, ending="argument", end=""), executed=False
    )
    return _written_decision(statement, use, session)


def _written_decision(statement: Statement, use: ChainFragment, session: str) -> Decision:
    model = _class_of(statement)
    # The criteria are read from the existing chain, so its arguments must stay.
    if model is None or not keep_meaning(statement.chain.links, statement.edits):
        detail = f"`.{use.end}()` of a query whose criteria are in other statements"
        raise Refused(reasons.BULK_WRITE, detail, because=(use.place(),))
    decision = Decision(None)
    chain = structs.replace(statement.chain, links=(), ending="written", end=use.end)
    bare = replace(statement, chain=chain, edits=[], needs=[])
    data = executed_write(bare, "", ())
    decision.needs += bare.needs
    query = msgspec.structs.replace(data.statement, shape="held", given=session)
    source = f"{note_sqlalchemy_name(statement, decision, use.end)}({model})"
    decision.data = msgspec.structs.replace(data, statement=query, by_criteria=source)
    return decision


def _class_of(statement: Statement) -> str | None:
    """Return the name of the one mapped class that is asked for; None if it has none here."""
    items = [] if statement.lists else [*statement.items]
    is_class = len(items) == 1 and items[0].what is What.ENTITY and not items[0].aliased
    return items[0].owner if is_class else None


def _fragments_leading_to(component: Component, use: ChainFragment) -> list[ChainFragment]:
    """Return ``use`` and every fragment whose query may be the one that it writes."""
    ways = [use]
    for fragment in ways:
        ways += [
            candidate
            for candidate in _fragments_before(component, fragment)
            if candidate not in ways
        ]
    return ways


def _may_have_no_criteria(component: Component, use: ChainFragment) -> bool:
    """Whether a way from ``query(...)`` to the end of ``use`` adds no criterion."""
    without = [use]
    for fragment in without:
        if any(map(_adds_criterion, fragment.links)):
            continue
        if fragment.recognised is not None:
            return True
        without += [item for item in _fragments_before(component, fragment) if item not in without]
    return False


def _fragments_before(component: Component, fragment: ChainFragment) -> list[ChainFragment]:
    """Return the fragments whose query ``fragment`` may go on with."""
    if fragment.recognised is not None:
        return []
    reaching = component.holders.reaching(fragment.context, fragment.start)
    return [definition for holder in reaching for definition in component.definitions[holder]]


def _adds_criterion(link: Link) -> bool:
    if link.name == "filter_by":
        # `**values` may be empty, and adds no criterion then.
        return any(keyword.arg is not None for keyword in link.call.keywords)
    return link.name in _CRITERIA and any(map(_is_criterion, link.call.args))


def _is_criterion(node: ast.expr) -> bool:
    """Whether ``node`` is surely a criterion, which ``and_(*conditions)`` may not be."""
    match node:
        case ast.Compare():
            return True
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return _is_criterion(operand)
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
            return _is_criterion(left) and _is_criterion(right)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _OPERATORS
    return False
