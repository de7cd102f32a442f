"""Writers and readers of variables that hold functions, over the whole program."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.passed.passed_functions import bound_by
from awaken.project.graph.forwards.passed.slots import (
    KEYS,
    End,
    Found,
    Slot,
    Slots,
    Spot,
    depth_in,
)
from awaken.project.graph.passing import collected_arguments, default_of
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.source.bindings import Binding, Scope
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, argument_of, parameters_of, unpacks
from awaken.project.values.domain import FunctionOf
from awaken.project.values.pytest_fixtures import fixture_for


class Variables:
    """Answers for one program; ``graph`` has its calls."""

    def __init__(self, slots: Slots, graph: CallGraph) -> None:
        self._slots = slots
        self._graph = graph
        self._evaluator = slots.evaluator

    # --------------------------------------------------------------------------------- variables
    def accesses_of(self, slot: Slot) -> Found:
        """Yield all that is put into a variable, and all that reads it."""
        module = self._evaluator.load(slot.owner)
        if module is None:
            return
        scope = self.scope(module, slot)
        if scope is None:
            return
        for binding in scope.bindings[slot.name]:
            yield from self._bound_value(module, binding, slot)
        yield from self._slots.reads_of_variable(module, slot)

    def scope(self, module: Module, slot: Slot) -> Scope | None:
        """Return the scope that binds a variable."""
        return next(
            (
                scope
                for scope in module.scopes.scopes
                if slot.name in scope.bindings
                and (-1 if isinstance(scope.node, ast.Module) else module.span(scope.node).start)
                == slot.start
                and not isinstance(scope.node, ast.ClassDef)
            ),
            None,
        )

    def _bound_value(self, module: Module, binding: Binding, slot: Slot) -> Found:
        node, depth = binding.node, slot.depth
        match binding.kind:
            case "function" if isinstance(node, Function) and not depth:
                yield End("function", module, node)
            case "parameter" if isinstance(node, ast.arg):
                yield from self._parameter(module, binding, node, slot)
            case "assignment" | "walrus" | "annotation" if binding.value is not None:
                yield Spot(module, binding.value, depth)
            case "annotation":
                return
            case "for" if binding.value is not None:
                yield from self._slots.iterable(module, binding.value, depth + 1)
            case "import":
                yield from self._import(module, binding, slot)
            case "for" | "assignment":
                yield from self._unpacked_container(module, node, slot)
            case _:
                yield End("leak", module, node, f"the value of `{slot.name}` is unknown")

    def _unpacked_container(self, module: Module, node: ast.AST, slot: Slot) -> Found:
        """Yield what a target in a tuple is taken out of."""
        depth, inside = slot.depth, node
        for above in module.ancestors(node):
            match above:
                case (
                    ast.For(target=target, iter=ast.Call(func=ast.Attribute() as method))
                    | ast.comprehension(
                        target=target, iter=ast.Call(func=ast.Attribute() as method)
                    )
                ) if not slot.depth and method.attr == "items" and _is_first(target, node):
                    yield Spot(module, method.value, KEYS + 1)
                    return
                case ast.Tuple(elts=elements) | ast.List(elts=elements):
                    depth, inside = depth_in(elements, inside, depth), above
                case ast.Assign(value=value):
                    yield Spot(module, value, depth)
                    return
                case ast.For(iter=value) | ast.comprehension(iter=value):
                    yield Spot(module, value, depth + 1)
                    return
                case _:
                    break
        yield End("leak", module, node, f"the value of `{slot.name}` is unknown")

    def _import(self, module: Module, binding: Binding, slot: Slot) -> Found:
        mentions = [
            mention
            for mention in module.mentions(slot.name)
            if isinstance(mention, ast.Name) and binding in module.scopes.bindings_of(mention)
        ]
        qualified = self._evaluator.names.qualified_name(module, mentions[0]) if mentions else None
        imported = None if qualified is None else self._slots.of_file(qualified, slot.depth)
        if imported is None:
            why = f"`{qualified or slot.name}` is of a library"
            yield End("leak", module, binding.node, why)
        else:
            yield imported

    # -------------------------------------------------------------------------------- parameters
    def _parameter(self, module: Module, binding: Binding, parameter: ast.arg, slot: Slot) -> Found:
        function = binding.scope.node
        if not isinstance(function, Function):
            yield End("leak", module, parameter, f"`{parameter.arg}` is given to a lambda")
            return
        if parameter is function.args.vararg and 0 < slot.depth < KEYS:
            yield from self._arguments_for_rest(module, function, slot)
            return
        if parameter in (function.args.vararg, function.args.kwarg):
            why = f"`{parameter.arg}` collects all arguments"
            yield End("leak", module, parameter, why)
            return
        default = default_of(function, parameter)
        providers = [*self._evaluator.injections.of_parameter(module, parameter, default)]
        if default is not None and not providers:
            yield Spot(module, default, slot.depth)
        for home, provider in providers:
            yield from self._dependency_results(home, provider, slot)
        fixture = fixture_for(self._evaluator, module, function, parameter.arg)
        if fixture is not None:
            yield self._slots.result(fixture.module, fixture.node, slot.depth)
            return
        yield from self._arguments_for(module, function, parameter, slot)
        yield from self._decorated_functions(module, function, parameter, slot)

    def _dependency_results(self, module: Module, provider: ast.expr, slot: Slot) -> Found:
        """Yield what a dependency returns."""
        for value in self._evaluator.values(module, provider):
            if isinstance(value, FunctionOf) and isinstance(value.node, Function):
                yield self._slots.result(value.module, value.node, slot.depth)
            else:
                yield End("leak", module, provider, "the dependency is not followed")

    def _arguments_for(
        self, module: Module, function: Function, parameter: ast.arg, slot: Slot
    ) -> Found:
        """Yield what the calls of a function pass to one of its parameters."""
        for home, node, bound in self._calls(module, function):
            given = argument_of(node, function, parameter, bound)
            if given is not None:
                yield Spot(home, given, slot.depth)
            elif default_of(function, parameter) is None or unpacks(node):
                yield _not_followed(home, node)

        yield from self._maybe_passed(module, function, parameter, slot)

    def _arguments_for_rest(self, module: Module, function: Function, slot: Slot) -> Found:
        """Yield what the calls of a function pass to the parameter that takes all the others."""
        for home, node, bound in self._calls(module, function):
            if any(isinstance(argument, ast.Starred) for argument in node.args):
                yield _not_followed(home, node)
            for part in collected_arguments(node, function, bound):
                yield Spot(home, part, slot.depth - 1)

    def _calls(self, module: Module, function: Function) -> Iterator[tuple[Module, ast.Call, int]]:
        """Yield the calls of a function, with how many parameters what it is called on gives."""
        place = FunctionPlace(module.path, module.span(function).start, function.name)
        for call in self._graph.callers(place):
            for home, node in self._evaluator.calls_at(call.place):
                yield home, node, bound_by(home, node, module, function, self._slots)

    def _maybe_passed(
        self, module: Module, function: Function, parameter: ast.arg, slot: Slot
    ) -> Found:
        """Yield the functions that are passed by the name of ``function``, to it or to another."""
        bound = int(takes_receiver(module, function))
        for call in self._graph.unresolved_calls([function.name]):
            for home, node in self._evaluator.calls_at(call.place):
                given = argument_of(node, function, parameter, bound)
                if given is None or isinstance(given, ast.Constant):
                    continue
                values = self._evaluator.values(home, given)
                if any(isinstance(value, FunctionOf) for value in values):
                    yield Spot(home, given, slot.depth)

    def _decorated_functions(
        self, module: Module, function: Function, parameter: ast.arg, slot: Slot
    ) -> Found:
        """Yield the functions that a function decorates, if it is used so."""
        first = next((argument for argument, _ in parameters_of(function.args)), None)
        if parameter is not first or slot.depth:
            return
        maker = module.enclosing_function(function)
        named = maker if isinstance(maker, Function) else function
        for home, decorated, is_called in self._slots.decorated_by(module, named):
            if is_called == (named is maker):
                yield End("function", home, decorated)


def _not_followed(module: Module, call: ast.Call) -> End:
    return End(
        "leak", module, call, f"awaken does not follow the arguments of `{module.excerpt(call)}`"
    )


def _is_first(target: ast.expr, node: ast.AST) -> bool:
    """Whether ``node`` is given the first of each pair."""
    return isinstance(target, ast.Tuple) and target.elts[:1] == [node]
