"""Writers and readers of the slots for functions as values, over the whole program."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from awaken.contract import Place
from awaken.knowledge.asynchronous import twins
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.passed.slots import (
    PASSING,
    STATE,
    TAKING,
    End,
    Found,
    Leak,
    Owners,
    Slot,
    Slots,
    Spot,
)
from awaken.project.graph.forwards.passed.variables import Variables
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module, cached_in_file
from awaken.project.source.trees import Function, values_given, without_arguments
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import InstanceOf
from awaken.project.values.pytest_fixtures import fixture_name

UNKNOWN = ""
"""In place of the class that declares an attribute."""


class Holding:
    """Answers for one program; ``graph`` has its calls."""

    def __init__(self, slots: Slots, graph: CallGraph) -> None:
        self._slots = slots
        self._graph = graph
        self._evaluator = slots.evaluator
        self._variables = Variables(slots, graph)
        self._fields = _Fields(slots)
        self._overrides = _Overrides(slots)
        self.registers = _Registers(slots)

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
                yield from self._overrides.accesses_of(slot)
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
            receivers = self._slots.fixture_receivers(module, function, fixture, slot.depth)
            yield from (item for item in receivers if item is not None)
        elif any("property" in module.text_of(decorator) for decorator in function.decorator_list):
            why = f"`{function.name}` is a property"
            yield End("leak", module, function, why)


class _Overrides:
    """Functions that tests put in the place of dependencies, each by the one that it replaces.

    The framework calls them, and takes coroutine functions as well. A test may look one up and call
    it, or keep those of before and put them back.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def accesses_of(self, slot: Slot) -> Found:
        """Yield all uses of the overrides, if something is taken out by the key of a slot."""
        uses = [
            (module, node)
            for module, node in self._slots.mentions(OVERRIDES)
            if isinstance(node, ast.Attribute) and node.attr == OVERRIDES
        ]
        if any(self._is_taken(*pair, slot.depth) for pair in uses):
            for module, node in uses:
                yield from self._use_at(module, node, slot.depth)

    def _is_taken(self, module: Module, node: ast.Attribute, depth: int) -> bool:
        """Whether something is taken out where ``node`` are the overrides, and used."""
        match above := module.parent(node):
            case ast.Subscript(slice=key, ctx=ast.Load()):
                return not self._slots.has_another(module, key, depth)
            case ast.Attribute(attr=name):
                call = module.parent(above)
                if not isinstance(call, ast.Call) or isinstance(module.parent(call), ast.Expr):
                    return False
                is_same = name in TAKING and not self._slots.takes_another(module, call, depth)
                return is_same or name in PASSING
        return isinstance(above, ast.Assign) and above.value is node

    def _use_at(self, module: Module, node: ast.Attribute, depth: int) -> Iterator[Spot]:
        """Yield the overrides ``node`` where their items are used, or what is put there."""
        match module.parent(node):
            case ast.Assign(targets=targets, value=value) if node in targets:
                yield Spot(module, value, depth)
            case ast.Subscript() | ast.Attribute() | ast.Assign():
                yield Spot(module, node, depth)
            # `monkeypatch.setitem(app.dependency_overrides, get_db, fake)`.
            case ast.Call(func=ast.Attribute(attr="setitem"), args=[_, key, given]):
                if not self._slots.puts_another(module, key, depth):
                    yield Spot(module, given, 0)


@cached_in_file
def _attributes(module: Module, name: str) -> list[tuple[ast.expr, ast.expr]]:
    """Return what reads or writes an attribute of this name in a file, with whose it is."""
    texts = (item for item in module.mentions(name) if isinstance(item, ast.Constant))
    attributes = []
    for node in (*module.nodes(ast.Attribute), *map(module.parent, texts)):
        owner, attribute = module.scopes.attribute_read(node)
        if isinstance(node, ast.Attribute):
            owner, attribute = node.value, node.attr
        if owner is not None and attribute == name and isinstance(node, ast.expr):
            attributes.append((node, owner))
    return attributes


class Access(NamedTuple):
    """An attribute that is read or written: the ``number``-th of its name in its file.

    ``owners`` are the classes whose attribute it may be, and ``text`` is an excerpt of it.
    """

    place: Place
    number: int
    owners: Owners
    text: str


