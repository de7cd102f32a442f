"""Reads that look like relationships, of objects whose models are not visible."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.knowledge.library_names import name_list
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.trees import Function
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import External, InstanceOf, Value

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.shapes.attribute_shapes import Field, Shape
    from awaken.project.source.modules import Module

QUERYING = name_list("querying")
_OF_TEXTS = {"count", "join", "update"}
_OF_CLASSES = {"any", "has", "of_type"}
"""Methods that a relationship has as an attribute of its class, and a column has not."""


def read_as_relationships(
    project: Project, models: Collection[str], is_foreign: Callable[[str], bool] | None = None
) -> dict[str, dict[str, Place]]:
    """Return the attributes of ``models`` that look like relationships, each with where.

    They are iterated, their items have an attribute read, or an annotation names such a class.
    There may be others. Where a file names one of the models, those of other classes that are
    ``is_foreign`` count as well.
    """

    def counts(name: str) -> bool:
        return name in models or (is_foreign is not None and is_foreign(name))

    places: dict[str, dict[str, Place]] = {}
    words = sorted({model.rpartition(".")[2].encode() for model in models})
    for module, node in nodes_with(project, words, ast.Attribute) if words else ():
        said = _annotation(module, node)
        is_said = said is not None and _says(project, module, said, counts)
        if not is_said and not _looks_alike(module, node):
            continue
        for owner in _owners(project, module, node.value):
            if counts(owner):
                places.setdefault(owner, {}).setdefault(node.attr, module.place(node))
    return places


def _annotation(module: Module, node: ast.expr) -> ast.expr | None:
    """Return the annotation of the value of an expression where it is assigned or returned."""
    match module.parent(node):
        case ast.AnnAssign(annotation=annotation):
            return annotation
        case ast.Return():
            function = module.enclosing_function(node)
            return function.returns if isinstance(function, Function) else None
    return None


def _says(
    project: Project, module: Module, annotation: ast.expr, counts: Callable[[str], bool]
) -> bool:
    """Whether an annotation names a class whose objects count."""
    values = project.values.declared(module, annotation).alternatives
    return any(isinstance(value, InstanceOf) and counts(value.qualified) for value in values)


def _owners(project: Project, module: Module, node: ast.expr) -> tuple[str, ...]:
    """Return the classes of which an expression is an instance, or which it is itself."""
    values = project.values.of(module, node)
    return values.instance_of or values.classes or _external(values.alternatives)


def _external(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(value.qualified for value in values if isinstance(value, External))


def fields_of(shapes: Iterable[Shape]) -> Iterator[str]:
    """Yield the attributes that ``shapes`` read and hand on, as they do with relationships."""
    return (field.path[0] for field in _fields(shapes) if field.shapes and field.path)


def names_of(shapes: Iterable[Shape]) -> frozenset[str]:
    """Return all attributes that ``shapes`` read, of whatever object on the way."""
    return frozenset(name for field in _fields(shapes) for name in field.path)


def _fields(shapes: Iterable[Shape]) -> Iterator[Field]:
    """Yield the fields of ``shapes``, and of those that they hand on to."""
    waiting = Worklist(shapes)
    for shape in waiting:
        for field in shape.fields():
            waiting += field.shapes
            yield field


def _looks_alike(module: Module, node: ast.Attribute) -> bool:
    match module.parent(node):
        case ast.Attribute(ctx=ast.Load(), attr=name) as above:
            called = module.call_of(above)
            if called is None:
                return True
            # Any other method may be one of a text or a number.
            return name in _OF_CLASSES or (
                name in QUERYING and not (name in _OF_TEXTS and called.args)
            )
    return use_of(module, node).way == "iterated"
