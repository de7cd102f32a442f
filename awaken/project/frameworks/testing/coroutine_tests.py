"""Runners of the coroutine tests of a program: the plugins in use, and the mark of each test."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.ecosystem import async_test_plugins
from awaken.project.frameworks.testing.fixture_requests import FixtureRequests
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_property, recursive
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of, values_given, without_arguments
from awaken.workspace.manifests.pytest_settings import PytestSettings

_ASYNCIO = "pytest.mark.asyncio"
_ANYIO = "pytest.mark.anyio"
_TRIO = "pytest.mark.trio"
_MARKS = {_ASYNCIO: "asyncio", _ANYIO: "anyio", _TRIO: "trio"}
_BUILT_ON_ASYNCIO = {"pytest-asyncio", "anyio", "aiounittest", "asynctest"}
"""Plugins that are told apart by marks, or that run no tests of pytest."""


class Runner(Struct, frozen=True):
    """The runner of a coroutine test: ``asyncio``, ``anyio`` or ``trio``, as a mark says.

    ``loop_scope`` is what the mark says of the scope of its loop, empty where it says nothing;
    ``?`` where it is computed.
    """

    kind: str
    place: Place
    loop_scope: str = ""


class CoroutineTests:
    """Runners of coroutine tests and fixtures; for rules that declare ``PYTEST_READS``."""

    def __init__(
        self, evaluator: ProgramEvaluator, settings: Callable[[], PytestSettings], targets: Any
    ) -> None:
        self._evaluator = evaluator
        self._settings = settings
        self._targets = targets

    @cached_property
    def requests(self) -> FixtureRequests:
        """The requests for fixtures, by fixture."""
        return FixtureRequests(self._evaluator, self._settings())

    @cached_property
    def uses_asyncio(self) -> bool:
        """Whether pytest-asyncio is declared, set up, or used by any file."""
        settings = self._settings()
        if {"no:asyncio", "no:pytest_asyncio"}.intersection(settings.plugins):
            return False
        return (
            self._targets.distribution("pytest-asyncio") is not None
            or bool(settings.value_of("asyncio_mode", "--asyncio-mode")[1])
            or self.named_plugins["asyncio"]
        )

    @cached_property
    def uses_anyio(self) -> bool:
        """Whether a file uses the plugin of AnyIO: it is there wherever AnyIO is."""
        return self.anyio_is_automatic or self.named_plugins["anyio"]

    @cached_property
    def named_plugins(self) -> dict[str, bool]:
        """Which of the plugins some file of the program names."""
        return {
            "asyncio": bool(self._evaluator.files_with((b"pytest_asyncio", b"mark.asyncio"))),
            "anyio": bool(self._evaluator.files_with((b"mark.anyio", b"anyio_backend"))),
        }

    @property
    def anyio_is_automatic(self) -> bool:
        """Whether AnyIO runs every coroutine test, marked or not."""
        return self._settings().value_of("anyio_mode")[0].lower() == "auto"

    @cached_property
    def other_plugins(self) -> tuple[str, ...]:
        """Other declared plugins that run coroutine tests or fixtures by themselves."""
        return tuple(
            plugin.distribution
            for plugin in async_test_plugins()
            if plugin.distribution not in _BUILT_ON_ASYNCIO
            and self._targets.distribution(plugin.distribution) is not None
            # Since 1.0 it leaves them to pytest-asyncio.
            and not (
                plugin.distribution == "pytest-aiohttp"
                and self._targets.guarantees("pytest-aiohttp", ">=1")
            )
        )

    def hooks(self, *names: str) -> Place | None:
        """Return a hook of pytest that the program defines under one of ``names``, the first."""
        paths = self._evaluator.files_with([f"def {name}".encode() for name in names])
        for module in self._evaluator.modules_at(paths):
            for node in module.functions:
                if node.name in names:
                    return module.place(node)
        return None

    @cached_property
    def marking_hook(self) -> Place | None:
        """The hook of the program that may put marks of plugins on tests, if there is one."""
        hooks = (b"def pytest_collection_modifyitems", b"def pytest_itemcollected")
        for module in self._evaluator.modules_with(hooks):
            text = module.source.text
            is_marking = b"add_marker" in text and any(
                word in text for word in (b"asyncio", b"anyio", b"trio")
            )
            for node in module.functions if is_marking else ():
                if node.name.startswith("pytest_"):
                    return module.place(node)
        return None

    def runners_of(self, module: Module, function: Function) -> tuple[Runner, ...]:
        """Return the marks of a test that say what runs it, one of each kind, the nearest.

        Those of the test itself, of its classes with what they inherit, and of its file. A test
        that asks for ``anyio_backend`` runs under AnyIO as well.
        """
        runners: dict[str, Runner] = {}
        for home, mark in self._marks(module, function):
            runner = self._runner(home, mark)
            if runner is not None:
                runners.setdefault(runner.kind, runner)
        asked = [arg for arg, _ in parameters_of(function.args) if arg.arg == "anyio_backend"]
        for parameter in asked:
            runners.setdefault("anyio", Runner("anyio", module.place(parameter)))
        return tuple(runners.values())

    def _marks(self, module: Module, function: Function) -> Iterator[tuple[Module, ast.expr]]:
        yield from ((module, decorator) for decorator in function.decorator_list)
        for above in module.ancestors(function):
            if isinstance(above, ast.ClassDef):
                for home, node in self._with_bases(module, above):
                    yield from ((home, decorator) for decorator in node.decorator_list)
                    yield from ((home, mark) for mark in _own_marks(node.body))
        yield from ((module, mark) for mark in _own_marks(module.tree.body))

    def _with_bases(
        self, module: Module, node: ast.ClassDef
    ) -> Iterator[tuple[Module, ast.ClassDef]]:
        yield module, node
        classes = self._evaluator.classes
        for facts in classes.line(module.full_name(node))[1:]:
            pair = classes.node(facts.qualified)
            if pair is not None:
                yield pair

    @recursive()
    def _runner(self, module: Module, mark: ast.expr) -> Runner | None:
        name = self._evaluator.names.qualified_name(module, without_arguments(mark))
        kind = _MARKS.get(name or "")
        if kind is not None:
            return Runner(kind, module.place(mark), loop_scope_of(mark))
        # `session_loop = pytest.mark.asyncio(loop_scope="session")` is a mark under another name.
        meant = self._evaluator.names.value_at(name)
        return None if meant is None else self._runner(*meant)


def _own_marks(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    """Yield the marks that ``pytestmark`` of a file or class holds."""
    for name, value in values_given(body):
        if name == "pytestmark":
            yield from value.elts if isinstance(value, ast.List | ast.Tuple) else (value,)


def loop_scope_of(mark: ast.expr, words: Sequence[str] = ("loop_scope", "scope")) -> str:
    """Return the scope of the loop that a mark or a fixture says, empty for none.

    ``?`` where it is computed. ``words`` are the keywords that say it: that of marks was ``scope``
    until pytest-asyncio 0.24.
    """
    for node in mark.keywords if isinstance(mark, ast.Call) else ():
        if node.arg in words:
            is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return node.value.value if is_text else "?"  # type: ignore[attr-defined]
        if node.arg is None:
            return "?"
    return "?" if isinstance(mark, ast.Call) and mark.args else ""
