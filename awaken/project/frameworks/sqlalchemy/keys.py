"""Keys: how many rows of a table belong to one row of another, by what the models declare."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass

Partners = Literal["none", "one", "many"]
"""How many rows of another table may belong to one row: ``none`` where no key relates the two."""


def unique_keys(mapped: MappedClass) -> tuple[frozenset[str], ...]:
    """Return the attributes of a class of which no two rows have the same values, key by key.

    None where the class may have more columns, or no table of its own, than can be seen.
    """
    if not mapped.complete or mapped.table != "plain":
        return ()
    primary = frozenset(name for name, one in mapped.columns.items() if one.primary_key)
    alone = (frozenset({name}) for name, one in mapped.columns.items() if one.unique)
    return tuple(key for key in (primary, *alone) if key)


def pins_one(mapped: MappedClass, attributes: Iterable[str]) -> bool:
    """Whether values for all of ``attributes`` are those of one row at most."""
    given = frozenset(attributes)
    return any(key <= given for key in unique_keys(mapped))


def related(owner: MappedClass, target: MappedClass, facts: RelationshipFacts) -> Partners | None:
    """Return how many rows of ``target`` a relationship leads to from one row of ``owner``.

    None where it cannot be told.
    """
    if facts.secondary or not facts.plain_join:
        return None
    return by_foreign_keys(owner, target)


def by_foreign_keys(owner: MappedClass, target: MappedClass) -> Partners | None:
    """Return how many rows of ``target`` a join without a condition gives one row of ``owner``.

    None where it cannot be told. If there are several foreign keys, such a join is an error.
    """
    if owner.tablename is None or target.tablename is None or owner.tablename == target.tablename:
        return None
    there, back = _referring(owner, target.tablename), _referring(target, owner.tablename)
    if there is None or back is None or (there and back):
        return None
    if there:
        # Columns of the target's table, of which an attribute may have another name.
        columns = {one.name or name: name for name, one in target.columns.items()}
        named = {column.rpartition(".")[2] for column in there.values()}
        attributes = (columns[one] for one in named if one in columns)
        return "one" if pins_one(target, attributes) else "many"
    if back:
        return "one" if pins_one(target, back) else "many"
    return "none"


def _referring(mapped: MappedClass, table: str) -> dict[str, str] | None:
    """Return the columns with a foreign key to ``table``, and what each refers to.

    None if not all keys are in sight.
    """
    if not mapped.complete:
        return None
    keys = {name: one.foreign_key for name, one in mapped.columns.items()}
    if "" in keys.values():
        return None
    return {
        name: key for name, key in keys.items() if key is not None and table in key.split(".")[:-1]
    }
