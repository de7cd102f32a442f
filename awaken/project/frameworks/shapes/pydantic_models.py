"""Shapes, the attributes that are read of an object: models of Pydantic and SQLModel."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.memo import cached_items, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    keyword_of,
    last_name,
    values_given,
    variable_of,
    without_arguments,
)
from awaken.project.values.domain import (
    Environment,
    InstanceOf,
    NoneValue,
    Unknown,
    Values,
    union,
    values_inside,
)
from awaken.project.values.library_types.solving import solved_values, without_variables

_KNOWN = schema_knowledge().models
_ALIASES = ("validation_alias", "alias")  # the first that is given counts
_SETTINGS = {"Config", "model_config"}
_CLOSED = {"forbid", "ignore"}  # what a model does with names that it has no field for
_WITHOUT_FIELDS = ("abc.", "pydantic.", "sqlmodel.", "typing.")  # where bases without them are
_ASKING = {"getattr", "hasattr"}
_BEHIND = "after"
"""Such a validator is given the model, whose fields say what was read."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A model with the types for its type parameters.

    ``lenient`` reads attributes whatever the model itself says, as FastAPI and
    ``from_attributes=True`` do, all the way down.
    """

    name: str
    parameters: tuple[Values, ...]
    lenient: bool
    models: PydanticModels = field(compare=False, repr=False)

    def fields(self) -> Sequence[Field]:
        """Return the fields that are read, by the order in which they are written."""
        return self.models.fields(self)


class PydanticModels(ProgramFacts):
    """Answers for one program."""

    def is_model(self, qualified: str) -> bool:
        """Whether a class of the program is a model."""
        return self._is_below(qualified, _KNOWN.bases)

    @cached_method
    def reads_attributes(self, qualified: str) -> bool:
        """Whether a model reads the attributes of objects by itself."""
        return self._is_below(qualified, _KNOWN.reading) or any(
            self._is_set(statement, _KNOWN.settings)
            for _, _, body in self._evaluator.classes.bodies(qualified)
            for statement in (*body.keywords, *body.body)
        )

    def shapes(self, declared: Values, *, lenient: bool) -> tuple[Shape, ...]:
        """Return the models among what an annotation says, also inside of containers."""
        result: dict[Shape, None] = {}
        for instance in self._instances_inside(declared):
            shape = ModelShape(instance.qualified, instance.parameters, lenient, self)
            if lenient or self.reads_attributes(instance.qualified):
                result[shape] = None
        return tuple(result)

    def _instances_inside(self, declared: Values) -> Iterator[InstanceOf]:
        for value in declared:
            if isinstance(value, InstanceOf) and self.is_model(value.qualified):
                yield value
            else:
                yield from self._instances_inside(values_inside(value))

    def unknown_in(self, declared: Values) -> Unknown | None:
        """Return why an annotation may name more than the models that are seen in it."""
        for value in declared:
            if isinstance(value, Unknown):
                return value
            is_model = isinstance(value, InstanceOf) and self.is_model(value.qualified)
            unknown = None if is_model else self.unknown_in(values_inside(value))
            if unknown is not None:
                return unknown
        return None

    @cached_items
    def fields(self, shape: ModelShape) -> Iterator[Field]:
        """Return what a model reads of an object."""
        by_name = any(
            self._is_set(statement, _KNOWN.by_name)
            for _, _, body in self._evaluator.classes.bodies(shape.name)
            for statement in (*body.keywords, *body.body)
        )
        yield from self._root(shape)
        yield from self._out_of_sight(shape.name)
        yield from _read_by_validators(self._evaluator, shape.name)
        seen: set[str] = set()
        for _, module, body in self._evaluator.classes.bodies(shape.name):
            for statement in body.body:
                name = last_name(variable_of(statement))
                if not name or name in seen or (name.startswith("_") and name != "__root__"):
                    continue
                seen.add(name)
                if isinstance(statement, ast.AnnAssign) and name != "model_config":
                    yield from self._field(shape, module, statement, name, by_name=by_name)

    @cached_method
    def all_fields(self, *, lenient: bool) -> frozenset[str] | None:
        """Return all attributes that some visible model reads; None if unknown.

        ``lenient`` as in ``ModelShape``.
        """
        fields = [
            item
            for name in self._evaluator.classes.heirs_of(_KNOWN.bases)
            if lenient or self.reads_attributes(name)
            for item in self.fields(ModelShape(name, (), lenient, self))
        ]
        is_told = all(candidate.path or candidate.unseen is None for candidate in fields)
        names = frozenset(step for item in fields for step in item.path)
        return names if is_told else None

    def names(self, qualified: str) -> frozenset[str] | None:
        """Return the names of all fields of a model, and of those that inherit from it.

        None where its objects may have others, or be dumped with others.
        """
        result: set[str] = set()
        for name in (qualified, *self._evaluator.classes.all_subclasses(qualified)):
            ancestors = self._evaluator.classes.ancestors(name)
            if ancestors is None or ancestors.unresolved:
                return None
            if not all(word.startswith(_WITHOUT_FIELDS) for word in ancestors.outside):
                return None
            for _, _, body in self._evaluator.classes.bodies(name):
                for statement in (*body.keywords, *body.body):
                    if self._is_set(statement, _KNOWN.opening) or _dumps(statement):
                        return None
                    name_of = str(getattr(statement, "name", ""))
                    result.add(last_name(variable_of(statement)) or name_of)
        return frozenset(result)

    # ------------------------------------------------------------------------------- the classes
    def _is_below(self, qualified: str, bases: Sequence[str]) -> bool:
        outside = self._evaluator.classes.library_names(qualified)
        return any(name in bases for name in outside)

    def _is_set(self, node: ast.AST, names: Sequence[str]) -> bool:
        """Whether settings, or a keyword of the class, set one of ``names``."""
        match node:
            case ast.keyword(arg=str(name), value=value):
                return name in names and _is_true(value)
            case ast.ClassDef(name="Config", body=body):
                given = values_given(body)
                return any(name in names and _is_true(value) for name, value in given)
            case ast.Assign() | ast.AnnAssign() if last_name(variable_of(node)) in _SETTINGS:
                return _sets(node.value, names)
        return False

    # -------------------------------------------------------------------------------- the fields
    def _out_of_sight(self, qualified: str) -> Iterator[Field]:
        """Yield a placeholder for the fields of a base that cannot be followed."""
        ancestors = self._evaluator.classes.ancestors(qualified)
        for facts, index in ancestors.unresolved[:1] if ancestors is not None else ():
            place = Place(facts.path, facts.span)
            why = f"the base class `{facts.bases_text[index]}` of `{facts.qualified}` is unknown"
            yield Field("", (), place, (), Unknown(why, place))

    def _root(self, shape: ModelShape) -> Iterator[Field]:
        """Yield what a model reads that holds one value, given as ``RootModel[list[User]]``."""
        for base in _KNOWN.roots if self._is_below(shape.name, _KNOWN.roots) else ():
            owner = InstanceOf(shape.name, parameters=shape.parameters)
            solution = self._evaluator.library.solution_of(owner, base)
            for _, module, body in self._evaluator.classes.bodies(shape.name):
                shapes = self.shapes(union(*solution.values()), lenient=shape.lenient)
                if shapes:
                    yield Field("root", (), module.place(body), shapes)
                return

    def _field(
        self,
        shape: ModelShape,
        module: Module,
        statement: ast.AnnAssign,
        name: str,
        *,
        by_name: bool,
    ) -> Iterator[Field]:
        is_relationship = self._calls(module, statement.value, _KNOWN.relationships)
        if is_relationship and not shape.lenient:
            # FastAPI leaves relationships of a table out; `model_validate` of a table reads them.
            yield Field(name, (name,), module.place(statement))
        if is_relationship or _is_of_class(statement.annotation):
            return
        declared = self._declared_values(shape, module, statement)
        shapes = self.shapes(declared, lenient=shape.lenient)
        unseen = self.unknown_in(declared)
        place = module.place(statement)
        if name in {"root", "__root__"} and self._is_root(shape, name):
            yield Field(name, (), place, shapes, unseen)
            return
        paths = self._aliases(module, statement)
        if not paths or by_name:
            paths.append((name,))
        for path in paths:
            yield Field(name, path, place, shapes, unseen)

    def _is_root(self, shape: ModelShape, name: str) -> bool:
        return name == "__root__" or self._is_below(shape.name, _KNOWN.roots)

    def _declared_values(
        self, shape: ModelShape, module: Module, statement: ast.AnnAssign
    ) -> Values:
        declared = self._evaluator.declared_unsolved(module, statement.annotation)
        owner = module.enclosing_class(statement)
        if owner is not None:
            home = module.full_name(owner)
            instance = InstanceOf(shape.name, parameters=shape.parameters)
            declared = solved_values(declared, self._evaluator.library.solution_of(instance, home))
        return tuple(
            value
            for value in without_variables(declared, module.place(statement))
            if not isinstance(value, NoneValue)
        )

    def _calls(self, module: Module, node: ast.expr | None, functions: Sequence[str]) -> bool:
        return (
            isinstance(node, ast.Call)
            and self._evaluator.names.qualified_name(module, node.func) in functions
        )

    def _aliases(self, module: Module, statement: ast.AnnAssign) -> list[tuple[str, ...]]:
        """Return the attributes that a field is read from in place of its name."""
        calls = [statement.value, *_extras(statement.annotation)]
        for call in calls:
            if not isinstance(call, ast.Call) or not self._calls(module, call, _KNOWN.fields):
                continue
            for wanted in _ALIASES:
                alias = keyword_of(call, wanted)
                paths = [] if alias is None else self._paths(module, alias)
                if paths:
                    return paths
        return []

    def _paths(self, module: Module, node: ast.expr) -> list[tuple[str, ...]]:
        match node:
            case ast.Constant(value=str(name)):
                return [(name,)]
            case ast.Call() if self._calls(module, node, _KNOWN.choices):
                return [path for argument in node.args for path in self._paths(module, argument)]
            case ast.Call() if self._calls(module, node, _KNOWN.paths):
                # A number is one item of a collection, of which each counts.
                steps = [part.value for part in node.args if isinstance(part, ast.Constant)]
                return [tuple(step for step in steps if isinstance(step, str))]
        return []


def _dumps(statement: ast.AST) -> bool:
    """Whether a statement of a model defines what it is dumped as."""
    match statement:
        case ast.FunctionDef(name="dict" | "model_dump"):
            return True
        case ast.FunctionDef(decorator_list=decorators):
            return any("model_serializer" in ast.unparse(decorator) for decorator in decorators)
    return False


def _is_of_class(annotation: ast.expr) -> bool:
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return last_name(outer) == "ClassVar"


def _is_true(node: ast.AST | None) -> bool:
    # An expression that is not a constant may be true as well.
    if isinstance(node, ast.Constant):
        return bool(node.value) and node.value not in _CLOSED
    return node is not None


def _sets(node: ast.expr | None, names: Sequence[str]) -> bool:
    """Whether ``ConfigDict(from_attributes=True)``, or a literal, sets one of ``names``.

    Settings that are merged from others count wherever they are written.
    """
    match node:
        case ast.Call(args=arguments, keywords=keywords):
            return any(
                _is_true(keyword.value)
                if keyword.arg in names
                else keyword.arg is None and _sets(keyword.value, names)
                for keyword in keywords
            ) or any(_sets(argument, names) for argument in arguments)
        case ast.Dict(keys=keys, values=values):
            return any(
                isinstance(key, ast.Constant) and key.value in names and _is_true(value)
                for key, value in zip(keys, values, strict=True)
            )
        case ast.Name() | ast.Attribute():
            return True  # settings made elsewhere: they may say so
    return False


def _extras(annotation: ast.expr) -> list[ast.expr]:
    """Return what ``Annotated`` says besides the type."""
    match annotation:
        case ast.Subscript(value=outer, slice=ast.Tuple(elts=[_, *extras])) if (
            last_name(outer) == "Annotated"
        ):
            return extras
    return []


def _read_by_validators(evaluator: ProgramEvaluator, qualified: str) -> Iterator[Field]:
    """Yield what the validators of a model read of the object that it is given."""
    for _, module, body in evaluator.classes.bodies(qualified):
        for function in body.body:
            validator = _given_pair(evaluator, module, function)
            for name, node in () if validator is None else _read(module, *validator):
                yield Field(name, (name,), module.place(node))


def _given_pair(
    evaluator: ProgramEvaluator, module: Module, node: ast.stmt
) -> tuple[ast.FunctionDef, str] | None:
    """Return a validator with its parameter for the validated value, or None."""
    if not isinstance(node, ast.FunctionDef):
        return None
    arguments = [*node.args.posonlyargs, *node.args.args][1:]
    for decorator in node.decorator_list if arguments else ():
        name = evaluator.names.qualified_name(module, without_arguments(decorator))
        if name in _KNOWN.validators and not _is_behind(decorator):
            return node, arguments[0].arg
    return None


def _is_behind(decorator: ast.expr) -> bool:
    mode = keyword_of(decorator, "mode") if isinstance(decorator, ast.Call) else None
    return isinstance(mode, ast.Constant) and mode.value == _BEHIND


def _read(
    module: Module, function: ast.FunctionDef, parameter: str
) -> Iterator[tuple[str, ast.expr]]:
    for node in module.walk(function):
        match module.scopes.attribute_read(node, _ASKING):
            case ast.Name(id=owner), name if owner == parameter and isinstance(node, ast.expr):
                is_method = isinstance(node, ast.Attribute) and module.call_of(node) is not None
                if not is_method and not name.startswith("__"):
                    yield name, node


How = Literal["response", "schema"]


class Shape(Protocol):
    """Something that reads attributes of the objects that it is given; equal ones read the same."""

    @property
    def name(self) -> str:
        """The class, or the place, that declares the fields."""

    def fields(self) -> Sequence[Field]:
        """Return the fields that are read, by the order in which they are written."""

    def __hash__(self) -> int: ...


class Field(Struct, frozen=True):
    """Attributes that are read of an object, one after the other.

    ``name`` is what it is called in a mapping that is given in place of an object. ``shapes`` read
    what the attributes give, or each item of it. An empty ``path`` reads no attribute: the shapes
    read the object itself. ``unseen`` says why more may be read of what the attributes give.
    """

    name: str
    path: tuple[str, ...]
    place: Place
    shapes: tuple[Shape, ...] = ()
    unseen: Unknown | None = None


class Applied(Struct, frozen=True):
    """Where something begins to read: a call, or an expression that an endpoint returns.

    The result of an endpoint is turned into its ``model``, an expression of ``home``.
    """

    module: Module
    node: ast.expr
    home: Module | None = None
    model: ast.expr | None = None


class Reading(Struct, frozen=True):
    """An expression that gives an object, or a collection of them, and what reads it.

    ``known`` is what the parameters around it are taken to be, such as ``self``; ``by`` is where
    what reads is called.
    """

    module: Module
    node: ast.expr
    shapes: tuple[Shape, ...]
    how: How
    known: Environment = ()
    by: Applied | None = None


class Unread(Struct, frozen=True):
    """An expression that gives an object whose read attributes are unknown.

    ``fields`` are all attributes that may be read, None where they are unknown as well.
    """

    module: Module
    node: ast.expr
    why: Unknown
    how: How
    known: Environment = ()
    fields: frozenset[str] | None = None
