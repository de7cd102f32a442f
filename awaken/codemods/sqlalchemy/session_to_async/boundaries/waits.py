"""Calls with another meaning in the one thread of an event loop, and those that hold it up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import (
    Reach,
    is_call_of,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import ASKING, asks_for_loop
from awaken.contract import Place, Reason
from awaken.kit.search import argument, modules_with, nodes_with
from awaken.kit.sites import Refused, listed_names
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.libraries import Wait
from awaken.knowledge.library_names import name_list
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf
from awaken.project.values.local.flow import local_binding

if TYPE_CHECKING:
    from awaken.project import Project

_KNOWN = boundaries().threads
_WAITS = frozenset({*_KNOWN.waits, *_KNOWN.joins, *_KNOWN.outside})
_METHODS = frozenset(name.rpartition(".")[2] for name in (*_WAITS, *_KNOWN.identities))
_WORDS = tuple(
    sorted({name.partition(".")[0].encode() for name in (*_WAITS, *_KNOWN.identities)})
    + [name.encode() for name in _KNOWN.handed]
)
_PRINTING = name_list("logging_methods") | {"print"}
"""What a program tells people with."""


class Waits:
    """Answers for the synchronous part of one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project: Project = part.project
        self._reach = Reach(part.project, part.entry_points)

    def refusals(self) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the functions that become coroutine functions and do, or call, such a thing.

        In a process or a loop of its own, nothing else runs meanwhile.
        """
        graph, steps = self._project.calls.graph(), self._part.steps
        for module in modules_with(self._project, _WORDS, is_around_tests) if steps else ():
            for node, reason in self._pairs_in(module):
                around = self._part.function_around(module, node)
                if around.start < 0 or module.enclosing_function(node) is None:
                    continue
                why = Refused(reason, module.excerpt(node), because=(module.place(node),))
                for function in graph.reaching([around]):
                    if function in steps and self._reach.shares_loop(function):
                        yield function, why

    def _pairs_in(self, module: Module) -> Iterator[tuple[ast.expr, Reason]]:
        for node in module.walk():
            if isinstance(node, ast.Call) and last_name(node.func) in _METHODS:
                reason = self._of_call(module, node)
                if reason is not None:
                    yield node, reason
            elif isinstance(node, ast.Name | ast.Attribute) and self._is_local(module, node):
                yield node, reasons.OF_ONE_THREAD

    def _of_call(self, module: Module, call: ast.Call) -> Reason | None:
        qualified = self._project.qualified_name(module, call.func)
        names = {*self._project.effects.library_functions(module, call), qualified}
        if isinstance(call.func, ast.Attribute) and call.func.attr == "wait":
            owners = self._project.instance_of(module, call.func.value)
            names |= {f"{owner}.wait" for owner in owners}
        if names.intersection(_KNOWN.outside):
            return reasons.OUTSIDE_OF_LOOP
        if names.intersection(_KNOWN.identities):
            return None if _is_printed(module, call) else reasons.OF_ONE_THREAD
        is_putting = last_name(call.func) == "put"
        is_waiting = (
            names.intersection(_KNOWN.waits)
            and not _is_immediate(call)
            and not (is_putting and not self._has_full_queues)
            and not self._waits_for_threads(module, call)
        )
        is_joining = names.intersection(_KNOWN.joins) and self._may_be_handed_back
        return reasons.WAITS_FOR_OTHERS if is_waiting or is_joining else None

    def _waits_for_threads(self, module: Module, call: ast.Call) -> bool:
        """Whether only functions that threads call can end a wait: none of them needs the loop.

        It is announced of methods called `wait` that they block the loop.
        """
        match call.func:
            case ast.Attribute(value=waited, attr="wait") if not self._may_be_handed_back:
                binding = module.scopes.only_binding(waited, "assignment")
            case _:
                return False
        target = None if binding is None else binding.node
        if not isinstance(target, ast.Name) or (binding := local_binding(module, target)) is None:
            return False
        reads = module.scopes.reads_in(binding.scope, binding.name)
        inside = {module.scopes.scope_of(read) for read in reads} - {binding.scope}
        return all(map(module.method_call_on, reads)) and all(
            isinstance(scope.node, ast.FunctionDef) and self._runs_in_threads(module, scope.node)
            for scope in inside
        )

    def _runs_in_threads(self, module: Module, node: ast.FunctionDef) -> bool:
        """Whether all that reads the name of a function has a thread call it."""
        entries = self._part.entry_points.found.get(self._part.place_of(module, node), ())
        reads = module.scopes.reads_in(module.scopes.scope_of(node), node.name)
        threads = {entry.at for entry in entries if entry.kind == "thread"}
        return bool(threads) and {*map(module.place, reads)} <= threads

    @cached_property
    def _may_be_handed_back(self) -> bool:
        """Whether a thread, or the work of a future, may wait for the loop itself."""
        return bool(self._project.files_with([name.encode() for name in _KNOWN.handed]))

    @cached_property
    def _has_full_queues(self) -> bool:
        """Whether some queue takes no more than so many items."""
        return any(
            last_name(node.func).endswith("Queue") and bool(node.args or node.keywords)
            for _, node in nodes_with(self._project, (b"Queue",), ast.Call)
        )

    # ----------------------------------------------------------------------- state of one thread
    def _is_local(self, module: Module, node: ast.Name | ast.Attribute) -> bool:
        """Whether ``node`` is an object with other attributes in each thread."""
        if last_name(node) not in self._locals or not isinstance(node.ctx, ast.Load):
            return False
        values = self._project.values.of(module, node).alternatives
        made = {value.qualified for value in values if isinstance(value, InstanceOf)}
        bases = {base for name in made for base in self._project.library_ancestors(name)}
        return not values or not bases.isdisjoint(_KNOWN.local)

    @cached_property
    def _locals(self) -> frozenset[str]:
        """The names of variables and attributes that hold such an object."""
        names = set[str]()
        for module, node in nodes_with(self._project, (b"local",), ast.AST):
            match node:
                case (
                    ast.Assign(targets=[target], value=ast.Call(func=made))
                    | ast.AnnAssign(target=target, value=ast.Call(func=made))
                ) if self._makes_local(module, made):
                    names.add(last_name(target))
        return frozenset(names)

    def _makes_local(self, module: Module, made: ast.expr) -> bool:
        names = {self._project.qualified_name(module, made)}
        for name in self._project.classes_of(module, made):
            names |= {name, *self._project.library_ancestors(name)}
        return not names.isdisjoint(_KNOWN.local)


def _is_immediate(call: ast.Call) -> bool:
    """Whether a call of `get` or `put` does not wait."""
    positions = {"get": 0, "put": 1}
    name = last_name(call.func)
    block = argument(call, positions[name], "block") if name in positions else None
    return isinstance(block, ast.Constant) and not block.value


def _is_printed(module: Module, call: ast.Call) -> bool:
    """Whether what tells one thread from another is only shown to people."""
    return any(
        isinstance(ancestor, ast.Call) and last_name(ancestor.func) in _PRINTING
        for ancestor in module.ancestors(call)
    )


_LONG: frozenset[Wait] = frozenset({"cpu", "http", "lock", "network", "process", "sleep"})
"""What takes its time, and does not wait for the database."""


class HoldingUp:
    """Answers for one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part

    def caveats(self, module: Module, node: ast.FunctionDef) -> tuple[list[str], tuple[Place, ...]]:
        """Return a caveat for each call by which a function blocks, and the places of these calls.

        Functions that it calls are followed, but not those that become coroutine functions: they
        say so themselves.
        """
        if is_around_tests(module.path):
            return [], ()
        function, graph = self._part.place_of(module, node), self._part.project.calls.graph
        called = self._asking.intersection(graph().reachable([function]) if self._asking else ())
        said = [f"`{item.qualname}` finds a running event loop now" for item in sorted(called)]
        result = {
            blocking_call.name: (*blocking_call.chain, blocking_call.place)
            for blocking_call in self._part.project.effects.blocking_calls(module, node).known
            if blocking_call.waits_for in _LONG
            and self._awaited_places.isdisjoint(blocking_call.chain)
        }
        if not result:
            return said, ()
        verb = "blocks" if len(result) == 1 else "block"
        places = tuple(place for places in result.values() for place in places)
        return [*said, f"{listed_names(sorted(result))} now {verb} the event loop"], places

    @cached_property
    def _asking(self) -> frozenset[FunctionPlace]:
        """The functions that run a loop where none is running."""
        project = self._part.project
        return frozenset(
            self._part.function_around(module, call)
            for module, call in nodes_with(
                project, sorted(name.encode() for name in ASKING), ast.Call
            )
            if is_call_of(project, module, call, boundaries().loops)
            if asks_for_loop(module, call)
        )

    @cached_property
    def _awaited_places(self) -> frozenset[Place]:
        return frozenset(call.place for calls in self._part.calls.values() for call in calls)
