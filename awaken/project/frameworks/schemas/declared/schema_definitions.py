"""Expressions of schemas followed to where they are written: classes, calls and dictionaries."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import keyword_of, values_given
from awaken.project.source.worklist import Queue

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
