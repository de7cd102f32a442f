"""Wrappers of the program's own decorators that wait, apart from calling the function."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from awaken.contract import Place
from awaken.kit.rule import ProjectFacts
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.names.functions.wrapping import Wrapping
from awaken.project.source.memo import cached_method
from awaken.project.source.trees import Function


class _Wrapper(Struct, frozen=True):
    """A wrapper: where its decorator is defined, what that decorates, and the calls of that."""

    decorator: Place
    decorated: tuple[FunctionPlace, ...]
    calls: tuple[Place, ...]


class Wrappers(ProjectFacts):
    """Answers which functions are wrappers, of decorators that visibly do nothing else."""

    def decorated_functions(self, function: FunctionPlace) -> tuple[FunctionPlace, ...]:
        """Return the functions that ``function`` is the wrapper of: it is called in their place."""
        wrapper = self._wrapper_of(function)
        return () if wrapper is None else wrapper.decorated

    def calls_of(self, function: FunctionPlace) -> tuple[Place, ...]:
        """Return the calls in ``function`` that call what it is the wrapper of."""
        wrapper = self._wrapper_of(function)
        return () if wrapper is None else wrapper.calls

    def decorators(self, functions: Iterable[FunctionPlace]) -> set[Place]:
        """Return the decorators that give one of ``functions`` as their wrapper."""
        wrappers = map(self._wrapper_of, functions)
        return {wrapper.decorator for wrapper in wrappers if wrapper is not None}

    @cached_method
    def _wrapper_of(self, function: FunctionPlace) -> _Wrapper | None:
        outermost, is_inside, _ = function.qualname.partition(".<locals>.")
        module = self._project.module(function.path) if is_inside else None
        # Importable decorators may decorate functions of other programs.
        if module is None or self._project.published:
            return None
        node = module.function_at(function.start)
        qualified = f"{module.name}.{outermost}"
        wrapping = self._wrapping(qualified, node)
        decorated = None if wrapping is None else self._project.calls.decorated_by(qualified)
        if wrapping is None or not decorated:
            return None
        return _Wrapper(
            module.place(wrapping.decorator),
            tuple(sorted(self._project.calls.graph().place_of(*pair) for pair in decorated)),
            tuple(map(module.place, wrapping.calls)),
        )

    def _wrapping(self, qualified: str, node: Function | None) -> Wrapping | None:
        """Return what a decorator does, whether called first or not, if ``node`` is its wrapper."""
        for called in (False, True):
            result = self._project.calls.wrapping(qualified, called=called)
            if result is not None and result.wrapper is node and node is not None and result.calls:
                return result
        return None
