"""Functions that an object of a library keeps, and that a program takes out of it and calls.

``@server.tool()`` gives a function to a server, which awaits what it gives if it has to. A test may
call what the server has: ``server.tools["name"].fn()``. It is known what is called there if that
was taken out of such an object.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from awaken.knowledge.asynchronous import twins
from awaken.project.graph.forwards.handed.slots import End, Found, Slot, Slots
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, without_arguments
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import InstanceOf


class Registers:
    """Answers for one program."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._known = twins().registers

    def keeping(self, module: Module, function: Function) -> Iterator[Slot]:
        """Yield the registers that a decorator puts ``function`` into."""
        for decorator in function.decorator_list:
            match without_arguments(decorator):
                case ast.Attribute(value=owner, attr=method) if any(
                    word.endswith(f".{method}") for word in self._known
                ):
                    for name in sorted(self._registers(module, owner)):
                        if name.endswith(f".{method}"):
                            yield Slot("register", name, -1, self._known[name])

    def accesses_of(self, slot: Slot) -> Found:
        """Yield the calls of what a register has, and if there are some the functions in it."""
        calls = list(self._calls(slot))
        yield from calls
        paths = self._slots.words.files_with(slot.owner.rpartition(".")[2]) if calls else []
        for module in self._slots.evaluator.modules_at(paths):
            for function in module.functions:
                if slot in self.keeping(module, function):
                    yield End("function", module, function)

    def _calls(self, slot: Slot) -> Iterator[End]:
        for module, node in self._slots.mentions(slot.name):
            call = module.call_of(node)
            if not isinstance(node, ast.Attribute) or call is None:
                continue
            if slot.owner in self._taken_from(module, node.value):
                yield End("call", module, call)

    def _registers(self, module: Module, owner: ast.expr) -> set[str]:
        """Return the decorators of registers that an object has."""
        values = self._slots.evaluator.values(module, owner)
        qualified = {value.qualified for value in values if isinstance(value, InstanceOf)}
        return {name for name in self._known if name.rpartition(".")[0] in qualified}

    def _taken_from(self, module: Module, node: ast.expr) -> set[str]:
        """Return the registers that something is taken out of, over variables and attributes."""
        nodes = Worklist([node])
        for part in nodes:
            is_step = isinstance(part, ast.Attribute | ast.Await | ast.Call | ast.Subscript)
            owner = part.func if isinstance(part, ast.Call) else getattr(part, "value", None)
            registers = self._registers(module, owner) if is_step and owner else set()
            if registers:
                return registers
            before = owner if is_step else module.scopes.only_value(part)
            nodes += [] if before is None else [before]
        return set()


def _is_function(node: ast.AST) -> TypeGuard[Function]:
    return isinstance(node, Function)
