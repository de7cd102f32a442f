"""The functions that a program gives to ``run_sync``, in which a lazy load is allowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.memo import cached_items
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda
from awaken.project.values.domain import FunctionOf


class InRunSync(ProgramFacts):
    """Answers for one program, which is looked through when it is asked for the first time.

    Functions that these call in turn are not followed.
    """

    def holds(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is in a function that is passed to ``run_sync``."""
        places = self._places()
        return bool(places) and any(
            isinstance(above, FunctionOrLambda) and module.place(above) in places
            for above in module.ancestors(node)
        )

    @cached_items
    def _places(self) -> Iterator[Place]:
        files = self._evaluator.files_with([b"run_sync"])
        for module in self._evaluator.names.facts.mentioning("run_sync", files):
            for name in module.mentions("run_sync"):
                call = module.call_of(name)
                if call is None:
                    continue
                for given in self._evaluator.values(module, call.args[0]) if call.args else ():
                    if isinstance(given, FunctionOf):
                        yield given.module.place(given.node)
