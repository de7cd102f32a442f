"""Code that runs for every request: routes, dependencies, and the functions that they call.

Asked from below: who calls a function is followed upwards until something is found that a web
framework calls for each request. A missing answer claims nothing.

The lifetime of what a call makes: kept beyond the call of the function around it, or not.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from awaken.contract import Place
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.web.applications import Applications
from awaken.project.graph.callers import Callers
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.names.functions.injections import Provider
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.trees import Conditional, Function, FunctionOrLambda, without_arguments
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue
from awaken.project.values.domain import InstanceOf, functions_in

_CACHES = {"cache", "cached", "cached_property", "lru_cache", "memoize", "singleton"}
FRAMEWORKS = tuple(
    f"{word} {name}".encode()
    for word in ("from", "import")
    for name in ("fastapi", "starlette", "flask", "quart")
)
"""What a program holds that has routes: without one of these nothing runs for each request."""
_VERBS = library_names().http_methods
METHODS = _VERBS | {"api_route", "route", "trace", "websocket", "websocket_route"}
_HOOKS = {"after_request", "before_request", "middleware"}
_FLASK = {"flask.Blueprint", "flask.Flask", "quart.Blueprint", "quart.Quart"}
_VIEWS = {"flask.views.MethodView", "starlette.endpoints.HTTPEndpoint"}


def is_kept(module: Module, call: ast.expr) -> bool:
    """Whether the value of ``call`` outlives its function, or is made only where none is kept yet.

    It is if it is stored in a global name, an attribute or an item, or is a default after ``or``.
    It also is if it is made only when it is missing, or in a function that remembers its result.
    """
    function = module.enclosing_function(call)
    if function is None or is_remembered(module, function):
        return True
    for below, above in module.steps_up(call):
        if above is function:
            return False
        if isinstance(above, ast.BoolOp) and below is not above.values[0]:
            return True
        if isinstance(above, ast.Assign | ast.AnnAssign) and _is_stored(module, above, function):
            return True
        if isinstance(above, Conditional) and _tests_absence(above.test):
            return True
    return False


def is_remembered(module: Module, function: FunctionOrLambda) -> bool:
    """Whether a decorator keeps what ``function`` returns."""
    for decorator in getattr(function, "decorator_list", ()):
        plain = without_arguments(decorator)
        if any(part in _CACHES for part in module.text_of(plain).split(".")):
            return True
    return False


def _is_stored(
    module: Module, node: ast.Assign | ast.AnnAssign, function: FunctionOrLambda
) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    own = function.args.args[0].arg if function.args.args else ""
    for target in targets:
        match target:
            case ast.Name():
                scope = module.scopes.scope_of(target)
                if target.id in scope.globals | scope.nonlocals:
                    return True
            case ast.Attribute(value=ast.Name(id=name)) if name == own:
                if getattr(function, "name", "") != "__init__":
                    return True  # else it lives as long as the instance, which others make
            case ast.Attribute() | ast.Subscript():
                return True
    return False


def _tests_absence(test: ast.expr) -> bool:
    for node in ast.walk(test):
        match node:
            case ast.Compare(ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
                return True
            # The call may be in the `else`.
            case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                return True
            case ast.UnaryOp(op=ast.Not()) | ast.Compare(ops=[ast.NotIn() | ast.In()]):
                return True
            case ast.Call(func=ast.Name(id="hasattr")):
                return True
    return False


# Callers of callers, searched breadth first; half of each loses no finding (benchmarks/limits.md).


class Endpoints:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, applications: Applications) -> None:
        self._evaluator = evaluator
        self._applications = applications

    def leading_to(self, module: Module, node: ast.expr) -> tuple[Place, ...]:
        """Return the way on which every request comes to ``node``; empty if none is seen.

        First is the route or dependency, then the calls down to the function around ``node``. Ways
        on which something is kept for later requests do not count (see ``keeping``).
        """
        function = module.enclosing_function(node)
        if not isinstance(function, Function) or is_kept(module, node):
            return ()
        return self._climb(module, function, is_kept, is_remembered)

    def running(self, module: Module, function: Function) -> tuple[Place, ...]:
        """Return the way on which requests come to ``function``, now and then; empty for none."""
        return self._climb(module, function, _never, _never)

    def depended_on(self, providers: Iterable[Provider]) -> Iterator[tuple[Module, Function]]:
        """Yield the functions that providers name, with those that they depend on in turn."""
        waiting = Queue(self._provided_functions(providers), lambda pair: pair[0].place(pair[1]))
        for module, function in waiting:
            yield module, function
            waiting += self._provided_functions(
                self._evaluator.injections.of_function(module, function)
            )

    def _provided_functions(
        self, providers: Iterable[Provider]
    ) -> Iterator[tuple[Module, Function]]:
        for provider in providers:
            yield from functions_in(self._evaluator.values(*provider))

    def _climb(
        self,
        module: Module,
        function: Function,
        skips_call: Callable[[Module, ast.expr], bool],
        skips_function: Callable[[Module, FunctionOrLambda], bool],
    ) -> tuple[Place, ...]:
        start: tuple[Module, Function, tuple[Place, ...]] = module, function, ()
        # Nothing is concluded where no way is found, so a search may end early.
        # Breadth first, so that the way that is shown is a short one.
        waiting = Queue([start], lambda item: item[0].place(item[1]))
        for home, current, chain in waiting:
            if len(waiting.seen) >= MOST_FUNCTIONS:
                break
            if skips_function(home, current):
                continue
            # Its own decorators first: its callers are searched for in many files.
            entry = self._entry(home, current)
            if entry is not None:
                return (entry, *chain)
            callers = self._evaluator.callers_of(home, current)
            entry = self._dependency(callers)
            if entry is not None:
                return (entry, *chain)
            for site in callers.sites:
                for caller, call in self._evaluator.calls_at(site.place)[:1]:
                    above = caller.enclosing_function(call)
                    if isinstance(above, Function) and not skips_call(caller, call):
                        step = Place(caller.path, site.place.span, f"calls `{current.name}`")
                        waiting += [(caller, above, (step, *chain))]
        return ()

    @cached_by(lambda module, function: module.place(function))
    def _entry(self, module: Module, function: Function) -> Place | None:
        """Return where its definition says that ``function`` is called for each request."""
        return self._route(module, function) or self._view(module, function)

    def _route(self, module: Module, function: Function) -> Place | None:
        for decorator in function.decorator_list:
            match decorator:
                case ast.Call(func=ast.Attribute(value=owner, attr=name), args=arguments) if (
                    name in METHODS and self._is_route(module, owner, arguments)
                ):
                    note = f"`{function.name}` handles requests"
                case (
                    ast.Call(func=ast.Attribute(value=owner, attr=name))
                    | ast.Attribute(value=owner, attr=name)
                ) if name in _HOOKS and self._is_application(module, owner):
                    note = f"`{function.name}` runs with every request"
                case _:
                    continue
            return module.place(decorator, note)
        return None

    def _is_route(self, module: Module, owner: ast.expr, arguments: list[ast.expr]) -> bool:
        path = arguments[0] if arguments else None
        # A path in such a decorator is a route, even if nothing says what the object is.
        starts = isinstance(path, ast.Constant) and str(path.value).startswith("/")
        return starts or self._is_application(module, owner)

    def _is_application(self, module: Module, node: ast.expr) -> bool:
        setting = self._applications.applications_of(module, node)
        if setting.applications or setting.unknown_class:
            return True
        values = self._evaluator.values(module, node)
        return any(isinstance(value, InstanceOf) and value.qualified in _FLASK for value in values)

    def _view(self, module: Module, function: Function) -> Place | None:
        owner = module.parent(function)
        if not isinstance(owner, ast.ClassDef) or function.name not in _VERBS:
            return None
        qualified = module.full_name(owner)
        if not _VIEWS.intersection(self._evaluator.classes.library_ancestors(qualified)):
            return None
        note = f"`{owner.name}.{function.name}` handles requests"
        return module.place(function, note)

    def _dependency(self, callers: Callers) -> Place | None:
        for obstacle in callers.obstacles:
            calls = self._evaluator.calls_at(obstacle.place) if obstacle.kind == "framework" else []
            for module, call in calls:
                if self._evaluator.injections.provider(module, call) is not None:
                    return module.place(call, "a dependency is resolved for every request")
        return None


def _never(module: Module, node: ast.AST) -> bool:
    del module, node
    return False
