"""The settings by which asynchronous tests run: who runs them, and in which event loop."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator

from awaken.codemods.sqlalchemy.session_to_async.colour.program import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.reasons import OLD_TEST_TOOL
from awaken.contract import (
    Edit,
    InsertStatements,
    NeedImport,
    Requirement,
    SetKey,
    SiteId,
    Span,
)
from awaken.kit.changes import Member
from awaken.kit.sites import Refused, Site
from awaken.knowledge.ecosystem import AsyncTestPlugin, async_test_plugins
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.functions.decorators import PYTEST_FIXTURES
from awaken.project.source.modules import Module
from awaken.project.source.test_files import conftest_paths, is_test_file
from awaken.project.source.trees import without_arguments
from awaken.workspace.manifests.pytest_settings import TEST_LOOP_SCOPE

_PLUGIN = "pytest-asyncio"
_TABLE = "tool.pytest.ini_options"
FIXTURE_LOOP_SCOPE = "asyncio_default_fixture_loop_scope"
_SCOPED_LOOPS = "scoped_loops"
_EVENT_LOOP = """\
@pytest.fixture(scope="session")
def event_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()
"""
_PYTEST_8_2 = "pytest 8.2"
_SCOPES = ("function", "class", "module", "package", "session")


def test_settings(part: SynchronousPart, site: SiteId) -> Iterator[Edit]:
    """Yield the settings by which pytest runs the tests that become coroutine functions."""
    if not any(is_test_file(step.path) for step in part.steps):
        return
    project, settings = part.project, part.project.pytest
    values = dict(_values(part))
    if _needs_loop_fixture(part):
        yield from _loop_fixture(part, site)
    if not values:
        return
    if project.targets.distribution(_PLUGIN) is None:
        required = f"{_PLUGIN}<{_plugin().since[_SCOPED_LOOPS]}" if _is_held_back(part) else _PLUGIN
        beside = ("pytest",)
        yield Requirement(root="", requirement=required, group="dev", beside=beside, site=site)
    path, name = settings.path or "pytest.ini", settings.table.strip("[]") or "pytest"
    if not settings.path and "pyproject.toml" in project.snapshot:
        path, name = "pyproject.toml", _TABLE
    table = tuple(name.split(".")) if path.endswith(".toml") else (name,)
    may_create = path not in {settings.path, *(file.path for file in settings.unread)}
    for key, value in values.items():
        yield SetKey(path=path, table=table, key=key, value=value, may_create=may_create, site=site)


def old_test_tools(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the first test that waits, if the plugin that the program requires cannot run it."""
    first = next((step for step in sorted(part.steps) if is_test_file(step.path)), None)
    defined = None if first is None else part.node_of(first)
    if defined is None:
        return
    missing = next((key for key, _ in _values(part) if not _knows(part, key)), "")
    if _needs_loop_fixture(part):
        missing = "" if _conftest(part) else "scoped_loops"
    elif not _knows(part, FIXTURE_LOOP_SCOPE) and not _has_one_loop(part) and _is_shared(part):
        missing = "scoped_loops"
    targets = part.project.targets
    may_create = targets.distribution("pytest") and not targets.admits("pytest", "<8.2")
    if may_create and not _knows(part, _PYTEST_8_2):
        missing = _PYTEST_8_2
    if missing:
        target = targets.distribution(_PLUGIN)
        version = f" {target.specifier} ({target.origin})" if target else ""
        known = {"scoped_loops": "the event loop scope of fixtures", _PYTEST_8_2: _PYTEST_8_2}
        what = known.get(missing, f"`{missing}`")
        why = f"{_PLUGIN}{version} does not support {what}, which the tests need"
        site: Site[ast.AST] = Site(rule, *defined)
        yield Member(site, Refused(OLD_TEST_TOOL, why), f"`{defined[1].name}`")


def _knows(part: SynchronousPart, key: str) -> bool:
    """Whether the plugin that the program requires may have a key, or another ability."""
    since = _plugin().since[key]
    pytest = _plugin().pytest.get(since)
    return part.project.targets.admits(_PLUGIN, f">={since}") and (
        pytest is None or part.project.targets.admits("pytest", f">={pytest}")
    )


def _plugin() -> AsyncTestPlugin:
    return next(plugin for plugin in async_test_plugins() if plugin.distribution == _PLUGIN)


def _is_held_back(part: SynchronousPart) -> bool:
    """Whether tests need one loop, an old pytest gets a plugin that lacks it, and none is there.

    The plugin before that runs everything in the loop of the fixture `event_loop`.
    """
    # The first plugin that lacks it binds a fixture of `conftest.py` to the loop of one module.
    is_free = part.project.targets.distribution(_PLUGIN) is None
    is_bound = part.is_loop_bound or not _scopes(part) <= {_SCOPES[0], _SCOPES[-1]}
    return is_bound and is_free and not _knows(part, FIXTURE_LOOP_SCOPE)


