"""The settings by which asynchronous tests run: who runs them, and in which event loop."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Iterator
from functools import cached_property

from packaging.specifiers import SpecifierSet

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.reasons import OLD_TEST_TOOL
from awaken.codemods.sqlalchemy.session_to_async.suites.xunit_fixtures import xunit_scope
from awaken.contract import (
    ByHand,
    Edit,
    InsertStatements,
    NeedImport,
    Requirement,
    SetKey,
    SiteId,
    Span,
)
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.ecosystem import AsyncTestPlugin, async_test_plugins, loop_holders
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.functions.decorators import PYTEST_FIXTURES
from awaken.project.source.modules import Module
from awaken.project.source.test_files import conftest_paths, is_around_tests, is_test_file
from awaken.project.source.trees import parameters_of, without_arguments
from awaken.workspace.manifests.pytest_settings import TEST_LOOP_SCOPE
from awaken.workspace.manifests.versions import overlap

_PLUGIN = "pytest-asyncio"
_TABLE = "tool.pytest.ini_options"
FIXTURE_LOOP_SCOPE = "asyncio_default_fixture_loop_scope"
_SCOPED_LOOPS = "scoped_loops"
_USES = (b"pytest_asyncio", b"mark.asyncio", b"event_loop")
"""What tests write that use the plugin."""
_EVENT_LOOP = """\
@pytest.fixture(scope="session")
def event_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()
"""
_HELD_LOOP = (
    "`{}` of {} runs an event loop in the thread of the tests, so all asynchronous tests of this "
    "run fail: await the fixtures of `{}`"
)
_PYTEST_8_2 = "pytest 8.2"
_SCOPES = ("function", "class", "module", "package", "session")


def test_settings(part: SynchronousPart, site: SiteId) -> Iterator[Edit]:
    """Yield the settings by which pytest runs the tests that become coroutine functions."""
    if not any(is_test_file(step.path) for step in part.steps):
        return
    project, settings = part.project, part.project.pytest
    yield from _held_loops(part, site)
    suite = _suite(part)
    if suite.needs_loop_fixture:
        yield from _loop_fixture(part, site)
    if not suite.settings:
        return
    required = suite.requirement
    if required:
        beside = ("pytest",)
        yield Requirement(
            root="", requirement=required, group="dev", beside=beside, may_replace=True, site=site
        )
    path, name = settings.path or "pytest.ini", settings.table.strip("[]") or "pytest"
    if not settings.path and "pyproject.toml" in project.snapshot:
        path, name = "pyproject.toml", _TABLE
    table = tuple(name.split(".")) if path.endswith(".toml") else (name,)
    may_create = path not in {settings.path, *(file.path for file in settings.unread)}
    for key, value in suite.settings.items():
        yield SetKey(path=path, table=table, key=key, value=value, may_create=may_create, site=site)


def _held_loops(part: SynchronousPart, site: SiteId) -> Iterator[Edit]:
    """Yield the files of tests that keep a loop running, in which no other test can start one."""
    project, requests = part.project, part.project.coroutine_tests.requests
    for known in loop_holders():
        if project.targets.distribution(known.distribution) is None:
            continue
        for module in modules_with(project, [name.encode() for name in known.fixtures]):
            requested_fixtures = (
                (function.lineno, parameter.arg)
                for function in module.functions
                for parameter, _ in parameters_of(function.args)
                if parameter.arg in known.fixtures
                and requests.fixture(module, function, parameter.arg) is None
            )
            first = min(requested_fixtures, default=None) if is_around_tests(module.path) else None
            if first is not None:
                line, name = first
                what = _HELD_LOOP.format(name, known.distribution, known.twin)
                yield ByHand(file=module.path, line=line, what=what, site=site)


def old_test_tools(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield the first test that waits, if the plugin that the program requires cannot run it."""
    first = next((step for step in sorted(part.steps) if is_test_file(step.path)), None)
    defined = None if first is None else part.node_of(first)
    if defined is None:
        return
    if missing := _suite(part).missing:
        target = part.project.targets.distribution(_PLUGIN)
        version = f" {target.specifier} ({target.origin})" if target else ""
        known = {_SCOPED_LOOPS: "the event loop scope of fixtures", _PYTEST_8_2: _PYTEST_8_2}
        what = known.get(missing, f"`{missing}`")
        why = f"{_PLUGIN}{version} does not support {what}, which the tests need"
        site: Site[ast.AST] = Site(rule, *defined)
        yield Member(site, Refused(OLD_TEST_TOOL, why), f"`{defined[1].name}`")


