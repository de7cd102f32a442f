"""The values of a parameter.

One without an annotation, or annotated ``Any``, is what its callers pass. So is one of a type
variable, or of a base, as far as that is of the declared class. If all callers are
visible, these are its only values. Otherwise, because its function is public or passed on as a
value, it counts as a session only where every visible call passes one; the session then has
``unless``. Nothing else is concluded from an incomplete set of callers.

Arguments of listeners on a pool are connections of the driver and records of the pool, never
sessions (SQLAlchemy, ``PoolEvents``).
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from awaken.knowledge.injection import injection
from awaken.knowledge.library_names import name_list
from awaken.knowledge.running import running
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.names.functions.decorators import decorator_names, method_kind
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.replacing import Put, puts_in
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    keyword_of,
    parameters_of,
    positional_parameters,
    variadic,
)
from awaken.project.source.worklist import multimap, preorder
from awaken.project.values.calls.expected import expected_of
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    ClassOf,
    Environment,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    TypeVariable,
    Unknown,
    Values,
    functions_in,
    union,
    values_inside,
    without_none,
    without_origins,
)
from awaken.project.values.library.higher_order import items_called_with
from awaken.project.values.library.origins import from_parameter
from awaken.project.values.library.promises import (
    classes_for,
    is_bare,
    is_open,
    narrower,
    with_items,
)
from awaken.project.values.library_types.solving import has_variables
from awaken.project.values.pytest_fixtures import fixture_for, takes_fixture
from awaken.project.values.questions import EvaluatorPart, Passed, given_by

if TYPE_CHECKING:
    from awaken.project.values.questions import Questions

_REGISTERING = frozenset({"sqlalchemy.event.listen", "sqlalchemy.event.listens_for"})
_EVENTS = name_list("pool_events")
_ON_CLASS = name_list("implicit_class_methods")
_OF_CLASS = ClassOf | InstanceOf


def parameter_of_listener(evaluator: Questions, module: Module, function: ast.AST) -> Values:
    """Return what a parameter of ``function`` is if only a pool calls that; else nothing."""
    if not isinstance(function, Function):
        return ()
    registering = [
        *function.decorator_list,
        *(module.parent(mention) for mention in module.mentions(function.name)),
    ]
    if not registering or not all(_is_of_pool(evaluator, module, node) for node in registering):
        return ()
    return (NotRelevant("an argument of a listener on a connection pool"),)


def _is_of_pool(evaluator: Questions, module: Module, node: ast.AST | None) -> bool:
    """Whether ``node`` registers a function for one of the events of a pool."""
    match node:
        case ast.Call(func=called, args=[_, ast.Constant(value=str() as event), *_]):
            # The name costs a question, and most strings are no event.
            return (
                event in _EVENTS and evaluator.names.qualified_name(module, called) in _REGISTERING
            )
    return False


class Parameters(EvaluatorPart):
    """Follows parameters: annotations, dependencies, the first one of a method, the call."""

    def values_of(self, module: Module, binding: Binding, known: Environment) -> Values:
        """Return what the parameter bound by ``binding`` may be."""
        result = self._values_of(module, binding, known)
        mapping = self._evaluator.mapping
        # The loads of a passed object are asked of the callers on demand.
        return from_parameter(
            result,
            module.place(binding.node),
            lambda name: mapping.is_mapped(name) or mapping.is_base(name),
        )

    def _values_of(self, module: Module, binding: Binding, known: Environment) -> Values:
        parameter = binding.node
        function = binding.scope.node
        if not isinstance(parameter, ast.arg) or isinstance(function, ast.Module):
            return (self._evaluator.unknown(module, parameter, "it is no parameter"),)
        owner = self._receiver(module, function, parameter)
        if owner is not None:
            # The receiver of a method says more than its class.
            passed = self._passed_values(known, parameter)
            return (owner,) if passed is None else passed
        if isinstance(function, FunctionOrLambda) and parameter in variadic(function.args):
            return self._packed_values(module, function, parameter)
        given = self._declared_values(module, parameter, binding.value)
        given = self._scoped_by_fixture(module, function, parameter, given)
        if any(map(is_open, given)) or self._is_wide(module, parameter, given):
            return self._narrowed_by_calls(module, function, parameter, known, given)
        if any(map(is_bare, given)):
            return self._with_passed_items(module, function, parameter, known, given)
        if given and not any(isinstance(argument, Unknown) for argument in given):
            return self._also_passed(module, function, parameter, given)
        # The call that is being followed says more than an annotation that says nothing.
        passed = self._passed_values(known, parameter)
        if passed is not None:
            return passed
        if isinstance(function, ast.Lambda) and not given:
            items = self._items_for(module, function, parameter, known)
            result = items or expected_of(self._evaluator, module, function, parameter, known)
            if result or items is not None:
                return result
        # Nothing but pytest passes a fixture, so that it is no less sure than an annotation.
        return (
            self._fixture(module, function, parameter)
            or given
            or parameter_of_replaced(self._evaluator, module, function, parameter)
            or parameter_of_listener(self._evaluator, module, function)
            or self._overridden(module, function, parameter)
            or self.received_values(module, function, parameter)
        )

    def _narrowed_by_calls(
        self,
        module: Module,
        function: ast.AST,
        parameter: ast.arg,
        known: Environment,
        declared: Values,
    ) -> Values:
        """Return what a call passes, or all of them, as far as it is of what is declared."""
        passed = self._passed_values(known, parameter)
        if passed is None:
            if any(map(is_open, declared)):
                return declared
            passed = self.received_values(module, function, parameter)
        narrowed = narrower(self._evaluator, declared, passed)
        return narrowed if len(narrowed) <= MOST_ALTERNATIVES else declared

    def _is_wide(self, module: Module, parameter: ast.arg, declared: Values) -> bool:
        """Whether the declared class is a base, or one that each call may narrow."""
        annotation, evaluator = parameter.annotation, self._evaluator
        names = [x.qualified for x in preorder(declared, values_inside) if isinstance(x, _OF_CLASS)]
        return annotation is not None and (
            any(map(evaluator.mapping.is_base, names))
            or (
                any(map(evaluator.classes.facts, names))
                and has_variables(evaluator.declared_unsolved(module, annotation))
            )
        )

    def _scoped_by_fixture(
        self, module: Module, function: ast.AST, parameter: ast.arg, declared: Values
    ) -> Values:
        """Return what is declared; the scoped session that a fixture gives for a plain one."""
        if any(isinstance(value, Session) and value.kind == "session" for value in declared):
            fixture = self._fixture(module, function, parameter)
            if any(isinstance(value, Session) and value.kind == "scoped" for value in fixture):
                return fixture
        return declared

    def _packed_values(self, module: Module, function: ast.AST, parameter: ast.arg) -> Values:
        """Return the tuple or the dictionary of the arguments that have no parameter."""
        annotation = parameter.annotation
        is_keywords = isinstance(function, FunctionOrLambda) and function.args.kwarg is parameter
        says_nothing = annotation is None or self._evaluator.says_nothing(module, annotation)
        if says_nothing and not is_keywords:
            # A tuple for each call; a key of the keywords is asked of the calls when it is read.
            passed = self.received_values(module, function, parameter)
            if not any(isinstance(value, Unknown) for value in passed):
                return passed
        if annotation is None and is_keywords:
            return (NotRelevant("the packed arguments of a call"),)
        why = f"the items of `{parameter.arg}` are unknown"
        each: Values = (self._evaluator.unknown(module, parameter, why),)
        if annotation is not None:
            each = self._evaluator.declared_values(module, annotation)
        if not is_keywords:
            return (InstanceOf("builtins.tuple", parameters=(each,)),)
        return (InstanceOf("builtins.dict", parameters=((InstanceOf("builtins.str"),), each)),)

    def _with_passed_items(
        self,
        module: Module,
        function: ast.AST,
        parameter: ast.arg,
        known: Environment,
        declared: Values,
    ) -> Values:
        """Return containers, of which the annotation says no items, with those that calls pass."""
        passed = self._passed_values(known, parameter)
        if passed is None:
            passed = self.received_values(module, function, parameter)
        return tuple(with_items(value, passed) for value in declared)

    def _also_passed(
        self, module: Module, function: ast.AST, parameter: ast.arg, injected: Values
    ) -> Values:
        """Return what is injected; not where it comes from, if calls pass something else."""
        plain = tuple(map(without_origins, injected))
        evaluator = self._evaluator
        is_told = plain != injected
        if not is_told or not isinstance(function, Function) or not evaluator.follows_callers:
            return injected
        return plain if evaluator.passed_to(module, function, parameter).calls else injected

    def is_open(self, module: Module, binding: Binding) -> bool:
        """Whether only the callers can tell what the parameter bound by ``binding`` is."""
        parameter, function = binding.node, binding.scope.node
        return (
            isinstance(parameter, ast.arg)
            and isinstance(function, Function)
            and self._receiver(module, function, parameter) is None
            and parameter not in variadic(function.args)
            and not self._declared_values(module, parameter, binding.value)
            and not self._fixture(module, function, parameter)
        )

    def _declared_values(
        self, module: Module, parameter: ast.arg, default: ast.expr | None
    ) -> Values:
        """Return what annotation and ``Depends`` say; empty where neither says anything."""
        evaluator, annotation = self._evaluator, parameter.annotation
        injected = () if default is None else self._injected_values(module, default)
        if annotation is None or evaluator.says_nothing(module, annotation):
            return injected
        declared = evaluator.declared_values(module, annotation)
        if isinstance(default, ast.Name | ast.Attribute):
            declared = classes_for(evaluator, declared, evaluator.values(module, default))
        return self._same(module, parameter, declared, injected)

    def _same(self, module: Module, node: ast.AST, declared: Values, injected: Values) -> Values:
        """Return the annotation, unless the dependency is known to give something else."""
        sessions = {value.kind for value in injected if isinstance(value, Session)}
        promised = {value.kind for value in declared if isinstance(value, Session)}
        if not injected or any(isinstance(value, Unknown) for value in injected):
            return declared
        # FastAPI passes what the dependency gives, whatever the annotation says.
        if not promised and any(isinstance(value, Unknown) for value in declared):
            return injected
        is_async = {kind.startswith("async") for kind in sessions | promised}
        if sessions and promised and len(is_async) > 1:
            why = "the annotation and the dependency disagree about sync and async"
            return (self._evaluator.unknown(module, node, why),)
        return declared if sessions or promised else narrower(self._evaluator, declared, injected)

    def annotated_values(self, module: Module, arguments: list[ast.expr]) -> Values:
        """Return what ``Annotated[X, Depends(...)]`` with these arguments says."""
        declared = self._evaluator.declared_values(module, arguments[0])
        injected = union(*(self._injected_values(module, argument) for argument in arguments[1:]))
        return self._same(module, arguments[0], declared, injected)

    def _injected_values(self, module: Module, default: ast.expr) -> Values:
        """Return what ``Depends(function)`` gives; empty for anything else."""
        evaluator = self._evaluator
        if isinstance(default, ast.Subscript):
            return self._provided_values(module, default)
        # ``Depends()`` makes an instance of what is annotated, which then says all.
        provider = evaluator.injections.provider(module, default)
        if provider is None:
            return ()
        result: Values = ()
        for value in evaluator.values(module, provider):
            match value:
                case FunctionOf():
                    result = union(result, passed_on_by(evaluator.results_of(value)))
                case ClassOf():
                    result = union(result, (InstanceOf(value.qualified),))
                case Producer(how="callable" | "factory"):
                    result = union(result, passed_on_by(value.inner))
                case _:
                    why = "the dependency could not be followed"
                    result = union(result, (evaluator.unknown(module, default, why),))
        return result

    def _provided_values(self, module: Module, marker: ast.Subscript) -> Values:
        """Return what ``Provide[Container.service]`` has passed in; empty for anything else."""
        evaluator = self._evaluator
        if evaluator.names.qualified_name(module, marker.value) not in injection().markers:
            return ()
        result: Values = ()
        for value in evaluator.values(module, marker.slice):
            if isinstance(value, Producer) and value.how == "callable":
                result = union(result, value.inner)
            else:
                why = "the provider could not be followed"
                result = union(result, (evaluator.unknown(module, marker, why),))
        return result

    def _passed_values(self, known: Environment, parameter: ast.arg) -> Values | None:
        for argument in known:
            if argument.parameter is parameter:
                return given_by(self._evaluator, argument)
        return None

    def _items_for(
        self, module: Module, function: ast.Lambda, parameter: ast.arg, known: Environment
    ) -> Values | None:
        """Return what `sorted(items, key=lambda one: ...)` and the like call a function with."""
        above = module.parent(function)
        call = module.call_taking(function)
        if call is None:
            return None
        keyword = above.arg if isinstance(above, ast.keyword) else None
        given = [argument for argument, _ in parameters_of(function.args)]
        position = given.index(parameter) if parameter in given else -1
        evaluator = self._evaluator
        name = evaluator.names.qualified_name(module, call.func)
        items = items_called_with(name, call, function, keyword, position)
        if items is None:
            return None
        values = evaluator.values(module, items, known)
        return evaluator.iterated_values(values, module, items)

    def _fixture(self, module: Module, function: ast.AST, parameter: ast.arg) -> Values:
        """Return what the pytest fixture of this name gives; empty where there is none."""
        if not isinstance(function, Function):
            return ()
        evaluator = self._evaluator
        fixture = fixture_for(evaluator, module, function, parameter.arg)
        if fixture is not None:
            return passed_on_by(evaluator.results_of(fixture))
        known = running().fixture_classes.get(parameter.arg)
        if known is None or not takes_fixture(module, function, parameter.arg, evaluator.names):
            return ()
        return (InstanceOf(known),)

    def _overridden(self, module: Module, function: ast.AST, parameter: ast.arg) -> Values:
        """Return what a library passes to a method that it calls, and what calls pass."""
        if parameter.annotation is not None or not isinstance(function, Function):
            return ()
        positional = positional_parameters(function)
        owner = None if parameter not in positional else module.enclosing_class(function)
        if owner is None or self._receiver(module, function, positional[0]) is None:
            return ()
        qualified = ClassOf(module.full_name(owner))
        place = positional.index(parameter) - 1
        declared = self._evaluator.library.overridden(qualified, function.name, place)
        decorators = decorator_names(self._evaluator.names, module, function)
        declared = _given_to_validator(function, parameter, place, decorators) or declared
        if not declared or any(isinstance(value, Unknown | TypeVariable) for value in declared):
            return ()
        passed = self.received_values(module, function, parameter)
        return union(declared, tuple(value for value in passed if not isinstance(value, Unknown)))

    def received_values(self, module: Module, function: ast.AST, parameter: ast.arg) -> Values:
        """Return the values that visible callers pass, or why they are unknown."""
        evaluator = self._evaluator
        said = "has no annotation"
        if parameter.annotation is not None:
            said = "is annotated with no particular type"
        why = f"parameter `{parameter.arg}` {said}"
        if not isinstance(function, Function) or not evaluator.follows_callers:
            return (evaluator.unknown(module, parameter, why),)
        return evaluator.solve(
            ("callers", module.path, module.span(parameter).start),
            module,
            parameter,
            lambda: self._received_from(
                evaluator.passed_to(module, function, parameter), module, parameter, why
            ),
            "program",
        )

    def _received_from(
        self, passed: Passed, module: Module, parameter: ast.arg, why: str
    ) -> Values:
        evaluator = self._evaluator
        declared = [argument for each in passed.expected.values() for argument in each]
        values = union(
            *(evaluator.values(argument.module, argument.node) for argument in passed.given),
            *(evaluator.declared_values(argument.module, argument.node) for argument in declared),
        )
        doubts = passed.doubts.keys() - passed.expected.keys()
        if (passed.given or declared) and not values:
            # The passed value leads back to here alone.
            return ()
        # A default alone is no evidence: no visible call relies on it.
        is_called = bool(passed.calls or declared)
        result = without_none(values) if is_called else ()
        # Tests pass mocks where the program passes the real thing.
        if not doubts and result and not _is_only_mocked(values):
            return values
        real = [value for value in result if not (isinstance(value, NotRelevant) and value.mock)]
        if real and all(isinstance(value, Session) for value in real):
            # One and the same, in whichever order the callers were found.
            doubt = min(doubts)
            return tuple(
                replace(item, unless=item.unless or doubt) if isinstance(item, Session) else item
                for item in values
            )
        unknown = next((value for value in result if isinstance(value, Unknown)), None)
        if unknown is None:
            doubt = min(doubts, default="") if result else ""
            unknown = evaluator.unknown(module, parameter, f"{why}, and {doubt}" if doubt else why)
        # The arguments of visible calls are among its values.
        return (*(item for item in result if not isinstance(item, Unknown | NotRelevant)), unknown)

    def _receiver(
        self, module: Module, function: ast.AST, parameter: ast.arg
    ) -> ClassOf | InstanceOf | None:
        """Return what the first parameter of a method is: its class or an instance of it."""
        scope = module.scopes.scope_of(function)
        while scope.kind == "type-params" and scope.parent is not None:
            scope = scope.parent
        owner = scope.node
        if not isinstance(function, Function) or not isinstance(owner, ast.ClassDef):
            return None
        if positional_parameters(function)[:1] != [parameter]:
            return None
        kind = method_kind(decorator_names(self._evaluator.names, module, function))
        if kind == "static":
            return None
        qualified = module.full_name(owner)
        if kind == "class" or function.name in _ON_CLASS:
            return ClassOf(qualified)
        return InstanceOf(qualified)


def passed_on_by(values: Values) -> Values:
    """Return what FastAPI and pytest pass on: what a generator yields, a coroutine returns."""
    result: Values = ()
    for value in values:
        if isinstance(value, Producer) and value.how in {"generator", "coroutine", "awaitable"}:
            result = union(result, value.inner)
        elif value != NoneValue():
            result = union(result, (value,))
    return result


def _given_to_validator(
    function: Function, parameter: ast.arg, place: int, decorators: set[str | None]
) -> Values:
    """Return what Pydantic passes to a validator besides the value; empty for anything else."""
    known = schema_knowledge().models
    old = {*known.with_values}
    if parameter.arg == "values" and decorators & old:
        return (InstanceOf("builtins.dict"),)
    modes = [
        keyword_of(each, "mode") for each in function.decorator_list if isinstance(each, ast.Call)
    ]
    # One that wraps the others is given these first.
    is_wrapping = any(isinstance(mode, ast.Constant) and mode.value == "wrap" for mode in modes)
    if place == 1 + is_wrapping and decorators & ({*known.field_validators} - old):
        return (InstanceOf(known.information),)
    return ()


def _is_only_mocked(values: Values) -> bool:
    return all(isinstance(value, NotRelevant | NoneValue | Unknown) for value in values) and any(
        isinstance(value, NotRelevant) and value.mock for value in values
    )


def parameter_of_replaced(
    evaluator: Questions, module: Module, function: ast.AST, parameter: ast.arg
) -> Values:
    """Return what the parameter of that name is declared as, of all that is replaced; or nothing.

    Nothing as well where one of them is not known.
    """
    if not isinstance(function, Function) or parameter.annotation is not None:
        return ()
    if not is_around_tests(module.path) or function.decorator_list:
        return ()
    result: dict[Values, None] = {}
    for put in _putting(module).get(function.name, ()):
        for home, replaced in functions_in(_target(evaluator, module, put)):
            declared = [
                evaluator.declared_values(home, argument.annotation)
                for argument, _ in parameters_of(replaced.args)
                if argument.arg == parameter.arg and argument.annotation is not None
            ]
            result |= dict.fromkeys(declared or [()])
    return next(iter(result)) if len(result) == 1 else ()


@cached_in_file
def _putting(module: Module) -> dict[str, list[Put]]:
    """Return where a file puts a function in the place of something, by its name."""
    return multimap(
        (value.id, put)
        for puts in puts_in(module).values()
        for put in puts
        for value in (put.value, *(part.value for part in getattr(put.node, "keywords", ())))
        if isinstance(value, ast.Name)
    )


def _target(evaluator: Questions, module: Module, put: Put) -> Values:
    if put.owner is None:
        located = evaluator.names.locate(put.name)
        home = None if located is None else evaluator.load(located.path)
        if home is None or located is None or len(located.rest) != 1:
            return ()
        return evaluator.global_values(home, located.rest[0])
    attributes: list[Values] = []
    for value in evaluator.values(module, put.owner):
        match value:
            case ModuleOf(path=path):
                home = evaluator.load(path)
                attributes.append(() if home is None else evaluator.global_values(home, put.name))
            case ClassOf() | InstanceOf():
                attributes.append(evaluator.attribute(value, put.name, module, put.node))
    return tuple(each for alternative in attributes for each in alternative)
