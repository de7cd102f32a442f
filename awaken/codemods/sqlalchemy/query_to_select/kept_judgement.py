"""Decides how the queries of a web are written: its definitions, and each use."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.chain import SET_OPERATIONS, Link
from awaken.codemods.sqlalchemy.query_to_select.entities import refuse_unknown
from awaken.codemods.sqlalchemy.query_to_select.items import Item, What
from awaken.codemods.sqlalchemy.query_to_select.judgement import (
    Verdict,
    check_distinct,
    judge_executed,
    written,
)
from awaken.codemods.sqlalchemy.query_to_select.kept import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.kept_annotations import (
    Annotation,
    annotations_of,
)
from awaken.codemods.sqlalchemy.query_to_select.kept_states import States
from awaken.codemods.sqlalchemy.query_to_select.kept_writes import judge_kept_write
from awaken.codemods.sqlalchemy.query_to_select.names import Written
from awaken.codemods.sqlalchemy.query_to_select.payload import BulkRewrite, LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.session_properties import made_anew
from awaken.codemods.sqlalchemy.query_to_select.statement import Statement
from awaken.project.bindings import Binding
from awaken.project.values import Unknown

_COUNT_SETTINGS = frozenset({"autoflush", "execution_options"})
_EXECUTED = frozenset({"all", "first", "one", "one_or_none", "scalar", "count"})
_SAME_NAME = {"as_scalar": "scalar_subquery"}


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One segment with what is written for it; ``data`` is None where its text stays."""

    segment: Segment
    data: QueryRewrite | BulkRewrite | None

    @property
    def runs(self) -> bool:
        """Whether a statement is executed here."""
        if isinstance(self.data, QueryRewrite):
            return self.data.runs is not None
        return self.data is not None


@dataclass(slots=True)
class WebVerdict:
    """How a web is rewritten; ``caveats`` say what may change (none: the rewrite is safe)."""

    web: Web
    parts: list[Rewritten] = field(default_factory=list)
    needs: list[Written] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)


def judge_web(web: Web) -> WebVerdict:
    """Decide the rewrite of all queries of ``web``; raises Refused."""
    session = _Session(web)
    states = States(web, session.node)
    verdict = WebVerdict(web)
    items: dict[Binding, Sequence[Item]] = {}
    for binding, segments in web.definitions.items():
        for segment in segments:
            statement = _state(states, segment)
            _check_items(statement)
            items[binding] = statement.items
            verdict.parts.append(Rewritten(segment, _definition(statement, verdict, segment)))
    verdict.annotations = annotations_of(web, items)
    executes = False
    for segment in web.uses:
        if segment.ending == "written":
            executes = True
            session.check(segment)
            verdict.parts.append(Rewritten(segment, _write(web, segment, session, verdict)))
            continue
        statement = _state(states, segment)
        check_distinct(statement)
        if segment.ending in {"executed", "iterated"}:
            executes = True
            session.check(segment)
            verdict.parts.append(Rewritten(segment, _execution(statement, verdict, session, web)))
        else:
            verdict.parts.append(Rewritten(segment, _embedding(statement, verdict)))
    if web.uses and all(use.ending == "written" for use in web.uses):
        # The variable would be left without a use.
        detail = "a query that is kept in a variable for this alone"
        raise Refused(reasons.BULK_WRITE, detail)
    if executes and (anew := made_anew(web.reader, session.node)):
        verdict.caveats.append(
            f"`{session.text}` is read again where the query runs, and the property of that name "
            f"in {anew} may give another session"
        )
    if not executes and session.has_call:
        verdict.caveats.append(f"`{session.text}` is no longer called")
    verdict.caveats[:] = dict.fromkeys(verdict.caveats)
    return verdict


def _state(states: States, segment: Segment) -> Statement:
    executed = segment.ending in {"executed", "iterated"}
    statement = states.of(segment, executed=executed)
    if statement is None:
        raise Refused(reasons.KEPT_QUERY, "where no way leads")
    return statement


def _check_items(statement: Statement) -> None:
    if not statement.items and not statement.changed_items:
        raise Refused(reasons.RAISES_TODAY, "query() asks for nothing")


