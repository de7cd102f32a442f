"""Locks of threads that are held while the database is awaited.

In the loop such a lock stops all forever: who waits for it holds up the task that would release
it. One that ``with`` statements alone take becomes a lock of tasks, and all that takes it a
coroutine function.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import structs

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.outside.process_reach import Reach
from awaken.codemods.sqlalchemy.session_to_async.colour.threads.takings import Part, Taking, takings
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import waits
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Place
from awaken.kit.changes import Member, member
from awaken.kit.imports import release_imports
from awaken.kit.search import mentions_in, modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.effects.places.held import lock_of
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project

_UNBOUND_SINCE = (3, 10)
"""The Python since which a lock of tasks may be made where no loop runs yet."""
_ALONE = frozenset({"command", "process", "server"})
"""Entry points in whose processes one loop runs after the other, if any."""


class Locks:
    """Answers for the synchronous part of one program."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._project: Project = part.project
        self._awaited: dict[str, list[Place]] = {}
        self._running: frozenset[FunctionPlace] = frozenset()
        self._becoming: dict[str, list[Taking]] = {}
        self._decorated: dict[FunctionPlace, list[FunctionPlace]] = {}

    @cached_property
    def _takings(self) -> tuple[Taking, ...]:
        return tuple(takings(self._part))

    @cached_property
    def _by_lock(self) -> Mapping[str, list[Taking]]:
        return groups_of((item for item in self._takings if item.lock), attrgetter("lock"))

    # ------------------------------------------------------------------------------- colouring
    def seeds(
        self,
        steps: Collection[FunctionPlace],
        callers: Callable[[FunctionPlace], Iterable[Call]],
    ) -> dict[FunctionPlace, Place]:
        """Return who takes a lock that becomes one of tasks, and is not among ``steps``.

        These become coroutine functions, and ``callers`` calls each of them.
        """
        if not self._takings:
            return {}
        paths = {taking.at.path for taking in self._takings}
        places = (call.place for function in steps for call in callers(function))
        self._awaited = groups_of((at for at in places if at.path in paths), attrgetter("path"))
        self._decorated = self._wrappers(steps)
        self._running = frozenset(self._project.calls.graph().reachable([*steps, *self._decorated]))
        self._becoming = {
            name: together
            for name, together in self._by_lock.items()
            if any(map(self._stops_loop, together)) and self._is_convertible(name, together)
        }
        return {
            taking.function: taking.at
            for together in self._becoming.values()
            for taking in together
            if taking.function not in steps
        }

    def _wrappers(
        self, steps: Collection[FunctionPlace]
    ) -> dict[FunctionPlace, list[FunctionPlace]]:
        """Return the wrappers of the program that call ``steps``, and note where they do."""
        wrappers: defaultdict[FunctionPlace, list[FunctionPlace]] = defaultdict(list)
        for function in steps:
            pair = self._part.node_of(function)
            for decorator in () if pair is None else pair[1].decorator_list:
                wrapping = pair and self._project.calls.wrapping_by(pair[0], decorator)
                if wrapping is None or wrapping.wrapper is None:
                    continue
                home = wrapping.module
                wrappers[self._part.function_around(home, wrapping.wrapper.body[0])].append(
                    function
                )
                self._awaited[home.path] += map(home.place, wrapping.calls)
        return wrappers

    def _stops_loop(self, taking: Taking) -> bool:
        """Whether a function of the loop takes a lock that is held while others run.

        In a process or a loop of its own, nothing else runs meanwhile.
        """
        function = taking.function
        is_of_loop = function in self._running or self._part.is_asynchronous(function)
        if not is_of_loop or not self._is_held(taking):
            return False
        return self._reach.shares_loop(function)

    def _is_held(self, taking: Taking) -> bool:
        if any(other.is_kept for other in (taking, *self._by_lock.get(taking.lock, ()))):
            return True
        module = self._project.module(taking.at.path)
        places = [*self._awaited.get(taking.at.path, ())]
        if module is not None:
            operations = self._part.operations_of(module, taking.function)
            places += [module.place(each.node) for each in operations if waits(each)]
        return any(taking.held.contains(place.span) for place in places)

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self._project, self._part.entry_points)

    # ------------------------------------------------------------------------------ conversion
    def _is_convertible(self, name: str, together: Iterable[Taking]) -> bool:
        """Whether all that is done with a lock is visible, and has a form for tasks."""
        named = {taking.at for taking in together if not taking.is_through}
        return (
            self._project.targets.lowest_python >= _UNBOUND_SINCE
            and all(
                taking.made in twins().locks
                and (taking.is_with or taking.call is not None or taking.is_through)
                for taking in together
            )
            and not any(self._runs_elsewhere(taking.function) for taking in together)
            and self._made_pair(name) is not None
            and all(
                module.place(node) in named or self._releases(module, node)
                for module, node in self._mentions(name)
            )
        )

    def _releases(self, module: Module, lock: ast.expr) -> bool:
        """Whether a function of the loop gives back what it took once of ``lock``.

        Locks of tasks do that without waiting, too, but let nobody in by more than one.
        """
        call = module.method_call_on(lock)
        return (
            call is not None
            and last_name(call.func) == "release"
            and not (call.args or call.keywords)
            and not self._runs_elsewhere(self._part.function_around(module, call))
        )

    def _runs_elsewhere(self, function: FunctionPlace) -> bool:
        """Whether a function may run in a thread, for which the locks of tasks are not safe."""
        graph, entries = self._project.calls.graph(), self._part.entry_points.found
        return function.start < 0 or any(
            entry.kind not in _ALONE
            for caller in graph.reaching([function])
            for entry in entries.get(caller, ())
        )

    def _made_pair(self, name: str) -> tuple[Module, ast.Call] | None:
        """Return the only call that makes a lock; None if there are more, or it is declared."""
        owner, _, attribute = name.rpartition(".")
        definition = self._project.definition(name)
        home = None if definition is None else self._project.module(definition.path)
        module, root = self._project.class_definition(owner) or (home, None)
        if module is None:
            return None
        calls = [
            node.value
            for node in module.nodes_below(root or module.tree, ast.Assign)
            if isinstance(node.value, ast.Call)
            and [last_name(target) for target in node.targets] == [attribute]
            and (self._project.qualified_name(module, node.value.func) or "") in twins().locks
        ]
        return (module, calls[0]) if len(calls) == 1 else None

    def _mentions(self, name: str) -> Iterator[tuple[Module, ast.expr]]:
        """Yield where a lock may be read."""
        words = self._project.spellings_of([name])
        for module in modules_with(self._project, [word.encode() for word in words]):
            for node in mentions_in(self._project, module, words):
                if isinstance(node, ast.expr) and self._may_be(module, node, name):
                    yield module, node

    def _may_be(self, module: Module, node: ast.expr, name: str) -> bool:
        lock = lock_of(self._project, module, node)
        if lock is not None or isinstance(node, ast.Constant):
            return lock is None or lock.name == name
        if isinstance(node, ast.Name):
            return self._project.qualified_name(module, node) == name
        possible = self._project.values.of(module, node)
        made = {value.qualified for value in possible.alternatives if isinstance(value, InstanceOf)}
        return not possible.is_known or not made.isdisjoint(twins().locks)

    # ------------------------------------------------------------------------- what is written
    def places_entered_by(self, function: FunctionPlace) -> list[Place]:
        """Return the locks that ``function`` enters asynchronously."""
        entering = (taking for taking in self._waiting if taking.is_with)
        return [taking.at for taking in entering if taking.function == function]

    def calls_of(self, function: FunctionPlace) -> list[Place]:
        """Return the calls of ``acquire()`` that ``function`` awaits."""
        waiting = (taking for taking in self._waiting if taking.function == function)
        return [taking.call for taking in waiting if taking.call is not None]

    @property
    def takers(self) -> set[FunctionPlace]:
        """The functions that wait for one asynchronously."""
        return {taking.function for taking in self._waiting}

    @property
    def _waiting(self) -> Iterator[Taking]:
        every = (taking for together in self._becoming.values() for taking in together)
        return (taking for taking in every if not taking.is_through)

    def members(self, rule: str) -> Iterator[Member]:
        """Yield the rewrites of the calls that make these locks."""
        for name, together in sorted(self._becoming.items()):
            module, call = self._made_pair(name) or (None, None)
            if module is None or call is None:
                continue
            site: Site[ast.AST] = Site(rule, module, call.func)
            made = member(site, f"`{module.excerpt(call)}`", self._rewritten, together[0].made)
            along = tuple(dict.fromkeys(taking.function.place for taking in together))
            yield structs.replace(made, along=along)

    def _rewritten(self, site: Site[ast.AST], made: str) -> Rewrite:
        if not isinstance(site.node, ast.expr):
            raise Refused(reasons.HELD_LOCK, made)
        twin = twins().locks[made]
        edits = [
            site.replace(site.node, twin),
            import_of_asyncio(self._project, site),
            *release_imports(site, site.node),
        ]
        message = f"`{site.module.text_of(site.node)}` becomes `{twin}`, because tasks wait for it"
        return Rewrite(message, edits, ["it works in one event loop at a time, and not in threads"])

    def refusals(self) -> Iterator[tuple[FunctionPlace, Refused]]:
        """Yield the functions that would stop the loop by a lock, or call what would."""
        for taking in self._takings:
            if taking.lock in self._becoming or not self._stops_loop(taking):
                continue
            why = Refused(reasons.HELD_LOCK, taking.shown, because=(taking.at,))
            yield taking.function, why
            taken = (taking.function, *self._decorated.get(taking.function, ()))
            for function in self._project.calls.graph().reaching(taken):
                if function in self._part.steps:
                    yield function, why
