"""Objects that models of the program are given: by endpoints, by calls, and when one is made."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from awaken.knowledge.schemas import schema_knowledge
from awaken.project.frameworks.schemas.field_values import Given
from awaken.project.frameworks.shapes.pydantic_models import (
    Applied,
    ModelShape,
    PydanticModels,
    Reading,
    Unread,
)
from awaken.project.frameworks.web.applications import argument_at
from awaken.project.frameworks.web.responses import Responses
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.names.functions.decorators import decorator_names, method_kind
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module, nodes_in
from awaken.project.source.trees import keyword_of, last_name, parameters_of
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.domain import (
    Argument,
    ClassOf,
    Environment,
    InstanceOf,
    Unknown,
    Value,
    Values,
    without_origins,
)

_KNOWN = schema_knowledge().models
_WORDS = tuple(
    word.encode()
    for word in sorted(
        {
            *_KNOWN.methods,
            *_KNOWN.adapter_methods,
            *(function.rpartition(".")[2] for function in _KNOWN.functions),
        }
    )
)


class EndpointReadings:
    """Reads of response models on the results of endpoints."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        responses: Responses,
        models: PydanticModels,
        given: Given,
    ) -> None:
        self._evaluator = evaluator
        self._responses = responses
        self._models = models
        self._given = given

    def all(self) -> Iterator[Reading | Unread]:
        """Yield all of a program, by file and place."""
        for endpoint in self._responses.all:
            if endpoint.model is None:
                continue
            declared = self._evaluator.declared_values(endpoint.home, endpoint.model)
            why = self._models.unknown_in(declared)
            shapes = self._models.shapes(declared, lenient=True)
            for node in endpoint.returned_expressions:
                if why is not None:
                    yield Unread(endpoint.module, node, why, "response")
                by = Applied(endpoint.module, node, endpoint.home, endpoint.model)
                reading = Reading(endpoint.module, node, shapes, "response", by=by)
                yield from self._given.readings(reading)


class ModelReadings:
    """Reads of models on their arguments in Python code."""

    def __init__(self, evaluator: ProgramEvaluator, models: PydanticModels, given: Given) -> None:
        self._evaluator = evaluator
        self._models = models
        self._given = given
        self._receivers = _Receivers(evaluator)

    def all(self) -> Iterator[Reading | Unread]:
        """Yield all of a program, by file and place."""
        makers = self._makers()
        words = sorted({*_WORDS, *(maker.encode() for maker in makers)})
        for module, node in nodes_in(self._evaluator.modules_with(words), ast.Call):
            yield from self._of_call(module, node, makers)

    def _makers(self) -> frozenset[str]:
        """Return the simple names of models that have a field which a model reads."""
        classes = self._evaluator.classes
        reading = (
            name
            for name in classes.heirs_of(_KNOWN.bases)
            if any(field.shapes for field in ModelShape(name, (), False, self._models).fields())
        )
        return frozenset(classes.spellings_of(reading))

    def _of_call(
        self, module: Module, call: ast.Call, makers: frozenset[str]
    ) -> Iterator[Reading | Unread]:
        func, leniency = call.func, keyword_of(call, "from_attributes")
        lenient = leniency is not None and _is_true(leniency)
        match func:
            case ast.Attribute(value=owner, attr=name) if name in _KNOWN.methods:
                given = argument_at(call, 0, "obj")
                if given is not None:
                    yield from self._validated_by(module, owner, given, lenient=lenient)
            case ast.Attribute(value=owner, attr=name) if name in _KNOWN.adapter_methods:
                given = argument_at(call, 0, "object")
                adapted = self._adapted_values(module, owner)
                if given is not None and adapted is not None:
                    yield from self._readings_of(module, adapted, given, lenient=lenient)
            case _ if last_name(func) in _FUNCTIONS:
                kind, given = argument_at(call, 0, "type_"), argument_at(call, 1, "obj")
                is_known = self._evaluator.names.qualified_name(module, func) in _KNOWN.functions
                if is_known and kind is not None and given is not None:
                    declared = self._evaluator.declared_values(module, kind)
                    yield from self._readings_of(module, declared, given, lenient=False)
            case _ if last_name(func.value if isinstance(func, ast.Subscript) else func) in makers:
                yield from self._made_readings(module, call)

    def _validated_by(
        self, module: Module, owner: ast.expr, given: ast.expr, *, lenient: bool
    ) -> Iterator[Reading | Unread]:
        """Yield what the model reads that ``owner`` gives, for each object that has the method."""
        if self._is_class_by_name(module, owner):
            yield from self._readings_of(module, self._class(module, owner), given, lenient=lenient)
            return
        plain = self._class(module, owner)
        for known in self._receivers.receivers_around(module, owner) or [()]:
            declared = self._class(module, owner, known)
            yield from self._readings_of(module, declared, given, known, lenient=lenient)
            why = self._reason_below(module, owner, declared) if declared == plain else None
            if why is not None:
                yield self._unread_reading(module, given, why, known, lenient=lenient)

    def _is_class_by_name(self, module: Module, node: ast.expr) -> bool:
        if isinstance(node, ast.Subscript):
            return True
        name = self._evaluator.names.qualified_name(module, node)
        return name is not None and self._evaluator.classes.facts(name) is not None

    def _reason_below(self, module: Module, owner: ast.expr, declared: Values) -> Unknown | None:
        """Return why ``owner`` may be another model than what an annotation says."""
        for item in declared:
            if isinstance(item, InstanceOf) and self._evaluator.classes.subclasses(item.qualified):
                why = f"`{module.excerpt(owner)}` may be any class below `{item.qualified}`"
                return self._evaluator.unknown(module, owner, why)
        return None

    def _readings_of(
        self,
        module: Module,
        declared: Values,
        given: ast.expr,
        known: Environment = (),
        *,
        lenient: bool,
    ) -> Iterator[Reading | Unread]:
        why = self._models.unknown_in(declared)
        if why is not None:
            yield self._unread_reading(module, given, why, known, lenient=lenient)
        shapes = self._models.shapes(declared, lenient=lenient)
        call = module.call_taking(given)
        by = None if call is None else Applied(module, call)
        yield from self._given.readings(Reading(module, given, shapes, "schema", known, by))

    def _unread_reading(
        self, module: Module, given: ast.expr, why: Unknown, known: Environment, *, lenient: bool
    ) -> Unread:
        known = self._given.needed_environment(module, given, known)
        return Unread(module, given, why, "schema", known, self._models.all_fields(lenient=lenient))

    def _class(self, module: Module, node: ast.expr, known: Environment = ()) -> Values:
        """Return an instance of what ``node`` names, a class, as an annotation would."""
        if isinstance(node, ast.Subscript):
            return self._evaluator.declared_values(module, node)
        class_: Values = ()
        for value in self._evaluator.values(module, node, known):
            match value:
                case ClassOf():
                    class_ = (*class_, InstanceOf(value.qualified))
                case Unknown():
                    class_ = (*class_, value)
        return class_

    def _adapted_values(self, module: Module, node: ast.expr) -> Values | None:
        """Return what a type adapter was made for; None for all other objects."""
        node = module.scopes.only_value(node) or node
        if not isinstance(node, ast.Call) or not node.args:
            return None
        outer = node.func.value if isinstance(node.func, ast.Subscript) else node.func
        if self._evaluator.names.qualified_name(module, outer) not in _KNOWN.adapters:
            return None
        return self._evaluator.declared_values(module, node.args[0])

    def _made_readings(self, module: Module, call: ast.Call) -> Iterator[Reading | Unread]:
        """Yield what the fields of a model read of the arguments that it is made with."""
        for made in self._class(module, call.func):
            if not isinstance(made, InstanceOf) or not self._models.is_model(made.qualified):
                continue
            shape = ModelShape(made.qualified, made.parameters, False, self._models)
            for field in self._models.fields(shape):
                for keyword in call.keywords:
                    if keyword.arg in {field.name, *field.path[:1]}:
                        by = Applied(module, call)
                        given = Reading(module, keyword.value, field.shapes, "schema", by=by)
                        yield from self._given.readings(given)


