"""The statements that the queries of a component come to, on any way to where each is used."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import reduce
from operator import attrgetter

from msgspec import Struct, structs

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import BUILDERS, SET_OPERATIONS, Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.results.given import flushes_first, may_repeat
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import (
    add_links,
    initial_statement,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import Target
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.set_operations import BEFORE
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import (
    Statement,
    are_alike,
    either,
    give_rows,
    looks,
)
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.loads.query_items import Item, What, kind_of
from awaken.project.graph.call_edges import CallEdge, FunctionContext
from awaken.project.graph.holders import Holder
from awaken.project.source.memo import cached_by, cached_property
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import MOST_ALTERNATIVES

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
            return _joined_statement(statements).items if statements else ()
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
        return _translate_statement(statement, self.component.reader(target), target)

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


def _translate_statement(
    statement: Statement, reader: Reader, target: FunctionContext
) -> Statement:
    """Return ``statement`` of another function as ``target``, in the file of ``reader``, sees it.

    Its criteria and options are judged in their own function.
    """
    return replace(
        statement,
        reader=reader,
        items=tuple(_seen_from(reader, target, item) for item in statement.items),
        orm_items=tuple(_seen_from(reader, target, item) for item in statement.orm_items),
        criteria=[],
        options=[],
        sources=[],
        unjudged=[],
        partners=tuple(
            result
            for partner in statement.partners
            if not partner.aliased and (result := _target(reader, target, partner)) is not None
        ),
        join_point=_target(reader, target, statement.join_point),
        source=_target(reader, target, statement.source),
        unsure=statement.unsure or may_repeat(statement),
    )


def _seen_from(reader: Reader, context: FunctionContext, item: Item) -> Item:
    is_named = item.owner is not None or item.model is not None  # maybe not where it came from
    if item.what not in {What.ENTITY, What.COLUMN} or not is_named:
        return item
    # An alias is a variable of the function that it comes from.
    owner = None if item.aliased else _named_in(reader, context, item.model)
    return structs.replace(item, owner=owner)


def _target(reader: Reader, context: FunctionContext, target: Target | None) -> Target | None:
    return (
        None
        if target is None
        else structs.replace(target, text=_named_in(reader, context, target.model))
    )


def _named_in(reader: Reader, context: FunctionContext, qualified: str | None) -> str | None:
    """Return the name by which the function of ``context`` sees the class; None if it does not."""
    if qualified is None:
        return None
    name = qualified.rpartition(".")[2]
    scopes = reader.module.scopes
    if name in scopes.module.bindings and scopes.owner(name, context.flow.scope) is scopes.module:
        return name if _means(reader, ast.Name(name, ast.Load()), qualified) else None
    for node in reader.module.walk(context.function):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if node.attr == name and _means(reader, node, qualified):
            return ast.unparse(node)
    return None


def _means(reader: Reader, node: ast.expr, qualified: str) -> bool:
    """Whether ``node`` is the class, be it by the name of a package that exports it."""
    meant = reader.qualified_name(node)
    if meant is None or meant == qualified:
        return meant is not None
    facts = reader.project.class_facts(meant)
    return facts is not None and facts.qualified == qualified


def _joined_statement(statements: Sequence[Statement]) -> Statement:
    """Return the facts of a statement that is one of ``statements``; raises Refused."""
    statement, *others = statements
    for other in others:
        statement = join(statement, other)
    return statement


def join(one: Statement, other: Statement) -> Statement:
    """Return the facts of a statement that is ``one`` or ``other``; raises Refused."""
    one, other = _with_same_items(one, other)
    statement = one.either(other)
    # Code that makes the statement flush may be in one branch only.
    statement.unflushed |= flushes_first(statement) and not flushes_first(one.combine(other))
    return statement


def _with_same_items(one: Statement, other: Statement) -> tuple[Statement, Statement]:
    """Return both statements with items that look the same; raises Refused if there are none."""
    are_same = looks(one.items) == looks(other.items) or are_alike(one.items, other.items)
    if not are_same and not (give_rows(one.items) and give_rows(other.items)):
        raise _different(one.items, other.items)
    if _lists(one) == _lists(other):
        return one, other
    # Where they are alike, one item can represent that of each branch.
    if are_alike(one.items, other.items) and not one.lists and not other.lists:
        items = tuple(map(either, one.items, other.items))
        return _of_several(one, items), _of_several(other, items)
    return _with_lists(one, other), _with_lists(other, one)


def _lists(statement: Statement) -> frozenset[tuple[Hashable, ...]]:
    return frozenset(map(looks, statement.lists or (statement.items,)))


def _different(one: Sequence[Item], other: Sequence[Item]) -> Refused:
    first, second = (", ".join(ast.unparse(item.node) for item in items) for items in (one, other))
    if first == second:
        detail = f"`{first}`, which means different things on each branch"
        return Refused(reasons.DIFFERENT_QUERIES, detail)
    return Refused(reasons.DIFFERENT_QUERIES, f"`{first}` or `{second}`")


def _with_lists(one: Statement, other: Statement) -> Statement:
    """Return ``one`` as a statement for its own columns, or for those of ``other``."""
    lists = list(one.lists or (one.items,))
    known = _lists(one)
    lists += [items for items in other.lists or (other.items,) if looks(items) not in known]
    # A loop that adds a column has no end of them.
    if len(lists) > MOST_ALTERNATIVES:
        raise _different(lists[0], lists[-1])
    # No class is the first one, which filter_by() would mean.
    items = tuple(
        structs.replace(item, what=What.EXPRESSION, mixed=True) for item in itertools.chain(*lists)
    )
    return replace(one, items=items, lists=tuple(lists))


def _of_several(statement: Statement, items: tuple[Item, ...]) -> Statement:
    """Return ``statement`` as one for ``items`` of several classes, its own criteria judged."""
    return replace(
        statement,
        items=items,
        criteria=[],
        options=[],
        unjudged=[],
        unsure=statement.unsure or may_repeat(statement),
        several=True,
    )
