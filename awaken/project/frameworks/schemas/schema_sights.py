"""The places of models and schemas that read attributes of objects.

A schema that is passed to a decorator, or kept in a registry, leaves the code that is followed. It
may write any object, for its arguments are not visible there.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from msgspec import Struct, structs

from awaken.contract import Place
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.declared import (
    MarshmallowSchemas,
    SchemaShape,
)
from awaken.project.frameworks.shapes.pydantic_models import Reading, Shape, Unread
from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Sight
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.expression_uses import targets_of, use_of
from awaken.project.source.memo import cached_property, recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.source.worklist import LONGEST_PATH, MOST_STEPS
from awaken.project.values.domain import Unknown

_KNOWN = schema_knowledge().schemas
_WORDS = (b"Schema", b"schema")
# Calls that receive a schema there and read nothing by it, or that others follow.
_FOLLOWED = frozenset(
    (
        *(name.rpartition(".")[2] for name in (*_KNOWN.nested, *_KNOWN.plucked, *_KNOWN.holders)),
        *("cast", "hasattr", "isinstance", "issubclass", "super", "type"),
    )
)


class AdriftSchemas:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, schemas: MarshmallowSchemas) -> None:
        self._evaluator = evaluator
        self._schemas = schemas

    def all(self) -> Iterator[tuple[SchemaShape, Unknown]]:
        """Yield each of them, with the place where it is passed on."""
        if not self._schemas.may_be_there:
            return
        for path in self._evaluator.files_with(_WORDS):
            for qualified in self._evaluator.classes.written_in(path):
                place = self._left_at(qualified) if self._schemas.is_schema(qualified) else None
                if place is not None:
                    name = qualified.rpartition(".")[2]
                    why = (
                        f"`{name}` is passed on here, and no visible call shows which "
                        "object it writes"
                    )
                    yield self._schemas.shape(qualified), Unknown(why, place)

    def _left_at(self, qualified: str) -> Place | None:
        for spelling in self._evaluator.classes.spellings(qualified):
            for module, node in self._mentions(spelling):
                name = self._evaluator.names.qualified_name(module, node)
                if name in {None, qualified} and self._leaves(module, node, qualified):
                    return module.place(node)
        return None

    def _mentions(self, word: str) -> Iterator[tuple[Module, ast.expr]]:
        files = self._evaluator.callers.words.files_with(word)
        for module in self._evaluator.names.facts.mentioning(word, files):
            for node in module.mentions(word):
                is_read = isinstance(getattr(node, "ctx", None), ast.Load)
                if is_read and isinstance(node, ast.Name | ast.Attribute):
                    yield module, node

    def _leaves(self, module: Module, node: ast.expr, qualified: str) -> bool:
        """Whether a schema, or its class, goes from ``node`` to where it is not followed."""
        way, above = use_of(module, node)
        match way:
            case "called":
                return self._leaves(module, above, qualified)
            case "argument":
                return not self._is_followed(module, above)
            case "attribute":
                return above.attr in _KNOWN.dumps and not self._is_seen(module, node, qualified)
            case "returned" if isinstance(above, ast.Lambda):
                return self._leaves(module, above, qualified)
            case "bound":
                targets = targets_of(above)
                return any(self._is_handed_on(module, part, qualified) for part in targets)
        return way in {"element", "key", "returned", "same", "unpacked", "yielded"}

    def _is_followed(self, module: Module, call: ast.Call) -> bool:
        above = module.parent(call)
        name = last_name(call.func)
        is_decorator = isinstance(above, Function) and call in above.decorator_list
        return name in _FOLLOWED or (is_decorator and name in _KNOWN.decorators)

    def _is_seen(self, module: Module, node: ast.expr, qualified: str) -> bool:
        """Whether it is known that what writes there is the schema."""
        shapes = self._schemas.instances(module, node)
        return any(shape.name == qualified for shape in shapes)

    @recursive(lambda *_: True)
    def _is_handed_on(self, module: Module, target: ast.expr, qualified: str) -> bool:
        """Whether what is kept in a variable, or an attribute, goes on from there."""
        name = last_name(target)
        if not name or self._is_of_library(module, target):
            return True
        home = module.enclosing_function(target)
        is_local = isinstance(target, ast.Name) and home is not None
        mentions = [
            (other, node)
            for other, node in self._mentions(name)
            if not is_local or (other is module and module.enclosing_function(node) is home)
        ]
        return any(self._leaves(other, node, qualified) for other, node in mentions)

    def _is_of_library(self, module: Module, target: ast.expr) -> bool:
        """Whether a class body sets it that a library has made the base of: it reads it there."""
        above = module.parent(module.parent(target) or target)
        if not isinstance(above, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(module.full_name(above))
        return (
            ancestors is None
            or bool(ancestors.unresolved)
            or bool({*ancestors.outside} - {"builtins.object"})
        )


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