# --------------------------------------------------------------------------------------- session
class _Session:
    """The one session of a web, and whether it is still the same where a query is executed."""

    def __init__(self, web: Web) -> None:
        self._web = web
        receivers = [root.func.value for root in web.roots if isinstance(root.func, ast.Attribute)]
        self.node = receivers[0]
        self.text = ast.unparse(self.node)
        self.has_call = any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(self.node))
        other = next((one for one in receivers if ast.unparse(one) != self.text), None)
        if other is not None:
            what = f"another session, `{ast.unparse(other)}`"
            raise Refused(reasons.SESSION_CHANGES, what, because=(web.place(other),))
        first = self.node
        while isinstance(first, ast.Attribute):
            first = first.value
        self._name = first if isinstance(first, ast.Name) else None
        self._outdated = self._find_outdated()

    def _find_outdated(self) -> set[ast.Name]:
        """Return the reads of a query whose session may have been replaced since it was made."""
        web = self._web
        changes: list[ast.AST] = []
        if self._name is not None:
            scope = web.flow.scope
            changes = [one.node for one in scope.bindings.get(scope.mangled(self._name.id), ())]
        names = {binding.name for binding in web.definitions}
        return {read for name in names for read in web.flow.outdated(name, changes)}

    def check(self, use: Segment) -> None:
        """Raise Refused unless ``use`` can be executed by the session of its query."""
        web, module = self._web, self._web.reader.module
        because = (web.place(use.node),)
        if self._name is None:
            raise Refused(reasons.SESSION_CHANGES, f"`{self.text}` again", because=because)
        starts = {s.start for s in web.segments if isinstance(s.start, ast.Name)}
        if self._outdated & starts or self._is_set():
            what = f"what `{self.text}` is by then"
            raise Refused(reasons.SESSION_CHANGES, what, because=because)
        scopes, own = module.scopes, web.flow.scope
        if self._name.id in own.globals | own.nonlocals or self._is_set_inside():
            what = f"`{self.text}`, which is set elsewhere"
            raise Refused(reasons.SESSION_CHANGES, what, because=because)
        there = scopes.owner(self._name.id, scopes.scope_of(use.start))
        if there is not scopes.owner(self._name.id, scopes.scope_of(self.node)):
            what = f"another `{self._name.id}`"
            raise Refused(reasons.SESSION_CHANGES, what, because=because)

    def _is_set_inside(self) -> bool:
        """Whether a function inside this one gives the session's name another value."""
        flow, name = self._web.flow, self._name
        is_local = name is not None and flow.scope.mangled(name.id) in flow.scope.bindings
        return is_local and name is not None and isinstance(flow.definitions(name.id), Unknown)

    def _is_set(self) -> bool:
        """Whether the function sets the attribute that holds the session, or ends its use."""
        function = self._web.flow.scope.node
        for node in self._web.reader.module.walk(function):
            if not isinstance(node, ast.Attribute):
                continue
            is_written = not isinstance(node.ctx, ast.Load)
            if is_written and self.text.startswith(ast.unparse(node)):
                return True
            if node.attr == "remove" and ast.unparse(node.value) == self.text:
                return True
        return False


# ----------------------------------------------------------------------------------- definitions
def _definition(statement: Statement, verdict: WebVerdict, segment: Segment) -> QueryRewrite | None:
    if isinstance(segment.start, ast.Name):
        return _links_alone(statement, verdict)
    single = Verdict(None)
    select = written(statement, single, "select")
    verdict.needs += [*single.needs, *statement.needs]
    return QueryRewrite(select=select, links=tuple(statement.edits), ended="not")


def _links_alone(statement: Statement, verdict: WebVerdict) -> QueryRewrite | None:
    """Return what becomes of builders called on a variable; None if their text stays."""
    edits = [_kept_name(edit, link.name) for edit, link in _pairs(statement)]
    if _stays(statement):
        return None
    verdict.needs += statement.needs
    return QueryRewrite(select="", shape="kept", links=tuple(edits), ended="not")


def _stays(statement: Statement) -> bool:
    """Whether Select has all builders under the names that they have."""
    pairs = _pairs(statement)
    return all(_kept_name(edit, link.name) == LinkEdit(link.name) for edit, link in pairs)


def _pairs(statement: Statement) -> list[tuple[LinkEdit, Link]]:
    return list(zip(statement.edits, statement.chain.links, strict=True))


def _kept_name(edit: LinkEdit, name: str) -> LinkEdit:
    """``filter`` is a method of Select as well: where nothing else is written, it stays."""
    return LinkEdit("filter") if name == "filter" and edit == LinkEdit("where") else edit


# ------------------------------------------------------------------------------------------ uses
def _execution(
    statement: Statement, verdict: WebVerdict, session: _Session, web: Web
) -> QueryRewrite:
    chain = statement.chain
    if chain.ending == "executed" and chain.end not in _EXECUTED:
        raise Refused(reasons.KEPT_BUILDER, chain.end, because=(web.place(chain.node),))
    if chain.end == "count":
        _check_count(web)
    single = judge_executed(statement)
    verdict.needs += [*_without_select(single, chain.end), *statement.needs]
    verdict.caveats += single.caveats
    data = single.data
    if not isinstance(data, QueryRewrite):
        raise Refused(reasons.KEPT_BUILDER, chain.end, because=(web.place(chain.node),))
    return msgspec.structs.replace(data, shape="kept", given=session.text)


def _write(
    web: Web, segment: Segment, session: _Session, verdict: WebVerdict
) -> BulkRewrite | None:
    single = judge_kept_write(web, segment, session.node, session.text)
    verdict.needs += single.needs
    verdict.caveats += single.caveats
    return single.data if isinstance(single.data, BulkRewrite) else None


def _without_select(single: Verdict, end: str) -> Iterable[Written]:
    """Only the count writes ``select`` where it is executed."""
    return single.needs if end == "count" else single.needs[1:]


def _check_count(web: Web) -> None:
    for segment in web.segments:
        for link in segment.links:
            if link.name in _COUNT_SETTINGS:
                because = (web.place(link.call),)
                raise Refused(reasons.COUNT_WITH_SETTINGS, link.name, because=because)


def _embedding(statement: Statement, verdict: WebVerdict) -> QueryRewrite | None:
    chain = statement.chain
    if chain.ending == "argument":
        if chain.end in SET_OPERATIONS:
            raise Refused(reasons.SET_OPERATION, f"`{chain.end}()` of queries")
        return _links_alone(statement, verdict)
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
    if chain.ending == "embedded" and last == chain.end and _stays(statement):
        return None
    verdict.needs += statement.needs
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
    owners = {item.owner for item in statement.items}
    plain = all(item.what in {What.ENTITY, What.COLUMN} for item in statement.items)
    if not plain or len(owners) != 1 or statement.changed_items or statement.grouped:
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() of these columns")
    if statement.selects_from or (statement.distinct and statement.limited):
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() after these builders")
