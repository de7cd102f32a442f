"""Locks of threads that are held while the database is awaited, and pools of threads.

In the loop such a lock stops all forever: who waits for it holds up the task that would release
it. One that ``with`` statements alone take becomes a lock of tasks, and all that takes it a
coroutine function.

A block with a pool runs in a thread of its own, and each worker hands its coroutine to the event
loop and waits for it there: so many run at once as before, and all connections stay in one loop.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, structs
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import Reach
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import waits
from awaken.codemods.sqlalchemy.session_to_async.payload import THREAD, Threaded
from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_ON
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place, Span
from awaken.kit.changes import Member, member
from awaken.kit.imports import release_imports
from awaken.kit.search import argument, mentions_in, modules_with, nodes_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.asynchronous.boundaries import boundaries
from awaken.knowledge.locks import locks
from awaken.project.effects.places.held import lock_of
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import EntryPoints
    from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import Managers
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

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


_KINDS = (locks().kinds.keys() - locks().of_tasks) | {*boundaries().threads.locks}
_WORDS = (*sorted({name.partition(".")[0].encode() for name in _KINDS}), b"lock", b"Lock", b"mutex")
_LIKE_A_LOCK = re.compile(r"\b(\w+_)?r?lock\b|\w*[a-z]Lock\b|\bR?Lock\b|mutex|semaphore")


class Part(Protocol):
    """The questions to the synchronous part of a program."""

    project: Project
    managers: Managers

    @property
    def steps(self) -> Collection[FunctionPlace]:
        """The functions that become coroutine functions."""
        ...

    @property
    def entry_points(self) -> EntryPoints:
        """The functions that something calls outside of the event loop."""
        ...

    def node_of(self, function: FunctionPlace) -> tuple[Module, Function] | None:
        """Return the definition of a function; None for the code outside of all."""
        ...

    def function_around(self, module: Module, node: ast.AST) -> FunctionPlace:
        """Return the function in which ``node`` runs."""
        ...

    def operations_of(self, module: Module, function: FunctionPlace) -> list[Operation]:
        """Return the operations of a function of ``module``."""
        ...

    def is_asynchronous(self, function: FunctionPlace) -> bool:
        """Whether a function is a coroutine function already."""
        ...


class Taking(Struct, frozen=True):
    """A lock is taken ``at`` an expression of ``function``, and is ``held`` there afterwards.

    ``shown`` is that expression. ``lock`` is the qualified name of a variable or attribute, empty
    for others, and ``made`` what makes it. ``is_with`` says that a ``with`` statement names it,
    ``call`` is an ``acquire()`` without arguments that does. ``is_kept`` says that the function is
    left while it is held: at a ``yield``, or for good. A function that takes it ``through`` another
    enters or calls such a function.
    """

    at: Place
    function: FunctionPlace
    held: Span
    shown: str
    lock: str = ""
    made: str = ""
    is_with: bool = False
    call: Place | None = None
    is_kept: bool = False
    is_through: bool = False


def takings(part: Part) -> Iterator[Taking]:
    """Yield where a program takes locks.

    A function that enters a manager which takes a lock, or calls such a function, takes it too.
    """
    result: list[Taking] = []
    for module in modules_with(part.project, _WORDS):
        result += (
            taking
            for node in module.nodes_of(ast.withitem, ast.Call)
            for taking in _takings_at(part, module, node)
        )
    yield from result
    kept = {candidate.function: candidate for candidate in result if candidate.is_kept}
    for function, taking in kept.items():
        for module, node, held in _entries(part, function):
            yield replace(
                taking,
                at=module.place(node),
                function=part.function_around(module, node),
                held=held,
                shown=module.excerpt(node),
                is_with=False,
                call=None,
                is_kept=False,
                is_through=True,
            )


def _takings_at(part: Part, module: Module, node: ast.AST) -> Iterator[Taking]:
    project = part.project
    match node:
        case ast.withitem(context_expr=entered):
            statement = module.parent(node)
            end = module.span(statement or node).end
        case ast.Call(func=ast.Attribute(value=entered, attr="acquire")) if _waits(node):
            end = _released_number(module, node, entered)
        case ast.Call(func=ast.Attribute(attr="enter_context"), args=[entered]):
            end = _end_around(module, node)
        case _:
            return
    made = _made_call(project, module, entered)
    if made is None:
        return
    known = lock_of(project, module, entered)
    held = Span(module.span(entered).end, end)
    is_with = isinstance(node, ast.withitem)
    is_plain = isinstance(node, ast.Call) and not (node.args or node.keywords)
    yield Taking(
        module.place(entered),
        part.function_around(module, entered),
        held,
        module.excerpt(entered),
        "" if known is None else known.name,
        made,
        is_with,
        module.place(node) if is_plain else None,
        _yields(module, entered, held) or (not is_with and _is_never_released(module, node)),
    )


def _made_call(project: Project, module: Module, node: ast.expr) -> str | None:
    """Return the call that makes the lock ``node``, or None."""
    values = project.values.of(module, node).alternatives
    made = sorted({value.qualified for value in values if isinstance(value, InstanceOf)} & _KINDS)
    if made:
        return made[0]
    named = node.func if isinstance(node, ast.Call) else node
    # For unknown values, the name says whether it may be one.
    return None if values or not _LIKE_A_LOCK.search(last_name(named)) else ""


def _waits(call: ast.Call) -> bool:
    """Whether ``acquire`` waits until the lock is free."""
    blocking = argument(call, 0, "blocking")
    return not (isinstance(blocking, ast.Constant) and blocking.value is False)


def _released_number(module: Module, call: ast.Call, lock: ast.expr) -> int:
    """Return where the lock is released at last that ``call`` acquires."""
    function = module.enclosing_function(call) or module.tree
    text = module.text_of(lock)
    ends = [
        module.span(node).end
        for node in module.nodes_below(function, ast.Attribute)
        if node.attr == "release" and module.text_of(node.value) == text
    ]
    return max(ends, default=_end_around(module, call))


def _is_never_released(module: Module, call: ast.AST) -> bool:
    match call:
        case ast.Call(func=ast.Attribute(value=lock, attr="acquire")):
            return _released_number(module, call, lock) == _end_around(module, call)
    return False


def _end_around(module: Module, node: ast.AST) -> int:
    return module.span(module.enclosing_function(node) or module.tree).end


def _yields(module: Module, node: ast.AST, held: Span) -> bool:
    function = module.enclosing_function(node)
    return any(
        isinstance(part, ast.Yield | ast.YieldFrom) and held.contains(module.span(part))
        for part in (() if function is None else module.walk(function))
    )


def _entries(part: Part, function: FunctionPlace) -> Iterator[tuple[Module, ast.expr, Span]]:
    """Yield what enters the manager that ``function`` makes or is of, or calls it, and how long."""
    for call in part.managers.callers(function):
        for module, node in part.project.expressions_at(call.place):
            item = module.parent(node)
            statement = module.parent(item) if isinstance(item, ast.withitem) else None
            end = _end_around(module, node) if statement is None else module.span(statement).end
            yield module, node, Span(module.span(node).end, end)
            break


POOL = "concurrent.futures.ThreadPoolExecutor"
_LEAVING = (
    ast.AsyncFunctionDef, ast.Await, ast.Break, ast.ClassDef, ast.Continue, ast.FunctionDef,
    ast.Global, ast.Nonlocal, ast.Return, ast.Yield, ast.YieldFrom,
)  # fmt: skip
"""What cannot move into a function of its own, or may mean something else there."""


class ThreadPools:
    """Finds such blocks of one program: those that do nothing but run lambdas of one call each."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.lambdas: dict[Place, Place] = {}
        for module, node in nodes_with(project, (b"ThreadPoolExecutor",), ast.With):
            block = module.place(node)
            self.lambdas |= {
                module.place(part): block for part in self._lambdas_of_pool(module, node)
            }

    def callers(self, function: FunctionPlace) -> Iterator[Call]:
        """Yield the calls of a function that a worker makes."""
        graph = self._project.calls.graph()
        for call in graph.callers(function) if self.lambdas else ():
            if graph.lambda_around(call) in self.lambdas:
                yield call

    def edits(
        self,
        site: Site[ast.AST],
        root: ast.AST,
        calls: Mapping[Place, Sequence[Call]],
        waiting: Sequence[Place],
    ) -> Iterator[Edit]:
        """Yield what runs the blocks below ``root`` in threads. Raises Refused.

        ``calls`` are those of what waits, by the lambdas around them; ``waiting`` is all else that
        does.
        """
        module = site.module
        blocks: defaultdict[Place, list[Place]] = defaultdict(list)
        for around, block in self.lambdas.items():
            if around.path == module.path and around in calls:
                blocks[block].append(around)
        for node in module.walk(root) if blocks else ():
            if not isinstance(node, ast.With) or module.place(node) not in blocks:
                continue
            block = module.place(node)
            is_all = all(
                around in calls and _is_body(around, calls[around])
                for around, other in self.lambdas.items()
                if other == block
            )
            if not is_all or any(block.span.contains(place.span) for place in waiting):
                raise Refused(HANDED_ON, module.excerpt(node.items[0].context_expr))
            name = module.fresh_local(node, "run_in_threads", "run_workers")
            loop = module.fresh_local(node, "loop", "event_loop")
            yield site.rewrite(
                node, THREAD, Threaded(name, loop, *_names_used_elsewhere(module, node))
            )
            yield import_of_asyncio(self._project, site, node)

    def _lambdas_of_pool(self, module: Module, block: ast.With) -> Iterator[ast.Lambda]:
        """Yield the lambdas that the pool of a block runs; none if it does anything else."""
        match block.items:
            case [ast.withitem(context_expr=ast.Call(func=made), optional_vars=ast.Name(id=pool))]:
                if self._project.qualified_name(module, made) != POOL:
                    return
            case _:
                return
        lambdas: list[ast.Lambda] = []
        for node in (part for statement in block.body for part in module.walk(statement)):
            is_text = isinstance(node, ast.Constant) and node.end_lineno != node.lineno
            if is_text or isinstance(node, _LEAVING):
                return
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="map" | "submit"),
                    args=[ast.Lambda(body=ast.Call()) as given, *_],
                ) if name == pool:
                    lambdas.append(given)
        names = _names_used_elsewhere(module, block)
        # A function returns one value, which nothing else in the function around it sets.
        if not names or (
            len(names) == 1 and names[0] != pool and _is_set_once(module, block, *names)
        ):
            yield from lambdas


def _names_used_elsewhere(module: Module, block: ast.With) -> list[str]:
    """Return the variables that a block sets and that the function around it uses elsewhere."""
    around, inside = module.enclosing_function(block), module.span(block)
    names = list(module.nodes_below(around, ast.Name)) if around else []
    within = {node for node in names if inside.contains(module.span(node))}
    stored = {node.id for node in within if isinstance(node.ctx, ast.Store)}
    return sorted(stored & {node.id for node in names if node not in within})


def _is_set_once(module: Module, block: ast.With, name: str) -> bool:
    """Whether a statement of the block itself is all that sets a variable."""
    around = module.enclosing_function(block)
    scope = None if around is None else module.scopes.scope_made_by(around)
    bindings = [] if scope is None else scope.bindings.get(name, [])
    return len(bindings) == 1 and module.parent(bindings[0].node) in block.body


def _is_body(around: Place, calls: Sequence[Call]) -> bool:
    """Whether a lambda gives what its only call gives."""
    return len(calls) == 1 and calls[0].place.span.end == around.span.end
