"""The places of models and schemas that read attributes of objects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Protocol

from msgspec import Struct, structs

from awaken.contract import Place
from awaken.project.frameworks.schemas.adrift import AdriftSchemas
from awaken.project.frameworks.shapes.attribute_shapes import Reading, Shape, Unread
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Sight
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.worklist import LONGEST_PATH, MOST_STEPS
from awaken.project.values.domain import Unknown

# One more than `reads.tracing` follows: an endless path is there, and unknown.


class _Step(Struct, frozen=True):
    """An attribute that is read, the last of ``path``, as in ``Sight``."""

    path: tuple[str, ...]
    place: Place
    unseen: Unknown | None = None


class Readings(Protocol):
    """Something that knows which objects shapes of one kind read."""

    def all(self) -> Iterator[Reading | Unread]:
        """Yield all of a program, by file and place."""


class SchemaSights:
    """The places of one program; nothing is looked for before it is asked."""

    def __init__(
        self, evaluator: ProgramEvaluator, sources: Sequence[Readings], adrift: AdriftSchemas
    ) -> None:
        self._evaluator = evaluator
        self._sources = sources
        self._adrift = adrift

    @cached_property
    def _found_items(self) -> tuple[Reading | Unread, ...]:
        return tuple(item for source in self._sources for item in source.all())

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Every object that something reads in a known way."""
        return tuple(candidate for candidate in self._found_items if isinstance(candidate, Reading))

    @cached_property
    def unread_items(self) -> tuple[Unread, ...]:
        """Every reader whose fields are unknown."""
        return tuple(
            result
            for item in self._found_items
            for result in ([item] if isinstance(item, Unread) else _rest(item))
        )

    def reading(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the places that read an attribute of one of these names, file by file."""
        kept: dict[Shape, tuple[_Step, ...]] = {}
        for reading in self.readings:
            for shape in reading.shapes:
                if shape not in kept:
                    kept[shape] = tuple(dict.fromkeys(_steps(shape, names)))
            result = dict.fromkeys(step for shape in reading.shapes for step in kept[shape])
            values = self._evaluator.values(reading.module, reading.node, reading.known)
            if all(isinstance(value, Unknown) for value in values):
                # Reads of unknown objects are unknown as well, whatever the path.
                result = dict.fromkeys(
                    structs.replace(step, path=step.path[-1:]) for step in result
                )
            for step in result:
                yield _sight(reading, step)
        for other in self.unread_items:
            place = other.module.place(other.node)
            for name in self._unread_names(other, names):
                yield _sight(other, _Step((name,), place, other.why))

        yield from self._of_adrift(names)

    def _of_adrift(self, names: Collection[str]) -> Iterator[Sight]:
        """Yield the attributes that schemas read of unknown objects."""
        for shape, why in self._escaping_shapes:
            for step in dict.fromkeys(_steps(shape, names)):
                if step.path[-1] != ANY:
                    for module in self._evaluator.modules_at([step.place.path]):
                        yield Sight(module, why, step.path[-1:], step.place, "schema")

    @cached_property
    def _escaping_shapes(self) -> tuple[tuple[Shape, Unknown], ...]:
        return tuple(self._adrift.all())

    def _unread_names(self, one: Unread, names: Collection[str]) -> Collection[str]:
        """Return the attributes that may be read of an object by a reader whose fields are unknown.

        For an unknown object these are all fields of any shape. For a known one that would hide the
        attributes after it.
        """
        if one.fields is None:
            return (ANY,)
        values = self._evaluator.values(one.module, one.node, one.known)
        is_unknown = all(isinstance(value, Unknown) for value in values)
        return sorted(one.fields.intersection(names)) if is_unknown else (ANY,)


def _sight(one: Reading | Unread, step: _Step) -> Sight:
    # Each attribute on the way is a sight by itself.
    begin = len(step.path) - 1
    path, place, known = step.path, step.place, one.known
    by = one.by if isinstance(one, Reading) else None
    reader = None if by is None else by.module.place(by.node)
    return Sight(
        one.module, one.node, path, place, one.how, True, begin, step.unseen, known, reader
    )


def _steps(shape: Shape, names: Collection[str]) -> Iterator[_Step]:
    """Yield what a shape reads that has one of ``names``, with the way to it."""
    for current, before in _followed_shapes(shape):
        for field in current.fields():
            path = (*before, *field.path)
            for length in range(len(before) + 1, len(path) + 1):
                if path[length - 1] in names:
                    yield _Step(path[:length], field.place)
            if field.unseen is not None and (not field.path or path[-1] in names):
                yield _Step((*path, ANY), field.place, field.unseen)


def _followed_shapes(shape: Shape) -> list[tuple[Shape, tuple[str, ...]]]:
    """Return the shapes that read what a shape gives them, with the way to it, short ones first."""
    result: list[tuple[Shape, tuple[str, ...]]] = [(shape, ())]
    for current, before in result:
        # The list grows while it is read.
        for field in current.fields() if len(before) < LONGEST_PATH else ():
            # A root that holds itself reads nothing, and would do so for ever.
            inner = [candidate for candidate in field.shapes if candidate != current or field.path]
            result += [(one, (*before, *field.path)) for one in inner[: MOST_STEPS - len(result)]]
    return result


def _rest(reading: Reading) -> Iterator[Unread]:
    """Yield a placeholder for all that shapes read in addition to their known fields."""
    for shape in reading.shapes:
        if len(_followed_shapes(shape)) >= MOST_STEPS:
            why = f"`{shape.name}` leads to too many others to follow"
            place = reading.module.place(reading.node)
            yield Unread(reading.module, reading.node, Unknown(why, place), reading.how)
