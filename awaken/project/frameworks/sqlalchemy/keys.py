"""Keys: how many rows of a table belong to one row of another, by what the models declare.

They say which relationships are collections, and whether a class loads one by a join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from msgspec import Struct

from awaken.project.frameworks.sqlalchemy.constraints import ForeignKeys
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, Models
from awaken.project.frameworks.sqlalchemy.relationships import JOINED, Site
from awaken.project.source.memo import cached_method
from awaken.project.source.worklist import Worklist

Partners = Literal["none", "one", "many"]
"""How many rows of another table may belong to one row: ``none`` where no key relates the two."""


class Side(Struct, frozen=True):
    """A mapped class, with the names of all tables that its rows come from."""

    mapped: MappedClass
    tables: frozenset[str]


def unique_keys(mapped: MappedClass) -> tuple[frozenset[str], ...]:
    """Return the attributes of a class of which no two rows have the same values, key by key.

    None where the class may have more columns, or no table of its own, than can be seen.
    """
    if not mapped.complete or mapped.table != "plain":
        return ()
    # The columns and the table declare one primary key together.
    said = _attributes(mapped, mapped.constraints.primary)
    flagged = frozenset(name for name, column in mapped.columns.items() if column.primary_key)
    alone = (frozenset({name}) for name, column in mapped.columns.items() if column.unique)
    more = (
        _attributes(mapped, key)
        for key in mapped.constraints.keys
        if key != mapped.constraints.primary
    )
    primary = None if said is None else flagged | said
    return tuple(key for key in (primary, *alone, *more) if key)


def pins_one(mapped: MappedClass, attributes: Iterable[str]) -> bool:
    """Whether values for all of ``attributes``, none of them NULL, are those of one row at most."""
    given = frozenset(attributes)
    return any(key <= given for key in unique_keys(mapped))


def related_partners(owner: Side, target: Side, facts: RelationshipFacts) -> Partners | None:
    """Return how many rows of ``target`` a relationship leads to from one row of ``owner``.

    None if unknown.
    """
    if facts.secondary:
        return None
    if facts.plain_join:
        return by_foreign_keys(owner, target)
    if facts.remote_side:
        return _by_remote_side(owner, target, facts)
    return _by_named_keys(owner, target, facts.foreign_keys) if facts.foreign_keys else None


def by_foreign_keys(owner: Side, target: Side) -> Partners | None:
    """Return how many rows of ``target`` a join without a condition gives one row of ``owner``.

    None if unknown. If there are several foreign keys, such a join is an error.
    """
    if not owner.tables or not target.tables or owner.tables & target.tables:
        return None
    there, back = _links(owner, target.tables), _links(target, owner.tables)
    if there is None or back is None or len(there) + len(back) > 1:
        return None
    for link in there:
        referred = _referred_names(target.mapped, link)
        return "one" if referred and pins_one(target.mapped, referred) else "many"
    for link in back:
        return "one" if pins_one(target.mapped, link.columns) else "many"
    # A key of a table above may be hidden by a column of the same name.
    return "none" if len(owner.tables) == len(target.tables) == 1 else None


def _by_named_keys(owner: Side, target: Side, named: tuple[str, ...]) -> Partners | None:
    """Return what a relationship with ``foreign_keys=[...]`` leads to."""
    if owner.tables & target.tables:
        return None
    there, back = _links(owner, target.tables), _links(target, owner.tables)
    if there is None or back is None:
        return None
    own = attributes_of_class(named, owner.mapped, is_default=True)
    if own is not None:
        chosen = [candidate for candidate in there if own == set(candidate.columns)]
        referred = _referred_names(target.mapped, chosen[0]) if len(chosen) == 1 else None
        is_one = referred is not None and pins_one(target.mapped, referred)
        return ("one" if is_one else "many") if chosen else None
    other = attributes_of_class(named, target.mapped)
    if other is None or not any(other == set(candidate.columns) for candidate in back):
        return None
    return "one" if pins_one(target.mapped, other) else "many"


def keys_to(mapped: MappedClass, tables: Collection[str] | None) -> Iterator[str]:
    """Yield the attributes of a class that may hold keys to ``tables``; None means all."""
    for name, column in mapped.columns.items():
        key = column.foreign_key
        if key is not None and (not key or tables is None or _table_of(key) & set(tables)):
            yield name


def leads_down(mapped: MappedClass, remote_side: tuple[str, ...]) -> bool | None:
    """Return whether a relationship of a class to itself is a collection; None if unknown.

    It is one unless its remote side is the primary key. Source: SQLAlchemy, "Adjacency List
    Relationships".
    """
    if not remote_side:
        return True
    remote = attributes_of_class(remote_side, mapped, is_default=True)
    keys = {name for name, column in mapped.columns.items() if column.primary_key}
    return None if remote is None or not keys else not remote <= keys


def holds_many(owner: MappedClass, target: MappedClass, named: tuple[str, ...]) -> bool | None:
    """Return whether a relationship with ``foreign_keys=[...]`` is a collection; None if unknown.

    It is one if the columns are its target's, and none if they are its owner's. Source: SQLAlchemy,
    "Handling Multiple Join Paths".
    """
    if owner.tablename is None or target.tablename in {None, owner.tablename}:
        return None
    for mapped, other, is_own in ((owner, target, True), (target, owner, False)):
        keys = [
            (mapped.columns[name].foreign_key or "").split(".")[:-1]
            for name in attributes_of_class(named, mapped, is_default=is_own) or ()
        ]
        if keys:
            return not is_own if all(other.tablename in key for key in keys) else None
    return None


def _by_remote_side(owner: Side, target: Side, facts: RelationshipFacts) -> Partners | None:
    """Return what a relationship leads to that names the columns at its other end."""
    links = _links(owner, target.tables)
    remote = attributes_of_class(
        facts.remote_side, target.mapped, is_default=owner.tables == target.tables
    )
    own = attributes_of_class(facts.foreign_keys, owner.mapped, is_default=True)
    if links is None or remote is None:
        return None
    # Without `foreign_keys` there must be one key only, else SQLAlchemy asks for them.
    chosen = [link for link in links if not facts.foreign_keys or own == set(link.columns)]
    referred = _referred_names(target.mapped, chosen[0]) if len(chosen) == 1 else None
    is_one = referred is not None and referred == remote and pins_one(target.mapped, referred)
    return "one" if is_one else None


def attributes_of_class(
    named: tuple[str, ...], mapped: MappedClass, *, is_default: bool = False
) -> set[str] | None:
    """Return the attributes that names as ``Lamp.shop_id`` say of a class; None if of another."""
    simple = mapped.qualified.rpartition(".")[2]
    attributes = set[str]()
    for name in named:
        owner, _, attribute = name.rpartition(".")
        is_of_it = owner.rpartition(".")[2] == simple if owner else is_default
        if not is_of_it or attribute not in mapped.columns:
            return None
        attributes.add(attribute)
    return attributes or None


def _links(side: Side, tables: Collection[str]) -> list[ForeignKeys] | None:
    """Return the foreign keys to some tables, with attributes of the class for its own columns.

    None if not all keys are visible.
    """
    mapped = side.mapped
    if not mapped.complete or not mapped.constraints.known:
        return None
    keys = {name: column.foreign_key for name, column in mapped.columns.items()}
    if "" in keys.values():
        return None
    foreignkeys = [
        ForeignKeys((name,), (key,))
        for name, key in keys.items()
        if key is not None and _table_of(key) & set(tables)
    ]
    for item in mapped.constraints.foreign:
        if any(_table_of(key) & set(tables) for key in item.refers):
            attributes = [_attributes(mapped, (column,)) for column in item.columns]
            if None in attributes:
                return None
            own = tuple(name for part in attributes for name in part or ())
            foreignkeys.append(ForeignKeys(own, item.refers))
    return foreignkeys


def _table_of(key: str) -> set[str]:
    return set(key.split(".")[:-1])


def _referred_names(mapped: MappedClass, link: ForeignKeys) -> frozenset[str] | None:
    return _attributes(mapped, tuple(refer.rpartition(".")[2] for refer in link.refers))


def _attributes(mapped: MappedClass, columns: tuple[str, ...]) -> frozenset[str] | None:
    """Return the attributes for columns of the table; None if one is unknown."""
    # Columns of the table, of which an attribute may have another name.
    known = {column.name or name: name for name, column in mapped.columns.items()}
    if any(column not in known for column in columns):
        return None
    return frozenset(known[column] for column in columns)


class EagerLoading:
    """Follows ``lazy="joined"`` from class to class."""

    def __init__(self, models: Models) -> None:
        self._models = models

    @cached_method
    def needs_unique(self, qualified: str) -> bool | None:
        """Return whether a ``select`` of the class must be followed by ``unique()``.

        True if its mapping, or one reached through joined to-one links, its subclasses and mixins
        included, joins a collection; False if it certainly does not. None if that is unknown, as
        for a class that the project does not define.
        """
        certain, waiting = True, Worklist([qualified])
        for name in waiting:
            mapped = self._models.mapped_class(name)
            # Invisible code may join a collection, but only a False needs it all.
            if mapped is None or not mapped.complete:
                certain = False
            for site in self._sides(name, JOINED):
                uselist = self.is_collection(site, name)
                if uselist and site.facts.lazy == "joined" and site.owner is not None:
                    return True
                if (
                    site.facts.lazy is None
                    or uselist is None
                    or uselist
                    or site.owner is None
                    or site.facts.target is None
                ):
                    certain = False
                else:
                    waiting += [site.facts.target]
        return False if certain else None

    def side_loaded_by(self, qualified: str, strategies: frozenset[str]) -> str | None:
        """Return a side of the class, as a noun phrase, that may have one of these strategies.

        None if it certainly has no such side.
        """
        mapped = self._models.mapped_class(qualified)
        if mapped is None or not mapped.complete:
            return f"a relationship of `{qualified}`" if qualified else "a relationship"
        sides = self._sides(qualified, strategies)
        return f"`{sides[0].attribute or qualified}`" if sides else None

    def _sides(self, name: str, strategies: frozenset[str]) -> list[Site]:
        """Return the sides with these values of `lazy` that objects of ``name`` may have."""
        inherited = self._models.ancestor_names(name)
        return [
            site
            for site in self._models.relationships.loaded_by(strategies)
            if site.owner is None
            or site.owner in inherited
            or name in self._models.ancestor_names(site.owner)
        ]

    def is_collection(self, site: Site, name: str) -> bool | None:
        """Return whether a side is a collection, from its declaration or from foreign keys.

        A side that a mixin declares is one of the class ``name`` that inherits it.
        """
        facts = site.facts
        if facts.uselist is not None or facts.secondary:
            return facts.uselist
        inherits = site.owner in self._models.ancestor_names(name)
        owner = self._models.mapped_class(name if inherits else site.owner or "")
        target = self._models.mapped_class(facts.target or "")
        if owner is None or target is None or not (owner.complete and target.complete):
            return None
        if owner is target and (facts.remote_side or facts.plain_join):
            refers = _refers(owner, owner.tablename or "")
            return leads_down(owner, facts.remote_side) if refers else None
        return leads_to_many(owner, target, facts)


def leads_to_many(owner: MappedClass, target: MappedClass, facts: RelationshipFacts) -> bool | None:
    """Return whether foreign keys make a relationship a collection; None if unknown."""
    if facts.foreign_keys and not facts.remote_side:
        return holds_many(owner, target, facts.foreign_keys)
    return direction(owner, target) if facts.plain_join else None


def direction(owner: MappedClass, target: MappedClass) -> bool | None:
    """Return True if only the target's table refers to the owner's, False for the reverse."""
    # A table that refers to itself shows no direction.
    if owner.tablename is None or target.tablename is None or owner.tablename == target.tablename:
        return None
    to_target = _refers(owner, target.tablename)
    to_owner = _refers(target, owner.tablename)
    # With keys both ways, or none, nothing says which side has many.
    if to_target is None or to_owner is None or to_target == to_owner:
        return None
    return to_owner


def _refers(mapped: MappedClass, table: str) -> bool | None:
    """Return whether a class has a foreign key to ``table``; None if unknown."""
    names = list(keys_to(mapped, {table}))
    return bool(names) if all(mapped.columns[name].foreign_key for name in names) else None
