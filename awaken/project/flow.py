"""Which values a local name may have where it is read: the reaching definitions of one function.

What is asked for is worked out name by name, and kept for the next question.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from awaken.contract import Place
from awaken.project.bindings import Binding, Function
from awaken.project.control import ControlGraph
from awaken.project.modules import Module
from awaken.project.values import Unknown


@dataclass(frozen=True, slots=True)
class Reaching:
    """The definitions whose value a read may see, in the order of the source.

    ``unbound`` says that the name may have no value there, so that reading it raises. Code that
    cannot be reached is reached by no definition.
    """

    definitions: tuple[Binding, ...]
    unbound: bool = False


class Flow:
    """The definitions and reads of the local names of one function (see ``flow_of``)."""

    def __init__(self, module: Module, function: Function) -> None:
        self._module = module
        self._function = function
        self.scope = module.scopes.scope_made_by(function)
        self._graph = ControlGraph(function, self.scope)
        self._points: dict[str, list[int]] = {}
        for point, event in enumerate(self._graph.events):
            if event is not None:
                self._points.setdefault(self._graph.names[event], []).append(point)
        self._reads: dict[str, dict[ast.AST, Reaching]] = {}

    def definitions(self, name: str) -> tuple[Binding, ...] | Unknown:
        """Return all definitions of the local ``name``; Unknown if some are made elsewhere."""
        name = self.scope.mangled(name)
        bindings = [one for one in self.scope.bindings.get(name, ()) if one.kind != "annotation"]
        elsewhere = next((one for one in bindings if one.node not in self._graph.names), None)
        if elsewhere is not None:
            why = f"`{name}` is rebound by a function inside this one"
            return Unknown(why, self._place(elsewhere.node))
        if not bindings:
            return Unknown(f"`{name}` is no local name", self._place(self._function))
        return tuple(bindings)

    def reads(self, name: str) -> tuple[ast.Name, ...]:
        """Return every read of the local ``name``, also those of functions inside this one."""
        name, scopes = self.scope.mangled(name), self._module.scopes
        found = (
            read
            for scope in scopes.scopes
            for read in scope.reads.get(name, ())
            if scopes.owner(read.id, scope) is self.scope
        )
        return tuple(sorted(found, key=lambda read: (read.lineno, read.col_offset)))

    def reaching(self, read: ast.Name) -> Reaching | Unknown:
        """Return the definitions that may reach ``read``; Unknown where it runs at another time."""
        known = self.definitions(read.id)
        if isinstance(known, Unknown):
            return known
        if read not in self._graph.names:
            why = f"`{read.id}` is read by a function inside this one, which may run at any time"
            return Unknown(why, self._place(read))
        return self._reaching_reads(self.scope.mangled(read.id))[read]

    def reached(self, definition: Binding) -> tuple[ast.Name, ...] | Unknown:
        """Return the reads that may see the value of ``definition``; Unknown if not all are seen.

        A read by a function inside this one makes it unknown, for it may see every definition.
        """
        found: list[ast.Name] = []
        for read in self.reads(definition.name):
            reaching = self.reaching(read)
            if isinstance(reaching, Unknown):
                return reaching
            if definition in reaching.definitions:
                found.append(read)
        return tuple(found)

    def outdated(self, name: str, events: Collection[ast.AST]) -> set[ast.Name]:
        """Return the reads of ``name`` that may see a value given before one of ``events`` ran.

        ``events`` are nodes of definitions of other names, at which something changes: a read is
        outdated if its value was made, then an event happened, then the value is read.
        """
        name = self.scope.mangled(name)
        facts = self._solve(name, frozenset(events))
        outdated = {self._graph.events[point] for point, (_, old) in facts.items() if old}
        return {read for read in self.reads(name) if read in outdated}

    def _reaching_reads(self, name: str) -> dict[ast.AST, Reaching]:
        if name not in self._reads:
            bindings = self._by_bit(name)
            self._reads[name] = {
                event: Reaching(
                    tuple(one for bit, one in bindings.items() if bits & bit and one is not None),
                    unbound=any(bits & bit for bit, one in bindings.items() if one is None),
                )
                for point, (bits, _) in self._solve(name, frozenset()).items()
                if (event := self._graph.events[point]) is not None
                and point not in self._graph.unbound
            }
        return self._reads[name]

    def _by_bit(self, name: str) -> dict[int, Binding | None]:
        """Return the definitions of ``name`` as bits; bit 1 and ``del`` give it no value."""
        bindings = [one for one in self.scope.bindings.get(name, ()) if one.kind != "annotation"]
        found: dict[int, Binding | None] = {1: None}
        for number, binding in enumerate(bindings, 1):
            found[1 << number] = None if binding.kind == "delete" else binding
        return found

    def _solve(self, name: str, events: frozenset[ast.AST]) -> dict[int, tuple[int, int]]:
        """Return what may be in force before each point of ``name``, and what of it is outdated."""
        graph = self._graph
        bindings = [one for one in self.scope.bindings.get(name, ()) if one.kind != "annotation"]
        gives = {one.node: 1 << number for number, one in enumerate(bindings, 1)}
        points = set(self._points.get(name, ()))
        alive: dict[int, int] = {0: 1}
        crossed: dict[int, int] = {}
        waiting = [0]
        while waiting:
            point = waiting.pop()
            event, now, old = graph.events[point], alive.get(point, 0), crossed.get(point, 0)
            if point in graph.unbound and point in points:
                now, old = 1, 0
            elif event is not None and event in gives:
                now, old = gives[event], 0
            elif event in events:
                old = now & ~1
            for after in graph.after[point]:
                before = alive.get(after), crossed.get(after, 0)
                alive[after] = (before[0] or 0) | now
                crossed[after] = before[1] | old
                if before != (alive[after], crossed[after]):
                    waiting.append(after)
        return {point: (alive.get(point, 0), crossed.get(point, 0)) for point in points}

    def _place(self, node: ast.AST) -> Place:
        return Place(self._module.path, self._module.span(node))


def flow_of(module: Module, function: Function) -> Flow:
    """Return what is known of the local names of ``function``, worked out once per tree."""
    known: Flow | None = module.memo.get(function)
    if known is None:
        known = module.memo[function] = Flow(module, function)
    return known
