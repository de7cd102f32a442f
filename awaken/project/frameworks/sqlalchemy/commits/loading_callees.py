"""The calls after a commit that load objects somewhere below: in functions of the program."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Literal

from awaken.project.effects.construction import Constructions
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.graph.dispatch import functions_called
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue
from awaken.project.values.domain import ClassOf, External, FunctionOf, Producer, Session, Unknown

Below = Literal["loads", "nothing", "unknown"]


class Callees:
    """Answers for one program; ``loads`` tells whether a call is one of a session that loads."""

    def __init__(
        self, evaluator: ProgramEvaluator, loads: Callable[[Module, ast.AST], bool]
    ) -> None:
        self._evaluator = evaluator
        self._loads = loads
        self._constructions = Constructions(evaluator)

    def loads_below(self, module: Module, call: ast.Call) -> Below:
        """Return whether something that ``call`` runs loads objects, itself aside."""
        waiting = Queue[tuple[Module, Function]]([], lambda pair: pair[0].place(pair[1]))
        worse = self._add_callees(module, call, waiting)
        for count, (home, function) in enumerate(waiting):
            if count == MOST_FUNCTIONS:
                return "unknown"
            for node in own_nodes(function.body):
                if self._loads(home, node):
                    return "loads"
                if isinstance(node, ast.Call) and not self._is_of_session(home, node):
                    worse = _worse(worse, self._add_callees(home, node, waiting))
        return worse

    def _add_callees(
        self, module: Module, call: ast.Call, waiting: Queue[tuple[Module, Function]]
    ) -> Below:
        """Add the functions of the program that ``call`` runs; it is unknown if there are more."""
        worse: Below = "nothing"
        for value in self._evaluator.values(module, call.func):
            match value:
                case External() | Producer():
                    pass
                case ClassOf(qualified=name):
                    worse = _worse(worse, self._of_class(name))
                case FunctionOf():
                    called = functions_called(self._evaluator, module, call)
                    if isinstance(called, Unknown):
                        return "unknown"
                    waiting += [(callee.module, callee.function) for callee in called]
                case _:
                    worse = "unknown"
        return worse

    def _of_class(self, name: str) -> Below:
        """Return the same for making an instance, as far as a class of the program does that."""
        made = self._constructions.of_class(name)
        return "unknown" if made is not None and (made.runs or made.why) else "nothing"

    def _is_of_session(self, module: Module, call: ast.Call) -> bool:
        if not isinstance(call.func, ast.Attribute):
            return False
        values = self._evaluator.values(module, call.func.value)
        return all(isinstance(value, Session) for value in values)


def _worse(one: Below, other: Below) -> Below:
    return "unknown" if "unknown" in (one, other) else "nothing"
