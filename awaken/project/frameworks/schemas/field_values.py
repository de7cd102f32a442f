"""Values as they are written: which expression of a mapping, a list or a call a field gets."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.shapes.pydantic_models import PydanticModels, Reading, Shape
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.expressions.alternatives import alternatives
from awaken.project.source.memo import recursive
from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    Environment,
    InstanceOf,
    Session,
    TupleOf,
    Unknown,
    Values,
    union,
    values_inside,
)

_MAPPINGS = {"builtins.dict", "typing.Dict", "collections.OrderedDict", "collections.defaultdict"}
_PAGES = frozenset(schema_knowledge().pages)


class Given:
    """Finds the objects that shapes read where something is given to them.

    Objects of classes that ``counts`` tells of are found; without it, of those that are mapped.
    """

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        models: PydanticModels,
        counts: Callable[[str], bool] | None = None,
    ) -> None:
        self._evaluator = evaluator
        self._models = models
        self._counts = self._is_mapped if counts is None else counts

    @recursive(lambda self, one: self.whole(one))
    def readings(self, one: Reading) -> tuple[Reading, ...]:
        """Return the reads of ``one``, for each part of its expression."""
        parts = self._parts(one.module, one.node, one.shapes) if one.shapes else ()
        if parts is None:
            return self.whole(one)
        result: dict[Reading, None] = {}
        for module, node, shapes in parts:
            known = one.known if module is one.module else ()
            inner = replace(one, module=module, node=node, shapes=tuple(shapes), known=known)
            result |= dict.fromkeys(self.readings(inner))
        return tuple(result)

    def needed_environment(self, module: Module, node: ast.expr, known: Environment) -> Environment:
        """Return ``known`` where it changes what ``node`` gives, else nothing."""
        values = self._evaluator.values(module, node)
        return known if known and self._evaluator.values(module, node, known) != values else ()

    def whole(self, given: Reading) -> tuple[Reading, ...]:
        """Return the reads of all that an expression may give."""
        known = self.needed_environment(given.module, given.node, given.known)
        values = self._evaluator.values(given.module, given.node, known)
        if not self._may_be_mapped(values):
            return ()
        result = [replace(given, known=known)]
        if _holds_mapping(values):
            # Which key holds what is not known: each item is read as any field.
            inner = dict.fromkeys(
                below for shape in given.shapes for item in shape.fields() for below in item.shapes
            )
            if inner:
                result.append(replace(result[0], shapes=tuple(inner)))
        return tuple(result)

    def _may_be_mapped(self, values: Values) -> bool:
        """Whether an object that is mapped, or is not known, is among ``values`` or in them."""
        return any(
            isinstance(value, Unknown)
            or self._may_be_mapped(values_inside(value))
            or (isinstance(value, InstanceOf) and self._counts(value.qualified))
            for value in values
        )

    def _is_mapped(self, qualified: str) -> bool:
        """Whether a class is mapped, or one of the program below which another one is."""
        is_mapped, classes = self._evaluator.mapping.is_mapped, self._evaluator.classes
        below = () if classes.facts(qualified) is None else classes.all_subclasses(qualified)
        return is_mapped(qualified) or any(map(is_mapped, below))

    def _parts(
        self, module: Module, node: ast.expr, shapes: Sequence[Shape]
    ) -> list[tuple[Module, ast.expr, Sequence[Shape]]] | None:
        """Return what ``node`` is put together from, with the shapes that read that."""
        match node:
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                named = [
                    (key.value, value) for key, value in pairs if isinstance(key, ast.Constant)
                ]
                return [(module, *pair) for pair in _by_field(named, shapes)]
            case ast.List() | ast.Tuple() | ast.Set():
                plain = [one.value if isinstance(one, ast.Starred) else one for one in node.elts]
                return [(module, part, shapes) for part in plain]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return [(module, node.elt, shapes)]
            case ast.DictComp():
                return [(module, node.value, shapes)]
            case ast.Await(value=ast.Call() as call) | (ast.Call() as call):
                return self._of_call(module, call, shapes)
            case ast.Name() if self._is_open(self._evaluator.values(module, node)):
                return self._of_name(module, node, shapes)
        return [(module, part, shapes) for part in alternatives(node)] or None

    def _of_call(
        self, module: Module, call: ast.Call, shapes: Sequence[Shape]
    ) -> list[tuple[Module, ast.expr, Sequence[Shape]]] | None:
        name = self._evaluator.names.qualified_name(module, call.func)
        if name in _PAGES:
            given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg)]
            first = next((node for node in given if not self._is_session(module, node)), None)
            return None if first is None else [(module, first, shapes)]
        if name is not None and self._models.is_model(name):
            # Arguments of a model without parameters are validated again as their own models.
            if isinstance(call.func, ast.Subscript) or not self._is_generic(name):
                return None
            named = [(node.arg, node.value) for node in call.keywords if node.arg is not None]
            return [(module, *pair) for pair in _by_field(named, shapes)]
        if not self._is_open(self._evaluator.values(module, call)):
            return None
        called = functions_called(self._evaluator, module, call)
        if isinstance(called, Unknown):
            return None
        return [
            (callee.module, value, shapes)
            for callee in called
            for value in callee.module.returned_by(callee.function)
        ]

    def _of_name(
        self, module: Module, node: ast.Name, shapes: Sequence[Shape]
    ) -> list[tuple[Module, ast.expr, Sequence[Shape]]] | None:
        bindings = module.scopes.bindings_of(node)
        values = [binding.value for binding in bindings if binding.kind == "assignment"]
        # A value that is filled step by step is known by its content.
        if len(values) != len(bindings) or not all(
            isinstance(value, ast.Dict | ast.Call | ast.Await) for value in values
        ):
            return None
        if any(isinstance(value, ast.Dict) and not value.keys for value in values):
            return None
        return [(module, value, shapes) for value in values if value is not None]

    def _is_open(self, values: Values) -> bool:
        """Whether a mapping, or a model whose parameters are not known, is among ``values``."""
        return _holds_mapping(values) or any(
            isinstance(value, InstanceOf)
            and not value.parameters
            and self._models.is_model(value.qualified)
            and self._is_generic(value.qualified)
            for value in values
        )

    def _is_generic(self, qualified: str) -> bool:
        generic_class = self._evaluator.generic_class(qualified)
        return generic_class is not None and bool(generic_class.variables)

    def _is_session(self, module: Module, node: ast.expr) -> bool:
        return any(isinstance(value, Session) for value in self._evaluator.values(module, node))


def _by_field(
    named: Sequence[tuple[object, ast.expr]], shapes: Sequence[Shape]
) -> Iterator[tuple[ast.expr, Sequence[Shape]]]:
    """Yield the values that fields are given by their names, with what reads them."""
    fields = [field for shape in shapes for field in shape.fields()]
    known = {name for field in fields for name in (field.name, *field.path[:1])}
    for name, value in named:
        wanted = dict.fromkeys(
            shape for item in fields if name in {item.name, *item.path[:1]} for shape in item.shapes
        )
        if wanted:
            yield value, tuple(wanted)
        elif not any(other in known for other, _ in named):
            # ``dict[str, User]``: the keys are no names of fields.
            yield value, shapes


def _holds_mapping(values: Values) -> bool:
    return any(
        (
            isinstance(item, InstanceOf)
            and (
                item.qualified in _MAPPINGS
                or (bool(item.parameters) and _holds_mapping(item.parameters[-1]))
            )
        )
        or (isinstance(item, TupleOf) and bool(item.items) and _holds_mapping(union(*item.items)))
        for item in values
    )
