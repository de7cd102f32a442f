"""Functions that are passed on as values, followed to what they are called with.

``map(name_of, users)``, ``sorted(users, key=lambda user: user.group.name)``, and functions of the
program that call what they are given.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.evaluator import ProgramFacts
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameter_at
from awaken.project.source.worklist import MOST_FUNCTIONS
from awaken.project.values.domain import FunctionOf, InstanceOf, Values, union
from awaken.project.values.library.higher_order import BY_KEY, OF_ITEMS

_Seen = set[tuple[str, int, int]]
"""The parameters that a function was passed to, with the argument that is asked for."""


class PassedValues(ProgramFacts):
    """Answers for one program."""

    def values_for_argument(self, module: Module, node: ast.expr, index: int) -> Values | None:
        """Return what a function gets as argument ``index`` where ``node`` passes it on.

        None where it is unknown, empty where nobody calls it.
        """
        return self._values_to(module, node, index, set())

    def _values_to(self, module: Module, node: ast.expr, index: int, seen: _Seen) -> Values | None:
        above = module.parent(node)
        match above:
            case ast.Call(func=func) if func is node:
                return self._given_values(module, above, index)
            case ast.Call() if node in above.args:
                return self._to_argument(module, above, node, index, seen)
            case ast.keyword(arg=str()):
                call = module.parent(above)
                if isinstance(call, ast.Call):
                    return self._to_keyword(module, call, above, index, seen)
        return None

    def _given_values(self, module: Module, call: ast.Call, index: int) -> Values | None:
        if any(isinstance(node, ast.Starred) for node in call.args) or len(call.args) <= index:
            return None
        return self._evaluator.values(module, call.args[index])

    def _to_argument(
        self, module: Module, call: ast.Call, node: ast.expr, index: int, seen: _Seen
    ) -> Values | None:
        name = self._evaluator.names.qualified_name(module, call.func)
        if name in OF_ITEMS:
            behind = call.args[1 + index : 2 + index]
            if call.args[0] is not node or not behind or isinstance(behind[0], ast.Starred):
                return None
            return self._items(module, behind[0])
        if name == "functools.partial" and call.args[0] is node:
            bound = len(call.args) - 1
            if index < bound:
                return self._given_values(module, call, index + 1)
            return self._values_to(module, call, index - bound, seen)
        position = call.args.index(node)
        if any(isinstance(argument, ast.Starred) for argument in call.args[:position]):
            return None
        return self._values_into(module, call, position, index, seen)

    def _to_keyword(
        self, module: Module, call: ast.Call, keyword: ast.keyword, index: int, seen: _Seen
    ) -> Values | None:
        if keyword.arg == "key" and not index:
            at = BY_KEY.get(self._evaluator.names.qualified_name(module, call.func) or "")
            if at is not None and at < len(call.args):
                if len(call.args) > 1 and last_name(call.func) in {"max", "min"}:
                    return union(*(self._evaluator.values(module, node) for node in call.args))
                return self._items(module, call.args[at])
            if isinstance(call.func, ast.Attribute) and call.func.attr == "sort":
                return self._items(module, call.func.value)
        return self._values_into(module, call, keyword.arg or "", index, seen)

    def _items(self, module: Module, node: ast.expr) -> Values | None:
        if isinstance(node, ast.Starred):
            return None
        values = self._evaluator.values(module, node)
        return self._evaluator.iterated_values(values, module, node)

    def _values_into(
        self, module: Module, call: ast.Call, at: int | str, index: int, seen: _Seen
    ) -> Values | None:
        """Return what functions of the program call one of their parameters with."""
        result: Values = ()
        for value in self._evaluator.values(module, call.func):
            if not isinstance(value, FunctionOf) or not isinstance(value.node, Function):
                return None
            given = self._called_in(value, at, index, seen)
            if given is None:
                return None
            result = union(result, given)
        return result

    def _called_in(
        self, function: FunctionOf, at: int | str, index: int, seen: _Seen
    ) -> Values | None:
        module, node = function.module, function.node
        if not isinstance(node, Function) or node.decorator_list:
            return None
        parameter = parameter_at(node, at, int(isinstance(function.bound, InstanceOf)))
        if parameter is None:
            return None
        key = (module.path, module.span(parameter).start, index)
        if key in seen:
            return ()
        seen.add(key)
        if len(seen) > MOST_FUNCTIONS:
            return None
        result: Values = ()
        for name in _uses(module, parameter):
            if not isinstance(name.ctx, ast.Load):
                return None
            if _is_only_tested(module, name):
                continue
            given = self._values_to(module, name, index, seen)
            if given is None:
                return None
            result = union(result, given)
        return result


def _uses(module: Module, parameter: ast.arg) -> Iterator[ast.Name]:
    """Yield the names that may mean a parameter."""
    for node in module.mentions(parameter.arg):
        if isinstance(node, ast.Name) and any(
            binding.node is parameter for binding in module.scopes.bindings_of(node)
        ):
            yield node


def _is_only_tested(module: Module, name: ast.Name) -> bool:
    """Whether a name is compared, or asked for its truth, and goes nowhere."""
    return isinstance(module.parent(name), ast.Compare) or is_tested(module, name)
