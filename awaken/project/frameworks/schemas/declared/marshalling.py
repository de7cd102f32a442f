"""Dictionaries of fields, of Flask-RESTX and Flask-RESTful: the attributes that they read."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.declared.schema_definitions import (
    Written,
    attribute_path,
    definitions_of,
    held_by,
)
from awaken.project.frameworks.shapes.attribute_shapes import Field, Shape
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_items, recursive_items
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import arguments_of, keyword_of, last_name

_KNOWN = schema_knowledge().marshalling
_ROOTS = sorted({function.partition(".")[0].encode() for function in _KNOWN.functions})
_FIELDS = frozenset((*_KNOWN.nested, *_KNOWN.choices, *_KNOWN.holders, *_KNOWN.plain))


@dataclass(frozen=True, slots=True)
class MarshalShape:
    """The fields of a dictionary, by the place at which that is written."""

    name: str
    start: int
    module: Module = field(compare=False, repr=False)
    node: ast.Dict = field(compare=False, repr=False)
    marshalling: Marshalling = field(compare=False, repr=False)

    def fields(self) -> Sequence[Field]:
        """Return the fields that are read, by the order in which they are written."""
        return self.marshalling.fields(self)


class Marshalling(ProgramFacts):
    """Answers for one program."""

    def shapes(self, module: Module, node: ast.expr) -> tuple[Shape, ...]:
        """Return the dictionaries of fields that ``node`` names or makes a model of."""
        return tuple(
            dict.fromkeys(
                MarshalShape(home.path, home.span(dict_).start, home, dict_, self)
                for home, dict_ in self._dictionaries(module, node)
            )
        )

    @cached_items
    def fields(self, shape: MarshalShape) -> Iterator[Field]:
        """Return what the fields of a dictionary read of an object."""
        for key, value in zip(shape.node.keys, shape.node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                for home, node in self._value(shape.module, value):
                    yield from self._field(shape.module, key, key.value, home, node)
            elif key is None:
                shapes = self.shapes(shape.module, value)
                yield Field("", (), shape.module.place(value), shapes)

    @cached_property
    def all_fields(self) -> frozenset[str]:
        """All attributes that some visible dictionary of fields reads."""
        result: set[str] = set()
        for module, node in nodes_in(self._evaluator.modules_with(_ROOTS), ast.Dict):
            if _has_fields(node):
                shape = MarshalShape(module.path, module.span(node).start, module, node, self)
                result |= {step for item in self.fields(shape) for step in item.path}
        return frozenset(result)

    @recursive_items
    def _dictionaries(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, ast.Dict]]:
        for home, part in definitions_of(self._evaluator, module, node):
            match part:
                case ast.Dict():
                    yield home, part
                case ast.Call() if last_name(part.func) in _KNOWN.makers:
                    for given in arguments_of(part):
                        yield from self._dictionaries(home, given)

    def _value(self, module: Module, node: ast.expr) -> Iterator[Written]:
        yield from list(definitions_of(self._evaluator, module, node)) or [(module, node)]

    def _field(
        self, module: Module, key: ast.Constant, name: str, home: Module, value: ast.expr
    ) -> Iterator[Field]:
        place = module.place(key)
        if isinstance(value, ast.Dict):
            # A group in what is written, of the attributes of the same object.
            yield Field(name, (), place, self.shapes(home, value))
            return
        call = value if isinstance(value, ast.Call) else ast.Call(value, [], [])
        path = attribute_path(call, name)
        if path is not None:
            shapes = self._inner(home, call)
            is_seen = shapes is not None or not isinstance(value, ast.Call)
            why = f"the reads of `{home.excerpt(value)}` are unknown"
            unseen = None if is_seen else self._evaluator.unknown(home, value, why)
            yield Field(name, path, place, shapes or (), unseen)

    def _inner(self, module: Module, call: ast.Call) -> tuple[Shape, ...] | None:
        """Return the fields that write the value of a field; None if unknown."""
        kind = last_name(call.func)
        if kind in _KNOWN.nested:
            nested = argument_at(call, 0, "model") or keyword_of(call, "nested")
            return (self.shapes(module, nested) or None) if nested is not None else None
        if kind in _KNOWN.choices:
            mapping = argument_at(call, 0, "mapping")
            chosen = mapping.values if isinstance(mapping, ast.Dict) else []
            return tuple(shape for node in chosen for shape in self.shapes(module, node)) or None
        if kind not in _KNOWN.holders:
            return () if kind in _KNOWN.plain else None
        held = [self._inner(home, node) for home, node in held_by(self._evaluator, module, call)]
        return None if None in held else tuple(shape for shapes in held for shape in shapes or ())


def _has_fields(node: ast.Dict) -> bool:
    calls = (value.func if isinstance(value, ast.Call) else value for value in node.values)
    return any(last_name(call) in _FIELDS for call in calls)
