"""The statement that a chain of builders comes to: what it selects, and what is known of it."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass, field

from awaken.codemods.sqlalchemy.query_to_select.names import Reader, Written
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reading.items import Item
from awaken.codemods.sqlalchemy.query_to_select.statements.targets import Target


@dataclass(slots=True)
class Statement:
    """What a chain of builders selects, and what becomes of each builder.

    ``join_point`` is what ``filter_by`` means after a join, ``source`` after a ``select_from``.
    ``criteria`` are the expressions that may bring another table into FROM, ``orm_items`` those
    that make an ORM statement of it, ``first_items`` those that a set operation puts together.
    ``unsure`` says that rows may repeat for what was added out of sight, ``several`` that the one
    item is of several classes, each of which was judged for itself. ``lists`` are the columns of
    each way to this place, where these differ; ``items`` are then all of them. ``unflushed`` says
    that not every way flushes first. Each statement has its own ``number``.
    """

    reader: Reader
    chain: Chain
    items: tuple[Item, ...]
    edits: list[LinkEdit] = field(default_factory=list)
    orm_items: tuple[Item, ...] = ()
    needs: list[Written] = field(default_factory=list)
    criteria: list[ast.expr] = field(default_factory=list)
    options: list[ast.expr] = field(default_factory=list)
    ordered: list[ast.expr] = field(default_factory=list)
    joined: bool = False
    join_point: Target | None = None
    reset: bool = False
    source: Target | None = None
    sources: list[ast.expr] = field(default_factory=list)
    selects_from: bool = False
    begun: str = ""
    limited: bool = False
    one_row_limit: bool = False
    asserting: bool = True
    distinct: bool = False
    grouped: bool = False
    from_statement: bool = False
    yields: bool = False
    as_rows: bool = False
    changed_items: bool = False
    session: int | None = None
    continued: bool = False
    first_items: tuple[Item, ...] = ()
    unsure: bool = False
    several: bool = False
    lists: tuple[tuple[Item, ...], ...] = ()
    unflushed: bool = False
    number: int = field(default_factory=itertools.count().__next__, init=False)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but criteria, joins, order and loader options was added."""
        plain = {"filter", "where", "filter_by", "join", "outerjoin", "order_by", "options"}
        return all(link.name in plain for link in self.chain.links)
