"""Users of a pytest fixture: tests and other fixtures, by a parameter or by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module, nodes_in, same_node
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, is_constant, last_name, parameters_of
from awaken.project.source.worklist import Queue, Worklist
from awaken.project.values.domain import FunctionOf
from awaken.project.values.pytest_fixtures import (
    fixture_for,
    fixture_name,
    fixtures_asked_for,
    fixtures_of,
    is_asking,
)
from awaken.workspace.manifests.pytest_settings import PytestSettings

_BY_NAME = {"usefixtures", "getfixturevalue"}


class Request(Struct, frozen=True):
    """A test or fixture that asks for a fixture; ``parameter`` is None where it names it only."""

    module: Module
    function: Function
    parameter: ast.arg | None

    @property
    def key(self) -> tuple[str, int]:
        """A key that is equal for the same function, whichever its tree is."""
        return self.module.key_of(self.function)


class Requests(Struct, frozen=True):
    """Direct users of a fixture, and the tests that get it in the end.

    ``unseen`` says what may ask for it that is not listed, empty if all are.
    """

    direct: tuple[Request, ...]
    tests: tuple[Request, ...]
    unseen: str = ""


class FixtureRequests:
    """Finds what asks for fixtures, by the rules of pytest."""

    def __init__(self, evaluator: ProgramEvaluator, settings: PytestSettings) -> None:
        self._evaluator = evaluator
        self._settings = settings

    def name_of(self, module: Module, function: Function) -> str | None:
        """Return the name by which tests ask for a fixture, or None."""
        return fixture_name(module, function, self._evaluator.names)

    def asked_for(self, module: Module, function: Function) -> list[FunctionOf]:
        """Return the fixtures that ``function`` asks for while it runs, as far as it names them."""
        return [
            value
            for call in module.nodes_below(function, ast.Call)
            if is_asking(call)
            for value in fixtures_asked_for(self._evaluator, module, call) or ()
        ]

    def with_needed(self, fixture: FunctionOf) -> list[FunctionOf]:
        """Return a fixture and all that it asks for by its parameters, over any number of them."""
        waiting = Queue([fixture], lambda item: (item.module.path, item.module.span(item.node)))
        for function in waiting:
            if isinstance(function.node, Function):
                waiting += [*fixtures_of(self._evaluator, function.module, function.node)]
        return [*waiting.seen.values()]

    def is_test(self, module: Module, function: Function) -> bool:
        """Whether pytest collects ``function`` as a test, by the names in its settings."""
        file = module.path.rpartition("/")[2]
        patterns = self._settings.python_files
        if not any(fnmatchcase(module.path if "/" in name else file, name) for name in patterns):
            return False
        if not _fits(function.name, self._settings.python_functions):
            return False
        above = module.parent(function)
        if isinstance(above, ast.ClassDef):
            # Those of unittest are collected whatever the class is called, but not run by plugins.
            return _fits(above.name, self._settings.python_classes)
        return above is module.tree

    def requests_for(self, module: Module, fixture: Function) -> Requests:
        """Return what asks for ``fixture``, and the tests that get it over other fixtures."""
        direct = tuple(self._direct(module, fixture))
        tests: list[Request] = []
        unseen = self._unseen_text(module, fixture)
        waiting = Worklist(direct, lambda request: request.key)
        for request in waiting:
            if self.name_of(request.module, request.function) is None:
                tests.append(request)
                continue
            unseen = unseen or self._unseen_text(request.module, request.function)
            waiting += self._direct(request.module, request.function)
        return Requests(direct, tuple(sorted(tests, key=lambda test: test.key)), unseen)

    def fixtures_of(
        self, module: Module, function: Function
    ) -> tuple[tuple[Module, Function], ...]:
        """Return the fixtures that a test gets by its parameters, and those that they get."""
        needed = self.with_needed(FunctionOf(module, function))[1:]
        return tuple((x.module, x.node) for x in needed if isinstance(x.node, Function))

    def fixture(
        self, module: Module, function: Function, name: str
    ) -> tuple[Module, Function] | None:
        """Return the fixture that a parameter receives: of the class, of the file, or further."""
        fixture = fixture_for(self._evaluator, module, function, name)
        if fixture is None or not isinstance(fixture.node, Function):
            return None
        return fixture.module, fixture.node

    def _unseen_text(self, module: Module, fixture: Function) -> str:
        """Return why more may ask for a fixture than what names it in this program."""
        shown = f"`{fixture.name}`"
        if not is_test_file(module.path):
            return f"{shown} is outside the tests, and other programs may load it"
        name = self.name_of(module, fixture)
        if is_automatic(fixture) or name in self._settings.list_of("usefixtures"):
            return f"{shown} runs for every test below it"
        return ""

    def _direct(self, module: Module, fixture: Function) -> Iterator[Request]:
        name = self.name_of(module, fixture)
        if name is None:
            return
        for asking, node in nodes_in(self._evaluator.modules_with((name.encode(),)), ast.AST):
            if isinstance(node, Function):
                yield from self._asked_by(asking, node, name, module, fixture)
            elif isinstance(node, ast.Constant) and node.value == name:
                yield from self._named_tests(asking, node)

    def _asked_by(
        self, asking: Module, node: Function, name: str, module: Module, fixture: Function
    ) -> Iterator[Request]:
        given = parameters_of(node.args)
        # pytest does not fill a parameter with a default.
        parameter = next((arg for arg, default in given if arg.arg == name and not default), None)
        if parameter is None or same_node(asking, node, module, fixture):
            return
        is_asking = self.is_test(asking, node) or self.name_of(asking, node) is not None
        if is_asking and self._gets(asking, node, name, module, fixture):
            yield Request(asking, node, parameter)

    def _gets(
        self, asking: Module, node: Function, name: str, module: Module, fixture: Function
    ) -> bool:
        """Whether pytest passes this fixture of that name to a function, or may."""
        owner = module.parent(fixture)
        if isinstance(owner, ast.ClassDef):
            return self._inherits(asking, node, module, owner)
        nearest = self.fixture(asking, node, name)
        if nearest is None:
            return not is_test_file(module.path)
        return same_node(*nearest, module, fixture)

    def _inherits(
        self, asking: Module, node: Function, module: Module, owner: ast.ClassDef
    ) -> bool:
        around = asking.parent(node)
        if not isinstance(around, ast.ClassDef):
            return False
        if same_node(asking, around, module, owner):
            return True
        name = asking.full_name(around)
        wanted = module.full_name(owner)
        return any(facts.qualified == wanted for facts in self._evaluator.classes.line(name))

    def _named_tests(self, asking: Module, text: ast.Constant) -> Iterator[Request]:
        """Yield the tests for which ``usefixtures`` or a request names the fixture."""
        call = asking.parent(text)
        if not isinstance(call, ast.Call) or last_name(call.func) not in _BY_NAME:
            return
        function = asking.enclosing_function(call)
        if isinstance(function, Function):
            yield Request(asking, function, None)
            return
        above = next(
            (
                ancestor
                for ancestor in asking.ancestors(call)
                if isinstance(ancestor, Function | ast.ClassDef | ast.Module)
            ),
            asking.tree,
        )
        for node in asking.walk(above):
            if isinstance(node, Function) and self.is_test(asking, node):
                yield Request(asking, node, None)


def is_automatic(fixture: Function) -> bool:
    """Whether a fixture may run for tests that do not ask for it."""
    keywords = [
        word for one in fixture.decorator_list if isinstance(one, ast.Call) for word in one.keywords
    ]
    return any(
        keyword.arg is None
        or (keyword.arg == "autouse" and not (is_constant(keyword.value, value=False)))
        for keyword in keywords
    )


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(name.startswith(pattern) or fnmatchcase(name, pattern) for pattern in patterns)
