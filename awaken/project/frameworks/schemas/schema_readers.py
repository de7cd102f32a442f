"""All readers of attributes that are no Python code, put together."""

from __future__ import annotations

from collections.abc import Callable

from awaken.project.frameworks.schemas.adrift import AdriftSchemas
from awaken.project.frameworks.schemas.declared.marshalling import Marshalling
from awaken.project.frameworks.schemas.declared.marshmallow_schemas import MarshmallowSchemas
from awaken.project.frameworks.schemas.dumps import DumpReadings
from awaken.project.frameworks.schemas.field_values import Given
from awaken.project.frameworks.schemas.schema_sights import SchemaSights
from awaken.project.frameworks.schemas.validations import EndpointReadings, ModelReadings
from awaken.project.frameworks.shapes.pydantic_models import PydanticModels
from awaken.project.frameworks.sqlalchemy.models import Models
from awaken.project.frameworks.web.applications import Applications
from awaken.project.frameworks.web.responses.routes import Responses
from awaken.project.graph.evaluator import ProgramEvaluator


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
