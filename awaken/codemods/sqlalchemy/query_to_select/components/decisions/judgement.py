"""Decides how the queries of a web are written: its definitions, and each use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.annotations import (
    Annotation,
    annotations_of,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.bulk_only import (
    BulkPart,
    bulk_end,
    judge_bulk,
    judge_bulk_use,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.criteria import (
    judge_write_by_criteria,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.extended import (
    judge_kept_extended,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decisions.writes import judge_kept_write
from awaken.codemods.sqlalchemy.query_to_select.components.session_names import WebSession
from awaken.codemods.sqlalchemy.query_to_select.components.session_parameters import NewParameter
from awaken.codemods.sqlalchemy.query_to_select.components.session_reads import caveats_of_execute
from awaken.codemods.sqlalchemy.query_to_select.components.states import States, kept_edits
from awaken.codemods.sqlalchemy.query_to_select.components.unexecuted import OF_TEXT
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import caveats_of_target
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import check_counted, judge_executed
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.verdict import Verdict, written
from awaken.codemods.sqlalchemy.query_to_select.names import Written
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ExtensionRewrite,
    QueryRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import SET_OPERATIONS
from awaken.codemods.sqlalchemy.query_to_select.reading.entities import refuse_unknown
from awaken.codemods.sqlalchemy.query_to_select.reading.items import Kind, What, kind_of
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement

_EXECUTED = frozenset({"all", "first", "one", "one_or_none", "scalar", "count"})
_RUNS = frozenset({"executed", "iterated", "written", "extended"})
_SAME_NAME = {"as_scalar": "scalar_subquery"}


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One segment with what is written for it; ``data`` is None where its text stays."""

    segment: Segment
    data: QueryRewrite | BulkRewrite | ExtensionRewrite | None

    @property
    def runs(self) -> bool:
        """Whether a statement is executed here."""
        if isinstance(self.data, QueryRewrite):
            return self.data.runs is not None
        return self.data is not None


@dataclass(slots=True)
class WebVerdict:
    """How a web is rewritten; ``caveats`` say what may change (none: the rewrite is safe).

    ``needs`` are the names that are written, for each file; ``becomes`` is that of the statement.
    ``reads`` are the places that read the session off a query, with its name.
    """

    web: Web
    parts: list[Rewritten] = field(default_factory=list)
    needs: dict[str, list[Written]] = field(default_factory=dict)
    caveats: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    becomes: str = "select"
    parameters: list[NewParameter] = field(default_factory=list)
    reads: list[tuple[Segment, Written]] = field(default_factory=list)

    def need(self, segment: Segment, *names: Written) -> None:
        """Note ``names``, which are written in the file of ``segment``."""
        self.needs.setdefault(segment.frame.path, []).extend(names)


def judge_web(web: Web) -> WebVerdict:
    """Decide the rewrite of all queries of ``web``; raises Refused."""
    session = WebSession(web)
    states = States(web)
    verdict = WebVerdict(web)
    verdict.annotations = annotations_of({kept: states.items_of(kept) for kept in web.definitions})
    end = bulk_end(web)
    if end is None:
        _judge_statements(states, session, verdict)
    else:
        _judge_writes(states, session, verdict, end)
    verdict.parameters = list(session.parameters.values())
    executes = any(use.ending in _RUNS for use in web.uses)
    verdict.caveats += filter(
        None, [session.made_anew() if executes else session.no_longer_called()]
    )
    verdict.caveats += [
        f"{why}, and would meet a `{verdict.becomes}()` there, no longer a Query"
        for why in web.passages.outside.values()
    ]
    given = [one.frame.function.name for one in verdict.parameters]
    verdict.caveats += [
        f"`{name}` takes the session as well, which is not passed there"
        for name in given
        if name in web.passages.outside
    ]
    verdict.caveats += [
        f"`{kept.shown}` may be None, where another exception is raised then"
        for kept in web.optional
    ]
    verdict.caveats[:] = dict.fromkeys(verdict.caveats)
    return verdict