def _suite(part: SynchronousPart) -> _Suite:
    """Return the suite with the plugin that the program requires, or with another version of it.

    A version that cannot run the tests is replaced if no test uses the plugin yet.
    """
    suite, targets = _Suite(part), part.project.targets
    if not suite.missing or targets.distribution(_PLUGIN) is None or _uses_plugin(part):
        return suite
    others = (
        _Suite(part, f"=={version}")
        for version, pytest in _plugin().replacements.items()
        if targets.admits("pytest", pytest)
    )
    return next((other for other in others if not other.missing), suite)


def _plugin() -> AsyncTestPlugin:
    return next(plugin for plugin in async_test_plugins() if plugin.distribution == _PLUGIN)


def _uses_plugin(part: SynchronousPart) -> bool:
    """Whether tests may use the plugin already."""
    is_auto = part.project.pytest.asyncio_mode == "auto"
    words = (*_USES, *([b"async def test"] if is_auto else []))
    return any(map(is_around_tests, part.project.files_with(words)))


class _Suite:
    """The tests of a part, run by the plugin that the program requires.

    ``replaced`` are the versions that take its place; empty for those of the program.
    """

    def __init__(self, part: SynchronousPart, replaced: str = "") -> None:
        self._part = part
        self._replaced = replaced

    @property
    def requirement(self) -> str:
        """The plugin as a manifest should require it; empty if it does already."""
        if self._replaced:
            return f"{_PLUGIN}{self._replaced}"
        if self._part.project.targets.distribution(_PLUGIN) is not None:
            return ""
        return f"{_PLUGIN}<{_plugin().since[_SCOPED_LOOPS]}" if self._is_held_back else _PLUGIN

    @cached_property
    def missing(self) -> str:
        """The key or other ability that the tests need and the plugin lacks; empty for none."""
        missing = next((key for key in self.settings if not self._knows(key)), "")
        if self.needs_loop_fixture:
            missing = "" if _conftest(self._part) else _SCOPED_LOOPS
        elif not self._knows(FIXTURE_LOOP_SCOPE) and not self._has_one_loop:
            missing = _SCOPED_LOOPS if _is_shared(self._part) else missing
        targets = self._part.project.targets
        is_new = targets.distribution("pytest") and not targets.admits("pytest", "<8.2")
        return _PYTEST_8_2 if is_new and not self._knows(_PYTEST_8_2) else missing

    @cached_property
    def settings(self) -> dict[str, str]:
        """The settings of pytest that the tests need, and do not have."""
        return dict(self._settings())

    @property
    def needs_loop_fixture(self) -> bool:
        """Whether all that waits has to run in one loop, and only a fixture can say so."""
        part = self._part
        if not self._has_one_loop or not any(is_test_file(step.path) for step in part.steps):
            return False
        is_written = part.project.files_with((b"def event_loop(",))
        return not is_written and (part.is_loop_bound or _widest(part) != _SCOPES[0])

    def _knows(self, key: str) -> bool:
        """Whether the plugin may have a key, or another ability."""
        since, targets = _plugin().since[key], self._part.project.targets
        if self._replaced:
            return overlap(SpecifierSet(self._replaced), SpecifierSet(f">={since}"))
        pytest = _plugin().pytest.get(since)
        return targets.admits(_PLUGIN, f">={since}") and (
            pytest is None or targets.admits("pytest", f">={pytest}")
        )

    @property
    def _is_held_back(self) -> bool:
        """Whether tests need one loop, an old pytest gets a plugin without it, and none is there.

        The plugin before that runs everything in the loop of the fixture `event_loop`.
        """
        # The first plugin that lacks it binds a fixture of `conftest.py` to the loop of one module.
        part = self._part
        is_free = not self._replaced and part.project.targets.distribution(_PLUGIN) is None
        is_bound = part.is_loop_bound or not _scopes(part) <= {_SCOPES[0], _SCOPES[-1]}
        return is_bound and is_free and not self._knows(FIXTURE_LOOP_SCOPE)

    @property
    def _has_one_loop(self) -> bool:
        """Whether the plugin runs all tests in the loop of the fixture `event_loop`, if any.

        Where tests have no scope of loops yet, but fixtures have, that is so for the scope
        `function`.
        """
        is_between = self._knows(FIXTURE_LOOP_SCOPE) and not self._knows(TEST_LOOP_SCOPE)
        is_old = not self._knows(_SCOPED_LOOPS) or self._is_held_back
        return is_old or (self._part.is_loop_bound and is_between)

    def _settings(self) -> Iterator[tuple[str, str]]:
        part, settings = self._part, self._part.project.pytest
        if settings.asyncio_mode != "auto":
            yield "asyncio_mode", "auto"
        if self._has_one_loop:
            if self._knows(FIXTURE_LOOP_SCOPE) and settings.fixture_loop_scope != _SCOPES[0]:
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
        if is_narrow or (is_error and self._knows(FIXTURE_LOOP_SCOPE)):
            yield FIXTURE_LOOP_SCOPE, widest


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
        scopes.add(xunit_scope(part, module, node, function) or _SCOPES[0])
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
