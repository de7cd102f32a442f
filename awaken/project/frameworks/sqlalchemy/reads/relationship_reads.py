"""The places of a program that read relationships, each with the loads of its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.reads.domain import ANY, BY_KEY, Read, Sight
from awaken.project.frameworks.sqlalchemy.reads.paths import Paths
from awaken.project.frameworks.sqlalchemy.reads.sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.tracing import Tracing
from awaken.project.frameworks.sqlalchemy.relationships import WORDS
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.values.domain import InstanceOf, Unknown, Values


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
        self._paths = Paths(evaluator)
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
        for attribute, values in self._paths.objects(sight):
            if attribute in {ANY, BY_KEY}:
                yield from self._any(values, sight)
            else:
                yield from self._reads(values, attribute, sight, names)

    def _any(self, values: Values, sight: Sight) -> Iterator[Read]:
        """Yield the reads of objects of which any relationship may be read."""
        # An item by a computed key is one of a container, and an attribute of an object.
        why = sight.unseen or Unknown("an attribute by a computed name is read", sight.place)
        unknown = tuple(one for one in values if isinstance(one, Unknown))
        for one in values:
            if isinstance(one, InstanceOf) and self._models.mapped_class(one.qualified):
                traces, more = self._tracing.of([one], ANY, sight.place)
                yield Read(sight.place, one.qualified, ANY, sight.how, traces, (why, *more))
        if unknown:
            yield Read(sight.place, "", ANY, sight.how, (), (why, *unknown))

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
