"""The statements that the queries of a component come to, on any way to where each is used."""

from __future__ import annotations

import ast
from collections.abc import Container, Mapping, Sequence
from functools import cached_property
from operator import attrgetter

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.joining import join, joined_statement
from awaken.codemods.sqlalchemy.query_to_select.components.translation import translated
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import BUILDERS, SET_OPERATIONS, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import add_links, begun
from awaken.codemods.sqlalchemy.query_to_select.statements.comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.set_operations import BEFORE
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.project.frameworks.loads.items import Item
from awaken.project.graph.call_edges import FunctionContext
from awaken.project.graph.holders import Holder
from awaken.project.source.memo import cached_by
from awaken.project.source.worklist import groups_of

_NOT_FOLLOWED = frozenset({
    "enable_assertions", "enable_eagerloads", "from_statement", "only_return_tuples",
    "reset_joinpoint", "tuples", "with_session", "with_transformation",
})  # fmt: skip
"""Builders whose effect on what comes in another statement is not followed."""

_OTHER_COLUMNS = frozenset({"add_column", "add_columns", "with_entities"})

_A_SESSION = ast.Name("session", ast.Load())
"""Stands for the session, whose name is found for each place by itself."""


class States:
    """The statements that the definitions of a component come to; raises Refused if they differ.

    With ``begun_by`` only the queries count that begin with one of these calls.
    """

    def __init__(self, component: Component, begun_by: Container[ast.expr] | None = None) -> None:
        self._component = component
        self._begun_by = begun_by
        self._known: dict[Holder, Statement] = {}
        names = {link.name for fragment in component.fragments for link in fragment.links}
        for fragment in component.fragments:
            for link in fragment.links:
                if not _is_followed(names, fragment, link):
                    because = (fragment.context.place(link.call),)
                    raise reasons.kept_builder(link.name, because)
        self._solve()

    def _solve(self) -> None:
        readers = self._component.readers()
        order = self._component.in_order()
        changed = set(order)
        while changed:
            for holder in order:
                if holder in changed:
                    changed.remove(holder)
                    if self._has_changed(holder):
                        # Only what is made of this statement may be another one now.
                        changed.update(readers[holder])

    def _has_changed(self, holder: Holder) -> bool:
        """Work out the statement of ``kept``; return whether it is another one than before."""
        result = [
            self._translated_statement(state, fragment.context, holder.context)
            for fragment in self._component.definitions[holder]
            if (state := self.of(fragment, executed=False)) is not None
        ]
        if not result:
            return False
        state, before = joined_statement(result), self._known.get(holder)
        if before is not None:
            # Joined with what it was, it can only grow, so that the rounds come to an end.
            state = joined_statement([before, state])
        self._known[holder] = state
        return before is None or before.key != state.key

    def items_of(self, holder: Holder) -> Sequence[Item]:
        """Return what the queries ask for that ``kept`` may hold; nothing where none comes."""
        return self._known[holder].items if holder in self._known else ()

    def of(self, fragment: ChainFragment, *, executed: bool) -> Statement | None:
        """Return the statement that ``fragment`` comes to; None while nothing reaches it."""
        chain = fragment.chain(_A_SESSION)
        if fragment.recognised is not None:
            if self._begun_by is not None and fragment.start not in self._begun_by:
                return None
            if isinstance(fragment.start, ast.Call) and fragment.start.keywords:
                raise Refused(reasons.RAISES_TODAY, "query() takes no keyword arguments")
            reader = self._component.reader(fragment.context)
            statement = begun(reader, chain, self._criteria_in(fragment.context))
        else:
            before = self._facts_before(fragment)
            if before is None:
                return None
            statement = before.continued_by(chain)
        add_links(statement, executed)
        return statement

    def _facts_before(self, fragment: ChainFragment) -> Statement | None:
        """Return the facts of the query that ``fragment`` starts with.

        Facts that were joined once are kept: most reads see the same facts as the one before, and
        one more.
        """
        joined: Statement | None = None
        for holder in self._component.holders.reaching(fragment.context, fragment.start):
            if holder not in self._known:
                continue
            other = self._known[holder]
            if holder.context is not fragment.context:
                other = self._translated_statement(other, holder.context, fragment.context)
            joined = other if joined is None else self._join(joined, other)
        return joined

    @cached_by(lambda statement, other: (statement.number, other.number))
    def _join(self, statement: Statement, other: Statement) -> Statement:
        return join(statement, other)

    def reached(self, fragment: ChainFragment, *, executed: bool) -> Statement:
        """Return the statement that ``fragment`` comes to; raises Refused if nothing does."""
        statement = self.of(fragment, executed=executed)
        if statement is None:
            raise Refused(reasons.KEPT_QUERY, "in a variable that no branch assigns")
        return statement

    def _translated_statement(
        self, statement: Statement, source: FunctionContext, target: FunctionContext
    ) -> Statement:
        if source is target:
            return statement
        return translated(statement, self._component.reader(target), target)

    def _criteria_in(self, context: FunctionContext) -> list[ast.expr]:
        """Return the arguments of all builders that are called in ``context``."""
        links = (link for fragment in self._fragments[context] for link in fragment.links)
        return [argument for link in links for argument in link.call.args]

    @cached_property
    def _fragments(self) -> Mapping[FunctionContext, list[ChainFragment]]:
        return groups_of(self._component.fragments, attrgetter("context"))


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
