"""The decision about a component: how its definitions are written, and each use."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import msgspec
from msgspec import Struct, field

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import (
    ChainFragment,
    Component,
    Truth,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decide.bulk_only import (
    BulkPart,
    bulk_end,
    decide_bulk,
    decide_bulk_use,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decide.criteria import (
    decide_held_write,
    decide_write_by_criteria,
)
from awaken.codemods.sqlalchemy.query_to_select.components.decide.query_annotations import (
    Annotation,
    annotations_of,
)
from awaken.codemods.sqlalchemy.query_to_select.components.query_kinds import (
    different,
    execution_of_kinds,
    is_agreed,
)
from awaken.codemods.sqlalchemy.query_to_select.components.session_names import ComponentSession
from awaken.codemods.sqlalchemy.query_to_select.components.session_parameters import (
    MadeSession,
    SessionParameter,
)
from awaken.codemods.sqlalchemy.query_to_select.components.states import States, held_edits
from awaken.codemods.sqlalchemy.query_to_select.components.unexecuted import OF_TEXT
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import caveats_of_target
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import extension_of
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import (
    Decision,
    note_sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import (
    check_arguments,
    check_extension_version,
    decide_extension_call,
    read_as_executed,
    refuse_comments_of_end,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import check_counted, decide_executed
from awaken.codemods.sqlalchemy.query_to_select.decide.taken import caveats_of_taken
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ExtensionRewrite,
    KindsRewrite,
    QueryRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    OF_SESSION,
    SET_OPERATIONS,
    TAKEN,
    WITHOUT_KEY,
    Link,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import refuse_unknown
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.results.given import caveats_of_given
from awaken.codemods.sqlalchemy.query_to_select.results.row_keys import caveats_of_statement
from awaken.codemods.sqlalchemy.query_to_select.statements.labels import label_caveats
from awaken.codemods.sqlalchemy.query_to_select.statements.parents import caveats_of_parents
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.kit.names_here import Written
from awaken.project.frameworks.loads.query_items import Kind, What, kind_of

_RUNS = frozenset({"executed", "iterated", "written", "extended"})
# The deprecated name of the method, and the one that it has now.
_SAME_NAME = {"as_scalar": "scalar_subquery"}


class Rewritten(Struct, frozen=True):
    """One fragment with what is written for it; ``data`` is None where its text stays."""

    fragment: ChainFragment
    data: QueryRewrite | BulkRewrite | ExtensionRewrite | KindsRewrite | None

    @property
    def runs(self) -> bool:
        """Whether a statement is executed here."""
        if isinstance(self.data, QueryRewrite):
            return self.data.runs is not None
        return self.data is not None


class ComponentDecision(Struct):
    """How a component is rewritten; ``caveats`` say what may change (none: the rewrite is safe).

    ``needs`` are the names that are written, for each file; ``becomes`` is that of the statement.
    ``reads`` are the places that read the session off a query, with its name.
    """

    component: Component
    parts: list[Rewritten] = field(default_factory=list)
    needs: dict[str, list[Written]] = field(default_factory=dict)
    caveats: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    becomes: str = "select"
    parameters: list[SessionParameter] = field(default_factory=list)
    made: list[MadeSession] = field(default_factory=list)
    reads: list[tuple[ChainFragment, Written]] = field(default_factory=list)

    def need(self, fragment: ChainFragment, *names: Written) -> None:
        """Note ``names``, which are written in the file of ``fragment``."""
        self.needs.setdefault(fragment.context.path, []).extend(names)


def decide_component(component: Component) -> ComponentDecision:
    """Decide the rewrite of all queries of ``component``; raises Refused."""
    session = ComponentSession(component)
    states = States(component)
    decision = ComponentDecision(component)
    decision.annotations = annotations_of(
        component, {holder: states.items_of(holder) for holder in component.definitions}
    )
    end = bulk_end(component)
    if end is None:
        _decide_statements(states, session, decision)
    else:
        # Whatever kind of query it was, it is not a query any more.
        _decide_writes(states, session, decision, end)
    decision.parameters = list(session.parameters.values())
    decision.made = list(session.made.values())
    # Where nothing runs, no session is written any more.
    executes = any(use.ending in _RUNS for use in component.uses)
    decision.caveats += filter(
        None, [session.property_caveat() if executes else session.no_longer_called()]
    )
    decision.caveats += [
        f"{why}, and would get a `{decision.becomes}()` there instead of a Query"
        for why in component.edges.outside.values()
    ]
    given = [parameter.context.function.name for parameter in decision.parameters]
    decision.caveats += [
        f"`{name}` takes the session as well, and this call does not pass it"
        for name in given
        if name in component.edges.outside
    ]
    decision.caveats += [
        f"`{holder.display_name}` may be None, and using it then raises another exception"
        for holder in component.optional
    ]
    decision.caveats += [
        f"`{truth.name.id}` stays true, whether or not the database has rows"
        for truth in component.truths
        if not _may_be_none(component, truth)
    ]
    for fragment in component.fragments:
        reader = component.reader(fragment.context)
        decision.caveats += caveats_of_parents(reader, fragment.links)
    # Several uses may share a caveat, which is said once.
    decision.caveats[:] = dict.fromkeys(decision.caveats)
    return decision


def _may_be_none(component: Component, truth: Truth) -> bool:
    """Whether the variable may hold None, so that its truth tells something."""
    reaching = component.holders.reaching(truth.context, truth.name)
    return any(holder in component.optional for holder in reaching)


def _decide_statements(
    states: States, session: ComponentSession, decision: ComponentDecision
) -> None:
    """Add the rewrites of queries that mostly load objects."""
    component = decision.component
    for fragments in component.definitions.values():
        for fragment in fragments:
            result = states.alternative_states(fragment)
            statements = [_state(each, fragment) for each in result]
            for statement in statements:
                _check_items(statement)
            written = [_definition(item, decision, fragment) for item in statements]
            if not is_agreed(written):
                raise different(result, fragment)
            decision.parts.append(Rewritten(fragment, written[0]))
    for fragment in component.uses:
        # No kind matters to the session of a query.
        result = [states] if fragment.ending == "session" else states.alternative_states(fragment)
        uses = [_rewrite_of_use(component, fragment, each, session, decision) for each in result]
        data = uses[0] if is_agreed(uses) else execution_of_kinds(fragment, result, uses)
        decision.parts.append(Rewritten(fragment, data))


def _decide_writes(
    states: States, session: ComponentSession, decision: ComponentDecision, end: str
) -> None:
    """Add the rewrites of queries that only write."""
    if decision.annotations:
        note = decision.annotations[0]
        because = (note.context.place(note.node),)
        raise Refused(
            reasons.BULK_WRITE,
            f"`.{end}()` of an object that is annotated as a Query",
            because=because,
        )
    decision.becomes = end
    parts: list[BulkPart] = list(decide_bulk(decision.component, states, end))
    parts += [
        decide_bulk_use(states, use, session.session_at(use).text)
        for use in decision.component.uses
    ]
    for part in parts:
        decision.parts.append(Rewritten(part.fragment, part.data))
        decision.need(part.fragment, *part.needs)
    links = [link for fragment in decision.component.fragments for link in fragment.links]
    for holder in decision.component.definitions:
        decision.caveats += caveats_of_target(states.items_of(holder), links)
    for use in decision.component.uses:
        decision.need(use, session.session_at(use))


def _rewrite_of_use(
    component: Component,
    fragment: ChainFragment,
    states: States,
    session: ComponentSession,
    decision: ComponentDecision,
) -> QueryRewrite | BulkRewrite | ExtensionRewrite | None:
    if fragment.ending == "written":
        return _write(component, fragment, states, session.session_at(fragment), decision)
    if fragment.ending == "extended":
        return _extended_rewrite(
            component, fragment, states, session.session_at(fragment), decision
        )
    if fragment.ending == "session" and fragment.end == "query":
        return None  # it goes, for what it makes is no longer made by a session
    if fragment.ending == "session":
        decision.reads.append((fragment, session.session_at(fragment)))
        decision.need(fragment, decision.reads[-1][1])
        return None
    statement = _state(states, fragment)
    if fragment.ending in {"dropped", "shown"}:
        if fragment.ending == "shown":
            decision.caveats.append(OF_TEXT)
        return _links_alone(statement, decision, fragment)
    check_distinct(statement)
    executes = fragment.ending == "argument" and fragment.end in OF_SESSION
    if executes or fragment.end == TAKEN:
        links = [link for item in component.fragments for link in item.links]
        caveats = caveats_of_given if executes else caveats_of_taken
        decision.caveats += caveats(statement, links)
    if fragment.ending in {"executed", "iterated"}:
        return _execution(component, statement, decision, fragment, session.session_at(fragment))
    return _embedding(statement, decision, fragment)


def _state(states: States, fragment: ChainFragment) -> Statement:
    executed = fragment.ending in {"executed", "iterated"} or fragment.end in OF_SESSION
    return states.required_statement(fragment, executed=executed)


def _check_items(statement: Statement) -> None:
    if not statement.items and not statement.changed_items:
        raise Refused(reasons.RAISES_TODAY, "query() asks for nothing")


# ----------------------------------------------------------------------------------- definitions
def _definition(
    statement: Statement, decision: ComponentDecision, fragment: ChainFragment
) -> QueryRewrite | None:
    # EXISTS has no labels in either style.
    if any(use.end != "exists" for use in decision.component.uses):
        decision.caveats += label_caveats(statement)
    if fragment.recognised is None:
        return _links_alone(statement, decision, fragment)
    single = Decision(None)
    select = note_sqlalchemy_name(statement, single, "select")
    decision.need(fragment, *single.needs, *statement.needs)
    return QueryRewrite(select=select, links=tuple(statement.edits), ended="not")


def _links_alone(
    statement: Statement, decision: ComponentDecision, fragment: ChainFragment
) -> QueryRewrite | None:
    """Return the rewrites of builders called on a variable; None if their text stays."""
    links = held_edits(statement.chain.links, statement.edits)
    if links is None:
        return None
    decision.need(fragment, *statement.needs)
    return QueryRewrite(select="", shape="held", links=links, ended="not")


# ------------------------------------------------------------------------------------------ uses
def _execution(
    component: Component,
    statement: Statement,
    decision: ComponentDecision,
    fragment: ChainFragment,
    session: Written,
) -> QueryRewrite:
    chain = statement.chain
    if chain.ending == "executed" and chain.end not in WITHOUT_KEY:
        raise reasons.kept_builder(chain.end, (fragment.place(),))
    # Settings may have been added in any statement on the way.
    if chain.end == "count":
        _check_count(component)
    single = decide_executed(statement)
    decision.need(fragment, session, *_without_select(single, chain.end), *statement.needs)
    decision.caveats += single.caveats
    data = single.data
    if not isinstance(data, QueryRewrite):
        raise reasons.kept_builder(chain.end, (fragment.place(),))
    return msgspec.structs.replace(data, shape="held", given=session.text)


def _write(
    component: Component,
    fragment: ChainFragment,
    states: States,
    session: Written,
    decision: ComponentDecision,
) -> BulkRewrite | None:
    try:
        single = decide_held_write(component, fragment, session.text)
    except Refused as refused:
        # Criteria that cannot be written twice may still be handed on by the statement.
        if refused.reason is not reasons.BULK_WRITE:
            raise
        single = decide_write_by_criteria(component, states, fragment, session.text)
    decision.need(fragment, session, *single.needs)
    decision.caveats += single.caveats
    return single.data if isinstance(single.data, BulkRewrite) else None


def _extended_rewrite(
    component: Component,
    fragment: ChainFragment,
    states: States,
    session: Written,
    decision: ComponentDecision,
) -> ExtensionRewrite | None:
    single = decide_held_extension(component, fragment, states, session)
    decision.need(fragment, session, *single.needs[1:])
    decision.caveats += single.caveats
    return single.data if isinstance(single.data, ExtensionRewrite) else None


def _without_select(single: Decision, end: str) -> Iterable[Written]:
    """Only the count writes ``select`` where it is executed."""
    return single.needs if end == "count" else single.needs[1:]


def _check_count(component: Component) -> None:
    for fragment in component.fragments:
        for link in fragment.links:
            check_counted(component.reader(fragment.context), link)


def _embedding(
    statement: Statement, decision: ComponentDecision, fragment: ChainFragment
) -> QueryRewrite | None:
    chain = statement.chain
    if chain.ending == "argument":
        # A plain union gives columns, where the Query gives objects.
        if chain.end in SET_OPERATIONS and kind_of(statement.items) is not Kind.ROWS:
            raise Refused(reasons.SET_OPERATION, f"`{chain.end}()` of queries")
        return _links_alone(statement, decision, fragment)
    if chain.ending == "embedded":
        _check_embedded(statement)
        last, ended = _SAME_NAME.get(chain.end, chain.end), "call"
    elif chain.ending == "read":
        last, ended = chain.end, "attribute"
        if chain.end == "statement":
            decision.caveats += caveats_of_statement(statement)
    else:
        raise reasons.kept_builder(chain.end)
    if (
        chain.ending == "embedded"
        and last == chain.end
        and held_edits(chain.links, statement.edits) is None
    ):
        return None
    decision.need(fragment, *statement.needs)
    return QueryRewrite(
        select="",
        shape="held",
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
    # The columns stay selected here: EXISTS of an aggregate would always be true. Query.exists()
    # replaces them, and adds no Table to FROM.
    plain = all(
        item.what in {What.ENTITY, What.COLUMN} and not item.is_of_table for item in statement.items
    )
    if not plain or len(owners) != 1 or statement.changed_items or statement.grouped:
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() of these columns")
    if statement.selects_from or (statement.distinct and statement.limited):
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() after these builders")


# ----------------------------------------------------------------------------------------- extended
_SESSION = ".session"


def decide_held_extension(
    component: Component, use: ChainFragment, states: States, session: Written
) -> Decision:
    """Decide the rewrite of ``use``, which ``session`` would execute; raises Refused.

    The object that holds the session executes it: ``db`` of ``db.session``.
    """
    chain, call, reader = use.chain(None), use.node, component.reader(use.context)
    check_extension_version(reader, use.end)
    # It takes a class and a key, not the statement that a variable holds.
    if use.end == "get_or_404" or not isinstance(call, ast.Call):
        raise reasons.kept_builder(use.end, (use.place(),))
    if not _is_of_extension(component) or not session.text.endswith(_SESSION):
        what = f"no known Query class has the method `.{use.end}()`"
        raise Refused(reasons.EXTENSION_METHOD, what)
    check_arguments(chain, call)
    refuse_comments_of_end(reader, call)
    read = read_as_executed(chain)
    as_executed = ChainFragment(
        use.context, use.start, use.links, call, read.ending, read.end, use.recognised
    )
    statement = states.required_statement(as_executed, executed=True)
    decision = decide_extension_call(statement, chain, call, _links(component.fragments))
    data = decision.data
    if isinstance(data, ExtensionRewrite) and data.statement is not None:
        given = session.text.removesuffix(_SESSION)
        held = msgspec.structs.replace(data.statement, shape="held", given=given)
        decision.data = msgspec.structs.replace(data, statement=held)
    return decision


def _links(fragments: Iterable[ChainFragment]) -> Iterable[Link]:
    return (link for fragment in fragments for link in fragment.links)


def _is_of_extension(component: Component) -> bool:
    """Whether all queries are those of Flask-SQLAlchemy's session, or of its models."""
    for root in component.roots:
        begin = None if root.recognised is None else root.recognised.begin
        if begin is not None and begin.extension is None:
            return False
        if begin is None and extension_of(component.reader(root.context), root.receiver) is None:
            return False
    return True
