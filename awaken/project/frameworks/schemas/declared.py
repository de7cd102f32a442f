"""Fields that schema classes declare: the attributes that they read to write an object."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.shapes.pydantic_models import Field, Shape
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.memo import cached_items, cached_method, cached_property, recursive_items
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import (
    arguments_of,
    is_constant,
    keyword_of,
    last_name,
    values_given,
)
from awaken.project.source.worklist import Queue
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


_HELD = {"cls_or_instance", "keys", "tuple_fields", "values"}
Written = tuple[Module, ast.expr]


def definitions_of(
    evaluator: ProgramEvaluator, module: Module, node: ast.expr
) -> Iterator[Written]:
    """Yield what a name is assigned, over files and other names; all else is what it is.

    Nothing for a name that is no variable, or is assigned in a way that is not followed.
    """
    waiting = Queue([(module, node)])
    for home, part in waiting:
        if isinstance(part, ast.Name | ast.Attribute):
            waiting += _assigned_names(evaluator, home, part)
        else:
            yield home, part


def _assigned_names(
    evaluator: ProgramEvaluator, module: Module, node: ast.Name | ast.Attribute
) -> list[Written]:
    bindings = module.scopes.bindings_of(node)
    if bindings and all(binding.kind == "assignment" for binding in bindings):
        return [(module, binding.value) for binding in bindings if binding.value is not None]
    name = evaluator.names.qualified_name(module, node)
    at_top = evaluator.names.bindings_at(name)
    if at_top is not None:
        home, result = at_top
        return [(home, item.value) for item in result if item.kind == "assignment" and item.value]
    owner_name, _, attribute = (name or "").rpartition(".")
    owner = evaluator.classes.node(owner_name)
    pairs = () if owner is None else values_given(owner[1].body)
    return [(owner[0], value) for name, value in pairs if owner and name == attribute]


def texts(node: ast.expr | None) -> frozenset[str] | None:
    """Return the strings of a literal list, tuple or set; None for all else."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None
    result = [element.value for element in node.elts if isinstance(element, ast.Constant)]
    is_whole = len(result) == len(node.elts) and all(isinstance(item, str) for item in result)
    return frozenset(item for item in result if isinstance(item, str)) if is_whole else None


def attribute_path(call: ast.Call, name: str) -> tuple[str, ...] | None:
    """Return the attributes that a field reads, by its name or ``attribute="author.name"``.

    None where a function says what it gives.
    """
    given = keyword_of(call, "attribute")
    match given:
        case None | ast.Constant(value=None):
            return (name,)
        case ast.Constant(value=str(dotted)):
            # A number is one item of a collection, of which each counts.
            return tuple(text for text in dotted.split(".") if text and not text.isdigit())
    return None


def held_by(
    evaluator: ProgramEvaluator, module: Module, call: ast.Call
) -> Iterator[tuple[Module, ast.Call]]:
    """Yield the fields that a field is given for what it holds, each as the call that makes it."""
    given = [*call.args, *(part.value for part in call.keywords if part.arg in _HELD)]
    for node in given:
        for element in node.elts if isinstance(node, ast.Tuple | ast.List) else [node]:
            if isinstance(element, ast.Call | ast.Name | ast.Attribute):
                result = definitions_of(evaluator, module, element)
                calls = [(home, made) for home, made in result if isinstance(made, ast.Call)]
                # A class is made without arguments.
                yield from calls or [(module, ast.Call(element, [], []))]


_MARSHALLING = schema_knowledge().marshalling
_ROOTS = sorted({function.partition(".")[0].encode() for function in _MARSHALLING.functions})
_FIELDS = frozenset(
    (*_MARSHALLING.nested, *_MARSHALLING.choices, *_MARSHALLING.holders, *_MARSHALLING.plain)
)


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
                case ast.Call() if last_name(part.func) in _MARSHALLING.makers:
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
        if kind in _MARSHALLING.nested:
            nested = argument_at(call, 0, "model") or keyword_of(call, "nested")
            return (self.shapes(module, nested) or None) if nested is not None else None
        if kind in _MARSHALLING.choices:
            mapping = argument_at(call, 0, "mapping")
            chosen = mapping.values if isinstance(mapping, ast.Dict) else []
            return tuple(shape for node in chosen for shape in self.shapes(module, node)) or None
        if kind not in _MARSHALLING.holders:
            return () if kind in _MARSHALLING.plain else None
        held = [self._inner(home, node) for home, node in held_by(self._evaluator, module, call)]
        return None if None in held else tuple(shape for shapes in held for shape in shapes or ())


def _has_fields(node: ast.Dict) -> bool:
    calls = (value.func if isinstance(value, ast.Call) else value for value in node.values)
    return any(last_name(call) in _FIELDS for call in calls)
