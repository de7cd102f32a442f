"""The rule: clients of tests that leave out the lifespan."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Finding, Phase, Place, Span, Status
from awaken.kit.caveats.failures import caught_around
from awaken.kit.rule import Advice
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Site
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.web.applications import Application
from awaken.project.frameworks.web.served_applications import Served
from awaken.project.names.functions.injections import OVERRIDES, overrides_in
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.modules import Module
from awaken.project.source.test_files import conftest_paths, is_around_tests, is_of_program
from awaken.project.source.trees import Function, keyword_of, last_name
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue
from awaken.project.values.domain import Unknown

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_RAISED = library_names().catching_all | {
    "builtins.AttributeError", "builtins.KeyError", "builtins.LookupError", "builtins.NameError",
}  # fmt: skip
_ASKING = {"get", "getattr", "hasattr", "setdefault"}
_TEST_CLIENTS = {"fastapi.testclient.TestClient", "starlette.testclient.TestClient"}
_TRANSPORTS = {"httpx.ASGITransport", "httpx._transports.asgi.ASGITransport"}
_HTTPX = {"httpx.AsyncClient"}
_RUNS = (b"LifespanManager", b"lifespan_context", b"router.startup", b"async_asgi_testclient")
_ENTER = "Enter it: `with TestClient(app) as client:` runs the lifespan around the block."
_MANAGE = "Run the lifespan around it with `async with LifespanManager(app):` from asgi-lifespan."


class Reliance(Struct, frozen=True):
    """Something that is ``set`` when the application starts and ``read`` by requests.

    ``path`` is what the route is called that reads it, empty if other requests may as well.
    """

    shown: str
    set: Place
    read: Place
    path: str


def relied_on(project: Project, served: Served) -> tuple[Reliance, ...]:
    """Return what the lifespan of an application sets for its requests."""
    return tuple(_relied_on(project, served))


def _relied_on(project: Project, served: Served) -> Iterator[Reliance]:
    starts = list(_starts(project, served))
    inside = {(module.path, module.span(node)) for module, node in starts}
    for module, function in starts:
        for name, place, home in _set(module, function):
            # Such tests do without the lifespan on purpose.
            if _is_set_by_tests(project, name):
                continue
            if home is not None and _has_initial_value(home, name):
                continue
            shown = name if home is not None else f"state.{name}"
            for read, path in _reads_of(project, name, home, inside):
                yield Reliance(shown, place, read, path)


def _starts(project: Project, served: Served) -> Iterator[tuple[Module, Function]]:
    """Yield what runs when the application starts: its lifespan or handlers, and what they call."""
    starts: list[tuple[Module, Function]] = []
    if served.lifespan is not None:
        starts.append(served.lifespan)
    # With a lifespan given, Starlette never runs the handlers.
    registered = project.web.registrations.registrations_on(served.application)
    for registration in registered if served.given is None else ():
        if registration.event == "startup":
            handler = registration.function or _function(registration.module, registration.handler)
            if handler is not None:
                starts.append((registration.module, handler))
    waiting = Queue(starts, lambda item: item[0].place(item[1]), MOST_FUNCTIONS)
    for module, function in waiting:
        yield module, function
        for call in ast.walk(function):
            called = (
                project.calls.function_called(module, call) if isinstance(call, ast.Call) else None
            )
            if called is not None and not isinstance(called, Unknown):
                waiting += [(called.module, called.function)]


def _function(module: Module, node: ast.expr | None) -> Function | None:
    binding = module.scopes.only_binding(node)
    return binding.node if binding is not None and isinstance(binding.node, Function) else None


def _set(module: Module, function: Function) -> Iterator[tuple[str, Place, Module | None]]:
    """Yield what ``function`` sets; the module of a global name comes with it."""
    scope = module.scopes.scope_made_by(function)
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=ast.Attribute(attr="state"), attr=name, ctx=ast.Store()):
                yield name, module.place(node), None
            case ast.Name(id=name, ctx=ast.Store()) if name in scope.globals:
                yield name, module.place(node), module
            case ast.Subscript(value=ast.Name(id=name) as owner, ctx=ast.Store()):
                bindings = module.scopes.module.bindings.get(name, [])
                # A local mapping of the same name is another one.
                is_own = module.scopes.bindings_of(owner) == bindings
                if bindings and is_own and all(binding.kind != "import" for binding in bindings):
                    yield name, module.place(node), module
            # Starlette copies what a lifespan yields to `request.state`.
            case ast.Yield(value=ast.Dict(keys=keys)):
                for key in keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, module.place(key), None


def _reads_of(
    project: Project, name: str, home: Module | None, starts: set[tuple[str, Span]]
) -> Iterator[tuple[Place, str]]:
    """Yield where requests read it, and the path of the route if it is but one.

    Names that tests replace do not count, nor calls that start the application.
    """
    overridden = _overridden(project)
    word = f".{name}".encode()
    readers = modules_with(project, (word,), unless=is_around_tests)
    if home is not None:  # how other files read a global name is not followed
        readers = iter([home] if is_of_program(home.path) else [])
    for module in readers:
        for node in module.walk():
            if not _reads(module, node, name, home):
                continue
            function = module.enclosing_function(node)
            # Code at the top of a file runs before any request.
            if not isinstance(function, Function):
                continue
            if _has_fallback(project, module, function, node):
                continue
            # The start reads what it has just set.
            if (module.path, module.span(function)) in starts:
                continue
            # An overridden dependency never runs in the tests.
            if module.full_name(function) in overridden:
                continue
            way = project.web.endpoints.running(module, function)
            route = _route(project, way[0]) if way else None
            if route is not None:
                yield module.place(node), route


def _route(project: Project, entry: Place) -> str | None:
    """Return the last fixed part of a route's path, None if there is none; empty for no route."""
    calls = [call for _, call in project.calls_at(entry)]
    first = calls[0].args[0] if calls and calls[0].args else None
    if not isinstance(first, ast.Constant) or "handles" not in entry.note:
        return ""
    # Routers add prefixes in front, so the end of a path is what tests share.
    fixed = [part for part in str(first.value).split("/") if part and "{" not in part]
    # A path of parameters alone has nothing to look for in the tests.
    return f"/{fixed[-1]}" if fixed else None


