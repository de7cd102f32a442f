"""The results of entering, iterating and awaiting."""

from __future__ import annotations

import ast

from awaken.knowledge.library_names import name_list
from awaken.project.source.modules import Module
from awaken.project.values.domain import (
    Environment,
    External,
    FunctionOf,
    How,
    InstanceOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    Unknown,
    Values,
    union,
)
from awaken.project.values.questions import EvaluatorPart

NOT_ITERABLE = name_list("not_iterable")


class Uses(EvaluatorPart):
    """Follows what values give when they are used in another way than by a call."""

    def results_of_use(self, how: How, values: Values, module: Module, node: ast.AST) -> Values:
        """Return what ``values`` give when used in the way ``how`` (see ``Producer``)."""
        if not values:
            return ()
        result: Values = ()
        for value in values:
            match value:
                case Producer() if value.is_used(how):
                    result = union(result, value.inner)
                case Unknown() | NotRelevant(mock=True):
                    result = union(result, (value,))
                case NoneValue():
                    pass
                case _:
                    used = self._evaluator.library.results_of_use(how, value, module, node)
                    why = f"this is no {how} that can be followed"
                    nothing = (self._evaluator.unknown(module, node, why),)
                    result = union(result, nothing if used is None else used)
        return result

    def awaited_values(self, module: Module, node: ast.Await, known: Environment) -> Values:
        """Return what ``await`` gives."""
        values = self._evaluator.values(module, node.value, known)
        return self.results_of_use("coroutine", values, module, node)

    def enter(self, values: Values, module: Module, node: ast.AST) -> Values:
        """Return what ``with`` binds for each of ``values``."""
        result: Values = ()
        for value in self._enterable(values, module, node):
            match value:
                case Session(kind="session" | "async") | NotRelevant(mock=True) | Unknown():
                    result = union(result, (value,))
                case Producer(how="manager"):
                    result = union(result, value.inner)
                case InstanceOf():
                    result = union(result, self._entered_values(value, module, node))
                case NoneValue():
                    pass
                case _:
                    why = "the value that `with` binds here is unknown"
                    result = union(result, (self._evaluator.unknown(module, node, why),))
        return result

    def _enterable(self, values: Values, module: Module, node: ast.AST) -> Values:
        """Return ``values`` without those of which entering is proved to raise, if any is left."""
        if len(values) == 1:
            return values
        method = _entering_method(module, node)
        left = tuple(
            value
            for value in values
            if not isinstance(value, InstanceOf)
            or not self._evaluator.lacks(value, method, module, node)
        )
        return left or values

    def _entered_values(self, value: InstanceOf, module: Module, node: ast.AST) -> Values:
        session = self._evaluator.as_session(value)
        if isinstance(session, Session):
            return (session,)
        # They return themselves; their items are entered one by one later.
        if value.qualified in {"contextlib.ExitStack", "contextlib.AsyncExitStack"}:
            return (value,)
        method = _entering_method(module, node)
        through = self.method_results(value, method, module, node)
        is_async = method == "__aenter__"
        return self.results_of_use("coroutine", through, module, node) if is_async else through

    def method_results(
        self, value: InstanceOf, method: str, module: Module, node: ast.AST
    ) -> Values:
        """Return what calling ``method`` of an instance gives."""
        known = self._evaluator.knowledge.instances.get(f"{value.qualified}.{method}")
        if known is not None:
            return (InstanceOf(known),)
        result: Values = ()
        for alternative in self._evaluator.attribute(value, method, module, node):
            given: Values | None = None
            if isinstance(alternative, FunctionOf):
                given = self._evaluator.results_of(alternative)
            elif isinstance(alternative, External):
                empty = ast.copy_location(ast.Call(ast.Name(method), [], []), node)
                is_call = method == "__call__" and isinstance(node, ast.Call)
                call = node if is_call and isinstance(node, ast.Call) else empty
                given = self._evaluator.library.call_results(alternative, module, call, ())
            if given is not None:
                result = union(result, given)
            else:
                why = f"`{value.qualified}` has no visible `{method}`"
                result = union(result, (self._evaluator.unknown(module, node, why),))
        return result


def _entering_method(module: Module, node: ast.AST) -> str:
    is_async = isinstance(module.statement_of(node), ast.AsyncWith)
    return "__aenter__" if is_async else "__enter__"
