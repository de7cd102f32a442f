"""Collections that loading a class brings with it by a join: the ``unique()`` question."""

from __future__ import annotations

from awaken.project.frameworks.sqlalchemy.keys import holds_many, keys_to, leads_down
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.models import MappedClass, Models
from awaken.project.frameworks.sqlalchemy.relationships import JOINED, Site
from awaken.project.source.memo import cached_method
from awaken.project.source.worklist import Worklist


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
