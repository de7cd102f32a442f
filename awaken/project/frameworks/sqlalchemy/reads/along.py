"""Values along the attributes of a sight: what each attribute is read from."""

from __future__ import annotations

from collections.abc import Iterator

from awaken.project.frameworks.sqlalchemy.reads.domain import Sight
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


class Along:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator

    def path(self, sight: Sight) -> Iterator[tuple[str, Values]]:
        """Yield each attribute that is read at a place, with what it is read from."""
        values = self._evaluator.values(sight.module, sight.node)
        for index, attribute in enumerate(sight.path):
            if index:
                before = sight.path[index - 1]
                values = union(*(self._followed(one, before, sight) for one in values))
            values = _items(values) if sight.of_items else values
            yield attribute, values

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
