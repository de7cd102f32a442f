"""The state before the change: a coroutine that nothing awaited then is not a new problem.

A test may pass a coroutine to a mock that gives it to the program, and a program may forget one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
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
            self._project = after.at(self._snapshot)
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
    result = [*_named_functions(tree, "")]
    coroutines = {name for name, node in result if isinstance(node, ast.AsyncFunctionDef)}
    plain = {name for name, _ in result} - coroutines
    awaited: set[tuple[str, str]] = set()
    unawaited: set[tuple[str, str]] = set()
    for name, node in result:
        below = [*_own(node)]
        waited_for = {candidate.value for candidate in below if isinstance(candidate, ast.Await)}
        for part in below:
            if isinstance(part, ast.Call):
                calls = awaited if part in waited_for else unawaited
                calls.add((name, ast.unparse(part.func)))
    kept = frozenset(coroutines), frozenset(plain), frozenset(awaited), frozenset(unawaited)
    return _File(*kept)


def _named_functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions below ``node``, by their qualified names."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield f"{prefix}{name}", child
                yield from _named_functions(child, f"{prefix}{name}.<locals>.")
            case ast.ClassDef(name=name):
                yield from _named_functions(child, f"{prefix}{name}.")
            case _:
                yield from _named_functions(child, prefix)


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of functions inside of it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own(child)
