"""The statements that the queries of a component come to, on any way to where each is used."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property, reduce
from operator import attrgetter

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.joining import join, joined_statement
from awaken.codemods.sqlalchemy.query_to_select.components.translation import translate_statement
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import BUILDERS, SET_OPERATIONS, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import (
    add_links,
    initial_statement,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.set_operations import BEFORE
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.query_items import Item, kind_of
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.graph.holders import Holder
from awaken.project.source.memo import cached_by
from awaken.project.source.worklist import groups_of

_NOT_FOLLOWED = name_list("builders_not_followed")

_OTHER_COLUMNS = frozenset({"add_column", "add_columns", "with_entities"})

_A_SESSION = ast.Name("session", ast.Load())
"""Stands for the session, whose name is found for each place by itself."""

_GROUPS: tuple[Callable[[ChainFragment, Statement], Hashable], ...] = (
    lambda _root, _statement: None,
    lambda _root, statement: kind_of(statement.items),
    lambda root, _statement: root.start,
)
"""What tells queries apart where they begin: nothing, if all are alike, their kind, their place."""


class Arrival(Struct, frozen=True):
    """How a query of ``group`` got into a function: ``call`` passed it.

    None where it began there, or came out of a function called there.
    """

    group: Hashable
    call: CallEdge | None = None


class States:
    """The statements that the definitions of a component come to; raises Refused if they differ.

    A function returns to a caller the query that this caller passed. Only ``arrivals`` count, if
    there are any.
    """

    def __init__(self, component: Component) -> None:
        self.component = component
        self.arrivals: Container[Arrival] | None = None
        names = {link.name for fragment in component.fragments for link in fragment.links}
        for fragment in component.fragments:
            for link in fragment.links:
                if not _is_followed(names, fragment, link):
                    because = (fragment.context.place(link.call),)
                    raise reasons.kept_builder(link.name, because)
        for group in _GROUPS:
            try:
                self._solve(group)
            except Refused as refused:
                if refused.reason is not reasons.DIFFERENT_QUERIES or group is _GROUPS[-1]:
                    raise
            else:
                break

    def _solve(self, group: Callable[[ChainFragment, Statement], Hashable]) -> None:
        self._group = group
        self._known: dict[Holder, dict[Arrival, Statement]] = {}
        self._outer: dict[Arrival, dict[Arrival, None]] = {}
        readers = self.component.readers()
        order = self.component.in_order()
        changed = set(order)
        while changed:
            for holder in order:
                if holder in changed:
                    changed.remove(holder)
                    is_other, is_wider = self._have_changed(holder)
                    # Only what is made of this statement may be another one now. Or a function
                    # returns what it returned before to one more caller.
                    changed.update(order if is_wider else readers[holder] if is_other else ())
        for use in self.component.uses if group is not _GROUPS[-1] else ():
            self._statements_before(use)

    def _have_changed(self, holder: Holder) -> tuple[bool, bool]:
        """Work out the statements of ``holder``; return whether one is another than before.

        And whether one arrived by a known call from elsewhere.
        """
        known, result = self._known.setdefault(holder, {}), dict[Arrival, Statement]()
        is_other = is_wider = False
        for fragment in self.component.definitions[holder]:
            call = self.component.call_passing(holder, fragment)
            for arrival, statement in self._arriving(fragment).items():
                inner = arrival
                if holder.parameter is not None:
                    inner = Arrival(arrival.group, call)
                    outer = self._outer.setdefault(inner, {})
                    is_wider |= bool(outer) and arrival not in outer
                    outer[arrival] = None
                state = self._translated_statement(statement, fragment.context, holder.context)
                result[inner] = self._join(result[inner], state) if inner in result else state
        for arrival, statement in result.items():
            before = known.get(arrival)
            # Joined with what it was, it can only grow, so that the rounds come to an end.
            state = statement if before is None else self._join(before, statement)
            known[arrival] = self._first_alike(holder, state.key, state)
            is_other |= before is not known[arrival]
        return is_other, is_wider

    @cached_by(lambda holder, key, _state: (holder, key))
    def _first_alike(self, _holder: Holder, _key: Hashable, state: Statement) -> Statement:
        return state

    def _arriving(self, fragment: ChainFragment) -> dict[Arrival, Statement]:
        """Return the statements that ``fragment`` comes to, by how each arrived."""
        if fragment.recognised is not None:
            statement = self.required_statement(fragment, executed=False)
            return {Arrival(self._group(fragment, statement)): statement}
        before = self._statements_before(fragment)
        return {arrival: self._extended_statement(before[arrival], fragment) for arrival in before}

    @cached_by(lambda before, fragment: (before.number, fragment.node))
    def _extended_statement(self, before: Statement, fragment: ChainFragment) -> Statement:
        return _extend(before, fragment)

    def items_of(self, holder: Holder) -> Sequence[Item]:
        """Return the items of the queries that ``holder`` may have; nothing where they differ."""
        statements = list(self._known.get(holder, {}).values())
        try:
            return joined_statement(statements).items if statements else ()
        except Refused:
            return ()

    def alternative_states(self, fragment: ChainFragment) -> list[States]:
        """Return the statements that reach ``fragment``: together, if they are alike.

        If not, those of each kind, or else of each arrival, by themselves. Raises Refused if one
        of these differs by branch.
        """
        before = {} if fragment.recognised else self._statements_before(fragment)
        kinds = groups_of(before, lambda arrival: kind_of(before[arrival].items).value)
        by_kind = [kinds[kind] for kind in sorted(kinds)]
        for parts in ([list(before)], by_kind, [[arrival] for arrival in before]):
            result = [self._of_arrivals(part) for part in parts]
            try:
                for states in result:
                    states.statement_of(fragment, executed=False)
            except Refused as refused:
                if refused.reason is not reasons.DIFFERENT_QUERIES or len(parts) == len(before):
                    raise
            else:
                break
        return result

    def _of_arrivals(self, arrivals: Container[Arrival]) -> States:
        result = copy(self)
        result.arrivals = arrivals
        return result

    def statement_of(self, fragment: ChainFragment, *, executed: bool) -> Statement | None:
        """Return the statement that ``fragment`` comes to; None while nothing reaches it."""
        if fragment.recognised is not None:
            if isinstance(fragment.start, ast.Call) and fragment.start.keywords:
                raise Refused(reasons.RAISES_TODAY, "query() takes no keyword arguments")
            reader = self.component.reader(fragment.context)
            criteria = self._criteria_in(fragment.context)
            statement = initial_statement(reader, fragment.chain(_A_SESSION), criteria)
            add_links(statement, executed)
            return statement
        # Facts that were joined once are kept: most reads see the same facts as the one before, and
        # one more.
        befores = self._statements_before(fragment).values()
        return _extend(reduce(self._join, befores), fragment, executed) if befores else None

    def _statements_before(self, fragment: ChainFragment) -> dict[Arrival, Statement]:
        """Return the facts of the queries that ``fragment`` starts with, by how each arrived."""
        result: dict[Arrival, Statement] = {}
        for call, holder in self.component.holders.calls_and_holders(
            fragment.context, fragment.start
        ):
            for inner, statement in self._known.get(holder, {}).items():
                other = self._translated_statement(statement, holder.context, fragment.context)
                for arrival in self._arrivals_at(inner, call):
                    if self.arrivals is None or arrival in self.arrivals:
                        known = result.get(arrival)
                        result[arrival] = other if known is None else self._join(known, other)
        return result

    def _arrivals_at(self, inner: Arrival, call: CallEdge | None) -> Iterable[Arrival]:
        """Return how a query arrived at ``call`` that arrived as ``inner`` in the function."""
        if call is None or inner.call is None:
            return (inner,)
        # A call that passes none seems to give one of the others.
        if call not in self.component.passing:
            return (Arrival(inner.group),)
        return self._outer[inner] if inner.call is call else ()

    @cached_by(lambda statement, other: (statement.number, other.number))
    def _join(self, statement: Statement, other: Statement) -> Statement:
        return join(statement, other)

    def required_statement(self, fragment: ChainFragment, *, executed: bool) -> Statement:
        """Return the statement that ``fragment`` comes to; raises Refused if nothing does."""
        statement = self.statement_of(fragment, executed=executed)
        if statement is None:
            raise Refused(reasons.KEPT_QUERY, "no branch assigns its variable")
        return statement

    @cached_by(lambda statement, _source, target: (statement.number, target))
    def _translated_statement(
        self, statement: Statement, source: FunctionContext, target: FunctionContext
    ) -> Statement:
        if source is target:
            return statement
        return translate_statement(statement, self.component.reader(target), target)

    def _criteria_in(self, context: FunctionContext) -> list[ast.expr]:
        """Return the arguments of all builders that are called in ``context``."""
        links = (link for fragment in self._fragments[context] for link in fragment.links)
        return [argument for link in links for argument in link.call.args]

    @cached_property
    def _fragments(self) -> Mapping[FunctionContext, list[ChainFragment]]:
        return groups_of(self.component.fragments, attrgetter("context"))


def _extend(before: Statement, fragment: ChainFragment, executed: bool = False) -> Statement:
    statement = before.continued_by(fragment.chain(_A_SESSION))
    add_links(statement, executed)
    return statement


def _is_followed(names: set[str], fragment: ChainFragment, link: Link) -> bool:
    """Whether what ``link`` does to a query is followed from one statement to others.

    ``names`` are those of all builders.
    A set operation makes another query of it, so nothing may come after but that it is embedded.
    """
    if link.name not in SET_OPERATIONS:
        return link.name in BUILDERS and link.name not in _NOT_FOLLOWED
    is_last = link is fragment.links[-1] and fragment.end == "subquery"
    if not is_last or not names <= BEFORE | _OTHER_COLUMNS:
        return False
    text = fragment.context.module.source.text
    start, end = (fragment.context.span(node).end for node in (fragment.start, link.call))
    # The operation is formatted again, which leaves no place for comments.
    refuse_comment(text[start:end])
    return True


def held_edits(links: Sequence[Link], edits: Sequence[LinkEdit]) -> tuple[LinkEdit, ...] | None:
    """Return the rewrites of ``links``, called on a variable; None if their text stays.

    A select() has ``filter`` as well, but one statement is written with one word for it: ``where``.
    """
    return None if _as_named(links) == tuple(edits) else tuple(edits)


def keep_meaning(links: Sequence[Link], edits: Sequence[LinkEdit]) -> bool:
    """Whether of ``links`` at most the name becomes another: ``filter`` is spelled ``where``."""
    where = LinkEdit("where")
    spelled = [LinkEdit("filter") if edit == where else edit for edit in edits]
    named = [LinkEdit("filter") if item == where else item for item in _as_named(links)]
    return spelled == named


def _as_named(links: Sequence[Link]) -> tuple[LinkEdit, ...]:
    return tuple(LinkEdit(link.name) for link in links)