_FUNCTIONS = frozenset(function.rpartition(".")[2] for function in _KNOWN.functions)


def _is_true(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and not node.value)


class _Receivers(ProgramFacts):
    """The objects that a method may be called on, where the class itself leaves something open.

    ``self.schema`` of ``class Repository(Generic[S, M])`` is another class for each of the
    program's repositories, and so is what ``select(self.model)`` loads.
    """

    def receivers_around(self, module: Module, node: ast.AST) -> list[Environment]:
        """Return what the first parameter of the method around ``node`` may be.

        Empty outside of methods, and where there are too many to tell them apart.
        """
        function, owner = module.enclosing_function(node), module.enclosing_class(node)
        while isinstance(function, ast.Lambda):
            function = module.enclosing_function(function)
        if function is None or owner is None or module.parent(function) is not owner:
            return []
        parameters = [argument for argument, _ in parameters_of(function.args)]
        kind = method_kind(decorator_names(self._evaluator.names, module, function))
        if not parameters or kind == "static":
            return []
        qualified = module.full_name(owner)
        result: list[Value] = [
            ClassOf(value.qualified) if kind == "class" else value
            for value in self._instances_of(qualified)
        ]
        first = parameters[0]
        return [(Argument(first, module, first, (), value),) for value in dict.fromkeys(result)]

    @cached_method
    def _instances_of(self, qualified: str) -> tuple[InstanceOf, ...]:
        """Return the instances of a class and of those below it that differ in their types."""
        names = (qualified, *self._evaluator.classes.all_subclasses(qualified))
        result = dict.fromkeys(instance for name in names for instance in self._of_one(name))
        return tuple(result) if len(result) <= MOST_STEPS else ()

    def _of_one(self, qualified: str) -> Iterator[InstanceOf]:
        generic = self._evaluator.generic_class(qualified)
        if generic is None or not generic.variables:
            yield InstanceOf(qualified)
            return
        spellings = self._evaluator.classes.spellings(qualified)
        paths = self._evaluator.files_with([spelling.encode() for spelling in spellings])
        for module, node in nodes_in(self._evaluator.modules_at(paths), ast.AST):
            if _is_call_of(node, spellings):
                yield from self._instances_made(module, node, qualified)

    def _instances_made(
        self, module: Module, node: ast.AST, qualified: str
    ) -> Iterator[InstanceOf]:
        for value in self._evaluator.values(module, node) if isinstance(node, ast.Call) else ():
            plain = without_origins(value)
            if isinstance(plain, InstanceOf) and plain.qualified == qualified and plain.parameters:
                yield plain


def _is_call_of(node: ast.AST, names: Collection[str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    func = node.func.value if isinstance(node.func, ast.Subscript) else node.func
    return last_name(func) in names
