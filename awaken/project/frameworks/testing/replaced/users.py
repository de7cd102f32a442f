"""The tests that a function serves: a fixture, a set-up method, a helper, or the test itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from msgspec import Struct

from awaken.project.frameworks.testing.fixture_requests import is_automatic
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, last_name
from awaken.project.source.worklist import Worklist
from awaken.project.values.pytest_fixtures import fixture_name, fixtures_of, scope_of

Place = tuple[str, int]
"""A function: its file, and the byte of its ``def``."""

TEARDOWN = {"asyncTearDown", "tearDown", "tearDownClass", "teardown_class", "teardown_method"}
_AROUND_FILES = {"setUpModule", "setup_module", "tearDownModule", "teardown_module"}
_AROUND_METHODS = TEARDOWN | {"setup", "setup_class", "setup_method", "teardown"}
"""The methods that pytest calls around the tests of a class, and those that end a TestCase."""


class Tests(Struct, frozen=True):
    """Tests by their places, and all those in the files and folders ``below``."""

    places: frozenset[Place] = frozenset()
    below: tuple[str, ...] = ()

    def has(self, path: str, start: int) -> bool:
        """Whether the test at a place is one of them."""
        return (path, start) in self.places or path.startswith(self.below)


class Users(ProgramFacts):
    """Finds the tests by the names of what they ask for and call; keeps no tree."""

    def tests_of(self, module: Module, function: Function) -> Tests | None:
        """Return the tests that may run ``function``, or run with it; None if any may."""
        if is_test(module, function):
            return Tests(frozenset({module.key_of(function)}))
        if function.name in _AROUND_FILES:
            return Tests(below=(module.path,))
        name = fixture_name(module, function, self._evaluator.names)
        owner = module.parent(function)
        if name is None and isinstance(owner, ast.ClassDef):
            tests = self.of_class(module, owner)
            if tests is None or tests.places:
                return tests
        if name is None:
            return self._spread(function.name)
        below = _tests_below(module, function)
        if below is not None:
            return below
        scope = scope_of(function)
        tests = None if scope in {"", "package", "session"} else self._spread(name)
        if tests is None or scope == "function":
            return tests
        return Tests(below=tuple(sorted({path for path, _ in tests.places} | {*tests.below})))

    def of_class(self, module: Module, owner: ast.ClassDef) -> Tests | None:
        """Return the tests of a class, and those of the classes that it shares them with."""
        places: set[Place] = set()
        related = self._related_classes(module, owner)
        for home, body in related or ():
            for statement in body.body:
                if isinstance(statement, Function) and statement.name.startswith("test"):
                    places.add(home.key_of(statement))
        return None if related is None else Tests(frozenset(places))

    def functions_around(self, module: Module, test: Function) -> Iterator[tuple[Module, Function]]:
        """Yield a test, its fixtures, the hooks of pytest, and methods that it does not call.

        The latter are those of its class that pytest or a base class calls.
        """
        starts = [(module, test), *self._automatic(module)]
        waiting = Worklist(starts, lambda pair: pair[0].key_of(pair[1]))
        waiting += [pair for pair in self.methods(module, test) if self._runs_by_itself(*pair)]
        for home, function in waiting:
            yield home, function
            for fixture in fixtures_of(self._evaluator, home, function):
                if isinstance(fixture.node, Function):
                    waiting += [(fixture.module, fixture.node)]

    def is_fixture(self, module: Module, function: Function) -> bool:
        """Whether a function is a fixture of pytest."""
        return fixture_name(module, function, self._evaluator.names) is not None

    def _runs_by_itself(self, module: Module, method: Function) -> bool:
        """Whether pytest or a library may call a method of a test class that is no test."""
        if method.name.startswith("test"):
            return False
        owner = _class_around(module, method)
        is_special = method.name.startswith("__") or method.name in _AROUND_METHODS
        if owner is None or is_special or self.is_fixture(module, method):
            return True
        hierarchy = self._evaluator.callers.hierarchy(module.full_name(owner))
        return hierarchy.hidden_base(method.name) is not None

    def methods(self, module: Module, node: ast.AST) -> Iterator[tuple[Module, Function]]:
        """Yield the methods of the class around a node, of those above it and below it."""
        owner = _class_around(module, node)
        for home, body in (self._related_classes(module, owner) or ()) if owner is not None else ():
            yield from ((home, part) for part in body.body if isinstance(part, Function))

    def methods_within(
        self, module: Module, node: ast.AST, paths: Iterable[str]
    ) -> Iterator[tuple[Module, Function]]:
        """Yield the same of classes in the files at ``paths``: a class may have thousands below."""
        owner = _class_around(module, node)
        if owner is None:
            return
        classes = self._evaluator.classes
        own = module.full_name(owner)
        above = {facts.qualified for facts in classes.line(own)}
        for name in (name for path in paths for name in classes.written_in(path)):
            line = (facts.qualified for facts in classes.line(name))
            if name == own or name in above or own in line:
                home, body = classes.node(name) or (module, None)
                parts = () if body is None else body.body
                yield from ((home, part) for part in parts if isinstance(part, Function))

    def _related_classes(
        self, module: Module, owner: ast.ClassDef
    ) -> list[tuple[Module, ast.ClassDef]] | None:
        """Return a class, those below it, and those above them; None if some are not visible."""
        classes = self._evaluator.classes
        own = module.full_name(owner)
        result: dict[str, None] = {}
        for name in (own, *classes.all_subclasses(own)):
            ancestors = classes.ancestors(name)
            if ancestors is None or ancestors.unresolved:
                return None
            result |= dict.fromkeys(facts.qualified for facts in ancestors.inside)
        nodes = [classes.node(name) for name in result]
        return [node for node in nodes if node is not None]

    def _automatic(self, module: Module) -> Iterator[tuple[Module, Function]]:
        """Yield what runs for every test of a file: automatic fixtures, and hooks of pytest."""
        for path in self._evaluator.files_with([b"autouse", b"def pytest_"]):
            folder, _, name = path.rpartition("/")
            start = f"{folder}/" if folder else ""
            is_above = name == "conftest.py" and module.path.startswith(start)
            home = self._evaluator.load(path)
            if home is None or not (path == module.path or is_above or not is_test_file(path)):
                continue
            for node in home.walk():
                if isinstance(node, Function) and (
                    is_automatic(node) or node.name.startswith("pytest_")
                ):
                    yield home, node

    # ---------------------------------------------------------------------------- who names it
    def _spread(self, name: str) -> Tests | None:
        """Return the tests that name a fixture or helper, or what names it; None if any may."""
        places: set[Place] = set()
        below: set[str] = set()
        names = [name]
        # The list grows while it is read.
        for word in names:
            for module in self._evaluator.modules_with([word.encode()]):
                for node in _naming(module, word):
                    tests = self._naming_it(module, node)
                    if tests is None:
                        return None
                    if isinstance(tests, Tests):
                        places |= tests.places
                        below |= {*tests.below}
                    elif tests and tests not in names:
                        names.append(tests)
        return Tests(frozenset(places), tuple(sorted(below)))

    def _naming_it(self, module: Module, node: ast.AST) -> Tests | str | None:
        """Return the tests for which code names something, or the name of what does; None for all.

        An empty name is no use: an import.
        """
        match node:
            case ast.alias(asname=renamed):
                return renamed or ""
            case ast.Import() | ast.ImportFrom():
                return ""
        function = module.outermost_def(node)
        if function is None:
            return self._of_mark(module, node)
        if is_test(module, function):
            return Tests(frozenset({module.key_of(function)}))
        fixture = fixture_name(module, function, self._evaluator.names)
        if fixture is not None:
            return _tests_below(module, function) or fixture
        owner = module.parent(function)
        tests = self.of_class(module, owner) if isinstance(owner, ast.ClassDef) else Tests()
        return function.name if tests is not None and not tests.places else tests

    def _of_mark(self, module: Module, node: ast.AST) -> Tests | None:
        """Return the tests of ``usefixtures`` and of decorators outside of functions."""
        for above in module.ancestors(node):
            if isinstance(above, ast.ClassDef):
                return self.of_class(module, above)
        calls = (ancestor for ancestor in module.ancestors(node) if isinstance(ancestor, ast.Call))
        is_mark = any(last_name(call.func) == "usefixtures" for call in calls)
        return Tests(below=(module.path,)) if is_mark else None


def _naming(module: Module, word: str) -> Iterator[ast.AST]:
    yield from module.mentions(word)
    for node in module.nodes(ast.arg):
        if node.arg == word:
            yield node


def _tests_below(module: Module, fixture: Function) -> Tests | None:
    """Return the tests for which a fixture runs by itself; None if they have to ask for it."""
    if not is_automatic(fixture):
        return None
    folder, _, name = module.path.rpartition("/")
    if name != "conftest.py":
        # Of a plugin, for all tests.
        return Tests(below=(module.path if is_test_file(module.path) else "",))
    return Tests(below=(f"{folder}/" if folder else "",))


def is_test(module: Module, function: Function) -> bool:
    """Whether a function is a test that nothing in its file calls."""
    if not function.name.startswith("test") or not is_test_file(module.path):
        return False
    return not module.mentions(function.name)


def _class_around(module: Module, node: ast.AST) -> ast.ClassDef | None:
    around = (part for part in (node, *module.ancestors(node)) if isinstance(part, ast.ClassDef))
    return next(around, None)
