"""Validators of whole models: the attributes that they read of an object before its fields are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.shapes.attribute_shapes import Field
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import without_arguments

_KNOWN = schema_knowledge().models
_ASKING = {"getattr", "hasattr"}
_BEHIND = "after"
"""Such a validator is given the model, whose fields say what was read."""


def read_by_validators(evaluator: ProgramEvaluator, qualified: str) -> Iterator[Field]:
    """Yield what the validators of a model read of the object that it is given."""
    for _, module, body in evaluator.classes.bodies(qualified):
        for function in body.body:
            given = _given_pair(evaluator, module, function)
            for name, node in () if given is None else _read(module, *given):
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
    return isinstance(decorator, ast.Call) and any(
        node.arg == "mode" and isinstance(node.value, ast.Constant) and node.value.value == _BEHIND
        for node in decorator.keywords
    )


def _read(module: Module, function: ast.FunctionDef, given: str) -> Iterator[tuple[str, ast.expr]]:
    for node in module.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Load()):
                is_called = module.call_of(node) is not None
                if name == given and not is_called and not attribute.startswith("__"):
                    yield attribute, node
            case ast.Call(func=ast.Name(id=asked), args=[ast.Name(id=name), constant, *_]) if (
                asked in _ASKING and name == given
            ):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    yield constant.value, node
