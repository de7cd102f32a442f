"""Schemas of marshmallow: the attributes that they read of an object to write it."""

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
    texts,
)
from awaken.project.frameworks.shapes.attribute_shapes import Field, Shape
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_constant, keyword_of, last_name, values_given
from awaken.project.values.domain import ClassOf, InstanceOf, Unknown

_KNOWN = schema_knowledge().schemas
_SIMPLE = frozenset(
    base.rpartition(".")[2] for base in (*_KNOWN.bases, *_KNOWN.mapped, *_KNOWN.whole)
)


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """A schema, and which of its fields an instance writes; ``only`` None for all of them."""

    name: str
    only: frozenset[str] | None
    exclude: frozenset[str]
    schemas: MarshmallowSchemas = field(compare=False, repr=False)

    def fields(self) -> Sequence[Field]:
        """Return the fields that are read, by the order in which they are written."""
        return self.schemas.fields(self)


class MarshmallowSchemas:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, mapped: Models) -> None:
        self._evaluator = evaluator
        self._mapped = mapped

    def is_schema(self, qualified: str) -> bool:
        """Whether a class of the program is a schema."""
        return bool(self._bases_of(qualified))

    @cached_property
    def may_be_there(self) -> bool:
        """Whether a file names a library of schemas: no class can inherit from one else."""
        known = {*_KNOWN.bases, *_KNOWN.mapped, *_KNOWN.whole, *_KNOWN.extensions}
        roots = sorted({name.partition(".")[0].encode() for name in known})
        return bool(self._evaluator.files_with(roots))

    @cached_items
    def fields(self, shape: SchemaShape) -> Iterator[Field]:
        """Return what a schema reads of an object."""
        listed = self._names(shape.name, "fields")
        left_out = self._names(shape.name, "exclude") or frozenset()
        loaded = self._names(shape.name, "load_only") or frozenset()
        seen: set[str] = set()
        for name, home, module, node in (
            *self._declared_fields(shape.name),
            *self._fields_of_meta(shape.name),
        ):
            is_wanted = shape.only is None or any(_begins(word, name) for word in shape.only)
            if name in seen or (listed is not None and name not in listed):
                continue
            seen.add(name)
            if is_wanted and name not in {*shape.exclude, *left_out, *loaded}:
                yield from self._field(shape, name, home, module, node)

    def shape(self, qualified: str) -> SchemaShape:
        """Return a schema that writes all its fields."""
        return SchemaShape(qualified, None, frozenset(), self)

    def shapes(self, module: Module, node: ast.expr, home: str = "") -> tuple[Shape, ...]:
        """Return the schemas that ``node`` names or makes; ``home`` is the one around it."""
        result: dict[Shape, None] = {}
        for where, part in self._written_names(module, node):
            result |= dict.fromkeys(self._schema_shapes_of(where, part, home))
        return tuple(result)

    # ------------------------------------------------------------------------------ the instances
    def instances(self, module: Module, node: ast.expr) -> tuple[Shape, ...]:
        """Return the schemas that an expression gives, with what they were made with."""
        return tuple(self._instances(module, node))

    def _instances(self, module: Module, node: ast.expr) -> Iterator[Shape]:
        if isinstance(node, ast.Call):
            yield from self.shapes(module, node)
            return
        for value in self._evaluator.values(module, node):
            if not isinstance(value, InstanceOf) or not self.is_schema(value.qualified):
                continue
            made = [
                place
                for origin in value.origins or ()
                for place in self._evaluator.calls_at(origin.place)[:1]
            ]
            if value.origins is None or not made:
                yield self.shape(value.qualified)
            for home, call in made:
                yield from self.shapes(home, call)

    def _written_names(self, module: Module, node: ast.expr) -> Iterator[Written]:
        """Yield ``node``, or what makes it if that can be followed."""
        result = list(definitions_of(self._evaluator, module, node))
        yield from result or [(module, node)]

    def _schema_shapes_of(self, module: Module, node: ast.expr, home: str) -> Iterator[SchemaShape]:
        match node:
            case ast.Constant(value="self") if home:
                yield self.shape(home)
            case ast.Constant(value=str(name)):
                for callee in self._called_schemas(name):
                    yield self.shape(callee)
            case ast.Lambda(body=body):
                yield from self._schema_shapes_of(module, body, home)
            case ast.Call(func=func):
                only, exclude = texts(keyword_of(node, "only")), texts(keyword_of(node, "exclude"))
                for callee in self._classes(module, func):
                    yield SchemaShape(callee, only, exclude or frozenset(), self)
            case _:
                for callee in self._classes(module, node):
                    yield self.shape(callee)

    def _classes(self, module: Module, node: ast.expr) -> list[str]:
        return [
            value.qualified
            for value in self._evaluator.values(module, node)
            if isinstance(value, ClassOf | InstanceOf) and self.is_schema(value.qualified)
        ]

    def _called_schemas(self, name: str) -> tuple[str, ...]:
        """Return the schemas that a string may name: one class, or all of that simple name."""
        if self.is_schema(name):
            return (name,)
        simple = name.rpartition(".")[2]
        named = self._evaluator.classes.classes_called(simple) if simple else ()
        return tuple(filter(self.is_schema, named))

    # -------------------------------------------------------------------------------- the classes
    @cached_method
    def _bases_of(self, qualified: str) -> frozenset[str]:
        """Return the names of the libraries' schemas that a class inherits from."""
        classes = self._evaluator.classes
        known = {*_KNOWN.bases, *_KNOWN.mapped, *_KNOWN.whole}
        bases = known.intersection(classes.library_ancestors(qualified))
        # ``ma.Schema`` of an object of the program.
        for _, module, body in classes.bodies(qualified):
            bases |= {base for base in map(last_name, self._of_extension(module, body)) if base}
        return frozenset(name.rpartition(".")[2] for name in bases)

    def _of_extension(self, module: Module, body: ast.ClassDef) -> Iterator[ast.expr]:
        for base in body.bases:
            if not isinstance(base, ast.Attribute) or base.attr not in _SIMPLE:
                continue
            for home, made in definitions_of(self._evaluator, module, base.value):
                func = made.func if isinstance(made, ast.Call) else made
                if self._evaluator.names.qualified_name(home, func) in _KNOWN.extensions:
                    yield base

    def _option(self, qualified: str, name: str) -> Written | None:
        """Return what the ``Meta`` of a schema sets."""
        for word, _, _ in self._evaluator.classes.bodies(qualified):
            if self._evaluator.classes.facts(f"{word}.Meta") is None:
                continue
            for _, module, body in self._evaluator.classes.bodies(f"{word}.Meta"):
                for bound, value in values_given(body.body):
                    if bound == name:
                        return module, value
            return None
        return None

    def _names(self, qualified: str, option: str) -> frozenset[str] | None:
        pair = self._option(qualified, option)
        return None if pair is None else texts(pair[1])

    # --------------------------------------------------------------------------------- the fields
    def _declared_fields(self, qualified: str) -> Iterator[tuple[str, str, Module, ast.expr]]:
        """Yield the fields in the bodies of a schema and those above it, nearest first."""
        for home, module, body in self._evaluator.classes.bodies(qualified):
            for name, value in values_given(body.body):
                yield name, home, module, value

    def _fields_of_meta(self, qualified: str) -> Iterator[tuple[str, str, Module, ast.expr]]:
        """Yield the fields that ``Meta`` names, and those of the mapped class that it names."""
        for option in ("fields", "additional"):
            pair = self._option(qualified, option)
            for name in sorted(texts(pair[1]) or ()) if pair is not None else ():
                if pair is not None:
                    yield name, qualified, *pair
        for home, _, _ in self._evaluator.classes.bodies(qualified):
            yield from self._of_mapped(home)

    def _of_mapped(self, qualified: str) -> Iterator[tuple[str, str, Module, ast.expr]]:
        bases = self._bases_of(qualified)
        model = self._option(qualified, "model")
        asked = self._option(qualified, "include_relationships")
        is_asked = asked is not None and not (
            isinstance(asked[1], ast.Constant) and not asked[1].value
        )
        if model is None or not (is_asked or bases & _WHOLE):
            return
        for one in self._evaluator.values(*model):
            mapped = self._mapped.mapped_class(one.qualified) if isinstance(one, ClassOf) else None
            for name in mapped.relationships if mapped is not None else ():
                yield name, qualified, *(model if asked is None else asked)

    def _field(
        self, shape: SchemaShape, name: str, home: str, module: Module, node: ast.expr
    ) -> Iterator[Field]:
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        kinds = self._kinds(module, call.func) if isinstance(node, ast.Call) else frozenset()
        load_only = keyword_of(call, "load_only")
        is_loaded = is_constant(load_only, value=True)
        path = attribute_path(call, name)
        if is_loaded or path is None or kinds & set(_KNOWN.without_attribute):
            return
        inner = self._inner(module, call, home) if isinstance(node, ast.Call) else None
        shapes = tuple(_narrow_shape(item, name, shape) for item in inner or ())
        unseen = self._unseen_reason(module, node) if inner is None and kinds else None
        yield Field(name, path, module.place(node), shapes, unseen)

    def _unseen_reason(self, module: Module, node: ast.expr) -> Unknown:
        why = f"the reads of `{module.excerpt(node)}` are unknown"
        return self._evaluator.unknown(module, node, why)

    def _kinds(self, module: Module, func: ast.expr) -> frozenset[str]:
        """Return the simple names of the class of a field and of those that it inherits from."""
        name = self._evaluator.names.qualified_name(module, func)
        outside = self._evaluator.classes.library_ancestors(name or "")
        return frozenset([last_name(func), *(word.rpartition(".")[2] for word in outside)])

    def _inner(self, module: Module, call: ast.Call, home: str) -> tuple[SchemaShape, ...] | None:
        """Return the schemas that write the value of a field; None if unknown."""
        kinds = self._kinds(module, call.func)
        if kinds & {*_KNOWN.nested, *_KNOWN.plucked}:
            return self._nested_schema_shapes(module, call, home, kinds)
        if not kinds & set(_KNOWN.holders):
            return () if kinds & set(_KNOWN.plain) else None
        held = [
            self._inner(other, node, home) for other, node in held_by(self._evaluator, module, call)
        ]
        return None if None in held else tuple(shape for item in held for shape in item or ())

    def _nested_schema_shapes(
        self, module: Module, call: ast.Call, home: str, kinds: frozenset[str]
    ) -> tuple[SchemaShape, ...] | None:
        nested = argument_at(call, 0, "nested")
        shapes = () if nested is None else self.shapes(module, nested, home)
        only = texts(keyword_of(call, "only"))
        if kinds & set(_KNOWN.plucked):
            plucked = argument_at(call, 1, "field_name")
            only = None if plucked is None else texts(ast.Tuple([plucked]))
        exclude = texts(keyword_of(call, "exclude")) or frozenset()
        schema_shapes = tuple(
            SchemaShape(shape.name, only or shape.only, shape.exclude | exclude, self)
            for shape in shapes
            if isinstance(shape, SchemaShape)
        )
        return schema_shapes or None


_WHOLE = frozenset(name.rpartition(".")[2] for name in _KNOWN.whole)


def _begins(dotted: str, name: str) -> bool:
    return dotted.split(".", maxsplit=1)[0] == name


def _names_below(dotted: frozenset[str], name: str) -> frozenset[str]:
    """Return what ``posts.title`` says of ``posts``."""
    return frozenset(word[len(name) + 1 :] for word in dotted if word.startswith(f"{name}."))


def _narrow_shape(inner: SchemaShape, name: str, outer: SchemaShape) -> SchemaShape:
    only = _names_below(outer.only, name) if outer.only is not None else frozenset()
    exclude = inner.exclude | _names_below(outer.exclude, name)
    return SchemaShape(inner.name, only or inner.only, exclude, inner.schemas)
