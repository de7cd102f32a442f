"""Pydantic models that get objects of another package, and read their relationships: in a greenlet.

`greenlet_spawn` calls the code that validates them. The result of an endpoint is validated there.
FastAPI validates it again after the endpoint, and then finds a valid model.

Reads that look like relationships, of objects whose models are not visible.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from awaken.contract import Place
from awaken.kit.search import nodes_with
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.shapes.pydantic_models import Applied
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.expressions.expression_uses import use_of
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.trees import Function
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import (
    External,
    InstanceOf,
    NoneValue,
    Unknown,
    Value,
    Values,
    values_inside,
)

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.shapes.pydantic_models import Field, Reading, Shape
    from awaken.project.source.modules import Module

QUERYING = name_list("querying")
_OF_TEXTS = {"count", "join", "update"}
_OF_CLASSES = {"any", "has", "of_type"}
"""Methods that a relationship has as an attribute of its class, and a column has not."""
_KNOWN = schema_knowledge()
_BASES = frozenset(_KNOWN.models.bases)
_PLAIN = library_names().harmless_bases | {"typing.NamedTuple"}
"""What a class may inherit that has attributes of its own alone."""
_COLLECTIONS = {"builtins", "collections", "typing"}


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


class BridgedModels:
    """Finds the models that are given objects of the classes of which ``is_foreign`` is true."""

    def __init__(self, project: Project, is_foreign: Callable[[str], bool]) -> None:
        self._project = project
        self._is_foreign = is_foreign

    def operations(self) -> dict[Place, Operation]:
        """Return what is called in a greenlet, or is validated there, by its place."""
        called = {by.module.place(by.node): self._operation_of(by) for by, _ in self._applied_pairs}
        return {place: operation for place, operation in called.items() if operation is not None}

    def operations_on(self, given: Place, attribute: str) -> dict[Place, Operation]:
        """Return the rewrites of the calls and returns that read ``attribute``.

        Of the object that the expression at ``given`` gives, by their places. Empty unless all of
        them can be called in a greenlet.
        """
        operations: dict[Place, Operation] = {}
        for item in self._readings:
            if item.module.place(item.node) != given or attribute not in names_of(item.shapes):
                continue
            by = self._page(item) or item.by
            place = None if by is None else by.module.place(by.node)
            is_one = place is not None and len(self._models_at[place]) == 1
            operation = self._operation_of(by) if by is not None and is_one else None
            if place is None or operation is None:
                return {}
            operations[place] = operation
        return operations

    @cached_property
    def _models_at(self) -> defaultdict[Place, set[ast.expr | None]]:
        """The models, by the place of what reads: of two routes of one function there are two."""
        nodes: defaultdict[Place, set[ast.expr | None]] = defaultdict(set)
        for reading in self._readings:
            by = self._page(reading) or reading.by
            if by is not None:
                nodes[by.module.place(by.node)].add(by.model)
        return nodes

    def unknown(self) -> Iterator[Applied]:
        """Yield the expressions that endpoints return and that may be such an object."""
        for by, is_known in self._applied_pairs:
            if by.model is not None and not (is_known and self._operation_of(by) is not None):
                yield by

    @property
    def fields(self) -> frozenset[str]:
        """The attributes that are read as relationships."""
        return frozenset(name for reading in self._readings for name in fields_of(reading.shapes))

    # --------------------------------------------------------------------------------- objects
    @cached_property
    def _readings(self) -> tuple[Reading, ...]:
        return self._project.orm.schemas_reading(self._may_hold).readings

    @cached_method
    def _may_hold(self, name: str) -> bool:
        """Whether objects of a class are foreign, or may have attributes that are."""
        if self._is_foreign(name) or self._project.class_facts(name) is None:
            return self._is_foreign(name)
        is_mapped = self._project.orm.mapped_class(name) is not None
        is_plain = _PLAIN.issuperset(self._project.library_ancestors(name))
        return not is_mapped and is_plain and self._names_foreign(name)

    def _names_foreign(self, name: str) -> bool:
        """Whether the definition of a class names one whose objects are foreign."""
        pair = self._project.class_definition(name)
        return pair is not None and any(
            self._is_foreign(self._project.qualified_name(pair[0], node) or "")
            for node in ast.walk(pair[1])
            if isinstance(node, ast.Name | ast.Attribute)
        )

    def _is_of_interest(self, reading: Reading) -> bool:
        """Whether the values that are read include such an object, or may."""
        result = self._project.values.of(reading.module, reading.node)
        if any(map(self._holds, result.alternatives)):
            return True
        # Its other possible values load nothing except through a relationship.
        is_unknown = result.unknown is not None or any(map(_is_open, result.alternatives))
        return is_unknown and any(True for _ in fields_of(reading.shapes))

    def _holds(self, value: Value) -> bool:
        is_held = isinstance(value, InstanceOf) and self._may_hold(value.qualified)
        return is_held or any(map(self._holds, _items_of(value)))

    @cached_property
    def _applied_pairs(self) -> list[tuple[Applied, bool]]:
        """The models that read relationships of such objects, and whether they surely do."""
        result: dict[Place, tuple[Applied, bool]] = {}
        for reading in self._readings:
            if reading.by is not None and self._is_of_interest(reading):
                by = self._page(reading) or reading.by
                values = self._project.values.of(reading.module, reading.node)
                place = by.module.place(by.node)
                other, is_known = result.get(place, (by, True))
                # Of two routes of one function, each turns what it returns into its own model.
                is_known = is_known and bool(values.alternatives) and other.model is by.model
                result[place] = (by, is_known)
        return list(result.values())

    def _page(self, reading: Reading) -> Applied | None:
        """Return the call that makes a page of the result, if one does."""
        above = reading.module.parent(reading.node)
        is_page = isinstance(above, ast.Call) and (
            self._project.qualified_name(reading.module, above.func) in _KNOWN.pages
        )
        return Applied(reading.module, above) if isinstance(above, ast.Call) and is_page else None

    def _operation_of(self, by: Applied) -> Operation | None:
        """Return the rewrite of a call, or of the value that an endpoint returns."""
        if by.model is None:
            return Operation(by.node, "spawned")
        declared = self._project.values.declared(by.home or by.module, by.model).alternatives
        if by.home is not by.module or not all(map(self._is_model, declared)):
            return None
        if self._is_called(by):
            return None
        model = by.module.text_of(by.model)
        is_class = isinstance(by.model, ast.Name | ast.Attribute)
        method = "model_validate" if is_class else "validate_python"
        return Operation(by.node, "validated", method=method, why=model)

    def _is_called(self, by: Applied) -> bool:
        """Whether the program calls an endpoint itself, and gets what it returns."""
        graph, function = self._project.calls.graph(), function_around(by.module, by.node)
        start = -1 if function is None else by.module.span(function).start
        place = graph.function_at(by.module.path, start)
        return place is not None and bool(graph.callers(place))

    def _is_model(self, value: Value) -> bool:
        """Whether an annotation says a model of the program, or a collection of some."""
        match value:
            case NoneValue():
                return True
            case InstanceOf(qualified=name, parameters=[_, *_] as parameters) if (
                name.partition(".")[0] in _COLLECTIONS
            ):
                return all(self._is_model(candidate) for part in parameters for candidate in part)
            case InstanceOf(qualified=name):
                return not _BASES.isdisjoint(self._project.library_ancestors(name))
        return False


def _is_open(value: Value) -> bool:
    """Whether it is not known what something is, or holds."""
    return isinstance(value, Unknown) or any(map(_is_open, _items_of(value)))


def _items_of(value: Value) -> Values:
    # An object of another class is read itself: a page of items is one of its own.
    is_object = isinstance(value, InstanceOf) and (
        value.qualified.partition(".")[0] not in _COLLECTIONS
    )
    return () if is_object else values_inside(value)
