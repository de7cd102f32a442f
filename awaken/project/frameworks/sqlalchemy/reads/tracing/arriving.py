"""Arguments that reach many parameters, in one question: each file is read once for all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.frameworks.sqlalchemy.reads.python_sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.tracing.along import Along
from awaken.project.frameworks.sqlalchemy.reads.tracing.arrivals import Arrivals
from awaken.project.frameworks.sqlalchemy.reads.tracing.hidden import Hidden
from awaken.project.frameworks.sqlalchemy.reads.tracing.method_receivers import (
    OF_CHANGES,
    Method,
    Receivers,
    part_of_property,
)
from awaken.project.frameworks.sqlalchemy.reads.tracing.passed_values import PassedValues
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.graph.passing import default_of
from awaken.project.names.functions.decorators import PROPERTIES
from awaken.project.source.modules import Module, cached_in_file
from awaken.project.source.trees import (
    Function,
    argument_of,
    last_name,
    named_parameters,
    unpacks,
    without_arguments,
)
from awaken.project.source.worklist import groups_of
from awaken.project.values.calls.decorator_effects import calls_nothing_else
from awaken.project.values.calls.parameter_values import passed_on_by
from awaken.project.values.domain import FunctionOf, Origin, Values
from awaken.project.values.pytest_fixtures import fixture_for

_Parameter = tuple[Module, Function | ast.Lambda, ast.arg]


class _Call(Struct, frozen=True):
    """A call that passes something to a parameter, of which ``bound`` are given by the receiver."""

    path: str
    span: Span
    bound: int
    function: Function
    parameter: ast.arg
    place: Place


class Arriving:
    """Answers for one program."""

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        along: Along,
        sources: Sequence[Sights],
        passed: PassedValues,
    ) -> None:
        self._evaluator = evaluator
        self._passed = passed
        self._hidden = Hidden(evaluator, passed)
        self._injected = Injected(evaluator)
        self._receivers = Receivers(evaluator, along, sources, passed)

    def arrivals_at(self, places: Iterable[Place]) -> dict[Place, Arrivals]:
        """Return the values that arrive at the parameters at ``places``."""
        result = {place: Arrivals() for place in sorted(places)}
        methods: dict[Place, Method] = {}
        called: list[Place] = []
        for place, arrivals in result.items():
            parameter = self._parameter(place)
            if parameter is None:
                arrivals.stop("it is no parameter of a function", place)
                continue
            method = self._begin(*parameter, arrivals)
            if isinstance(method, Method):
                methods[place] = method
            elif method:
                called.append(place)
        self._receivers.look_for(item.name for item in methods.values())
        for place, method in methods.items():
            self._receivers.add(method, result[place])
        self._by_calls(called, result)
        return result

    def _begin(
        self,
        module: Module,
        function: Function | ast.Lambda,
        parameter: ast.arg,
        arrivals: Arrivals,
    ) -> Method | bool:
        """Return the method whose ``self`` the parameter is, or whether its callers tell."""
        if isinstance(function, ast.Lambda):
            given = self._to_lambda(module, function, parameter)
            if given is None:
                arrivals.stop(
                    "awaken does not follow the callers of the lambda", module.place(function)
                )
            else:
                arrivals.add(given, module.place(parameter))
            return False
        if self._injected.add_fixture(module, function, parameter, arrivals):
            return False
        is_self = parameter in named_parameters(function)[:1]
        method = self._receivers.method_of(module, function) if is_self else None
        if method is None or function.name == "__init__":
            return True
        part = part_of_property(function)
        if part in OF_CHANGES:
            arrivals.stop(f"changing `{function.name}` calls it", module.place(function))
        if part:
            return False
        if function.name.startswith("__") and function.name.endswith("__"):
            arrivals.stop(f"Python itself calls `{function.name}`", module.place(function))
            return False
        for decorator in function.decorator_list:
            name = self._evaluator.names.qualified_name(module, decorator)
            is_getter = name in PROPERTIES or last_name(decorator) == "getter"
            if not is_getter and not calls_nothing_else(self._evaluator, module, decorator):
                plain = without_arguments(decorator)
                self._hidden.add_decorator(module, function, plain, arrivals)
        return method

    def _to_lambda(self, module: Module, function: ast.Lambda, parameter: ast.arg) -> Values | None:
        positional = [*function.args.posonlyargs, *function.args.args]
        if parameter not in positional:
            return None
        return self._passed.values_for_argument(module, function, positional.index(parameter))

    # ------------------------------------------------------------------------------------ calls
    def _by_calls(self, places: Sequence[Place], found: dict[Place, Arrivals]) -> None:
        """Add what the callers of functions pass to their parameters."""
        self._evaluator.callers.search(self._functions(places))
        items = (item for place in places for item in self._calls_of(place, found[place]))
        wanted = groups_of(items, attrgetter("path"))
        for module in self._evaluator.modules_at(sorted(wanted)):
            for item in wanted[module.path]:
                for call in module.calls_at(item.span):
                    self._add_passed(module, call, item, found[item.place])

    def _functions(self, places: Sequence[Place]) -> Iterator[tuple[Module, Function]]:
        for place in places:
            parameter = self._parameter(place)
            if parameter is not None and isinstance(parameter[1], Function):
                yield parameter[0], parameter[1]

    def _calls_of(self, place: Place, arrivals: Arrivals) -> Iterator[_Call]:
        parameter = self._parameter(place)
        if parameter is None:
            return
        module, function, asked = parameter
        if not isinstance(function, Function):
            return
        callers = self._evaluator.callers_of(module, function)
        is_injected = self._injected.add(module, function, asked, arrivals)
        for obstacle in callers.obstacles:
            if is_injected and obstacle.kind == "framework":
                continue
            self._hidden.add(obstacle, module, function, asked, arrivals)
        for site in callers.sites:
            yield _Call(site.place.path, site.place.span, site.bound, function, asked, place)

    def _add_passed(
        self, module: Module, call: ast.Call, wanted: _Call, arrivals: Arrivals
    ) -> None:
        """Add what one call passes."""
        function, parameter = wanted.function, wanted.parameter
        given = argument_of(call, function, parameter, wanted.bound)
        if given is None and wanted.bound and parameter in named_parameters(function)[:1]:
            self._receiver(module, call, function, arrivals)
            return
        if given is None and default_of(function, parameter) is not None and not unpacks(call):
            return
        if given is None:
            why = f"`{module.excerpt(call)}` passes it in a way that is not followed"
            arrivals.stop(why, module.place(call))
            return
        arrivals.add(self._evaluator.values(module, given), module.place(given))

    def _receiver(
        self, module: Module, call: ast.Call, function: Function, arrivals: Arrivals
    ) -> None:
        """Add what is in front of a method, or the new object that an ``__init__`` is given."""
        is_by_name = isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
        if function.name != "__init__":
            if isinstance(call.func, ast.Attribute):
                values = self._evaluator.values(module, call.func.value)
                arrivals.add(values, module.place(call.func.value))
        elif not is_by_name:
            arrivals.origins[Origin(module.place(call))] = None
        else:
            around = module.enclosing_function(call)
            first = next(
                iter(named_parameters(around) if isinstance(around, Function) else ()), None
            )
            if first is not None:
                arrivals.origins[Origin(module.place(first), kind="parameter")] = None

    def _parameter(self, place: Place) -> _Parameter | None:
        """Return the parameter at ``place``, in the tree that its file has now."""
        module = self._evaluator.load(place.path)
        at = None if module is None else _parameters_in(module).get(place.span)
        return None if module is None or at is None else (module, *at)


@cached_in_file
def _parameters_in(module: Module) -> dict[Span, tuple[Function | ast.Lambda, ast.arg]]:
    return {
        module.span(parameter): (scope.node, parameter)
        for scope in module.scopes.scopes
        if isinstance(scope.node, Function | ast.Lambda)
        for parameter in named_parameters(scope.node)
    }


# ----------------------------------------------------------------------------------------- injected
class Injected(ProgramFacts):
    """Answers for one program."""

    def add_fixture(
        self, module: Module, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> bool:
        """Add the value that pytest passes to a parameter; False if it is no visible fixture."""
        evaluator = self._evaluator
        fixture = fixture_for(evaluator, module, function, parameter.arg)
        if fixture is not None:
            arrivals.add(passed_on_by(evaluator.results_of(fixture)), module.place(parameter))
        return fixture is not None

    def add(
        self, module: Module, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> bool:
        """Add what FastAPI passes to a parameter, or its default; whether FastAPI fills it."""
        evaluator = self._evaluator
        default = default_of(function, parameter)
        providers = list(evaluator.injections.of_parameter(module, parameter, default))
        for home, provider in providers:
            for value in evaluator.values(home, provider):
                if isinstance(value, FunctionOf):
                    arrivals.add(passed_on_by(evaluator.results_of(value)), home.place(provider))
                else:
                    arrivals.stop("the dependency could not be followed", home.place(provider))
        if default is not None and not providers:
            arrivals.add(evaluator.values(module, default), module.place(default))
        return bool(providers)
