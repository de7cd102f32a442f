"""All reads of relationships in a program, and what happens to their objects before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from awaken.contract import Place
from awaken.project.effects.callees import Callees
from awaken.project.effects.coroutines.awaitables import Awaitables
from awaken.project.effects.places.events_between import Between, Event
from awaken.project.frameworks.schemas.form_sights import FormSights
from awaken.project.frameworks.sqlalchemy.mapped_attributes import MappedAttributes
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.reads.between_load_and_read import (
    BetweenLoadAndRead,
    Expiry,
)
from awaken.project.frameworks.sqlalchemy.reads.kinds.assignments import Assignments
from awaken.project.frameworks.sqlalchemy.reads.kinds.declared_relationships import (
    DeclaredRelationships,
    Inverse,
    Inverses,
)
from awaken.project.frameworks.sqlalchemy.reads.kinds.generated_reads import GeneratedReads
from awaken.project.frameworks.sqlalchemy.reads.kinds.getattr_reads import DynamicReads
from awaken.project.frameworks.sqlalchemy.reads.kinds.proxies import ProxySights
from awaken.project.frameworks.sqlalchemy.reads.python_sights import PythonSights, Sights
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Read, Sight, Trace, Wanted
from awaken.project.frameworks.sqlalchemy.reads.relationship_reads import RelationshipReads
from awaken.project.frameworks.sqlalchemy.reads.tracing.tracing import Tracing
from awaken.project.frameworks.sqlalchemy.reads.unseen import Unseen
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_items, cached_method, cached_property
from awaken.project.values.domain import InstanceOf, Unknown, Values, origins_of


class ProgramReads:
    """Answers for one program; ``sights`` are the readers other than Python code."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        models: Models,
        attributes: MappedAttributes,
        sights: Sequence[Sights],
    ) -> None:
        self._evaluator = evaluator
        self.expiry = Expiry(evaluator)
        assignments = Assignments(evaluator, models, attributes)
        self._python = PythonSights(evaluator, assignments)
        proxies = ProxySights(evaluator, models)
        forms = FormSights(evaluator, assignments)
        sources: tuple[Sights, ...] = (self._python, proxies, forms, *sights)
        plain = self._plain = RelationshipReads(evaluator, models, sources, proxies)
        readers: tuple[Sights, ...] = (self._python, forms, *sights)
        self.calls_behind = plain.tracing.calls_behind
        self.proxied_by = proxies.proxied_by
        self.columns = ColumnReads(models, plain.tracing, plain.unseen, readers)
        declared = DeclaredRelationships(models, evaluator)
        self._dynamic = DynamicReads(evaluator, declared, assignments)
        self._generated = GeneratedReads(evaluator, models, declared)
        self._inverses = Inverses(evaluator, models)
        self._all: tuple[Read, ...] | None = None

    def all(self) -> tuple[Read, ...]:
        """Return every visible read of a relationship, with the loads of the objects, in order.

        One with an empty ``owner`` reads an attribute that some class has as a relationship, of an
        object of unknown class. Templates are read for rules that declare ``TEMPLATE_READS`` in
        ``reads``; for others they may read any attribute.
        """
        if self._all is None:
            self._all = self.reads_of(Wanted(self._plain.names() | {ANY}))
        return self._all

    def reads_of(self, wanted: Wanted) -> tuple[Read, ...]:
        """Return the visible reads that are wanted, in order: only these are followed."""
        if self._all is not None:
            return tuple(read for read in self._all if _is_among(read, wanted))
        result = [
            *self._plain.reads_of(wanted),
            *(() if "dynamic" in wanted.without else self._dynamic.reads_of(wanted.attributes)),
            *(() if "generated" in wanted.without else self._generated.reads_of(wanted.attributes)),
        ]
        kept = dict.fromkeys(candidate for candidate in result if _is_among(candidate, wanted))
        return tuple(sorted(kept, key=lambda read: read.place))

    @cached_items
    def of_schemas(self) -> Iterator[tuple[Place | None, Read]]:
        """Return the reads of schemas, each with the place of the call that reads.

        Without one it is the expression that gives the object, None where none is visible. A read
        that ``all`` has once is here for each of them, with its own loads.
        """
        return self._plain.of_schemas(Wanted(self._plain.names() | {ANY}))

    @cached_method
    def names_of_mapped(self) -> frozenset[str]:
        """Return the names of the relationships of classes that are proven to be mapped."""
        return self._plain.names_of_mapped()

    def files_reading(self, attribute: str) -> list[str]:
        """Return the Python files that may read an attribute of this name, by how they look.

        To tell the reads, all those of relationships are parsed.
        """
        return self._python.files([attribute])

    def between_load_and_read(self, trace: Trace, read: Read) -> tuple[Event, ...]:
        """Return what may happen to an object between a load and a read, one of its ``traces``."""
        return self._events_between.events_between(trace, read)

    @cached_property
    def _events_between(self) -> BetweenLoadAndRead:
        awaitables = Awaitables(self._evaluator, Callees(self._evaluator))
        between = Between(self._evaluator, awaitables)
        return BetweenLoadAndRead(self._evaluator, between, self.expiry)

    def inverse_of(self, owner: str, attribute: str) -> Inverse | None:
        """Return the side of a relationship that leads back; None if none is visible."""
        return self._inverses.inverse_of(owner, attribute)


def _is_among(read: Read, wanted: Wanted) -> bool:
    return read.attribute in wanted.attributes and wanted.holds(read.how, read.place)


class ColumnReads:
    """Answers for one program."""

    def __init__(
        self, models: Models, tracing: Tracing, unseen: Unseen, sources: Sequence[Sights]
    ) -> None:
        self._models = models
        self._tracing = tracing
        self._unseen = unseen
        self._sources = sources

    def reads_of(self, names: Collection[str]) -> Iterator[Read]:
        """Yield the reads of columns with these names.

        The ``owner`` is the mapped class of the object, empty where it is not known. Whether it
        has such a column is not asked.
        """
        result = [
            (sight, attribute, values)
            for source in self._sources
            for sight in source.reading(names)
            if sight.how not in {"assigned", "awaitable", "run_sync"}
            for attribute, values in self._tracing.along.path(sight)
            if attribute in names
        ]
        self._tracing.follow(origin for *_, values in result for origin in origins_of(values))
        for sight, attribute, values in result:
            yield from self._reads(sight, attribute, values)

    def _reads(self, sight: Sight, attribute: str, values: Values) -> Iterator[Read]:
        node = sight.node
        given = None if isinstance(node, Unknown) else sight.module.place(node)
        for value in values:
            if isinstance(value, InstanceOf) and self._models.mapped_class(value.qualified):
                traces, why = self._tracing.traces_of((value,), attribute, sight.place)
                yield Read(sight.place, value.qualified, attribute, sight.how, traces, why, given)
        unknown = self._unseen.reasons_for(values, sight)
        if unknown:
            yield Read(sight.place, "", attribute, sight.how, (), unknown, given)
