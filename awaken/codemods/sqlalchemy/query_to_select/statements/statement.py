"""The statement that a chain of builders comes to: what it selects, and what is known of it.

A statement in a variable is what it may have become on any way that leads there. Each field has its
way of joining, so that none can be forgotten; the rest is derived.

The items of queries that meet: whether both ask for the same, and what may be either.
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import Target
from awaken.kit.names_here import Written
from awaken.project.frameworks.loads.query_items import (
    CERTAIN,
    Certainty,
    Item,
    Kind,
    What,
    kind_of,
    least,
)

# A count of these needs no subquery; any other builder may change what is counted.
_PLAIN = frozenset({"filter", "filter_by", "join", "options", "order_by", "outerjoin", "where"})
Value = TypeVar("Value")
_DECLARED = "join"
_DIFFERS = "a class that depends on the branch"


def looks(items: Sequence[Item]) -> tuple[Hashable, ...]:
    """Return what a statement can tell ``items`` by: nodes of other places may look the same."""
    return tuple(
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
            _as_executed(item.certainty),
            item.mixed,
        )
        for item in items
    )


def _text(item: Item) -> str:
    """Return what tells items apart: files may call the same class by different names."""
    is_class = item.what is What.ENTITY and not item.aliased
    return item.model or ast.unparse(item.node) if is_class else ast.unparse(item.node)


def _as_executed(certainty: Certainty) -> Certainty:
    """Return ``certainty`` as far as it matters to a known query."""
    return Certainty(certainty.degree) if certainty.is_weak else CERTAIN


def are_alike(one: Sequence[Item], other: Sequence[Item]) -> bool:
    """Whether queries for ``one`` and for ``other`` are executed alike: classes, or columns."""
    whats = [item.what for item in one]
    singles = {item.what for item in (*one, *other)} if len(one) == len(other) == 1 else set()
    if What.UNKNOWN in singles and singles <= {What.UNKNOWN, What.ENTITY}:
        return True  # what may be either is unknown, and judged so where it is executed
    is_weak = any(item.certainty.is_weak for item in (*one, *other))
    if whats != [item.what for item in other] or is_weak:
        return False
    # Objects come out of both, whichever class it is.
    if whats == [What.ENTITY]:
        return True
    same_keys = [item.key for item in one] == [item.key for item in other]
    is_keyed = all(len({item.key for item in items}) == len(items) for items in (one, other))
    return set(whats) <= {What.COLUMN, What.ENTITY} and (same_keys or is_keyed)


def either(one: Item, other: Item) -> Item:
    """Return the facts of an item that is ``one`` or ``other``."""
    # Without model and owner: neither of the classes can be named for both.
    return Item(
        one.node,
        one.what if one.what is other.what else What.UNKNOWN,
        key=one.key if one.key == other.key else None,
        orm=one.orm and other.orm,
        aliased=one.aliased or other.aliased,
        hashable=one.hashable if one.hashable == other.hashable else None,
        certainty=least([one.certainty, other.certainty]),
    )


def give_rows(items: Sequence[Item]) -> bool:
    """Whether rows of columns come out: nothing but their keys depends on which these are."""
    is_known = not any(item.certainty.is_weak for item in items)
    return is_known and kind_of(items) is Kind.ROWS


class Join(Struct, frozen=True):
    """How a field is joined.

    ``either`` is what holds if one of two values does, ``both`` what holds if each does, ``key``
    what tells whether a value is another one than before, and ``carried`` what the statement has
    of it at first that goes on from this one.
    """

    either: Callable[[Any, Any], Any]
    both: Callable[[Any, Any], Any]
    key: Callable[[Any], Hashable] = lambda value: value
    carried: Callable[[Any], Any] = lambda value: value

    @property
    def metadata(self) -> Mapping[str, Join]:
        """The metadata of a field that is joined so."""
        return {_DECLARED: self}


def join_of(declared: Field[Any]) -> Join:
    """Return how the field ``declared`` is joined; KeyError if nobody said it."""
    join: Join = declared.metadata[_DECLARED]
    return join


def _first(one: Value, _other: Value) -> Value:
    return one


def _same(described: str) -> Join:
    """Return the join of a field that has to be the same on each path, Refused where it is not."""

    def refuse_others(one: Value, other: Value) -> Value:
        if one != other:
            raise Refused(reasons.DIFFERENT_QUERIES, described)
        return one

    return Join(refuse_others, _first)


def _all_nodes(one: Sequence[ast.expr], other: Sequence[ast.expr]) -> list[ast.expr]:
    # In order and once each: every round of a loop brings the same nodes again.
    return list(dict.fromkeys([*one, *other]))


def _shared_nodes(one: Sequence[ast.expr], other: Sequence[ast.expr]) -> list[ast.expr]:
    return [node for node in one if node in other]


def _ids(nodes: Sequence[ast.expr]) -> Hashable:
    return frozenset(map(id, nodes))


def _target(one: Target | None, other: Target | None) -> Target | None:
    if one is other or (one is not None and other is not None and one.text == other.text):
        return one
    return Target(None, _DIFFERS)


def _same_at_first(one: Sequence[Item], other: Sequence[Item]) -> Sequence[Item]:
    """Return what was asked for at first; Refused where only one way makes an ORM statement."""
    are_orm = all(any(item.orm for item in items) for items in (one, other))
    # If both ways make an ORM statement, it does not matter what by.
    if not are_orm and looks(one) != looks(other):
        raise Refused(reasons.DIFFERENT_QUERIES, "other columns initially")
    return one


def _nothing(_value: object) -> Hashable:
    return None


def _shared_targets(one: tuple[Target, ...], other: tuple[Target, ...]) -> tuple[Target, ...]:
    return tuple(each for each in one if each in other)


def _all_targets(one: tuple[Target, ...], other: tuple[Target, ...]) -> tuple[Target, ...]:
    return tuple(dict.fromkeys([*one, *other]))


SOME_WAY = Join(operator.or_, operator.and_)
"""True if it is on some way: what makes a statement less known."""
EACH_WAY = Join(operator.and_, operator.or_)
"""True if it is on each way: what makes a statement better known."""
NODES = Join(_all_nodes, _shared_nodes, key=_ids, carried=list)
"""Expressions that were added on some way."""
TARGET = Join(_target, _target, key=lambda target: target if target is None else (target.text,))
"""What a builder means, nothing that can be written if it depends on the way."""
_PARTNERS = Join(_shared_targets, _all_targets, key=frozenset)
"""What is joined on each way."""
NAME = Join(lambda item, other: item or other, lambda item, other: item and other, key=bool)
"""The name of some builder, for messages; whether there is one is what counts."""
_ITEMS = Join(_first, _first, key=looks)
"""Items, which look the same on both ways before anything else is joined."""
_ORM_ITEMS = Join(_same_at_first, _first, key=_nothing)
"""What makes an ORM statement."""
_LISTS = Join(_first, _first, key=lambda lists: frozenset(map(looks, lists)))
"""Lists of items, as ``_ITEMS``."""
_OF_CHAIN = Join(lambda _one, _other: [], _first, key=_nothing, carried=lambda _value: [])
"""What belongs to the builders of one chain, and says nothing of what comes behind it."""
_OF_PLACE = Join(_first, _first, key=_nothing)
"""Where the statement stands."""


@dataclass(slots=True)
class Statement:
    """The rows that a chain of builders selects, with the rewrite of each builder.

    ``join_point`` is what ``filter_by`` means after a join, ``source`` after a ``select_from``.
    ``criteria`` are the expressions that may bring another table into FROM, ``orm_items`` those
    that make an ORM statement of it, ``first_items`` those that a set operation puts together.
    ``unsure`` says that invisible additions may repeat rows, ``several`` that its one item has
    several classes, each of which was judged for itself. ``lists`` are the columns of each way to
    this place, where these differ; ``items`` are then all of them. ``unflushed`` says that not
    every way flushes first, ``is_plain`` that nothing but criteria, joins, order and loader options
    was added, ``portioned`` that ``yield_per`` is an execution option, which it may be among
    ``unknown_settings``. ``partners`` are joined so that each row has one at most, ``multiplies``
    says that others are as well; ``unjudged`` are criteria that may name something else in FROM.
    ``one_row_each`` says that DISTINCT or GROUP BY leaves one row at most of each object, whatever
    is joined. Every field says how it is joined where two ways meet; each statement has its own
    ``number``.
    """

    reader: Reader = field(metadata=_OF_PLACE.metadata)
    chain: Chain = field(metadata=_OF_PLACE.metadata)
    items: tuple[Item, ...] = field(metadata=_ITEMS.metadata)
    lists: tuple[tuple[Item, ...], ...] = field(default=(), metadata=_LISTS.metadata)
    several: bool = field(default=False, metadata=EACH_WAY.metadata)
    yields: bool = field(
        default=False, metadata=_same("rows in batches (yield_per) or all at once").metadata
    )
    portioned: bool = field(default=False, metadata=SOME_WAY.metadata)
    unknown_settings: bool = field(default=False, metadata=SOME_WAY.metadata)
    orm_items: tuple[Item, ...] = field(default=(), metadata=_ORM_ITEMS.metadata)
    edits: list[LinkEdit] = field(default_factory=list, metadata=_OF_CHAIN.metadata)
    needs: list[Written] = field(default_factory=list, metadata=_OF_CHAIN.metadata)
    criteria: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    options: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    ordered: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    sources: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    joined: bool = field(default=False, metadata=SOME_WAY.metadata)
    multiplies: bool = field(default=False, metadata=SOME_WAY.metadata)
    partners: tuple[Target, ...] = field(default=(), metadata=_PARTNERS.metadata)
    unjudged: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    join_point: Target | None = field(default=None, metadata=TARGET.metadata)
    reset: bool = field(default=False, metadata=_same("another meaning of `filter_by()`").metadata)
    source: Target | None = field(default=None, metadata=TARGET.metadata)
    selects_from: bool = field(default=False, metadata=SOME_WAY.metadata)
    begun: str = field(default="", metadata=NAME.metadata)
    limited: bool = field(default=False, metadata=SOME_WAY.metadata)
    one_row_limit: bool = field(default=False, metadata=EACH_WAY.metadata)
    asserting: bool = field(default=True, metadata=SOME_WAY.metadata)
    distinct: bool = field(default=False, metadata=SOME_WAY.metadata)
    grouped: bool = field(default=False, metadata=SOME_WAY.metadata)
    one_row_each: bool = field(default=False, metadata=EACH_WAY.metadata)
    from_statement: bool = field(default=False, metadata=SOME_WAY.metadata)
    as_rows: bool = field(default=False, metadata=_same("rows or objects").metadata)
    changed_items: bool = field(default=False, metadata=SOME_WAY.metadata)
    session: int | None = field(default=None, metadata=_same("other sessions").metadata)
    continued: bool = field(default=False, metadata=SOME_WAY.metadata)
    is_plain: bool = field(default=True, metadata=EACH_WAY.metadata)
    first_items: tuple[Item, ...] = field(
        default=(), metadata=_same("other set operations").metadata
    )
    unsure: bool = field(default=False, metadata=SOME_WAY.metadata)
    unflushed: bool = field(default=False, metadata=SOME_WAY.metadata)
    # Joins of two statements are kept by their numbers, as it would cost more to compare them.
    number: int = field(default_factory=itertools.count().__next__, init=False)

    def __post_init__(self) -> None:
        self.is_plain = self.is_plain and all(link.name in _PLAIN for link in self.chain.links)

    def continued_by(self, chain: Chain) -> Statement:
        """Return the facts where ``chain`` goes on from this statement."""
        carried = {name: join.carried(getattr(self, name)) for name, join in _joins().items()}
        return replace(self, **{**carried, "chain": chain, "continued": True})

    def either(self, other: Statement) -> Statement:
        """Return the facts of a statement that is this one or ``other``; raises Refused.

        The items of both look the same.
        """
        return self._joined_statement(other, lambda join: join.either)

    def combine(self, other: Statement) -> Statement:
        """Return the facts of this statement together with those of ``other``."""
        return self._joined_statement(other, lambda join: join.both)

    def _joined_statement(
        self, other: Statement, way: Callable[[Join], Callable[[Any, Any], Any]]
    ) -> Statement:
        values = {
            name: way(join)(getattr(self, name), getattr(other, name))
            for name, join in _joins().items()
        }
        return replace(self, **values)

    @property
    def key(self) -> tuple[Hashable, ...]:
        """A key that differs if the facts differ."""
        return tuple(join.key(getattr(self, name)) for name, join in _joins().items())


@cache
def _joins() -> Mapping[str, Join]:
    """Return how each field is joined that says something of a statement: all but its number."""
    return {candidate.name: join_of(candidate) for candidate in fields(Statement) if candidate.init}
