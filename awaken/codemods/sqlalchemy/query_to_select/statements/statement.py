"""The statement that a chain of builders comes to: what it selects, and what is known of it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import Target
from awaken.codemods.sqlalchemy.query_to_select.statements.statement_joins import (
    EACH_WAY,
    ITEMS,
    LISTS,
    NAME,
    NODES,
    OF_CHAIN,
    OF_PLACE,
    ORM_ITEMS,
    PARTNERS,
    SOME_WAY,
    TARGET,
    Join,
    join_of,
    same,
)
from awaken.kit.names_here import Written
from awaken.project.frameworks.loads.query_items import Item

# A count of these needs no subquery; any other builder may change what is counted.
_PLAIN = frozenset({"filter", "filter_by", "join", "options", "order_by", "outerjoin", "where"})


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

    reader: Reader = field(metadata=OF_PLACE.metadata)
    chain: Chain = field(metadata=OF_PLACE.metadata)
    items: tuple[Item, ...] = field(metadata=ITEMS.metadata)
    lists: tuple[tuple[Item, ...], ...] = field(default=(), metadata=LISTS.metadata)
    several: bool = field(default=False, metadata=EACH_WAY.metadata)
    yields: bool = field(
        default=False, metadata=same("rows in batches (yield_per) or all at once").metadata
    )
    portioned: bool = field(default=False, metadata=SOME_WAY.metadata)
    unknown_settings: bool = field(default=False, metadata=SOME_WAY.metadata)
    orm_items: tuple[Item, ...] = field(default=(), metadata=ORM_ITEMS.metadata)
    edits: list[LinkEdit] = field(default_factory=list, metadata=OF_CHAIN.metadata)
    needs: list[Written] = field(default_factory=list, metadata=OF_CHAIN.metadata)
    criteria: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    options: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    ordered: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    sources: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    joined: bool = field(default=False, metadata=SOME_WAY.metadata)
    multiplies: bool = field(default=False, metadata=SOME_WAY.metadata)
    partners: tuple[Target, ...] = field(default=(), metadata=PARTNERS.metadata)
    unjudged: list[ast.expr] = field(default_factory=list, metadata=NODES.metadata)
    join_point: Target | None = field(default=None, metadata=TARGET.metadata)
    reset: bool = field(default=False, metadata=same("another meaning of `filter_by()`").metadata)
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
    as_rows: bool = field(default=False, metadata=same("rows or objects").metadata)
    changed_items: bool = field(default=False, metadata=SOME_WAY.metadata)
    session: int | None = field(default=None, metadata=same("other sessions").metadata)
    continued: bool = field(default=False, metadata=SOME_WAY.metadata)
    is_plain: bool = field(default=True, metadata=EACH_WAY.metadata)
    first_items: tuple[Item, ...] = field(
        default=(), metadata=same("other set operations").metadata
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
