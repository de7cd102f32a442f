"""The rule: clients of tests that leave out the lifespan."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.testing.lifespan_in_tests.state import Reliance, relied_on
from awaken.contract import Finding, Phase, Place, Status
from awaken.kit.rule import Advice
from awaken.kit.search import modules_with
from awaken.kit.sites import Site
from awaken.project.frameworks.web.applications import Application
from awaken.project.source.test_files import conftest_paths, is_around_tests, is_of_program
from awaken.project.source.trees import keyword_of, last_name

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_TEST_CLIENTS = {"fastapi.testclient.TestClient", "starlette.testclient.TestClient"}
_TRANSPORTS = {"httpx.ASGITransport", "httpx._transports.asgi.ASGITransport"}
_HTTPX = {"httpx.AsyncClient"}
_RUNS = (b"LifespanManager", b"lifespan_context", b"router.startup", b"async_asgi_testclient")
_ENTER = "Enter it: `with TestClient(app) as client:` runs the lifespan around the block."
_MANAGE = "Run the lifespan around it with `async with LifespanManager(app):` from asgi-lifespan."


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
