"""The places of a program that read columns, each with the loads of its objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.sqlalchemy.reads.python_sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Sight
from awaken.project.frameworks.sqlalchemy.reads.tracing.tracing import Tracing
from awaken.project.frameworks.sqlalchemy.reads.unseen import Unseen
from awaken.project.values.domain import InstanceOf, Unknown, Values, origins_of


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