def _judge_statements(states: States, session: WebSession, verdict: WebVerdict) -> None:
    """Add what becomes of queries that are mostly statements which load."""
    web = verdict.web
    for segments in web.definitions.values():
        for segment in segments:
            statement = _state(states, segment)
            _check_items(statement)
            data = _definition(statement, verdict, segment)
            verdict.parts.append(Rewritten(segment, data))
    for segment in web.uses:
        verdict.parts.append(Rewritten(segment, _used(web, segment, states, session, verdict)))


def _judge_writes(states: States, session: WebSession, verdict: WebVerdict, end: str) -> None:
    """Add what becomes of queries with which nothing is done but write."""
    if verdict.annotations:
        note = verdict.annotations[0]
        because = (note.frame.place(note.node),)
        raise Refused(reasons.BULK_WRITE, f"`.{end}()` of what is called a Query", because=because)
    verdict.becomes = end
    parts: list[BulkPart] = list(judge_bulk(verdict.web, states, end))
    parts += [judge_bulk_use(states, use, session.at(use).text) for use in verdict.web.uses]
    for part in parts:
        verdict.parts.append(Rewritten(part.segment, part.data))
        verdict.need(part.segment, *part.needs)
    links = [link for segment in verdict.web.segments for link in segment.links]
    for kept in verdict.web.definitions:
        verdict.caveats += caveats_of_target(states.items_of(kept), links)
    for use in verdict.web.uses:
        verdict.need(use, session.at(use))


def _used(
    web: Web, segment: Segment, states: States, session: WebSession, verdict: WebVerdict
) -> QueryRewrite | BulkRewrite | ExtensionRewrite | None:
    if segment.ending == "written":
        return _write(web, segment, states, session.at(segment), verdict)
    if segment.ending == "extended":
        return _extended(web, segment, states, session.at(segment), verdict)
    if segment.ending == "session" and segment.end == "query":
        return None  # it goes, for what it makes is no longer made by a session
    if segment.ending == "session":
        verdict.reads.append((segment, session.at(segment)))
        verdict.need(segment, verdict.reads[-1][1])
        return None
    statement = _state(states, segment)
    if segment.ending in {"dropped", "shown"}:
        if segment.ending == "shown":
            verdict.caveats.append(OF_TEXT)
        return _links_alone(statement, verdict, segment)
    check_distinct(statement)
    if segment.ending in {"executed", "iterated"}:
        return _execution(web, statement, verdict, segment, session.at(segment))
    return _embedding(statement, verdict, segment)


def _state(states: States, segment: Segment) -> Statement:
    return states.reached(segment, executed=segment.ending in {"executed", "iterated"})


def _check_items(statement: Statement) -> None:
    if not statement.items and not statement.changed_items:
        raise Refused(reasons.RAISES_TODAY, "query() asks for nothing")


# ----------------------------------------------------------------------------------- definitions
def _definition(statement: Statement, verdict: WebVerdict, segment: Segment) -> QueryRewrite | None:
    if segment.recognised is None:
        return _links_alone(statement, verdict, segment)
    single = Verdict(None)
    select = written(statement, single, "select")
    verdict.need(segment, *single.needs, *statement.needs)
    return QueryRewrite(select=select, links=tuple(statement.edits), ended="not")


def _links_alone(
    statement: Statement, verdict: WebVerdict, segment: Segment
) -> QueryRewrite | None:
    """Return what becomes of builders called on a variable; None if their text stays."""
    links = kept_edits(statement.chain.links, statement.edits)
    if links is None:
        return None
    verdict.need(segment, *statement.needs)
    return QueryRewrite(select="", shape="kept", links=links, ended="not")


