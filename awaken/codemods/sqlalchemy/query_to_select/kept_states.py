"""What a query in a variable may have become on any way that leads to where it is used."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.by_use import read_by_use
from awaken.codemods.sqlalchemy.query_to_select.chain import BUILDERS, Chain
from awaken.codemods.sqlalchemy.query_to_select.entities import classify_all
from awaken.codemods.sqlalchemy.query_to_select.items import Item
from awaken.codemods.sqlalchemy.query_to_select.kept import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statement import Statement, Target, add_links
from awaken.project.bindings import Binding
from awaken.project.flow import Reaching

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

_DIFFERS = "a class that depends on the way to this line"


class States:
    """The statements that the definitions of a web come to; raises Refused if they differ."""

    def __init__(self, web: Web, receiver: ast.expr) -> None:
        self._web = web
        self._receiver = receiver
        self._known: dict[Binding, Statement] = {}
        self._criteria = [
            argument
            for segment in web.segments
            for link in segment.links
            for argument in link.call.args
        ]
        for segment in web.segments:
            for link in segment.links:
                if link.name in _NOT_FOLLOWED or link.name not in BUILDERS:
                    raise Refused(reasons.KEPT_BUILDER, link.name, because=(web.place(link.call),))
        self._solve()

    def _solve(self) -> None:
        waiting = list(self._web.definitions)
        while waiting:
            binding = waiting.pop(0)
            found = [
                state
                for segment in self._web.definitions[binding]
                if (state := self.of(segment, executed=False)) is not None
            ]
            if not found:
                continue
            state, before = _joined(found), self._known.get(binding)
            if before is not None:
                state = _joined([before, state])
            self._known[binding] = state
            if before is None or _key(before) != _key(state):
                waiting += self._readers(binding)

    def _readers(self, binding: Binding) -> list[Binding]:
        return [
            other
            for other, segments in self._web.definitions.items()
            if any(binding in self._reaching(segment) for segment in segments)
        ]

    def _reaching(self, segment: Segment) -> tuple[Binding, ...]:
        if not isinstance(segment.start, ast.Name):
            return ()
        reaching = self._web.flow.reaching(segment.start)
        return reaching.definitions if isinstance(reaching, Reaching) else ()

    def of(self, segment: Segment, *, executed: bool) -> Statement | None:
        """Return the statement that ``segment`` comes to; None while nothing reaches it."""
        chain = segment.chain(self._receiver)
        if isinstance(segment.start, ast.Call):
            if segment.start.keywords:
                raise Refused(reasons.RAISES_TODAY, "query() takes no keyword arguments")
            statement = self._begun(chain)
        else:
            before = [self._known[one] for one in self._reaching(segment) if one in self._known]
            if not before:
                return None
            statement = _continued(_joined(before), chain)
        add_links(statement, executed)
        return statement

    def _begun(self, chain: Chain) -> Statement:
        reader = self._web.reader
        items = classify_all(reader, chain.items)
        items = tuple(read_by_use(item, self._criteria) for item in items)
        return Statement(reader, chain, items, orm_items=items)


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


# ------------------------------------------------------------------------------------------ join
def _joined(statements: Sequence[Statement]) -> Statement:
    """Return what is known of a statement that is one of ``statements``."""
    joined, *others = statements
    for other in others:
        joined = _join(joined, other)
    return joined


def _join(one: Statement, other: Statement) -> Statement:
    _refuse_different(one, other)
    return replace(
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
    )


def _refuse_different(one: Statement, other: Statement) -> None:
    """Raise Refused if not the same is asked for, or not in the same manner."""
    if _looks(one.items) != _looks(other.items):
        first = ", ".join(ast.unparse(item.node) for item in one.items)
        second = ", ".join(ast.unparse(item.node) for item in other.items)
        raise Refused(reasons.DIFFERENT_QUERIES, f"`{first}` or `{second}`")
    if one.yields != other.yields:
        raise Refused(reasons.DIFFERENT_QUERIES, "rows in portions (yield_per) or at once")
    if _looks(one.orm_items) != _looks(other.orm_items):
        raise Refused(reasons.DIFFERENT_QUERIES, "other columns at first")
    is_core = not any(item.orm for item in one.orm_items)
    sources = _ids(one.sources), _ids(one.criteria), one.joined
    if is_core and sources != (_ids(other.sources), _ids(other.criteria), other.joined):
        # Whether it flushes first depends on them (issue 9809).
        raise Refused(reasons.DIFFERENT_QUERIES, "columns of other tables")


def _looks(items: Sequence[Item]) -> list[tuple[object, ...]]:
    return [
        (
            ast.unparse(item.node),
            item.what,
            item.model,
            item.owner,
            item.key,
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
    )
