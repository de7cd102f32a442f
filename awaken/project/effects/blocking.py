"""Calls that hold up their thread, directly or in a function that is called."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from awaken.contract import Place
from awaken.knowledge.libraries import Wait
from awaken.project.effects.callees import Callees
from awaken.project.effects.own import own_nodes, what_runs
from awaken.project.graph.dispatch import function_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.stubs import is_stub
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.values.domain import Unknown

_Key = tuple[str, int]
_DEEPEST = 12  # as in `raising`, which follows the same calls
_MOST = 20  # a message names one; more would only be kept


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """A call of a library function that blocks.

    ``waits_for`` says for what, ``place`` where it stands, and ``chain`` by which calls the code
    that was asked about comes to it.
    """

    name: str
    waits_for: Wait
    place: Place
    chain: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockingCalls:
    """The blocking calls of a piece of code, and the calls of which it cannot be told.

    Each blocking call is named once, with the first way to it; at most 20 of either are named, and
    what else is known counts as unknown.
    """

    known: tuple[BlockingCall, ...] = ()
    unknown: tuple[Unknown, ...] = ()


class Blocks:
    """Answers for one project; keeps the answers for functions."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._callees = Callees(evaluator)
        self._kept: dict[_Key, BlockingCalls] = {}
        self._active: dict[_Key, bool] = {}

    def of(self, module: Module, node: ast.AST) -> BlockingCalls:
        """Return the blocking calls that running ``node`` makes in its own thread.

        Functions that are called are followed, also generators, as if they were run at once. Not
        followed are coroutines, which are asked about by themselves, and what is handed on to be
        called elsewhere.
        """
        with self._evaluator.without_callers():
            if isinstance(node, Function):
                return self._summary(module, node)
            return self._all(module, node)

    def _summary(self, module: Module, function: Function) -> BlockingCalls:
        key = (module.path, module.span(function).start)
        if key in self._kept:
            return self._kept[key]
        if key in self._active or len(self._active) >= _DEEPEST:
            keys = list(self._active)
            for one in keys[keys.index(key) + 1 if key in self._active else 0 :]:
                self._active[one] = True
            if key in self._active:
                return BlockingCalls()
            why = "too much has to be followed to tell"
            return BlockingCalls(unknown=(self._evaluator.unknown(module, function, why),))
        self._active[key] = False
        found = self._all(module, function)
        is_part = self._active.pop(key)
        if not is_part or not self._active:
            # Of a circle only what was asked first has all of it.
            self._kept[key] = found
        return found

    def _all(self, module: Module, node: ast.AST) -> BlockingCalls:
        known: dict[tuple[str, Place], BlockingCall] = {}
        unknown: dict[Unknown, None] = {}
        for call in own_nodes(what_runs(node)):
            if not isinstance(call, ast.Call):
                continue
            found = self._called(module, call)
            for one in found.known:
                known.setdefault((one.name, one.place), one)
            unknown |= dict.fromkeys(found.unknown)
        if len(known) > _MOST:
            # Else what is not among those that are named would seem not to be called.
            why = "it makes more blocking calls than are followed"
            unknown = {self._evaluator.unknown(module, node, why): None, **unknown}
        return BlockingCalls(tuple(known.values())[:_MOST], tuple(unknown)[:_MOST])

    def _called(self, module: Module, call: ast.Call) -> BlockingCalls:
        place = module.place(call)
        names = self._callees.library_names(module, call.func)
        if isinstance(names, Unknown):
            return BlockingCalls(unknown=(names,))
        if names:
            blocking = self._evaluator.knowledge.blocking
            kinds = {name: blocking[name] for name in names if name in blocking}
            return BlockingCalls(
                tuple(BlockingCall(name, kind, place) for name, kind in kinds.items())
            )
        called = function_called(self._evaluator, module, call)
        if isinstance(called, Unknown):
            return BlockingCalls(unknown=(called,))
        if isinstance(called.function, ast.AsyncFunctionDef):
            # Making a coroutine runs none of it; whoever awaits it is asked.
            return BlockingCalls()
        if is_stub(self._evaluator, called.module, called.function):
            why = f"what implements `{called.function.name}` is not in sight"
            return BlockingCalls(unknown=(self._evaluator.unknown(module, call, why),))
        inner = self._summary(called.module, called.function)
        known = tuple(replace(one, chain=(place, *one.chain)) for one in inner.known)
        return BlockingCalls(known, inner.unknown)
