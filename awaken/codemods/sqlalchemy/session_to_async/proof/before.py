"""The state before the change: a coroutine that nothing awaited then is not a new problem.

A test may pass a coroutine to a mock that gives it to the program, and a program may forget one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, children
from awaken.workspace.parsing import Unparsable, parse_text
from awaken.workspace.sources import Snapshot

if TYPE_CHECKING:
    from awaken.project import Project


class _File(NamedTuple):
    """The functions of a file, and the calls in them: those that are awaited there, and others.

    Functions by their qualified names, calls by that of the function around and what is called.
    """

    coroutines: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    awaited: frozenset[tuple[str, str]] = frozenset()
    unawaited: frozenset[tuple[str, str]] = frozenset()


class Before:
    """The program before its change; its files are parsed where they are asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._project: Project | None = None

    def project(self, after: Project) -> Project:
        """Return the program before the change that made ``after`` of it."""
        if self._project is None:
            self._project = after.with_snapshot(self._snapshot)
        return self._project

    def is_same(self, module: Module, call: ast.Call, functions: Iterable[FunctionPlace]) -> bool:
        """Whether ``call`` was in ``module`` before, and ``functions`` were coroutine functions."""
        is_found = _key(module, call) in self._file(module.path).unawaited
        return is_found and all(map(self.was_coroutine, functions))

    def was_awaited(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` was in ``module`` in the same form, and was awaited."""
        return _key(module, call) in self._file(module.path).awaited

    def was_coroutine(self, function: FunctionPlace) -> bool:
        """Whether ``function`` was a coroutine function."""
        return function.qualname in self._file(function.path).coroutines

    def was_plain(self, function: FunctionPlace) -> bool:
        """Whether ``function`` was there, and no coroutine function."""
        return function.qualname in self._file(function.path).plain

    @cached_method
    def _file(self, path: str) -> _File:
        source = self._snapshot.get(path)
        try:
            tree = None if source is None else parse_text(source.text)
        except Unparsable:
            tree = None
        return _File() if tree is None else _read(tree)


def _key(module: Module, call: ast.Call) -> tuple[str, str] | None:
    around = module.enclosing_function(call)
    if not isinstance(around, Function):
        return None
    return module.qualname(around), ast.unparse(call.func)


def _read(tree: ast.Module) -> _File:
    coroutines, others = set[str](), set[str]()
    awaited, unawaited = set[tuple[str, str]](), set[tuple[str, str]]()
    waiting: list[tuple[ast.AST, str, str]] = [(tree, "", "")]
    while waiting:
        # ``function`` is empty outside of all, ``prefix`` begins the names of those inside.
        node, function, prefix = waiting.pop()
        for child in children(node):
            match child:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    is_coroutine = isinstance(child, ast.AsyncFunctionDef)
                    (coroutines if is_coroutine else others).add(f"{prefix}{name}")
                    waiting.append((child, f"{prefix}{name}", f"{prefix}{name}.<locals>."))
                    continue
                case ast.ClassDef(name=name):
                    waiting.append((child, function, f"{prefix}{name}."))
                    continue
                case ast.Call(func=called) if function:
                    calls = awaited if isinstance(node, ast.Await) else unawaited
                    calls.add((function, ast.unparse(called)))
            waiting.append((child, function, prefix))
    kept = frozenset(coroutines), frozenset(others - coroutines)
    return _File(*kept, frozenset(awaited), frozenset(unawaited))
