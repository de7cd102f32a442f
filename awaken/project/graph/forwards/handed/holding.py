"""Writers and readers of the slots for functions as values, over the whole program."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.contract import Place
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.handed.dependency_overrides import overrides
from awaken.project.graph.forwards.handed.function_fields import Fields
from awaken.project.graph.forwards.handed.registers import Registers
from awaken.project.graph.forwards.handed.slots import End, Found, Slot, Slots, Spot
from awaken.project.graph.forwards.handed.variables import Variables
from awaken.project.source.modules import Module, same_node
from awaken.project.source.trees import Function, parameters_of
from awaken.project.values.fixtures_by_name import ASKING, fixtures_asked_for, is_asking
from awaken.project.values.pytest_fixtures import fixture_for, fixture_name


class Holding:
    """Answers for one program; ``graph`` has its calls."""

    def __init__(self, slots: Slots, graph: CallGraph) -> None:
        self._slots = slots
        self._graph = graph
        self._evaluator = slots.evaluator
        self._variables = Variables(slots, graph)
        self._fields = Fields(slots)
        self.registers = Registers(slots)

    def accesses_of(self, slot: Slot) -> Found:
        """Yield all that is put into ``slot``, and all that reads it."""
        match slot.kind:
            case "variable":
                yield from self._variables.accesses_of(slot)
            case "field":
                yield from self._fields.accesses_of(slot)
            case "register":
                yield from self.registers.accesses_of(slot)
            case "overrides":
                yield from overrides(self._slots)
            case _:
                yield from self._result(slot)

    def annotations(self, slot: Slot) -> Iterator[Place]:
        """Yield the annotations of slots that hold functions; a register has no visible one."""
        if slot.kind in {"overrides", "register"}:
            return
        owners = [slot.owner]
        if slot.kind == "field":
            owners += self._evaluator.classes.all_subclasses(slot.owner)
        for owner in owners:
            pair = self._evaluator.classes.node(owner) if slot.kind == "field" else None
            module = self._evaluator.load(slot.owner) if slot.kind != "field" else None
            if pair is not None:
                module = pair[0]
            if module is None:
                continue
            for node in self._declaring(module, slot, None if pair is None else pair[1]):
                if node is not None:
                    yield module.place(node)

    def _declaring(
        self, module: Module, slot: Slot, owner: ast.ClassDef | None
    ) -> Iterator[ast.expr | None]:
        match slot.kind:
            case "field":
                for node in module.walk(owner):
                    match node:
                        case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name)):
                            if name == slot.name:
                                yield node.annotation
            case "result":
                function = module.function_at(slot.start)
                yield None if function is None else function.returns
            case _:
                scope = self._variables.scope(module, slot)
                for binding in () if scope is None else scope.bindings[slot.name]:
                    yield binding.declared_annotation

    # ----------------------------------------------------------------------------------- results
    def _result(self, slot: Slot) -> Found:
        pair = next(self._evaluator.functions_at([(slot.owner, slot.start)]), None)
        if pair is None:
            return
        module, function = pair
        for value in module.outputs_of(function):
            yield Spot(module, value, slot.depth)
        if any(self._slots.decorated_by(module, function)):
            yield End("leak", module, function, f"`{function.name}` makes it of what it decorates")
        place = FunctionPlace(module.path, slot.start, module.qualname(function))
        for call in self._graph.callers(place):
            for home, node in self._evaluator.calls_at(call.place):
                yield Spot(home, node, slot.depth)
        injected = self._slots.injected_parameters(module, function, slot.depth)
        yield from (item for item in injected if item is not None)
        fixture = fixture_name(module, function, self._evaluator.names)
        if fixture is not None:
            yield from self._asked_for(module, function, fixture, slot)
        elif any("property" in module.text_of(decorator) for decorator in function.decorator_list):
            why = f"`{function.name}` is a property"
            yield End("leak", module, function, why)

    def _asked_for(self, home: Module, fixture: Function, name: str, slot: Slot) -> Found:
        """Yield the parameters that get what a fixture gives, and the calls that ask for it."""
        for at, asking in self._slots.mentions(ASKING):
            call = at.parent(asking)
            if isinstance(call, ast.Call) and is_asking(call):
                asked = fixtures_asked_for(self._evaluator, at, call) or ()
                if any(same_node(value.module, value.node, home, fixture) for value in asked):
                    yield Spot(at, call, slot.depth)
        for module in self._evaluator.modules_at(self._slots.words.files_with(name)):
            for node in module.functions:
                if all(argument.arg != name for argument, _ in parameters_of(node.args)):
                    continue
                found = fixture_for(self._evaluator, module, node, name)
                if found is None or found.module.path != home.path:
                    continue
                if found.module.span(found.node).start == home.span(fixture).start:
                    yield self._slots.parameter(module, node, name, slot.depth)
