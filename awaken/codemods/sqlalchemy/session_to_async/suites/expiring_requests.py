"""Calls of a test that may expire the objects that the test holds, because both share its session.

A request, or a call of the program, that runs ``expire_all`` on the session of the test expires the
objects of the test as well. So does a ``rollback``, if an exception is handled; a test that asserts
success does not see that.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import overrides_of
from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.knowledge.asynchronous import twins
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.frameworks.testing.requests import METHODS, may_answer, path_of
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around, is_use
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.replacing import text_of
from awaken.project.source.test_files import is_around_tests, is_of_program
from awaken.project.source.trees import Function
from awaken.project.source.worklist import reachable
from awaken.project.values.domain import functions_in

if TYPE_CHECKING:
    from awaken.project import Project

When = Literal["always", "failing"]
_FAILED = 400
"""The first status of a response that says that something failed."""


class SharedSession(NamedTuple):
    """A call in a test that may expire what a session holds, which the test has as ``session``."""

    commit: Commit
    session: str


class _Route(NamedTuple):
    """The route for requests of a ``method``; ``path`` is None if unknown."""

    method: str
    path: str | None
    when: When


class ExpiringRequests:
    """Answers for one program; ``expiring`` are its calls that expire what a session holds."""

    def __init__(self, project: Project, expiring: Iterable[Commit]) -> None:
        self._project = project
        self._expiring = [item.place for item in expiring if not is_around_tests(item.place.path)]

    def calls(self) -> Iterator[SharedSession]:
        """Yield the calls of tests after which their objects may be expired."""
        if not self._expiring or not any(self._reaching.values()):
            return
        for module in modules_with(self._project, (b"def ",), is_of_program):
            for node in module.functions:
                yield from self._in_function(module, node)

    def _in_function(self, module: Module, function: Function) -> Iterator[SharedSession]:
        running = self._running.get(module.key_of(function), set())
        calls = [
            node
            for node in module.walk(function)
            if isinstance(node, ast.Call)
            # Cheap questions come first: most calls of most functions are neither.
            and ((runs := bool(running) and module.place(node) in running) or _may_ask(node))
            and module.enclosing_function(node) is function
            and (runs or self._asks(module, function, node))
        ]
        session = self._session(module, function) if calls else ""
        for call in calls if session else ():
            yield SharedSession(Commit(module.place(call), is_async=False), session)

    def _session(self, module: Module, function: Function) -> str:
        """Return how a function names a session; empty where it has none."""
        others = set[Binding]()
        for node in module.walk(function):
            bindings = module.scopes.bindings_of(node)
            if isinstance(node, ast.expr) and is_use(module, node) and others.isdisjoint(bindings):
                proof = self._project.orm.session_of(module, node)
                if isinstance(proof, SessionProof) and proof.kind == "session":
                    return module.text_of(node)
                # A variable with one value is no session at its other reads.
                others.update(bindings if proof is None and len(bindings) == 1 else ())
        return ""

    # ------------------------------------------------------------------------ what a test calls
    @cached_property
    def _running(self) -> dict[tuple[str, int], set[Place]]:
        """The calls that run, in a way that no exception ends, what expires objects.

        By the function of a test around them.
        """
        places: dict[tuple[str, int], set[Place]] = {}
        for function in sorted(self._reaching["always"]):
            for call in self._calls_of(function):
                if is_around_tests(call.place.path):
                    key = call.caller.path, call.caller.start
                    places.setdefault(key, set()).add(call.place)
        return places

    def _asks(self, module: Module, function: Function, call: ast.Call) -> bool:
        """Whether a call is a request to something that expires objects."""
        if not isinstance(call.func, ast.Attribute) or not _may_ask(call):
            return False
        method, asked = call.func.attr, path_of(module, call)
        routes = [
            route
            for route in self._routes
            if method in {route.method, "request"}
            and (asked is None or route.path is None or may_answer(route.path, asked))
        ]
        if not routes or not self._is_client(module, call.func.value):
            return False
        succeeds = _is_asserted(module, function, call)
        return not succeeds or any(route.when == "always" for route in routes)

    def _is_client(self, module: Module, node: ast.expr) -> bool:
        known = {*twins().clients.names, "httpx.AsyncClient"}
        names = self._project.instance_of(module, node)
        return bool(names) and all(
            name in known or not known.isdisjoint(self._project.library_ancestors(name))
            for name in names
        )

    # ----------------------------------------------------------------------- what expires objects
    @cached_property
    def _reaching(self) -> dict[When, frozenset[FunctionPlace]]:
        """The functions that may expire what is in a session that they did not make."""
        begun: dict[When, set[FunctionPlace]] = {"always": set(), "failing": set()}
        graph = self._project.calls.graph()
        for place in self._expiring:
            for module, call in self._project.calls_at(place)[:1]:
                around = function_around(module, call)
                if around is None or _is_made_here(self._project, module, call):
                    continue
                handled = any(isinstance(x, ast.ExceptHandler) for x in module.ancestors(call))
                function = graph.place_of(module, around)
                begun["failing" if handled else "always"].add(function)
        return {when: frozenset(self._callers(functions)) for when, functions in begun.items()}

    def _callers(self, functions: Collection[FunctionPlace]) -> set[FunctionPlace]:
        """Return functions, and all that call them but for the tests themselves."""
        return reachable(
            functions,
            lambda function: (
                call.caller
                for call in self._calls_of(function)
                if not call.caller.name.startswith("test")
            ),
        )

    def _calls_of(self, function: FunctionPlace) -> Iterator[Call]:
        calls = self._project.calls.graph().callers(function)
        yield from self._project.calls.passed_functions().callers(function, calls)

    @cached_property
    def _routes(self) -> list[_Route]:
        """The routes that may expire objects, by themselves or by what they depend on."""
        routes: list[_Route] = []
        for module in modules_with(self._project, (b"@",), is_around_tests):
            for node in module.functions:
                routes += self._routes_of(module, node)
        return routes

    def _routes_of(self, module: Module, function: Function) -> Iterator[_Route]:
        place = FunctionPlace.of(module, function)
        for when, reaching in self._reaching.items():
            if place in reaching or when in self._depended_on:
                for decorator in function.decorator_list:
                    match decorator:
                        case ast.Call(func=ast.Attribute(attr=method), args=[path, *_]) if (
                            method in METHODS
                        ):
                            yield _Route(method, text_of(module, path), when)

    @cached_property
    def _depended_on(self) -> frozenset[When]:
        """How dependencies may expire objects that tests put nothing in the place of."""
        overridden = {
            place
            for module, key, _ in overrides_of(self._project)
            for place in self._named_functions(module, key)
        }
        injected = {
            place
            for module in modules_with(self._project, (b"Depends",))
            for home, provider in self._project.injections.providers_below(module, module.tree)
            for place in self._named_functions(home, provider)
        } - overridden
        whens = {when for when, those in self._reaching.items() if not injected.isdisjoint(those)}
        return frozenset(whens)

    def _named_functions(self, module: Module, node: ast.expr) -> Iterator[FunctionPlace]:
        """Yield the functions that an expression names."""
        functions = functions_in(self._project.values.of(module, node).alternatives)
        return (FunctionPlace.of(*pair) for pair in functions)


def _may_ask(call: ast.Call) -> bool:
    """Whether a call looks like a request."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in METHODS