def _reads(module: Module, node: ast.AST, name: str, home: Module | None) -> bool:
    match node:
        case ast.Attribute(value=ast.Attribute(attr="state"), attr=attribute, ctx=ast.Load()):
            return home is None and attribute == name
        case ast.Name(ctx=ast.Load()):
            owner = module.scopes.owner(node.id, module.scopes.scope_of(node))
            return home is not None and node.id == name and owner is module.scopes.module
    return False


def _is_set_by_tests(project: Project, name: str) -> bool:
    """Whether a test sets it itself, or puts something else in its place."""
    for _, node in nodes_with(project, (name.encode(),), ast.AST, unless=is_of_program):
        match node:
            case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute == name:
                return True
            case ast.Constant(value=str() as text) if text.split(".")[-1] == name:
                return True  # of ``monkeypatch.setattr`` or ``patch``
    return False


def _overridden(project: Project) -> set[str]:
    """Return the dependencies that tests put something else in the place of."""
    names = (
        project.qualified_name(module, key)
        for module in modules_with(project, (OVERRIDES.encode(),))
        for key, _ in overrides_in(module)
    )
    return {name for name in names if name is not None}


def _has_initial_value(home: Module, name: str) -> bool:
    """Whether the top of a file gives a global name a value that requests can use."""
    bindings = home.scopes.module.bindings.get(name, [])
    values = [binding.value for binding in bindings if binding.kind == "assignment"]
    return any(value is not None and not _is_empty(value) for value in values)


def _has_fallback(project: Project, module: Module, function: Function, read: ast.AST) -> bool:
    """Whether the code around a read expects that nothing is set yet."""
    if any(caught_around(project, module, read, _RAISED)):
        return True
    name = last_name(read)
    for below, above in module.steps_up(read):
        if isinstance(above, ast.BoolOp) and below is not above.values[-1]:
            return True
        if above is function:
            break
    return any(_asks(module, node, name) for node in module.walk(function))


def _asks(module: Module, node: ast.AST, name: str) -> bool:
    """Whether a node tests if something of this name is set."""
    match node:
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
            return name in {last_name(left), *map(last_name, node.comparators)}
        case ast.Call(func=ast.Name(id="getattr"), args=[_, _]):
            return False
        case ast.Call(func=ast.Name(id=called), args=[_, key, *_]) if called in _ASKING:
            return isinstance(key, ast.Constant) and key.value == name
        case ast.Call(func=ast.Attribute(value=owner, attr=called)) if called in _ASKING:
            return last_name(owner) == name
    return last_name(node) == name and is_tested(module, node)


