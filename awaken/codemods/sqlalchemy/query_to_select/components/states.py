"""What a query in a variable may have become on any way that leads to where it is used."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.call_edges import Frame
from awaken.codemods.sqlalchemy.query_to_select.components.component import Kept, Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.translation import crossed, may_repeat
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.by_use import read_by_use
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    BUILDERS,
    SET_OPERATIONS,
    Chain,
    Link,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.entities import classify_all
from awaken.codemods.sqlalchemy.query_to_select.reading.items import Item, Kind, What, kind_of
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import add_links
from awaken.codemods.sqlalchemy.query_to_select.statements.comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.flushing import flushes_first
from awaken.codemods.sqlalchemy.query_to_select.statements.set_operations import BEFORE
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.codemods.sqlalchemy.query_to_select.statements.targets import Target

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

_MOST_LISTS = 8
"""Ways with other columns each: a loop that adds one has no end of them."""

_DIFFERS = "a class that depends on the way to this line"


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
        state, before = _joined(found), self._known.get(kept)
        if before is not None:
            state = _joined([before, state])
        self._known[kept] = state
        return before is None or _key(before) != _key(state)

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
            statement = _continued(before, chain)
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
                self._joins[key] = _join(joined, other)
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


def _continued(statement: Statement, chain: Chain) -> Statement:
    """Return a copy of ``statement``, to which ``chain`` adds its builders."""
    return replace(
        statement,
        chain=chain,
        continued=True,
        edits=[],
        needs=[],
        criteria=list(statement.criteria),
        options=list(statement.options),
        ordered=list(statement.ordered),
        sources=list(statement.sources),
    )


def kept_edits(links: Sequence[Link], edits: Sequence[LinkEdit]) -> tuple[LinkEdit, ...] | None:
    """Return what becomes of ``links``, which are called on a variable; None if their text stays.

    ``filter`` is a method of what is built as well: where nothing else is written, it stays.
    """
    kept = tuple(
        LinkEdit("filter") if link.name == "filter" and edit == LinkEdit("where") else edit
        for link, edit in zip(links, edits, strict=True)
    )
    return None if kept == tuple(LinkEdit(link.name) for link in links) else kept


# ------------------------------------------------------------------------------------------ join
def _joined(statements: Sequence[Statement]) -> Statement:
    """Return what is known of a statement that is one of ``statements``."""
    joined, *others = statements
    for other in others:
        joined = _join(joined, other)
    return joined


def _join(one: Statement, other: Statement) -> Statement:
    _refuse_different(one, other)
    if _looks_of_lists(one) != _looks_of_lists(other):
        if _are_alike(one.items, other.items) and not one.lists and not other.lists:
            items = tuple(map(_either, one.items, other.items))
            one, other = (_settled(each, items) for each in (one, other))
        else:
            one = _with_lists(one, other)
    joined = replace(
        one,
        edits=[],
        needs=[],
        criteria=_union(one.criteria, other.criteria),
        options=_union(one.options, other.options),
        ordered=_union(one.ordered, other.ordered),
        sources=_union(one.sources, other.sources),
        joined=one.joined or other.joined,
        join_point=_target(one.join_point, other.join_point),
        source=_target(one.source, other.source),
        selects_from=one.selects_from or other.selects_from,
        begun=one.begun or other.begun,
        limited=one.limited or other.limited,
        one_row_limit=one.one_row_limit and other.one_row_limit,
        distinct=one.distinct or other.distinct,
        grouped=one.grouped or other.grouped,
        changed_items=one.changed_items or other.changed_items,
        unsure=one.unsure or other.unsure,
        unflushed=one.unflushed or other.unflushed,
    )
    joined.unflushed |= flushes_first(joined) and not flushes_first(_shared(one, other))
    return joined


def _refuse_different(one: Statement, other: Statement) -> None:
    """Raise Refused if not the same is asked for, or not in the same manner."""
    is_same = _looks(one.items) == _looks(other.items) or _are_alike(one.items, other.items)
    if not is_same and not (_gives_rows(one) and _gives_rows(other)):
        raise _different(one.items, other.items)
    if one.yields != other.yields:
        raise Refused(reasons.DIFFERENT_QUERIES, "rows in portions (yield_per) or at once")
    are_orm = all(any(item.orm for item in each.orm_items) for each in (one, other))
    if not are_orm and _looks(one.orm_items) != _looks(other.orm_items):
        raise Refused(reasons.DIFFERENT_QUERIES, "other columns at first")


def _shared(one: Statement, other: Statement) -> Statement:
    """Return ``one`` with what ``other`` has as well of what decides whether it flushes first."""
    return replace(
        one,
        sources=[node for node in one.sources if node in other.sources],
        criteria=[node for node in one.criteria if node in other.criteria],
        joined=one.joined and other.joined,
    )


def _different(one: Sequence[Item], other: Sequence[Item]) -> Refused:
    first, second = (", ".join(ast.unparse(item.node) for item in items) for items in (one, other))
    if first == second:
        detail = f"`{first}`, by which not the same is meant on each"
        return Refused(reasons.DIFFERENT_QUERIES, detail)
    return Refused(reasons.DIFFERENT_QUERIES, f"`{first}` or `{second}`")


def _gives_rows(statement: Statement) -> bool:
    """Whether rows of columns come out: nothing but their keys depends on which these are."""
    is_known = not any(item.weak or item.assumed for item in statement.items)
    return is_known and kind_of(statement.items) is Kind.ROWS


def _with_lists(one: Statement, other: Statement) -> Statement:
    """Return ``one`` as a statement for its own columns, or for those of ``other``."""
    lists = list(one.lists or (one.items,))
    known = _looks_of_lists(one)
    lists += [items for items in other.lists or (other.items,) if _looks(items) not in known]
    if len(lists) > _MOST_LISTS:
        raise _different(lists[0], lists[-1])
    # No class is the first one, which filter_by() would mean.
    items = tuple(
        replace(item, what=What.EXPRESSION, mixed=True) for item in itertools.chain(*lists)
    )
    return replace(one, items=items, lists=tuple(lists))


def _settled(statement: Statement, items: tuple[Item, ...]) -> Statement:
    """Return ``statement`` as one for ``items`` of several classes, its own criteria judged."""
    unsure = may_repeat(statement)
    return replace(statement, items=items, criteria=[], options=[], unsure=unsure, several=True)


def _are_alike(one: Sequence[Item], other: Sequence[Item]) -> bool:
    """Whether queries for ``one`` and for ``other`` are executed alike: classes, or columns."""
    whats = [item.what for item in one]
    singles = {item.what for item in (*one, *other)} if len(one) == len(other) == 1 else set()
    if What.UNKNOWN in singles and singles <= {What.UNKNOWN, What.ENTITY}:
        return True  # what may be either is unknown, and judged so where it is executed
    if whats != [item.what for item in other] or any(i.weak or i.assumed for i in (*one, *other)):
        return False
    if whats == [What.ENTITY]:
        return True
    same_keys = [item.key for item in one] == [item.key for item in other]
    is_keyed = all(len({item.key for item in items}) == len(items) for items in (one, other))
    return set(whats) <= {What.COLUMN, What.ENTITY} and (same_keys or is_keyed)


def _either(one: Item, other: Item) -> Item:
    """Return what is known of an item that is ``one`` or ``other``."""
    return Item(
        one.node,
        one.what if one.what is other.what else What.UNKNOWN,
        key=one.key if one.key == other.key else None,
        orm=one.orm and other.orm,
        aliased=one.aliased or other.aliased,
        hashable=one.hashable if one.hashable == other.hashable else None,
        unless=one.unless or other.unless,
    )


def _looks(items: Sequence[Item]) -> list[tuple[object, ...]]:
    return [
        (
            _text(item),
            item.what,
            item.model,
            item.owner,
            item.key,
            item.other_keys,
            item.orm,
            item.aliased,
            item.aggregate,
            item.constant,
            item.hashable,
            item.assumed,
            item.weak,
            item.mixed,
        )
        for item in items
    ]


def _looks_of_lists(statement: Statement) -> list[list[tuple[object, ...]]]:
    return [_looks(items) for items in statement.lists or (statement.items,)]


def _text(item: Item) -> str:
    """Return what tells items apart: files may call the same class by different names."""
    is_class = item.what is What.ENTITY and not item.aliased
    return item.model or ast.unparse(item.node) if is_class else ast.unparse(item.node)


def _target(one: Target | None, other: Target | None) -> Target | None:
    if one is other or (one is not None and other is not None and one.text == other.text):
        return one
    return Target(None, _DIFFERS)


def _union(one: Sequence[ast.expr], other: Sequence[ast.expr]) -> list[ast.expr]:
    return list(dict.fromkeys([*one, *other]))


def _ids(nodes: Iterable[ast.AST]) -> set[int]:
    return {id(node) for node in nodes}


def _key(statement: Statement) -> tuple[object, ...]:
    """Return what tells whether a state has changed."""
    return (
        _looks_of_lists(statement),
        _ids(statement.criteria),
        _ids(statement.options),
        _ids(statement.ordered),
        _ids(statement.sources),
        statement.joined,
        statement.join_point,
        statement.source,
        statement.selects_from,
        bool(statement.begun),
        statement.limited,
        statement.one_row_limit,
        statement.distinct,
        statement.grouped,
        statement.changed_items,
        statement.unsure,
        statement.unflushed,
    )