def _is_made_here(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether the session of a call is a variable that its function gives a value itself."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and _is_own(project, module, owner)


def _is_own(project: Project, module: Module, name: ast.Name) -> bool:
    """Whether a variable of a function has a session that is made for it.

    A manager of the program yields what it made, or what others have as well.
    """
    for binding in module.scopes.bindings_of(name):
        above = module.parent(binding.node)
        made = above.context_expr if isinstance(above, ast.withitem) else binding.value
        is_local = binding.kind in {"assignment", "with"} and binding.scope.kind == "function"
        if is_local and isinstance(made, ast.Call | None) and not _hands_out(project, module, made):
            return True
    return False


def _hands_out(project: Project, module: Module, made: ast.Call | None) -> bool:
    """Whether a call is one of a function that yields a session which others have as well."""
    values = () if made is None else project.values.of(module, made.func).alternatives
    return any(
        isinstance(inner, ast.Yield)
        and isinstance(inner.value, ast.Name)
        and not _is_own(project, home, inner.value)
        for home, function in functions_in(values)
        for inner in home.walk(function)
    )


def _is_asserted(module: Module, function: Function, call: ast.Call) -> bool:
    """Whether a test asserts after a request that it succeeded."""
    above = module.parent(call)
    above = module.parent(above) if isinstance(above, ast.Await) else above
    if not isinstance(above, ast.Assign) or not isinstance(above.targets[0], ast.Name):
        return False
    name, start = above.targets[0].id, module.span(above).end
    bound = [
        module.span(part).start
        for part in module.walk(function)
        if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
    ]
    end = min((item for item in bound if item > start), default=module.span(function).end)
    for node in module.walk(function):
        match node:
            case ast.Assert(
                test=ast.Compare(
                    left=ast.Attribute(value=ast.Name(id=asserted), attr="status_code"),
                    ops=[ast.Eq()],
                    comparators=[ast.Constant(value=int() as status)],
                )
            ) if asserted == name and start <= module.span(node).start < end:
                return status < _FAILED
    return False