def _has_one_loop(part: SynchronousPart) -> bool:
    """Whether the plugin runs all tests in the loop of the fixture `event_loop`, if there is one.

    Where tests have no scope of loops yet, but fixtures have, that is so for the scope `function`.
    """
    is_between = _knows(part, FIXTURE_LOOP_SCOPE) and not _knows(part, TEST_LOOP_SCOPE)
    is_old = not _knows(part, _SCOPED_LOOPS) or _is_held_back(part)
    return is_old or (part.is_loop_bound and is_between)


def _values(part: SynchronousPart) -> Iterator[tuple[str, str]]:
    settings = part.project.pytest
    if settings.asyncio_mode != "auto":
        yield "asyncio_mode", "auto"
    if _has_one_loop(part):
        if _knows(part, FIXTURE_LOOP_SCOPE) and settings.fixture_loop_scope != _SCOPES[0]:
            yield FIXTURE_LOOP_SCOPE, _SCOPES[0]
        return
    if part.is_loop_bound:
        # The engine keeps its connections from one test to the next.
        if settings.fixture_loop_scope != "session":
            yield FIXTURE_LOOP_SCOPE, "session"
        if settings.test_loop_scope != "session":
            yield TEST_LOOP_SCOPE, "session"
        return
    said, widest = settings.fixture_loop_scope, _widest(part)
    # Where nothing is said, a fixture runs in the loop of its own scope, and the plugin warns.
    is_error = not said and any(line.startswith("error") for line in settings.filter_warnings)
    is_narrow = said in _SCOPES and _SCOPES.index(said) < _SCOPES.index(widest)
    if is_narrow or (is_error and _knows(part, FIXTURE_LOOP_SCOPE)):
        yield FIXTURE_LOOP_SCOPE, widest


def _needs_loop_fixture(part: SynchronousPart) -> bool:
    """Whether all that waits has to run in one loop, and only a fixture can say so."""
    if not _has_one_loop(part) or not any(is_test_file(step.path) for step in part.steps):
        return False
    is_written = part.project.files_with((b"def event_loop(",))
    return not is_written and (part.is_loop_bound or _widest(part) != _SCOPES[0])


def _conftest(part: SynchronousPart) -> Module | None:
    """Return the ``conftest.py`` that all tests see which wait; None without."""
    tests = [step.path for step in part.steps if is_test_file(step.path)]
    folder = posixpath.commonpath([posixpath.dirname(test) for test in tests]) if tests else ""
    modules = map(part.project.module, conftest_paths(posixpath.join(folder, "conftest.py")))
    return next((module for module in modules if module is not None), None)


def _loop_fixture(part: SynchronousPart, site: SiteId) -> Iterator[Edit]:
    """Yield the fixture in whose loop old versions of the plugin run all that waits."""
    module = _conftest(part)
    if module is None:
        return
    data, path = Replaced(_EVENT_LOOP), module.path
    yield NeedImport(path=path, module="asyncio", site=site)
    yield NeedImport(path=path, module="pytest", site=site)
    at = Span(0, 0)
    yield InsertStatements(
        path=path, at=at, where="after-imports", rewriter=REPLACE, data=data, site=site
    )


def _widest(part: SynchronousPart) -> str:
    """Return the widest scope of the fixtures that become asynchronous."""
    return max(_scopes(part), key=_SCOPES.index)


def _is_shared(part: SynchronousPart) -> bool:
    """Whether a fixture becomes asynchronous that several classes share, or several modules.

    The first plugin with scopes of loops runs it in the loop of whoever asks for it first.
    """
    in_conftest = {step for step in part.steps if posixpath.basename(step.path) == "conftest.py"}
    return "class" in _scopes(part) or not _scopes(part, in_conftest) <= {_SCOPES[0], _SCOPES[-1]}


def _scopes(part: SynchronousPart, among: Iterable[FunctionPlace] | None = None) -> set[str]:
    """Return the scopes of the fixtures that become asynchronous, and that of a test."""
    scopes = {_SCOPES[0]}
    for function in part.steps if among is None else among:
        defined = part.node_of(function) if is_test_file(function.path) else None
        if defined is None:
            continue
        module, node = defined
        for decorator in node.decorator_list:
            name = part.project.qualified_name(module, without_arguments(decorator))
            if name in PYTEST_FIXTURES:
                scopes.add(_scope_of(decorator))
    return scopes


def _scope_of(decorator: ast.expr) -> str:
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        match keyword:
            case ast.keyword(arg="scope", value=ast.Constant(str() as scope)) if scope in _SCOPES:
                return scope
    return _SCOPES[0]
