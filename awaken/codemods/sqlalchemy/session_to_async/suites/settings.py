"""The settings by which asynchronous tests run: who runs them, and in which event loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart
from awaken.contract import CreateFile, Edit, Requirement, SetKey, SiteId
from awaken.project.names.functions.decorators import PYTEST_FIXTURES
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import without_arguments
from awaken.workspace.manifests.pytest_settings import TEST_LOOP_SCOPE

_PLUGIN = "pytest-asyncio"
_TABLE = ("tool", "pytest", "ini_options")
_FIXTURE_LOOP_SCOPE = "asyncio_default_fixture_loop_scope"
_SCOPES = ("function", "class", "module", "package", "session")


def test_settings(part: SynchronousPart, site: SiteId) -> Iterator[Edit]:
    """Yield the settings by which pytest runs the tests that become coroutine functions."""
    if not any(is_test_file(one.path) for one in part.steps):
        return
    project, settings = part.project, part.project.pytest
    values = dict(_values(part))
    if not values:
        return
    if project.targets.distribution(_PLUGIN) is None:
        beside = ("pytest",)
        yield Requirement(root="", requirement=_PLUGIN, group="dev", beside=beside, site=site)
    if settings.path or "pyproject.toml" in project.snapshot:
        path = settings.path or "pyproject.toml"
        table: tuple[str, ...] = _TABLE
        if settings.path:
            name = settings.table.strip("[]") or "pytest"
            table = tuple(name.split(".")) if path.endswith(".toml") else (name,)
        for key, value in values.items():
            yield SetKey(path=path, table=table, key=key, value=value, site=site)
    else:
        lines = "".join(f"{key} = {value}\n" for key, value in values.items())
        yield CreateFile(path="pytest.ini", text=f"[pytest]\n{lines}", site=site)


def _values(part: SynchronousPart) -> Iterator[tuple[str, str]]:
    settings = part.project.pytest
    if settings.asyncio_mode != "auto":
        yield "asyncio_mode", "auto"
    if part.is_loop_bound:
        # The engine keeps its connections from one test to the next.
        if settings.fixture_loop_scope != "session":
            yield _FIXTURE_LOOP_SCOPE, "session"
        if settings.test_loop_scope != "session":
            yield TEST_LOOP_SCOPE, "session"
        return
    said, widest = settings.fixture_loop_scope, _widest(part)
    # Where nothing is said, a fixture runs in the loop of its own scope.
    if said in _SCOPES and _SCOPES.index(said) < _SCOPES.index(widest):
        yield _FIXTURE_LOOP_SCOPE, widest


def _widest(part: SynchronousPart) -> str:
    """Return the widest scope of the fixtures that become asynchronous."""
    found = {0}
    for function in part.steps:
        defined = part.node_of(function) if is_test_file(function.path) else None
        if defined is None:
            continue
        module, node = defined
        for decorator in node.decorator_list:
            name = part.project.qualified_name(module, without_arguments(decorator))
            if name in PYTEST_FIXTURES:
                found.add(_scope_of(decorator))
    return _SCOPES[max(found)]


def _scope_of(decorator: ast.expr) -> int:
    for one in decorator.keywords if isinstance(decorator, ast.Call) else ():
        match one:
            case ast.keyword(arg="scope", value=ast.Constant(str() as scope)) if scope in _SCOPES:
                return _SCOPES.index(scope)
            case _:
                pass
    return 0
