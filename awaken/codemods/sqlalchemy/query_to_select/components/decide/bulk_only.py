"""Queries that are kept in variables for bulk writes alone: they become what writes.

``query = session.query(A)`` becomes ``query = delete(A)`` where its only use is ``query.delete()``:
every builder that may precede a bulk write is a method of both.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.states import States, held_edits
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import (
    check_link,
    check_target,
    executed_write,
    link_edits,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import (
    Decision,
    note_sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite, LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.kit.names_here import Written
from awaken.project.frameworks.loads.query_items import What


class BulkPart(Struct, frozen=True):
    """One fragment of such a query with what is written for it, None where its text stays."""

    fragment: ChainFragment
    data: QueryRewrite | BulkRewrite | None
    needs: tuple[Written, ...] = ()


def bulk_end(component: Component) -> str | None:
    """Return how every query of ``component`` ends, ``delete`` or ``update``; None if not all."""
    ends = {use.end if use.ending == "written" else None for use in component.uses}
    return ends.pop() if len(ends) == 1 else None


def decide_bulk(component: Component, states: States, end: str) -> Iterator[BulkPart]:
    """Yield the rewrites of the definitions of ``component``; raises Refused."""
    is_crossing = len({fragment.context for fragment in component.fragments}) > 1
    for fragment in component.fragments:
        for link in fragment.links:
            because = (fragment.context.place(link.call),)
            check_link(component.reader(fragment.context), end, link)
            # Its values go to `execute()`, which is in another expression.
            if link.name == "params":
                raise reasons.kept_builder(link.name, because)
            if link.name == "filter_by" and is_crossing and fragment.recognised is None:
                # Since 2.1 it searches every table that the criteria in front of it name.
                detail = "an entity from another function"
                raise Refused(reasons.FILTER_BY_TARGET, detail, because=because)
    for fragment in dict.fromkeys(item for each in component.definitions.values() for item in each):
        yield _definition(states, fragment, end)


def decide_bulk_use(states: States, use: ChainFragment, session: str) -> BulkPart:
    """Return the rewrite of ``use``, a write that ``session`` executes; raises Refused."""
    statement = _statement(states, use, use.end)
    data = executed_write(statement, "", _edits(statement))
    query = msgspec.structs.replace(data.statement, shape="held", given=session)
    return BulkPart(use, msgspec.structs.replace(data, statement=query), tuple(statement.needs))


def _statement(states: States, fragment: ChainFragment, end: str) -> Statement:
    """Return what ``fragment`` comes to if the statement is one that writes."""
    return states.required_statement(replace(fragment, ending="written", end=end), executed=False)


def _definition(states: States, fragment: ChainFragment, end: str) -> BulkPart:
    statement = _statement(states, fragment, end)
    edits = _edits(statement)
    if fragment.recognised is None:
        return _builders(fragment, statement, edits)
    check_target(statement)
    if [item.what for item in statement.items] != [What.ENTITY]:
        raise Refused(reasons.BULK_WRITE, f"`.{end}()` of these items")
    decision = Decision(None)
    name = note_sqlalchemy_name(statement, decision, end)
    data = QueryRewrite(select=name, links=tuple(edits), ended="not")
    return BulkPart(fragment, data, (*decision.needs, *statement.needs))


def _builders(fragment: ChainFragment, statement: Statement, edits: list[LinkEdit]) -> BulkPart:
    """Return the rewrites of builders that are called on a variable."""
    if not any(edit.call for edit in edits):
        if edits:
            raise Refused(reasons.BULK_WITH_SETTINGS, fragment.links[0].name)
        return BulkPart(fragment, None)
    links = held_edits(fragment.links, edits)
    if links is None:
        return BulkPart(fragment, None)
    data = QueryRewrite(select="", shape="held", links=links, ended="not")
    return BulkPart(fragment, data, tuple(statement.needs))


def _edits(statement: Statement) -> list[LinkEdit]:
    own = {argument for link in statement.chain.links for argument in link.call.args}
    return link_edits(statement, [node for node in statement.criteria if node not in own])
