"""The settings and fixtures by which asynchronous tests run: who runs them, in which event loop.

pytest awaits no ``setup_function``. It makes an autouse fixture of each itself
(``_pytest.python.Module``). A fixture of the file runs at the same time.

``request.getfixturevalue("client")`` asks for a fixture while the test runs. A plug-in of pytest
runs a fixture that waits in the loop of its tests, and cannot where that runs already: nor one that
is needed by what is asked for. So the test has them made before it begins, and is given what is
there.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.reasons import OLD_TEST_TOOL
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
from awaken.kit.imports import name_from_same_module
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import modules_with, nodes_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.ecosystem import AsyncTestPlugin, async_test_plugins, loop_holders
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import conftest_paths, is_around_tests, is_test_file
from awaken.project.source.trees import (
    Function,
    is_text,
    parameters_of,
    variadic,
)
from awaken.project.values.domain import FunctionOf
from awaken.project.values.pytest_fixtures import ASKING, scope_of
from awaken.workspace.manifests.pytest_settings import TEST_LOOP_SCOPE
from awaken.workspace.manifests.versions import overlap
from awaken.workspace.sources import line_break_before

if TYPE_CHECKING:
    from doctest import Example

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
        if part.project.coroutine_tests.requests.name_of(module, node) is not None:
            scopes |= {scope_of(node)}.intersection(_SCOPES)
    return scopes


_XUNIT_SCOPES = boundaries().overrides.fixture_scopes
_AFTER = "teardown"
_GENERATOR = "collections.abc.AsyncIterator"
_OF_METHODS = "_method"
_OF_FUNCTIONS = "_function"


def xunit_scope(
    part: SynchronousPart, module: Module, node: Function, function: FunctionPlace
) -> str:
    """Return the scope of the fixture that a function becomes; empty if it becomes none.

    A fixture is called by pytest alone, with nothing, and returns nothing. Fixtures of functions
    would run for methods as well.
    """
    scope = _XUNIT_SCOPES.get(node.name, "")
    owner = module.parent(node)
    is_method = node.name.endswith(_OF_METHODS)
    home = ast.ClassDef if is_method else ast.Module
    if not scope or not isinstance(owner, home) or not is_test_file(module.path):
        return ""
    has_classes = any(isinstance(other, ast.ClassDef) for other in module.tree.body)
    if node.decorator_list or (has_classes and node.name.endswith(_OF_FUNCTIONS)):
        return ""
    arguments = {argument.arg for argument in _arguments(node)}
    is_used = any(name.id in arguments for name in module.nodes_below(node, ast.Name))
    is_used |= any(default is not None for _, default in parameters_of(node.args))
    is_used |= bool(variadic(node.args))
    is_result = any(statement.value is not None for statement in module.returns_of(node))
    is_called = any(part.project.calls.graph().callers(function))
    return "" if is_used or is_result or is_called or module.is_generator(node) else scope


def as_fixture(
    part: SynchronousPart, site: Site[ast.AST], node: Function, function: FunctionPlace
) -> Iterator[Edit]:
    """Yield what makes a fixture of a function that pytest calls by its name."""
    module = site.module
    scope = xunit_scope(part, module, node, function)
    if not scope:
        return
    newline = line_break_before(module.source.text, module.span(node).start)
    scoped = "" if scope == "function" else f'scope="{scope}", '
    code = f"@pytest.fixture({scoped}autouse=True){newline}"
    yield site.insert_before(node, code)
    yield site.need_import("pytest")
    if node.name.startswith(_AFTER):
        body = (each for each in node.body if not is_text(getattr(each, "value", None)))
        yield site.insert_statements(module.place(next(body)), "before", "yield")
        if node.returns is not None:
            name, needed = name_from_same_module(part.project, site, None, _GENERATOR)
            yield from (site.replace(node.returns, f"{name}[None]"), *needed)
    arguments = [*map(module.span, _arguments(node))]
    if arguments:
        first = module.span(node.args.args[0]).end if node.name.endswith(_OF_METHODS) else None
        start = arguments[0].start if first is None else first
        yield site.write(Span(start, arguments[-1].end), "")


def _arguments(node: Function) -> list[ast.arg]:
    """Return the parameters that pytest passes something to, without ``self``."""
    parameters = [parameter for parameter, _ in parameters_of(node.args)]
    return parameters[1:] if node.name.endswith(_OF_METHODS) else parameters


CAVEAT = "pytest sets up all the fixtures that it requests while it runs before it runs"


def made_before(part: SynchronousPart, site: Site[ast.AST], node: ast.FunctionDef) -> list[Edit]:
    """Return what has the fixtures made that a test asks for by name, and that wait."""
    module, names = site.module, set[str]()
    if not module.mentions(ASKING):
        return []
    requests = part.project.coroutine_tests.requests
    if not requests.is_test(module, node):
        return []
    for value in requests.asked_for(module, node):
        name = isinstance(value.node, Function) and requests.name_of(value.module, value.node)
        if name and any(_waits(part, needed) for needed in requests.with_needed(value)):
            names.add(name)
    if not names:
        return []
    first = node.decorator_list[0] if node.decorator_list else None
    start = module.span(node).start if first is None else module.span(first).start - 1
    given = ", ".join(f'"{word}"' for word in sorted(names))
    code = f"@pytest.mark.usefixtures({given}){line_break_before(module.source.text, start)}"
    return [site.write(Span(start, start), code), site.need_import("pytest")]


def _waits(part: SynchronousPart, fixture: FunctionOf) -> bool:
    """Whether a fixture becomes a coroutine function, or is one."""
    if not isinstance(fixture.node, Function):
        return False
    return part.ends_as_coroutine(part.place_of(fixture.module, fixture.node))


DOCTEST_READS = ("test*.txt",)
"""The text files with examples that pytest collects by itself (docs.pytest.org, "doctest")."""
_PROMPT = b">>> "
# `crud._Users__get(...)` calls `__get` of the class `Users`.
_WORD = re.compile(r"_[A-Za-z]\w*?(?=__[a-z])|\w+")


class Doctests(ProjectFacts):
    """Answers for one program."""

    def naming(self, function: FunctionPlace, site: SiteId) -> Iterator[ByHand]:
        """Yield the examples that name a function, for users to change."""
        for path, line, source in self._examples[function.name]:
            what = f"this doctest names `{function.qualname}`, which it cannot await: `{source}`"
            yield ByHand(file=path, line=line, what=what, site=site)

    @cached_property
    def _examples(self) -> defaultdict[str, list[tuple[str, int, str]]]:
        """The examples by the words in them, each with its file and its line."""
        result: defaultdict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for path, first, text in self._texts():
            for example in _examples_in(text):
                source = example.source.partition("\n")[0]
                is_import = re.match(r"(?:from|import)\s", source)
                for word in () if is_import else {*_WORD.findall(source)}:
                    result[word].append((path, first + example.lineno, source))
        return result

    def _texts(self) -> Iterator[tuple[str, int, str]]:
        """Yield the texts with examples of the program, each with its file and its first line."""
        for path, file in self._project.texts(*DOCTEST_READS).files.items():
            text = file.text.decode(errors="replace")
            imported = re.findall(r">>> (?:from|import) ([\w.]+)", text)
            if any(self._project.layout.path_of(name) for name in imported):
                yield path, 1, text
        if "--doctest-modules" not in self._project.pytest.addopts:
            return
        for module, node in nodes_with(self._project, (_PROMPT,), ast.Constant):
            if isinstance(node.value, str) and isinstance(module.parent(node), ast.Expr):
                yield module.path, node.lineno, node.value


def _examples_in(text: str) -> list[Example]:
    from doctest import DocTestParser  # noqa: PLC0415  it imports unittest; few have examples

    try:
        return DocTestParser().get_examples(text)
    except ValueError:  # pytest reports it
        return []
