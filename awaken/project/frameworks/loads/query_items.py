"""The items of a query as values: what is asked for, and what kind of query that makes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from enum import Enum, auto

from msgspec import Struct

from awaken.project.frameworks.loads.certainty import CERTAIN, Certainty


class What(Enum):
    """The kinds of one item of a query."""

    ENTITY = auto()
    COLUMN = auto()
    EXPRESSION = auto()
    SELECTABLE = auto()
    """A Table or a subquery: all of its columns."""
    UNKNOWN = auto()


class Kind(Enum):
    """The kinds of a query: they decide how it is executed and what comes back."""

    ENTITY = auto()
    ROWS_WITH_ENTITY = auto()
    ROWS = auto()
    UNKNOWN = auto()


class Item(Struct, frozen=True):
    """One item of a query.

    ``model`` is the qualified name of the mapped class that it is, or whose column it is; ``owner``
    the source text of that class or alias. ``key`` is its name in a row, None without a label;
    ``other_keys`` are names that it may have in its place.
    ``orm`` says that the item makes the statement an ORM statement, None where that is unknown;
    ``one_row`` that it alone
    gives exactly one row (aggregates, literals); ``hashable`` is None where the type is unknown,
    ``mixed`` that columns of several classes are in it. ``models`` are all the classes that an
    entity of no one model may be, empty where they are not known. ``automapped`` says that it is
    surely a class that automap makes, whichever.
    """

    node: ast.expr
    what: What
    model: str | None = None
    owner: str | None = None
    key: str | None = None
    orm: bool | None = True
    aliased: bool = False
    aggregate: bool = False
    constant: bool = False
    hashable: bool | None = True
    certainty: Certainty = CERTAIN
    models: frozenset[str] = frozenset()
    mixed: bool = False
    other_keys: frozenset[str] = frozenset()
    automapped: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """The names that it may have in a row, as far as they are known."""
        return self.other_keys | ({self.key} if self.key else frozenset())

    @property
    def is_of_table(self) -> bool:
        """Whether its columns are those of one Table or subquery, and not of a mapped class."""
        return not self.mixed and (self.owner or "").endswith((".c", ".columns"))


def kind_of(items: Sequence[Item]) -> Kind:
    """Return the kind of a query for ``items``."""
    if any(item.what is What.UNKNOWN for item in items):
        return Kind.UNKNOWN
    entities = [item for item in items if item.what is What.ENTITY]
    if len(items) == 1 and entities:
        return Kind.ENTITY
    return Kind.ROWS_WITH_ENTITY if entities else Kind.ROWS


def doubts_of(items: Sequence[Item]) -> list[str]:
    """Return the expressions that may give other items than the visible ones."""
    return [item.certainty.reason for item in items if item.certainty.reason]