class _Fields:
    """Writers and readers of attributes that hold functions."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._evaluator = slots.evaluator

    # ------------------------------------------------------------------------------------ fields
    def accesses_of(self, slot: Slot) -> Found:
        """Yield all that is put into a field, and all that reads it."""
        for access in self._accesses_by_owner(slot.name).get(slot.owner, ()):
            yield from self._access(access, slot)
        # An unknown object is not the state of an application.
        unknown = () if slot.owner == STATE else self._accesses_by_owner(slot.name).get(UNKNOWN, ())
        for access in unknown:
            if slot.owner not in access.owners.classes:
                why = f"`{access.text}` may be `{slot.owner.rpartition('.')[2]}`'s"
                yield Leak(access.place, why)
        yield from self._in_body(slot)
        yield from self._constructor_arguments(slot)

    @cached_method
    def _accesses_by_owner(self, name: str) -> Mapping[str, Sequence[Access]]:
        """Return the accesses to attributes of this name in all files, by who declares them.

        They hold no tree: fields of many classes have the same name.
        """
        result: defaultdict[str, list[Access]] = defaultdict(list)
        for module in self._evaluator.modules_at(self._slots.words.files_with(name)):
            for number, (node, owner) in enumerate(_attributes(module, name)):
                owners = self._slots.owners(module, owner, name)
                if not owners.classes and owners.is_complete:
                    continue
                access = Access(module.place(node), number, owners, module.excerpt(node))
                for declaring in owners.classes:
                    result[declaring].append(access)
                if not owners.is_complete:
                    result[UNKNOWN].append(access)
        return result

    def _access(self, access: Access, slot: Slot) -> Found:
        """Yield what is put into a field, or what reads it."""
        module = self._evaluator.load(access.place.path)
        if module is None:
            return
        node, _ = _attributes(module, slot.name)[access.number]
        context = getattr(node, "ctx", None)
        if isinstance(context, ast.Store):
            yield from self._stored_value(module, node, slot)
        elif not isinstance(context, ast.Del):
            yield Spot(module, node, slot.depth)

    def _stored_value(self, module: Module, node: ast.expr, slot: Slot) -> Found:
        match module.parent(node):
            case ast.Assign() | ast.AnnAssign() as above:
                if above.value is not None:
                    yield Spot(module, above.value, slot.depth)
            case _:
                yield End(
                    "leak", module, node, f"the arguments of `{module.excerpt(node)}` are unknown"
                )

    def _in_body(self, slot: Slot) -> Found:
        """Yield what the bodies of classes give to a field."""
        for owner in (slot.owner, *self._evaluator.classes.all_subclasses(slot.owner)):
            module, node = self._evaluator.classes.node(owner) or (None, None)
            for name, value in values_given(node.body) if node is not None else ():
                if name == slot.name and module is not None:
                    yield from self._field_default(module, value, slot)

    def _field_default(self, module: Module, value: ast.expr, slot: Slot) -> Found:
        if (
            isinstance(value, ast.Call)
            and self._evaluator.names.qualified_name(module, value.func) == "dataclasses.field"
        ):
            for keyword in value.keywords:
                if keyword.arg == "default":
                    yield Spot(module, keyword.value, slot.depth)
                elif keyword.arg == "default_factory" and not slot.depth:
                    yield End("leak", module, value, "a factory gives the default")
            return
        yield Spot(module, value, slot.depth)

    def _constructor_arguments(self, slot: Slot) -> Found:
        """Yield what calls of classes without ``__init__`` give to a field."""
        for owner in (slot.owner, *self._evaluator.classes.all_subclasses(slot.owner)):
            facts = self._evaluator.classes.facts(owner)
            if facts is None or self._slots.own_fields(owner) is None:
                continue
            calls = self._slots.mentions(owner.rpartition(".")[2])
            for module, node in chain(calls, self._slots.mentions_in("cls", [facts.path])):
                yield from self._made_as(module, node, slot)
        naming = self._slots.words.files_with(slot.name)
        for module, node in self._slots.mentions_in("replace", naming):
            call = module.call_of(node)
            for keyword in () if call is None else call.keywords:
                if keyword.arg == slot.name:
                    yield Spot(module, keyword.value, slot.depth)

    def _made_as(self, module: Module, node: ast.AST, slot: Slot) -> Found:
        call = module.call_of(node)
        for value, made, name in () if call is None else self._slots.fields_given(module, call):
            if name == slot.name and self._slots.field(made, name, slot.depth) == slot:
                yield Spot(module, value, slot.depth)


class _Registers:
    """Functions that an object of a library keeps, and that a program takes out of it and calls.

    ``@server.tool()`` gives a function to a server, which awaits what it gives if it has to. A test
    may call what the server has: ``server.tools["name"].fn()``. It is known what is called there if
    that was taken out of such an object.
    """

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
