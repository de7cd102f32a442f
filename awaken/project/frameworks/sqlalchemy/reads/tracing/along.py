"""Values along the attributes of a sight: the owner of each attribute.

Functions that are passed as values are followed to the calls of them. ``map(name_of, users)`` makes
some, and so do functions of the program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, BY_KEY, CALL, ITEM, Sight
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.expressions.alternatives import is_tested
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, parameter_at
from awaken.project.source.worklist import MOST_FUNCTIONS
from awaken.project.values.domain import (
    MOST_ALTERNATIVES,
    Argument,
    Environment,
    FunctionOf,
    InstanceOf,
    NoneValue,
    Producer,
    TupleOf,
    Unknown,
    Value,
    Values,
    union,
    values_inside,
    without_origins,
)
from awaken.project.values.items import DICTS, subscripted_item
from awaken.project.values.library.higher_order import BY_KEY as CALLED_WITH_ITEMS
from awaken.project.values.library.higher_order import OF_ITEMS
from awaken.project.values.library.origins import begun_values, related_objects

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
            at = CALLED_WITH_ITEMS.get(
                self._evaluator.names.qualified_name(module, call.func) or ""
            )
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
            if isinstance(module.parent(name), ast.Compare) or is_tested(module, name):
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


class Along:
    """Answers for one program."""

    def __init__(self, evaluator: ProgramEvaluator, passed: PassedValues) -> None:
        self._evaluator = evaluator
        self._passed = passed

    def path(self, sight: Sight) -> Iterator[tuple[str, Values]]:
        """Yield each attribute that is read at a place, with what it is read from."""
        node = sight.node
        if isinstance(node, Unknown):
            return self._objects(sight, (node,))
        if sight.known:
            first = self._evaluator.values(sight.module, node, sight.known)
            # A statement that loads what `self` says loads other classes for other instances.
            return self._objects(sight, tuple(map(without_origins, first)))
        return self._objects(sight, self._first(sight.module, node))

    def _first(self, module: Module, node: ast.expr) -> Values:
        """Return what an expression may be: in a lambda, by what that is called with."""
        values = self._evaluator.values(module, node)
        if not any(isinstance(value, Unknown) for value in values):
            return values
        known = self._called_with(module, node)
        if not known:
            return values
        return union(*(self._evaluator.values(module, node, value) for value in known))

    def _called_with(self, module: Module, node: ast.expr) -> list[Environment]:
        """Return what the lambdas around an expression may be called with, if that is known."""
        result: list[Environment] = [()]
        for above in module.ancestors(node):
            if not isinstance(above, ast.Lambda):
                continue
            for index, parameter in enumerate((*above.args.posonlyargs, *above.args.args)):
                passed = self._passed.values_for_argument(module, above, index)
                result = [
                    (*alternative, Argument(parameter, module, parameter, (), value))
                    for alternative in result
                    for value in passed or ()
                ] or result
        is_known = result != [()] and len(result) <= MOST_ALTERNATIVES
        return result if is_known else []

    def _objects(self, sight: Sight, values: Values) -> Iterator[tuple[str, Values]]:
        """Yield each attribute that is read at a place, with what it is read of.

        ``values`` are what the expression there gives.
        """
        for position, step in enumerate(sight.path):
            values = _items(values) if sight.of_items else values
            if position >= sight.begin and step not in {ITEM, CALL}:
                yield step, values
            if position + 1 < len(sight.path):
                values = union(*(self._step(value, step, sight) for value in values))

    def _step(self, value: Value, step: str, sight: Sight) -> Values:
        """Return what a step gives of one value."""
        node = sight.node
        if isinstance(value, Unknown) or isinstance(node, Unknown):
            return (value,)
        if isinstance(value, NoneValue) or step == ANY:
            return ()
        match step:
            case "[]":
                work = self._iterated_values(value, sight, node)
            case "()":
                work = self._callable(value, sight, node)
            case _ if step.startswith("["):
                return self._at_key(value, step, sight, node)
            case _:
                work = self._attribute(value, step, sight, node)
        # A question by itself, as if the step were in the Python code.
        key = ("path", node, sight.place, value, step)
        return self._evaluator.solve(key, sight.module, node, work)

    def _iterated_values(self, value: Value, sight: Sight, node: ast.expr) -> Callable[[], Values]:
        return lambda: self._evaluator.iterated_values((value,), sight.module, node)

    def _callable(self, value: Value, sight: Sight, node: ast.expr) -> Callable[[], Values]:
        call = ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node)
        if isinstance(value, FunctionOf) and _takes_more(value):
            why = f"the result of `{_name_of(value)}` depends on the arguments in a template"
            return lambda: (self._evaluator.unknown(sight.module, node, why),)
        return lambda: self._evaluator.call_results((value,), sight.module, call)

    def _at_key(self, value: Value, step: str, sight: Sight, node: ast.expr) -> Values:
        result = subscripted_item(value, None if step == BY_KEY else int(step[1:-1]))
        if result is not None:
            return result
        if step == BY_KEY:
            why = "an item by a computed key is read of it"
            return (self._evaluator.unknown(sight.module, node, why),)
        return self._evaluator.solve(
            ("path", node, sight.place, value, step),
            sight.module,
            node,
            self._iterated_values(value, sight, node),
        )

    def _attribute(
        self, value: Value, name: str, sight: Sight, node: ast.expr
    ) -> Callable[[], Values]:
        if isinstance(value, InstanceOf) and value.qualified in DICTS and not hasattr(dict, name):
            why = "the content of a dictionary is unknown"
            held = value.parameters[-1:] or ((self._evaluator.unknown(sight.module, node, why),),)
            return lambda: held[0]
        if isinstance(value, InstanceOf):
            return lambda: self._of_object(value, name, sight, node)
        read = ast.copy_location(ast.Attribute(value=node, attr=name, ctx=ast.Load()), node)
        return lambda: self._evaluator.members.values_of(value, sight.module, read)

    def _of_object(self, value: InstanceOf, name: str, sight: Sight, node: ast.expr) -> Values:
        attribute = self._evaluator.attribute(value, name, sight.module, node)
        attribute = begun_values(attribute, name, sight.place)
        is_relationship = self._evaluator.mapping.is_relationship(value, name)
        return related_objects(attribute, value, name) if is_relationship else attribute


def _takes_more(function: FunctionOf) -> bool:
    """Whether a function has a parameter that its receiver does not give."""
    args = function.node.args
    positional = [*args.posonlyargs, *args.args]
    given = 0 if function.bound is None else 1
    return bool(positional[given:] or args.kwonlyargs or args.vararg or args.kwarg)


def _name_of(function: FunctionOf) -> str:
    return "lambda" if isinstance(function.node, ast.Lambda) else function.node.name


def _items(values: Values) -> Values:
    """Return the objects among ``values``: those inside of containers in place of these."""
    items: Values = ()
    for value in values:
        match value:
            case InstanceOf(parameters=[*_, held]):
                items = union(items, _items(held))
            case TupleOf() | Producer():
                items = union(items, _items(values_inside(value)))
            case _:
                items = union(items, (value,))
    return items