def _is_empty(value: ast.expr) -> bool:
    """Whether a value says that nothing is there: None, an empty container."""
    match value:
        case ast.Constant(value=None) | ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id="dict" | "list" | "set"), args=[], keywords=[]):
            return True
    return False


class LifespanInTests(Advice):
    """Advises to run the lifespan in tests that need it."""

    name = "lifespan-in-tests"
    family = "testing"
    phase = Phase.TIDY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"TestClient", b"ASGITransport", b"AsyncClient")
    status = Status.PREVIEW

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per client that leaves out what its application relies on."""
        paths = [path for path in project.site_files(self.triggers) if is_around_tests(path)]
        if not paths:
            return ()
        reliances = {
            server.application: relied
            for server in project.web.serving.all
            if (relied := relied_on(project, server))
        }
        return (
            self._finding(module, call, reliance)
            for path in (paths if reliances else ())
            if not _is_run(project, path) and (module := project.module(path)) is not None
            for call, app in _clients(project, module)
            if (reliance := _meant_reliance(project, module, app, reliances)) is not None
        )

    def _finding(self, module: Module, call: ast.Call, reliance: Reliance) -> Finding:
        is_test_client = "TestClient" in module.excerpt(call.func)
        message = (
            f"this client never runs the lifespan, which sets the `{reliance.shown}` that "
            "requests read"
        )
        related = (
            Place(reliance.set.path, reliance.set.span, "set here"),
            Place(reliance.read.path, reliance.read.span, "read here"),
        )
        cure = _ENTER if is_test_client else _MANAGE
        return Site(self.name, module, call).advice(message, cure, related)


def _clients(project: Project, module: Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Yield the clients of a file that run no lifespan, and the application of each."""
    for call in module.nodes(ast.Call):
        name = project.qualified_name(module, call.func)
        app = keyword_of(call, "app")
        if name in _TEST_CLIENTS:
            app = call.args[0] if call.args else app
            if app is not None and not _is_entered(project, module, call):
                yield call, app
        # `httpx.ASGITransport` never runs the lifespan.
        elif name in _TRANSPORTS:
            app = call.args[0] if call.args else app
            if app is not None:
                yield call, app
        elif name in _HTTPX and app is not None:
            yield call, app


def _is_entered(project: Project, module: Module, call: ast.Call) -> bool:
    """Whether ``with`` enters the client, at once or by a name that it gets."""
    above = module.parent(call)
    # `TestClient` runs the lifespan only when it is entered.
    if isinstance(above, ast.withitem):
        return True
    names = {
        candidate.id
        for candidate in getattr(above, "targets", [getattr(above, "target", None)])
        if isinstance(candidate, ast.Name)
    }
    names |= {one.attr for one in getattr(above, "targets", ()) if isinstance(one, ast.Attribute)}
    if isinstance(above, ast.Call):  # ``stack.enter_context(TestClient(app))``
        return True
    function = module.enclosing_function(call)
    files = [module]
    if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        # A fixture that returns the client is entered by the name of the fixture.
        names.add(function.name)
        files = list(modules_with(project, (b"with ",), unless=is_of_program))
    return any(_enters(file, names) for file in files)


def _enters(module: Module, names: set[str]) -> bool:
    for node in module.walk():
        if isinstance(node, ast.withitem):
            entered = node.context_expr
            if isinstance(entered, ast.Call):
                entered = entered.func
            if last_name(entered) in names:
                return True
        # Entered by hand; awaken does not follow which client it is.
        elif isinstance(node, ast.Attribute) and node.attr == "__enter__":
            return True
    return False


def _is_run(project: Project, path: str) -> bool:
    """Whether the lifespan is run in another way for the tests of a file."""
    # pytest applies each `conftest.py` to all tests below its folder.
    running = set(project.files_with(_RUNS))
    return not running.isdisjoint([path, *conftest_paths(path)])


def _meant_reliance(
    project: Project,
    module: Module,
    app: ast.expr,
    reliances: dict[Application, tuple[Reliance, ...]],
) -> Reliance | None:
    """Return what the application relies on that a client is given, for requests of its file."""
    resolved = project.web.applications.applications_of(module, app)
    applications: Sequence[Application] = resolved.applications
    if not applications and resolved.unknown is not None and len(project.web.serving.all) == 1:
        applications = list(reliances)  # a fixture: there is no other application
    relied = [reliance for item in applications for reliance in reliances.get(item, ())]
    text = module.source.text
    # A test that never requests the route does not miss its state.
    return next((reliance for reliance in relied if reliance.path.encode() in text), None)
