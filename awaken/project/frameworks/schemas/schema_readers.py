"""All readers of attributes that are no Python code, put together."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.declared import (
    Marshalling,
    MarshmallowSchemas,
)
from awaken.project.frameworks.schemas.field_values import Given
from awaken.project.frameworks.schemas.schema_sights import AdriftSchemas, SchemaSights
from awaken.project.frameworks.schemas.validations import EndpointReadings, ModelReadings
from awaken.project.frameworks.shapes.pydantic_models import PydanticModels, Reading, Unread
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.web.applications import Applications, argument_at
from awaken.project.frameworks.web.responses import Responses
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import Function, last_name
from awaken.project.values.domain import Unknown


def schema_sights(
    evaluator: ProgramEvaluator, mapped: Models, counts: Callable[[str], bool] | None = None
) -> SchemaSights:
    """Return the places of models and schemas of a program that read attributes.

    Those of objects whose class ``counts``, or without it of those that are mapped.
    """
    models = PydanticModels(evaluator)
    given = Given(evaluator, models, counts)
    schemas = MarshmallowSchemas(evaluator, mapped)
    responses = Responses(evaluator, Applications(evaluator))
    return SchemaSights(
        evaluator,
        (
            EndpointReadings(evaluator, responses, models, given),
            ModelReadings(evaluator, models, given),
            DumpReadings(evaluator, schemas, Marshalling(evaluator), given),
        ),
        AdriftSchemas(evaluator, schemas),
    )


# -------------------------------------------------------------------------------------------- dumps
_SCHEMAS, _FIELDS = schema_knowledge().schemas, schema_knowledge().marshalling
_FUNCTIONS = frozenset(function.rpartition(".")[2] for function in _FIELDS.functions)
_DECORATORS = frozenset([*_SCHEMAS.decorators, *_FIELDS.decorators])
_WORDS = (*(f"{dump}(".encode() for dump in (*_SCHEMAS.dumps, *_SCHEMAS.decorators)), b"marshal")


class DumpReadings:
    """Reads of schemas and of dictionaries of fields when they serialize objects."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        schemas: MarshmallowSchemas,
        marshalling: Marshalling,
        given: Given,
    ) -> None:
        self._evaluator = evaluator
        self._schemas = schemas
        self._marshalling = marshalling
        self._given = given

    def all(self) -> Iterator[Reading | Unread]:
        """Yield all of a program, by file and place."""
        kinds = (ast.Call, ast.FunctionDef, ast.AsyncFunctionDef)
        for module, node in nodes_in(self._evaluator.modules_with(_WORDS), kinds):
            if isinstance(node, ast.Call):
                yield from self._of_call(module, node)
            elif isinstance(node, Function):
                yield from self._of_function(module, node)

    def _of_call(self, module: Module, call: ast.Call) -> Iterator[Reading | Unread]:
        match call.func:
            case ast.Attribute(value=owner, attr=name) if name in _SCHEMAS.dumps:
                given = argument_at(call, 0, "obj")
                if given is not None:
                    yield from self._dumped_readings(module, owner, given)
            case func if last_name(func) in _FUNCTIONS:
                given, fields = argument_at(call, 0, "data"), argument_at(call, 1, "fields")
                if given is not None and fields is not None:
                    yield from self._marshalled_readings(module, func, given, fields)

    def _dumped_readings(
        self, module: Module, owner: ast.expr, given: ast.expr
    ) -> Iterator[Reading | Unread]:
        is_named = "schema" in module.text_of(owner).lower()
        if not is_named and not self._schemas.may_be_there:
            return
        shapes = self._schemas.instances(module, owner)
        yield from self._given.readings(Reading(module, given, shapes, "schema"))
        # Much is dumped that has nothing to do with schemas: the name has to say so.
        if shapes or not is_named:
            return
        for value in self._evaluator.values(module, owner):
            if isinstance(value, Unknown):
                yield Unread(module, given, value, "schema")

    def _marshalled_readings(
        self, module: Module, func: ast.expr, given: ast.expr, fields: ast.expr
    ) -> Iterator[Reading | Unread]:
        shapes = self._marshalling.shapes(module, fields)
        yield from self._given.readings(Reading(module, given, shapes, "schema"))
        is_known = self._evaluator.names.qualified_name(module, func) in _FIELDS.functions
        if is_known and not shapes:
            why = f"the fields of `{module.excerpt(fields)}` are unknown"
            unknown = self._evaluator.unknown(module, fields, why)
            names = self._marshalling.all_fields
            yield Unread(module, given, unknown, "schema", fields=names)

    def _of_function(self, module: Module, function: Function) -> Iterator[Reading | Unread]:
        for decorator in function.decorator_list:
            if not isinstance(decorator, ast.Call) or last_name(decorator.func) not in _DECORATORS:
                continue
            yield from self._decorated_readings(module, function, decorator)

    def _decorated_readings(
        self, module: Module, function: Function, decorator: ast.Call
    ) -> Iterator[Reading | Unread]:
        given = [*decorator.args, *(keyword.value for keyword in decorator.keywords if keyword.arg)]
        named = [argument for argument in given if not isinstance(argument, ast.Constant)]
        shapes = [shape for item in named for shape in self._schemas.shapes(module, item)]
        # ``response`` of Flask-RESTX is given such a dictionary as well, and documents it.
        marshals = last_name(decorator.func) in _FIELDS.decorators
        for part in named if marshals else ():
            shapes += self._marshalling.shapes(module, part)
        for node in module.returned_by(function) if shapes or marshals else ():
            yield from self._given.readings(Reading(module, node, tuple(shapes), "response"))
            if not shapes:
                why = f"the output of `{module.excerpt(decorator)}` is unknown"
                unknown = self._evaluator.unknown(module, decorator, why)
                names = self._marshalling.all_fields
                yield Unread(module, node, unknown, "response", fields=names)
