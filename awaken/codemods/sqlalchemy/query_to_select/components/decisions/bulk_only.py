"""Queries that are kept in variables for bulk writes alone: they become what writes.

``query = session.query(A)`` becomes ``query = delete(A)`` where ``query.delete()`` is all that is
done with it, by whatever way it got there: every builder that may stand in front of a bulk write
is a method of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.states import States, kept_edits
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import (
    check_link,
    check_target,
    executed_write,
    link_edits,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.verdict import Verdict, written
from awaken.codemods.sqlalchemy.query_to_select.names import Written
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite, LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.items import What
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement


@dataclass(frozen=True, slots=True)
class BulkPart:
    """One segment of such a query with what is written for it, None where its text stays."""

    segment: Segment
    data: QueryRewrite | BulkRewrite | None
    needs: tuple[Written, ...] = ()


def bulk_end(web: Web) -> str | None:
    """Return how every query of ``web`` ends, ``delete`` or ``update``; None if not all do."""
    ends = {use.end if use.ending == "written" else None for use in web.uses}
    return ends.pop() if len(ends) == 1 else None


def judge_bulk(web: Web, states: States, end: str) -> Iterator[BulkPart]:
    """Yield what becomes of the definitions of ``web``; raises Refused."""
    is_crossing = len({segment.frame for segment in web.segments}) > 1
    for segment in web.segments:
        for link in segment.links:
            because = (segment.frame.place(link.call),)
            check_link(segment.frame.reader, end, link)
            if link.name == "params":
                raise Refused(reasons.KEPT_BUILDER, link.name, because=because)
            if link.name == "filter_by" and is_crossing and segment.recognised is None:
                # Since 2.1 it searches every table that the criteria in front of it name.
                detail = "an entity of another function"
                raise Refused(reasons.FILTER_BY_TARGET, detail, because=because)
    for segment in dict.fromkeys(one for each in web.definitions.values() for one in each):
        yield _definition(states, segment, end)


def judge_bulk_use(states: States, use: Segment, session: str) -> BulkPart:
    """Return what becomes of ``use``, a write that ``session`` executes; raises Refused."""
    statement = _statement(states, use, use.end)
    data = executed_write(statement, "", _edits(statement))
    query = msgspec.structs.replace(data.statement, shape="kept", given=session)
    return BulkPart(use, msgspec.structs.replace(data, statement=query), tuple(statement.needs))


def _statement(states: States, segment: Segment, end: str) -> Statement:
    """Return what ``segment`` comes to if the statement is one that writes."""
    return states.reached(replace(segment, ending="written", end=end), executed=False)


def _definition(states: States, segment: Segment, end: str) -> BulkPart:
    statement = _statement(states, segment, end)
    edits = _edits(statement)
    if segment.recognised is None:
        return _builders(segment, statement, edits)
    check_target(statement)
    if [item.what for item in statement.items] != [What.ENTITY]:
        raise Refused(reasons.BULK_WRITE, f"`.{end}()` of these items")
    verdict = Verdict(None)
    name = written(statement, verdict, end)
    data = QueryRewrite(select=name, links=tuple(edits), ended="not")
    return BulkPart(segment, data, (*verdict.needs, *statement.needs))


def _builders(segment: Segment, statement: Statement, edits: list[LinkEdit]) -> BulkPart:
    """Return what becomes of builders that are called on a variable."""
    if not any(edit.call for edit in edits):
        if edits:
            raise Refused(reasons.BULK_WITH_SETTINGS, segment.links[0].name)
        return BulkPart(segment, None)
    links = kept_edits(segment.links, edits)
    if links is None:
        return BulkPart(segment, None)
    data = QueryRewrite(select="", shape="kept", links=links, ended="not")
    return BulkPart(segment, data, tuple(statement.needs))


def _edits(statement: Statement) -> list[LinkEdit]:
    own = {argument for link in statement.chain.links for argument in link.call.args}
    return link_edits(statement, [one for one in statement.criteria if one not in own])
