"""The reaching definitions of the local names of one function.

Each question is answered for a few names at once, and kept for the next one.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar
from weakref import ref

from awaken.contract import Place
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda, position, walk
from awaken.project.source.worklist import reverse_postorder
from awaken.project.values.domain import TooLarge, Unknown
from awaken.project.values.local.control import ControlGraph, parts_of

Part = TypeVar("Part", bound=ast.AST)

_TOGETHER = 256
"""Definitions that are followed at once: a bit each, in numbers that take few words."""

MOST_PAIRS = 100_000
"""Definitions of a name by its reads: 300 ``if`` that give a query another filter, read in each.
In superset, mlflow, ckan and prefect no name that is followed has more than 500."""

_MOST_POINTS = 10_000_000
"""Points of a function by definitions of a name; in those programs there are 3,406 at most."""


class Flow:
    """The definitions and reads of the local names of one function (see ``flow_of``)."""

    def __init__(self, module: Module, function: FunctionOrLambda) -> None:
        # The module keeps its flows.
        self._module = ref(module)
        self._scopes = module.scopes
        self._function = function
        self.scope = module.scopes.scope_made_by(function)
        self._graph = ControlGraph(parts_of(function), self.scope)
        self._order = reverse_postorder([0], self._graph.after.__getitem__)
        self._rank = {point: number for number, point in enumerate(self._order)}
        self._bindings = {
            # ``x: int`` gives the name no value.
            name: [binding for binding in bindings if binding.kind != "annotation"]
            for name, bindings in self.scope.bindings.items()
        }
        self._together = _groups(self._bindings)
        self._reaching: dict[ast.AST, tuple[Binding, ...]] = {}
        self._of_bits: dict[str, dict[int, tuple[Binding, ...]]] = {}
        self._solved: set[str] = set()

    @cached_method
    def definitions(self, name: str) -> tuple[Binding, ...] | Unknown:
        """Return all definitions of the local ``name``; Unknown if some are made elsewhere.

        Of a function that is too large to follow, they are Unknown as well.
        """
        name = self.scope.mangled_name(name)
        bindings = self._bindings.get(name, ())
        for binding in bindings:
            if binding.node not in self._graph.names:
                why = f"`{name}` is rebound by a function inside this one"
                return Unknown(why, self._place(binding.node))
        if not bindings:
            return Unknown(f"`{name}` is no local name", self._place(self._function))
        points, reads = len(self._graph.events), len(self.reads(name))
        if len(bindings) * points > _MOST_POINTS or len(bindings) * reads > MOST_PAIRS:
            why = (
                f"`{name}` has {len(bindings)} values in this function and is read {reads} times, "
                "too many to follow"
            )
            return TooLarge(why, self._place(self._function))
        return tuple(bindings)

    def bound_at(self, node: ast.AST) -> Binding | None:
        """Return the definition that ``node`` makes, if it makes one."""
        return self._by_node.get(node)

    @cached_property
    def _by_node(self) -> dict[ast.AST, Binding]:
        return {item.node: item for many in self._bindings.values() for item in many}

    @cached_method
    def parts(self, kind: type[Part]) -> tuple[Part, ...]:
        """Return all nodes of ``kind`` in the function, in the order of the source."""
        return tuple([node for node in walk(self._function) if isinstance(node, kind)])

    @cached_method
    def reads(self, name: str) -> tuple[ast.Name, ...]:
        """Return every read of the local ``name``, also those of functions inside this one."""
        name = self.scope.mangled_name(name)
        return tuple(sorted(self._scopes.reads_in(self.scope, name), key=position))

    def reaching(self, read: ast.Name) -> tuple[Binding, ...] | Unknown:
        """Return the definitions that may reach ``read``, in the order of the source.

        Unknown where it runs at another time, and there are several. Code that cannot be reached is
        reached by none.
        """
        known = self.definitions(read.id)
        if isinstance(known, Unknown):
            return known
        if not self.runs_in_order(read):
            # A single value is the same at any time.
            is_single = len(known) == 1 and known[0].kind != "delete"
            return known if is_single else self.why_at_any_time(read)
        name = self.scope.mangled_name(read.id)
        if name not in self._solved:
            self._solve(self._together[name])
        return self._reaching[read]

    def runs_in_order(self, read: ast.Name) -> bool:
        """Whether ``read`` runs in the function itself, and so has a point in its graph."""
        return read in self._graph.names

    def why_at_any_time(self, read: ast.Name) -> Unknown:
        """Return why nothing is known of the time of ``read``, which is not in order."""
        why = f"`{read.id}` is read by a function inside this one, which may run at any time"
        return Unknown(why, self._place(read))

    def reads_of(self, definition: Binding) -> tuple[ast.Name, ...] | Unknown:
        """Return the reads that may see the value of ``definition``; Unknown if not all are seen.

        A read by a function inside this one may see every definition: several are unknown then.
        """
        names = self._readers(definition.name)
        return names if isinstance(names, Unknown) else tuple(names.get(definition, ()))

    @cached_method
    def _readers(self, name: str) -> dict[Binding, list[ast.Name]] | Unknown:
        names: dict[Binding, list[ast.Name]] = {}
        for read in self.reads(name):
            reaching = self.reaching(read)
            if isinstance(reaching, Unknown):
                return reaching
            for definition in reaching:
                if definition not in names:
                    names[definition] = []
                names[definition] += (read,)
        return names

    def outdated_reads(self, name: str, events: Collection[ast.AST]) -> set[ast.Name]:
        """Return the reads of ``name`` that may see a value given before one of ``events`` ran.

        ``events`` are nodes of definitions of other names, at which something changes. A read is
        outdated if its value was made before an event, and is read after it.
        """
        name = self.scope.mangled_name(name)
        facts = self._outdated_events(name, frozenset(events))
        return {read for read in self.reads(name) if read in facts}

    # ----------------------------------------------------------------------------------- solving
    def _solve(self, names: Sequence[str]) -> None:
        """Work out what reaches the reads of ``names``: a bit for each definition."""
        graph = self._graph
        changes: dict[ast.AST, tuple[int, int]] = {}
        starts: dict[str, int] = {}
        at = 0
        for name in names:
            bindings = self._bindings[name]
            starts[name] = at
            mask = ((1 << len(bindings)) - 1) << at
            for number, binding in enumerate(bindings, at):
                changes[binding.node] = ~mask, 1 << number
            at += len(bindings)
        keeps, adds = [-1] * len(graph.events), [0] * len(graph.events)
        for point, event in enumerate(graph.events):
            if event in changes:
                keeps[point], adds[point] = changes[event]
                if point in graph.unbound:
                    adds[point] = 0
        alive = self._fixed_point(keeps, adds)
        for point, event in enumerate(graph.events):
            if event is None or point in graph.unbound or graph.names[event] not in starts:
                continue
            name = graph.names[event]
            bits = alive[point] >> starts[name] & ((1 << len(self._bindings[name])) - 1)
            self._reaching[event] = self._by_bits(name, bits)
        self._solved.update(names)

    def _by_bits(self, name: str, bits: int) -> tuple[Binding, ...]:
        """Return the definitions of ``name`` for ``bits``; ``del`` is not one.

        Those of the lower bits come first, and are mostly known from the read before.
        """
        known = self._of_bits.setdefault(name, {0: ()})
        higher: list[int] = []
        while bits not in known:
            higher += (bits,)
            bits ^= 1 << (bits.bit_length() - 1)
        for more in reversed(higher):
            binding = self._bindings[name][more.bit_length() - 1]
            known[more] = known[bits] if binding.kind == "delete" else (*known[bits], binding)
            bits = more
        return known[bits]

    def _fixed_point(self, keeps: Sequence[int], adds: Sequence[int]) -> list[int]:
        """Return what may be in force before each point: nothing before the first one.

        In this order a round per nested loop, and one more, is enough.
        """
        alive = [0] * len(self._graph.events)
        changed = True
        while changed:
            changed = False
            for number, point in enumerate(self._order):
                now = alive[point] & keeps[point] | adds[point]
                for after in self._graph.after[point]:
                    if now | alive[after] != alive[after]:
                        alive[after] |= now
                        # Points further on come later in this round; only a way back needs another.
                        changed = changed or self._rank[after] <= number
        return alive

    def _outdated_events(self, name: str, events: frozenset[ast.AST]) -> set[ast.AST]:
        """Return the events of ``name`` before which one of ``events`` may have outdated it.

        Bit 0 means no value, bit 1 a value, bit 2 an outdated one.
        """
        graph = self._graph
        given = {binding.node for binding in self._bindings.get(name, ())}
        alive = [0] * len(graph.events)
        alive[0], changed = 1, True
        while changed:
            changed = False
            for number, point in enumerate(self._order):
                event, now = graph.events[point], alive[point]
                if event in given:
                    # A new value is not outdated, whatever happened before.
                    now = 1 if point in graph.unbound else 2
                elif event in events and now & 6:
                    now |= 4
                for after in graph.after[point]:
                    if now | alive[after] != alive[after]:
                        alive[after] |= now
                        changed = changed or self._rank[after] <= number
        return {
            event
            for point, event in enumerate(graph.events)
            if event is not None and alive[point] & 4 and graph.names[event] == name
        }

    def _place(self, node: ast.AST) -> Place:
        module = self._module()
        if module is None:
            raise ReferenceError("the module of this flow was let go")
        return module.place(node)


def _groups(bindings: Mapping[str, Sequence[Binding]]) -> dict[str, list[str]]:
    """Return for each name those with which it is followed."""
    groups: dict[str, list[str]] = {}
    group: list[str] = []
    size = 0
    for name, own in bindings.items():
        # Never split between groups: the bits of a name are adjacent.
        if size + len(own) >= _TOGETHER:
            group, size = [], 0
        group.append(name)
        size += len(own) + 1
        groups[name] = group
    return groups


def flow_of(module: Module, function: FunctionOrLambda) -> Flow:
    """Return the flow of the local names of ``function``, worked out once per tree."""
    return module.memoize(function, lambda: Flow(module, function))


def local_flow(module: Module, node: ast.Name) -> Flow | None:
    """Return the flow of the function around ``node`` if the name is local to it."""
    function = module.enclosing_function(node)
    if function is None:
        return None
    scope = module.scopes.scope_of(node)
    owner = module.scopes.owner(node.id, scope)
    return flow_of(module, function) if owner is not None and owner.node is function else None


def local_binding(module: Module, target: ast.Name) -> Binding | None:
    """Return the binding that ``target`` makes; None for a name that other code may read.

    Such a name is that of a module or a class, or ``global`` in its function.
    """
    owner = module.scopes.owner(target.id, module.scopes.scope_of(target))
    if owner is None or owner.kind in {"class", "module"}:
        return None
    bindings = owner.bindings[owner.mangled_name(target.id)]
    return next((binding for binding in bindings if binding.node is target), None)


def reads_seeing(module: Module, binding: Binding) -> Sequence[ast.Name]:
    """Return the reads that may see the value of ``binding``, else all reads."""
    function = binding.scope.node
    if isinstance(function, FunctionOrLambda):
        reached = flow_of(module, function).reads_of(binding)
        if not isinstance(reached, Unknown):
            return reached
    return module.scopes.reads_in(binding.scope, binding.name)