# ------------------------------------------------------------------------------------------ uses
def _execution(
    web: Web, statement: Statement, verdict: WebVerdict, segment: Segment, session: Written
) -> QueryRewrite:
    chain = statement.chain
    if chain.ending == "executed" and chain.end not in _EXECUTED:
        raise Refused(reasons.KEPT_BUILDER, chain.end, because=(segment.place(),))
    if chain.end == "count":
        _check_count(web)
    single = judge_executed(statement)
    verdict.need(segment, session, *_without_select(single, chain.end), *statement.needs)
    verdict.caveats += single.caveats
    data = single.data
    if not isinstance(data, QueryRewrite):
        raise Refused(reasons.KEPT_BUILDER, chain.end, because=(segment.place(),))
    return msgspec.structs.replace(data, shape="kept", given=session.text)


def _write(
    web: Web, segment: Segment, states: States, session: Written, verdict: WebVerdict
) -> BulkRewrite | None:
    try:
        single = judge_kept_write(web, segment, session.text)
    except Refused as refused:
        if refused.reason is not reasons.BULK_WRITE:
            raise
        single = judge_write_by_criteria(web, states, segment, session.text)
    verdict.need(segment, session, *single.needs)
    verdict.caveats += single.caveats
    return single.data if isinstance(single.data, BulkRewrite) else None


def _extended(
    web: Web, segment: Segment, states: States, session: Written, verdict: WebVerdict
) -> ExtensionRewrite | None:
    single = judge_kept_extended(web, segment, states, session)
    verdict.need(segment, session, *single.needs[1:])
    verdict.caveats += single.caveats
    return single.data if isinstance(single.data, ExtensionRewrite) else None


def _without_select(single: Verdict, end: str) -> Iterable[Written]:
    """Only the count writes ``select`` where it is executed."""
    return single.needs if end == "count" else single.needs[1:]


def _check_count(web: Web) -> None:
    for segment in web.segments:
        for link in segment.links:
            check_counted(link)


def _embedding(statement: Statement, verdict: WebVerdict, segment: Segment) -> QueryRewrite | None:
    chain = statement.chain
    if chain.ending == "argument":
        if chain.end in SET_OPERATIONS and kind_of(statement.items) is not Kind.ROWS:
            raise Refused(reasons.SET_OPERATION, f"`{chain.end}()` of queries")
        verdict.caveats += caveats_of_execute(statement) if chain.end == "execute" else []
        return _links_alone(statement, verdict, segment)
    if chain.ending == "embedded":
        _check_embedded(statement)
        last, ended = _SAME_NAME.get(chain.end, chain.end), "call"
    elif chain.ending == "read":
        last, ended = chain.end, "attribute"
        has_columns = any(item.what is not What.ENTITY for item in statement.items)
        if chain.end == "statement" and has_columns:
            verdict.caveats.append("rows of the statement get keys for every column")
    else:
        raise Refused(reasons.KEPT_BUILDER, chain.end)
    if (
        chain.ending == "embedded"
        and last == chain.end
        and kept_edits(chain.links, statement.edits) is None
    ):
        return None
    verdict.need(segment, *statement.needs)
    return QueryRewrite(
        select="",
        shape="kept",
        links=tuple(statement.edits),
        last=None if last == "statement" else last,
        ended=ended,  # type: ignore[arg-type]
    )


def _check_embedded(statement: Statement) -> None:
    terminator = statement.chain.terminator
    end = statement.chain.end
    given = [] if terminator is None else [*terminator.args, *terminator.keywords]
    named = terminator is None or all(keyword.arg == "name" for keyword in terminator.keywords)
    if end == "subquery" and terminator is not None and not (named and len(terminator.args) <= 1):
        raise Refused(reasons.LEGACY_ARGUMENT, "subquery() with these arguments")
    if end != "exists":
        return
    if given:
        raise Refused(reasons.RAISES_TODAY, "exists() takes no arguments")
    refuse_unknown(statement.reader, statement.items)
    owners = {(item.owner, item.model) for item in statement.items}
    plain = all(item.what in {What.ENTITY, What.COLUMN} for item in statement.items)
    if not plain or len(owners) != 1 or statement.changed_items or statement.grouped:
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() of these columns")
    if statement.selects_from or (statement.distinct and statement.limited):
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() after these builders")
