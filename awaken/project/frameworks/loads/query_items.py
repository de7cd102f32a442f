"""The items of a query as values: what is asked for, and what kind of query that makes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from enum import Enum, IntEnum, auto

from msgspec import Struct
from msgspec.structs import replace


class Degree(IntEnum):
    """The degrees of certainty, the least first; each has the doubts of those above it as well."""

    ASSUMED = auto()
    """A class of a library is taken for a mapped one by the spelling of its name."""
    WEAK = auto()
    """It is some class: mapped if a query takes it, but its attributes are not known."""
    PRESUMED = auto()
    """Only the query says that it is mapped, so that it cannot prove that this is a query."""
    CERTAIN = auto()


class Certainty(Struct, frozen=True):
    """A degree; ``reason`` names a possible source of other values, if any."""

    degree: Degree = Degree.CERTAIN
    reason: str = ""

    @property
    def is_presumed(self) -> bool:
        """Whether nothing but the query says that it is mapped."""
        return self.degree <= Degree.PRESUMED

    @property
    def is_weak(self) -> bool:
        """Whether nothing is known of its attributes."""
        return self.degree <= Degree.WEAK

    @property
    def is_assumed(self) -> bool:
        """Whether it is taken for a mapped class by the spelling of its name."""
        return self.degree <= Degree.ASSUMED

    def because(self, reason: str) -> Certainty:
        """Return the same degree for ``reason``."""
        return replace(self, reason=reason)


CERTAIN = Certainty()
PRESUMED = Certainty(Degree.PRESUMED)
WEAK = Certainty(Degree.WEAK)
ASSUMED = Certainty(Degree.ASSUMED)


def least(found: Iterable[Certainty]) -> Certainty:
    """Return how sure it is that all of ``found`` hold: the least degree, and the first reason."""
    known = list(found)
    reason = next((certainty.reason for certainty in known if certainty.reason), "")
    return Certainty(min((certainty.degree for certainty in known), default=Degree.CERTAIN), reason)


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
