"""Reads in validators: a model whose field has the name of what is read reads the same itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.trees import without_arguments

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
    from awaken.project.source.modules import Module

_KNOWN = schema_knowledge().models


def is_of_field(project: Project, read: Read) -> bool:
    """Whether a validator reads of what is validated the attribute that a field is read from.

    Then the objects are those that the field is read of, and that is a read by itself.
    """
    module = project.module(read.place.path)
    if module is None or read.owner or read.how not in {"attribute", "getattr", "hasattr"}:
        return False
    for node in module.walk():
        if not isinstance(node, ast.Attribute | ast.Call) or module.place(node) != read.place:
            continue
        owner = node.value if isinstance(node, ast.Attribute) else next(iter(node.args), None)
        model = None if owner is None else _validated_model(project, module, owner)
        if model is not None:
            return _has_field(project, model, read.attribute)
    return False


def _validated_model(project: Project, module: Module, node: ast.expr) -> str | None:
    """Return the model that is validated if ``node`` is the parameter that is given the object."""
    bindings = module.scopes.bindings_of(node)
    if len(bindings) != 1 or bindings[0].kind != "parameter":
        return None
    function = bindings[0].scope.node
    if not isinstance(function, ast.FunctionDef):
        return None
    model = module.enclosing_class(function)
    decorators = {
        project.qualified_name(module, without_arguments(part)) for part in function.decorator_list
    }
    if model is None or not decorators & set(_KNOWN.validators):
        return None
    return module.full_name(model)


def _has_field(project: Project, model: str, name: str) -> bool:
    """Whether a model that reads attributes has a field of this name."""
    bodies = list(_bodies(project, model))
    words = [setting.encode() for setting in _KNOWN.settings]
    is_reading = any(
        word in module.text_of(body).encode() for module, body in bodies for word in words
    )
    return is_reading and any(
        isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and statement.target.id == name
        for _, body in bodies
        for statement in body.body
    )


def _bodies(project: Project, qualified: str) -> Iterator[tuple[Module, ast.ClassDef]]:
    """Yield a class with those of the program that it inherits."""
    for facts in project.class_line(qualified):
        pair = project.class_definition(facts.qualified)
        if pair is not None:
            yield pair
