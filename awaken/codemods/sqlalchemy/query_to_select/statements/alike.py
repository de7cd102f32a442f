"""The items of queries that meet: whether both ask for the same, and what may be either."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Sequence

from awaken.project.frameworks.loads.certainty import CERTAIN, Certainty, least
from awaken.project.frameworks.loads.query_items import Item, Kind, What, kind_of


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
