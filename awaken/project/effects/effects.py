"""The effects of code, in one place to ask."""

from __future__ import annotations

import ast

from awaken.knowledge.coroutines import Awaitable
from awaken.knowledge.running import Ending
from awaken.project.effects.blocking import BlockingCalls, Blocks
from awaken.project.effects.callees import Callees
from awaken.project.effects.coroutines.awaitables import Awaitables, Differs
from awaken.project.effects.coroutines.fates import Fate, Fates
from awaken.project.effects.guards import Guard, caught_by, ends_exceptions, guards_around
from awaken.project.effects.instance_attributes import Attributes
from awaken.project.effects.places.evaluation_order import Order, Ordering
from awaken.project.effects.places.events_between import Between, Event
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.store.joins import Joins
from awaken.project.values.domain import Producer, Unknown


class Effects:
    """Side effects of running code; they are worked out on demand."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._blocks = Blocks(evaluator)
        self._joins = Joins(evaluator.names)

    # Made when they are asked: they read tables of `knowledge` that most runs do not need.
    @cached_property
    def _awaitables(self) -> Awaitables:
        return Awaitables(self._evaluator, Callees(self._evaluator))

    @cached_property
    def _fates(self) -> Fates:
        return Fates(self._evaluator, self._awaitables)

    @cached_property
    def _between(self) -> Between:
        return Between(self._evaluator, self._awaitables)

    @cached_property
    def _ordering(self) -> Ordering:
        return Ordering(self._evaluator)

    def is_plain_read(self, module: Module, node: ast.Attribute) -> bool:
        """Whether reading an attribute runs no code: it is no property, and is there."""
        return Attributes(self._evaluator).is_plain(module, node)

    def blocking_calls(self, module: Module, node: ast.AST) -> BlockingCalls:
        """Return the calls by which ``node`` holds up its thread; of a function, its body.

        Functions that it calls are followed, coroutines and what runs elsewhere are not.
        """
        return self._blocks.calls_in(module, node)

    def awaitable(self, module: Module, node: ast.expr) -> Awaitable | Unknown | None:
        """Return what ``node`` gives: a coroutine, a task, a future, or another awaitable.

        None if it is proven to be nothing that can be awaited; Unknown has the reason. Arguments of
        callers are not asked for.
        """
        with self._evaluator.without_callers():
            return self._awaitables.kind_of(module, node)

    def gives_coroutine(self, module: Module, call: ast.Call) -> bool:
        """Whether ``call`` is proved to give a coroutine; cheaper than ``awaitable`` if it is not.

        Arguments of callers are not asked for.
        """
        with self._evaluator.without_callers():
            return self._awaitables.gives_coroutine(module, call)

    def is_coroutine(self, module: Module, node: ast.expr) -> bool:
        """Whether ``node`` is proved to be a coroutine, by what it calls or by what is declared.

        If ``awaitable`` does not know, the values of ``node`` decide. There decorators, protocols
        and callers are followed, and an override is taken to return what its method declares.
        """
        joined = self._joins.gives_coroutine(module, node)
        if joined is not None:
            return joined
        kind = self.awaitable(module, node)
        if not isinstance(kind, Unknown):
            return kind == "coroutine"
        if isinstance(kind, Differs):
            return False
        values = self._evaluator.values(module, node)
        return bool(values) and all(
            isinstance(value, Producer) and value.how == "coroutine" for value in values
        )

    def library_functions(self, module: Module, call: ast.Call) -> tuple[str, ...]:
        """Return the library functions that ``call`` may call, by their qualified names.

        ``asyncio.TaskGroup.create_task`` for ``tg.create_task``. Empty if unknown, or if it calls a
        function of the project.
        """
        with self._evaluator.without_callers():
            names = self._awaitables.library_names(module, call)
        return () if isinstance(names, Unknown) else names

    def fates(self, module: Module, node: ast.expr) -> tuple[Fate, ...]:
        """Return the possible fates of the coroutine, task or future that ``node`` gives.

        It is followed through variables, containers and functions that it is passed to.
        """
        with self._evaluator.without_callers():
            return self._fates.fates_of(module, node)

    def fates_of_result(self, module: Module, function: Function) -> tuple[Fate, ...]:
        """Return what the callers of ``function`` do with the coroutine that it returns.

        Over all files; code that may hide a call is an unknown fate.
        """
        return self._fates.of_result(module, function)

    def events_between(
        self, module: Module, earlier: ast.expr, later: ast.expr
    ) -> tuple[Event, ...]:
        """Return what may happen to loaded objects on a way from ``earlier`` to ``later``.

        Both are expressions of one function: a load, and a read of what it gave. A call with
        unknown effects is an ``unknown`` event, with its reason.
        """
        with self._evaluator.without_callers():
            return self._between.events_between(module, earlier, later)

    def order(self, module: Module, node: ast.expr) -> Order | None:
        """Return when ``node`` is evaluated in its statement, and what comes before it.

        None if it is not evaluated with the statement: it is in a function inside it.
        """
        with self._evaluator.without_callers():
            return self._ordering.order_of(module, node)

    def caught_by(self, module: Module, handler: ast.ExceptHandler) -> tuple[str | None, ...]:
        """Return the classes that a handler catches, None for unknown ones."""
        return caught_by(self._evaluator, module, handler)

    def ends_exceptions(self, module: Module, manager: ast.expr) -> Ending | None:
        """Return how a context manager ends exceptions of its block, as far as that is known."""
        return ends_exceptions(self._evaluator, module, manager)

    def guards(self, module: Module, node: ast.AST) -> tuple[Guard, ...]:
        """Return the handlers, ``finally`` and ``with`` blocks around ``node`` in its function."""
        return guards_around(self._evaluator, module, node)
