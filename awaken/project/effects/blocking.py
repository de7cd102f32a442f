"""Calls that hold up their thread, directly or in a function that is called."""

from __future__ import annotations

import ast

from msgspec import Struct, structs

from awaken.contract import Place
from awaken.knowledge.libraries import Wait
from awaken.project.effects.callees import Callees
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.dispatch import function_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue
from awaken.project.values.domain import Unknown


class BlockingCall(Struct, frozen=True):
    """A call of a library function that blocks.

    ``waits_for`` says for what, ``place`` where, and ``chain`` by which calls the code of the
    question gets there.
    """

    name: str
    waits_for: Wait
    place: Place
    chain: tuple[Place, ...] = ()


class BlockingCalls(Struct, frozen=True):
    """The blocking calls of a piece of code, and the calls that may block.

    Each blocking call is named once, with the shortest way to it, the nearest first; at most 20 of
    either are named, and what else is known counts as unknown.
    """

    known: tuple[BlockingCall, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class _Followed(Struct, frozen=True):
    """The call at ``place`` of a function of the program."""

    place: Place
    module: Module
    function: Function


_Calls = tuple[BlockingCall | Unknown | _Followed, ...]


class Blocks:
    """Answers for one project; keeps what each function calls itself."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._callees = Callees(evaluator)

    def calls_in(self, module: Module, node: ast.AST) -> BlockingCalls:
        """Return the blocking calls that running ``node`` makes in its own thread.

        Functions that are called are followed, also generators, as if they were run at once. Not
        followed are coroutines, which are asked about by themselves, and what is passed on to be
        called elsewhere.
        """
        with self._evaluator.without_callers():
            return self._found_blocking_calls(module, node)

    def _found_blocking_calls(self, module: Module, node: ast.AST) -> BlockingCalls:
        known: dict[tuple[str, Place], BlockingCall] = {}
        unknown: dict[Unknown, None] = {}
        start: tuple[Module, ast.AST, tuple[Place, ...]] = module, node, ()
        waiting = Queue([start], lambda item: item[0].key_of(item[1]))
        for here, body, chain in waiting:
            for value in self._own(here, body):
                if isinstance(value, BlockingCall):
                    known.setdefault((value.name, value.place), structs.replace(value, chain=chain))
                elif isinstance(value, Unknown):
                    unknown.setdefault(value)
                else:
                    waiting += [(value.module, value.function, (*chain, value.place))]
            if len(waiting.seen) > MOST_FUNCTIONS:
                why = "too much has to be followed to tell"
                unknown = {self._evaluator.unknown(module, node, why): None, **unknown}
                break
        return BlockingCalls(tuple(known.values()), tuple(unknown))

    @cached_by(lambda module, node: (module.place(node), type(node)))
    def _own(self, module: Module, node: ast.AST) -> _Calls:
        """Return the calls that ``node`` makes itself and that count, each as what it is."""
        calls = (part for part in own_nodes(what_runs(node)) if isinstance(part, ast.Call))
        return tuple(what for call in calls for what in self._calls(module, call))

    def _calls(self, module: Module, call: ast.Call) -> _Calls:
        place = module.place(call)
        names = self._callees.library_names(module, call.func)
        if isinstance(names, Unknown):
            return (names,)
        if names:
            blocking = self._evaluator.knowledge.blocking
            kinds = {name: blocking[name] for name in names if name in blocking}
            return tuple(BlockingCall(name, kind, place) for name, kind in kinds.items())
        called = function_called(self._evaluator, module, call)
        if isinstance(called, Unknown):
            return (called,)
        if isinstance(called.function, ast.AsyncFunctionDef):
            # Making a coroutine runs none of it; whoever awaits it is asked.
            return ()
        if is_stub(self._evaluator, called.module, called.function):
            why = f"the implementation of `{called.function.name}` is unknown"
            return (self._evaluator.unknown(module, call, why),)
        return (_Followed(place, called.module, called.function),)
