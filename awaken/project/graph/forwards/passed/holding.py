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
from awaken.project.graph.forwards.passed.passed_functions import bound_by
from awaken.project.graph.forwards.passed.slots import (
    KEYS,
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
    depth_in,
)
from awaken.project.graph.passing import collected_arguments, default_of
from awaken.project.names.functions.decorators import takes_receiver
from awaken.project.names.functions.injections import OVERRIDES
from awaken.project.source.bindings import Binding, Scope
from awaken.project.source.memo import cached_in_file, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    argument_of,
    parameters_of,
    unpacks,
    values_given,
    without_arguments,
)
from awaken.project.source.worklist import Worklist
from awaken.project.values.domain import FunctionOf, InstanceOf
from awaken.project.values.pytest_fixtures import fixture_for, fixture_name

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
