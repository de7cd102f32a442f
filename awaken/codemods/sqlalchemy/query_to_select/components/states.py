"""What a query in a variable may have become on any way that leads to where it is used."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import Frame
from awaken.codemods.sqlalchemy.query_to_select.components.component import Kept, Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.joining import join, joined
from awaken.codemods.sqlalchemy.query_to_select.components.translation import crossed
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.by_use import read_by_use
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    BUILDERS,
    SET_OPERATIONS,
    Chain,
    Link,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.entities import classify_all
from awaken.codemods.sqlalchemy.query_to_select.reading.items import Item
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import add_links
from awaken.codemods.sqlalchemy.query_to_select.statements.comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.set_operations import BEFORE
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement

_NOT_FOLLOWED = frozenset(
    [
        "enable_assertions",
        "enable_eagerloads",
        "from_statement",
        "only_return_tuples",
        "reset_joinpoint",
        "tuples",
        "with_session",
        "with_transformation",
    ]
)
"""Builders whose effect on what comes in another statement is not followed."""

_OTHER_COLUMNS = frozenset({"add_column", "add_columns", "with_entities"})

_A_SESSION = ast.Name("session", ast.Load())
"""Stands for the session, whose name is found for each place by itself."""


class States:
    """The statements that the definitions of a web come to; raises Refused if they differ."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._known: dict[Kept, Statement] = {}
        self._joins: dict[tuple[int, int], Statement] = {}
        self._criteria: dict[Frame, list[ast.expr]] = {}
        names = {link.name for segment in web.segments for link in segment.links}
        for segment in web.segments:
            for link in segment.links:
                if not _is_followed(names, segment, link):
                    because = (segment.frame.place(link.call),)
                    raise Refused(reasons.KEPT_BUILDER, link.name, because=because)
        self._solve()

    def _solve(self) -> None:
        readers = self._web.readers()
        order = self._web.in_order()
        changed = set(order)
        while changed:
            for kept in order:
                if kept in changed:
                    changed.remove(kept)
                    if self._has_changed(kept):
                        changed.update(readers[kept])

    def _has_changed(self, kept: Kept) -> bool:
        """Work out the statement of ``kept``; return whether it is another one than before."""
        found = [
            crossed(state, segment.frame, kept.frame)
            for segment in self._web.definitions[kept]
            if (state := self.of(segment, executed=False)) is not None
        ]
        if not found:
            return False
        state, before = joined(found), self._known.get(kept)
        if before is not None:
            state = joined([before, state])
        self._known[kept] = state
        return before is None or before.key != state.key

    def items_of(self, kept: Kept) -> Sequence[Item]:
        """Return what the queries ask for that ``kept`` may hold; nothing where none comes."""
        return self._known[kept].items if kept in self._known else ()

    def of(self, segment: Segment, *, executed: bool) -> Statement | None:
        """Return the statement that ``segment`` comes to; None while nothing reaches it."""
        chain = segment.chain(_A_SESSION)
        if segment.recognised is not None:
            if isinstance(segment.start, ast.Call) and segment.start.keywords:
                raise Refused(reasons.RAISES_TODAY, "query() takes no keyword arguments")
            statement = self._begun(chain, segment.frame)
        else:
            before = self._before(segment)
            if before is None:
                return None
            statement = before.continued_by(chain)
        add_links(statement, executed)
        return statement

    def _before(self, segment: Segment) -> Statement | None:
        """Return what is known of the query that ``segment`` starts with.

        What was joined once is kept: most reads see what the one before sees, and one more.
        """
        joined: Statement | None = None
        for one in self._web.reaching(segment.frame, segment.start):
            if one not in self._known:
                continue
            other = self._known[one]
            if one.frame is not segment.frame:
                other = crossed(other, one.frame, segment.frame)
            if joined is None:
                joined = other
                continue
            key = joined.number, other.number
            if key not in self._joins:
                self._joins[key] = join(joined, other)
            joined = self._joins[key]
        return joined

    def reached(self, segment: Segment, *, executed: bool) -> Statement:
        """Return the statement that ``segment`` comes to; raises Refused if nothing does."""
        statement = self.of(segment, executed=executed)
        if statement is None:
            raise Refused(reasons.KEPT_QUERY, "where no way leads")
        return statement

    def _criteria_in(self, frame: Frame) -> list[ast.expr]:
        """Return the arguments of all builders that are called in ``frame``."""
        if not self._criteria:
            for segment in self._web.segments:
                own = self._criteria.setdefault(segment.frame, [])
                own += [argument for link in segment.links for argument in link.call.args]
        return self._criteria[frame]

    def _begun(self, chain: Chain, frame: Frame) -> Statement:
        criteria = self._criteria_in(frame)
        items = classify_all(frame.reader, chain.items)
        items = tuple(read_by_use(frame.reader, item, criteria) for item in items)
        return Statement(frame.reader, chain, items, orm_items=items)


def _is_followed(names: set[str], segment: Segment, link: Link) -> bool:
    """Whether what ``link`` does to a query is followed from one statement to others.

    ``names`` are those of all builders.
    A set operation makes another query of it, so nothing may come after but that it is embedded.
    """
    if link.name not in SET_OPERATIONS:
        return link.name in BUILDERS and link.name not in _NOT_FOLLOWED
    is_last = link is segment.links[-1] and segment.end == "subquery"
    if not is_last or not names <= BEFORE | _OTHER_COLUMNS:
        return False
    text = segment.frame.reader.module.source.text
    start, end = (segment.frame.span(node).end for node in (segment.start, link.call))
    refuse_comment(text[start:end])
    return True


def kept_edits(links: Sequence[Link], edits: Sequence[LinkEdit]) -> tuple[LinkEdit, ...] | None:
    """Return what becomes of ``links``, which are called on a variable; None if their text stays.

    ``filter`` is a method of what is built as well: where nothing else is written, it stays.
    """
    kept = tuple(
        LinkEdit("filter") if link.name == "filter" and edit == LinkEdit("where") else edit
        for link, edit in zip(links, edits, strict=True)
    )
    return None if kept == tuple(LinkEdit(link.name) for link in links) else kept
