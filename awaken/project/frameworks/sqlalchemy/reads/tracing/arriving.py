"""Arguments that reach many parameters, in one question: each file is read once for all of them.

Invisible callers of a function, as far as they may pass an object of the program.

Invisible code has no objects of the program except those that it loads itself. It is no visible
reader either: a change of a class of a published program needs a caveat for the whole class. So a
public name hides nothing here, nor does a text of that name that gets nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.reads.python_sights import Sights
from awaken.project.frameworks.sqlalchemy.reads.tracing.along import Along, PassedValues
from awaken.project.frameworks.sqlalchemy.reads.tracing.arrivals import Arrivals
from awaken.project.frameworks.sqlalchemy.reads.tracing.method_receivers import (
    OF_CHANGES,
    Method,
    Receivers,
    part_of_property,
)
from awaken.project.graph.callers import Obstacle
from awaken.project.graph.classes.hierarchies import VIEWS
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.graph.passing import default_of
from awaken.project.names.functions.decorators import PROPERTIES
from awaken.project.source.memo import cached_in_file
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    argument_of,
    last_name,
    named_parameters,
    unpacks,
    without_arguments,
)
from awaken.project.source.worklist import groups_of
from awaken.project.values.calls.decorator_effects import calls_nothing_else, library_names
from awaken.project.values.calls.parameter_values import passed_on_by
from awaken.project.values.domain import External, FunctionOf, InstanceOf, Origin, Producer, Values
from awaken.project.values.pytest_fixtures import fixture_for

_WITH_REQUESTS = {"celery", "click", "flask", "flask_login", "huey", "rq", "starlette", "typer"}
"""Packages whose decorators have functions called with texts and numbers: of a path, a command
line, a message."""
_LISTENING = {"sqlalchemy.event.listen", "sqlalchemy.event.listens_for"}
_SQLALCHEMY = {"flask_sqlalchemy", "sqlalchemy", "sqlmodel"}
_FORWARDING = name_list("forwarding")
_Parameter = tuple[Module, Function | ast.Lambda, ast.arg]


class Hidden:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, passed: PassedValues) -> None:
        self._evaluator = evaluator
        self._passed = passed

    def add(
        self,
        obstacle: Obstacle,
        module: Module,
        function: Function,
        parameter: ast.arg,
        arrivals: Arrivals,
    ) -> None:
        """Add what arrives at a parameter from where ``obstacle`` says."""
        if obstacle.kind == "outside":
            return
        if obstacle.kind == "named":
            self._add_named(obstacle, arrivals)
            return
        if function.name == "__init__" and parameter in named_parameters(function)[:1]:
            # It is new, whoever makes it.
            return
        if obstacle.kind == "inherited" and self._calls_with_requests(module, function):
            return
        decorator = _decorator_at(obstacle.place, module, function)
        if decorator is not None:
            self.add_decorator(module, function, decorator, arrivals)
            return
        if obstacle.kind == "value":
            self._passed_on(obstacle, function, parameter, arrivals)
            return
        arrivals.stop(obstacle.why, obstacle.place)

    def _add_named(self, obstacle: Obstacle, arrivals: Arrivals) -> None:
        """Add a text that gets the function, as in ``getattr(self, "show")``; others do not."""
        for place in (obstacle.place, *obstacle.others):
            is_python = place.path.endswith(".py")
            for module in self._evaluator.modules_at([place.path] if is_python else []):
                for node in module.mentions("getattr"):
                    above = module.parent(node)
                    key = above.args[1:2] if isinstance(above, ast.Call) else []
                    if key and module.span(key[0]) == place.span:
                        arrivals.stop(obstacle.why, place)

    # -------------------------------------------------------------------------------- frameworks
    def _calls_with_requests(self, module: Module, function: Function) -> bool:
        """Whether all external bases of a method's class have no objects of the program."""
        owner = module.parent(function)
        if not isinstance(owner, ast.ClassDef):
            return False
        ancestors = self._evaluator.classes.ancestors(module.full_name(owner))
        if ancestors is None or ancestors.unresolved:
            return False
        return all(
            name in VIEWS or name.partition(".")[0] in sys.stdlib_module_names
            for name in ancestors.outside
        )

    def add_decorator(
        self, module: Module, function: Function, decorator: ast.expr, arrivals: Arrivals
    ) -> None:
        """Add what arrives by a decorator, which may have the function called."""
        names = {*chain(*library_names(self._evaluator, module, decorator))}
        if names and names <= _LISTENING:
            arrivals.origins[Origin(module.place(decorator))] = None
        elif not names or not all(name in _FORWARDING or _gives_requests(name) for name in names):
            why = f"`{function.name}` is decorated by `{module.excerpt(decorator)}`"
            arrivals.stop(f"{why}, which may call it", module.place(decorator))

    # ----------------------------------------------------------------------------------- values
    def _passed_on(
        self, obstacle: Obstacle, function: Function, parameter: ast.arg, arrivals: Arrivals
    ) -> None:
        for place in (obstacle.place, *obstacle.others):
            given = self._called_with(place, function, parameter)
            if given is None:
                arrivals.stop(obstacle.why, place)
            elif isinstance(given, Origin):
                arrivals.origins[given] = None
            else:
                arrivals.add(given, place)

    def _called_with(
        self, place: Place, function: Function, parameter: ast.arg
    ) -> Values | Origin | None:
        """Return what the function gets where ``place`` passes it on; None if unknown."""
        module = self._evaluator.load(place.path)
        positional = [*function.args.posonlyargs, *function.args.args]
        if module is None or parameter not in positional:
            return None
        node = next(module.expressions_at({place.span}), None)
        if node is None:
            return None
        above = module.parent(node)
        if isinstance(above, ast.Call):
            if self._evaluator.names.qualified_name(module, above.func) in _LISTENING:
                return Origin(module.place(above))
            if function.name == "__init__" and self._is_sqlalchemy(module, above.func):
                # Loading makes objects without the constructor.
                return ()
        index = positional.index(parameter) - self._bound_number(module, node)
        return None if index < 0 else self._passed.values_for_argument(module, node, index)

    def _is_sqlalchemy(self, module: Module, called: ast.expr) -> bool:
        """Whether a function of SQLAlchemy is called, as ``select(User)``."""
        values = self._evaluator.values(module, called)
        return all(
            isinstance(item, External) and _root(item.qualified) in _SQLALCHEMY for item in values
        )

    def _bound_number(self, module: Module, node: ast.expr) -> int:
        """Return how many parameters the receiver gives to a method that is a value."""
        if not isinstance(node, ast.Attribute):
            return 0
        values = self._evaluator.values(module, node.value)
        return int(any(isinstance(value, InstanceOf | Producer) for value in values))


def _decorator_at(place: Place, module: Module, function: Function) -> ast.expr | None:
    plain = map(without_arguments, function.decorator_list)
    return next((node for node in plain if module.place(node) == place), None)


def _gives_requests(name: str) -> bool:
    """Whether a decorator has the function called with texts and numbers alone."""
    method = name.rpartition(".")[2]
    # A filter of templates is given anything, and so is who asks for what others passed.
    return _root(name) in _WITH_REQUESTS and "template" not in method and "pass_" not in method


def _root(name: str) -> str:
    return name.partition(".")[0]


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
