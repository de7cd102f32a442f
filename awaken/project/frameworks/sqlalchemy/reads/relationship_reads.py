"""The places of a program that read relationships, each with the loads of its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.reads.domain import Read, Sight
from awaken.project.frameworks.sqlalchemy.reads.sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.tracing import Tracing
from awaken.project.frameworks.sqlalchemy.relationships import WORDS
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.values.domain import (
    InstanceOf,
    Producer,
    TupleOf,
    Unknown,
    Value,
    Values,
    union,
)
from awaken.project.values.library.origins import begun, followed


class RelationshipReads:
    """Answers for one program; nothing is looked for before it is asked."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        models: Models,
        files_with: Callable[[Sequence[bytes]], list[str]],
        sources: Sequence[Sights],
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._files_with = files_with
        self._sources = sources
        self._tracing = Tracing(evaluator)
        self._found: tuple[Read, ...] | None = None

    def all(self) -> tuple[Read, ...]:
        """Return every read of a relationship in sight, by file and place.

        Also those of an attribute that some class has as a relationship, where the class of the
        object is not known.
        """
        if self._found is None:
            names = self._names()
            reads = [
                read
                for source in self._sources
                for sight in source.reading(names)
                for read in self._of(sight, names)
            ]
            self._found = tuple(sorted(dict.fromkeys(reads), key=lambda one: one.place))
        return self._found

    def _names(self) -> frozenset[str]:
        """Return the names of all attributes that are relationships of some class."""
        relationships = self._models.relationships
        sites = [site for path in self._files_with(WORDS) for site in relationships.in_file(path)]
        return frozenset(one.attribute for one in sites if one.attribute is not None)

    def _of(self, sight: Sight, names: frozenset[str]) -> Iterator[Read]:
        """Yield the reads of relationships at one place."""
        values = self._evaluator.values(sight.module, sight.node)
        for attribute in sight.path:
            values = _items(values) if sight.of_items else values
            yield from self._reads(values, attribute, sight, names)
            values = union(*(self._followed(one, attribute, sight) for one in values))

    def _reads(
        self, values: Values, attribute: str, sight: Sight, names: frozenset[str]
    ) -> Iterator[Read]:
        """Yield the reads of one attribute of objects, by the class that declares it."""
        unknown = tuple(one for one in values if isinstance(one, Unknown))
        owners: dict[str, list[InstanceOf]] = {}
        for one in values:
            declaring = self._declaring(one, attribute) if isinstance(one, InstanceOf) else ""
            if declaring and isinstance(one, InstanceOf):
                owners.setdefault(declaring, []).append(one)
        for owner, objects in owners.items():
            traces, why = self._tracing.of(objects, attribute, sight.place)
            yield Read(sight.place, owner, attribute, sight.how, traces, (*why, *unknown))
        if unknown and not owners and attribute in names:
            yield Read(sight.place, "", attribute, sight.how, (), unknown)

    def _followed(self, value: Value, attribute: str, sight: Sight) -> Values:
        """Return what an attribute of an object gives."""
        match value:
            case InstanceOf():
                found = self._evaluator.attribute(value, attribute, sight.module, sight.node)
                found = begun(found, attribute, sight.place)
                if self._evaluator.mapping.is_relationship(value, attribute):
                    return followed(found, value, attribute)
                return found
            case Unknown():
                return (value,)
            case _:
                return ()

    def _declaring(self, value: InstanceOf, attribute: str) -> str:
        """Return the class that declares a relationship of an object; empty if there is none."""
        mapped = self._models.mapped_class(value.qualified)
        if mapped is None or attribute not in mapped.relationships:
            return ""
        facts = mapped.relationships[attribute]
        sites = self._models.relationships.in_file(facts.path)
        declaring = {site.owner for site in sites if site.attribute == attribute}
        above = (one.qualified for one in self._models.ancestors(value.qualified))
        return next((one for one in above if one in declaring), value.qualified)


def _items(values: Values) -> Values:
    """Return the objects among ``values``: those inside of containers in place of these."""
    found: Values = ()
    for one in values:
        match one:
            case InstanceOf(parameters=[*_, held]):
                found = union(found, _items(held))
            case TupleOf():
                found = union(found, _items(union(*one.items)) if one.items else ())
            case Producer():
                found = union(found, _items(one.inner))
            case _:
                found = union(found, (one,))
    return found
