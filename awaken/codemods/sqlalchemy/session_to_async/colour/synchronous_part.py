"""The synchronous part of a program: operations, and the functions that wait for them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import EntryPoints
from awaken.codemods.sqlalchemy.session_to_async.colour.manager_classes import (
    FakeEngines,
    Managers,
    Results,
)
from awaken.codemods.sqlalchemy.session_to_async.colour.properties import Properties
from awaken.codemods.sqlalchemy.session_to_async.colour.task_calls import runs_loop
from awaken.codemods.sqlalchemy.session_to_async.colour.test_stand_ins import Fakes, StandIns
from awaken.codemods.sqlalchemy.session_to_async.colour.threads import Locks, ThreadPools
from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import Block
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import (
    FileOperations,
    waits,
)
from awaken.contract import Place
from awaken.kit.rule import ProjectFacts
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.forwards.call_graph import Call, CallGraph, FunctionPlace
from awaken.project.graph.forwards.colouring import Step, coloured_functions
from awaken.project.graph.forwards.passed.components import Component, Walked
from awaken.project.names.functions.wrapping import Wrapping
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.project import Project


class SynchronousPart:
    """The synchronous work of a program with its database, and the functions that wait for it.

    It keeps places and no trees; ``loading`` are statements in front of which something is loaded.
    Where connections belong to an event loop, ``databases`` are those of the program. Clients of
    tests wait as well then. Functions that are ``bridged``, by name, stay plain.
    """

    def __init__(
        self,
        project: Project,
        operations: FileOperations,
        loading: Iterable[Place] = (),
        *,
        databases: Collection[str] = (),
        bridged: Collection[str] = (),
    ) -> None:
        self.project = project
        self.managers = Managers(project, self.function_around)
        self.properties = Properties(project, self.function_around)
        self._fakes = Fakes(project)
        self.fake_engines = FakeEngines(project)
        self.results = Results(project, self._standing_in, self.fake_engines.entered)
        self.pools = ThreadPools(project)
        self.wrappers = Wrappers(project)
        self.locks = Locks(self)
        self._loading = frozenset(loading)
        self.is_loop_bound = bool(databases)
        self.databases = databases
        self._bridged = bridged
        self._operations = operations
        self._asynchronous: set[FunctionPlace] = set()
        self._operating: set[FunctionPlace] = set()
        self._seeds: dict[FunctionPlace, Place] = {}
        self._lambdas: dict[FunctionPlace, dict[Place, list[Place]]] = {}
        self._leaks: dict[int, tuple[Component, dict[Place, str]]] = {}
        # Where a loop is begun for one coroutine: not inside of another.
        self._loops: dict[FunctionPlace, Place] = {}
        for module in operations.files():
            self._read(module)

    def _read(self, module: Module) -> None:
        self._asynchronous |= {
            self.place_of(module, node) for node in module.nodes(ast.AsyncFunctionDef)
        }
        for call in module.nodes(ast.Call):
            if self._runs_loop(module, call):
                self._loops.setdefault(self.function_around(module, call), module.place(call))
        for start, operations in self._operations.in_file(module).items():
            function = self.place_of(module, module.function_at(start))
            self._operating.add(function)
            for operation in operations:
                self.fake_engines.add(operation, module.place(operation.node))
            waiting = [candidate for candidate in operations if waits(candidate)]
            if waiting:
                self._seeds[function] = module.place(waiting[0].node)
                self._lambdas[function] = _in_lambdas_of(module, waiting)
        for node in module.walk() if any(one.path == module.path for one in self._loading) else ():
            if isinstance(node, ast.stmt) and module.place(node) in self._loading:
                self._seeds.setdefault(self.function_around(module, node), module.place(node))

    def loads(self, statement: Place) -> bool:
        """Whether something is loaded in front of a statement, or inside of it."""
        return any(
            place.path == statement.path and statement.span.contains(place.span)
            for place in self._loading
        )

    def _runs_loop(self, module: Module, call: ast.Call) -> bool:
        is_named = last_name(call.func) in {"run", "run_until_complete"}
        return is_named and runs_loop(self.project, module, call)

    def operations_of(self, module: Module, function: FunctionPlace) -> list[Operation]:
        """Return the operations of a function of ``module``, in the order of their places."""
        return self._operations.in_file(module).get(function.start, [])

    def place_of(self, module: Module, function: Function | None) -> FunctionPlace:
        """Return the function of a file, or without one the code outside of all functions."""
        return self.project.calls.graph().place_of(module, function)

    def function_at(self, path: str, start: int) -> FunctionPlace | None:
        """Return the function whose ``def`` begins at a byte of a file."""
        return self.project.calls.graph().function_at(path, start)

    def function_around(self, module: Module, node: ast.AST) -> FunctionPlace:
        """Return the function in which ``node`` runs."""
        return self.place_of(module, self._operations.function_around(module, node))

    def blocks_in(self, module: Module) -> Sequence[Block]:
        """Return the statements of a factory that a file runs when it is imported."""
        return self._operations.factory_blocks.of_files.get(module.path, ())

    def with_caller(self, call: Call) -> Call:
        """Return a call with the code that runs it: that of a file, if an application starts so."""
        if not self._operations.factory_blocks.holds(call.place):
            return call
        file = self.function_at(call.place.path, -1)
        return call if file is None else call._replace(caller=file)

    def node_of(self, function: FunctionPlace) -> tuple[Module, Function] | None:
        """Return the definition of a function; None for the code outside of all."""
        return self.project.calls.definition_of(function)

    def is_asynchronous(self, function: FunctionPlace) -> bool:
        """Whether a function is a coroutine function, or an asynchronous generator, already."""
        return function in self._asynchronous

    def ends_as_coroutine(self, function: FunctionPlace) -> bool:
        """Whether a function is a coroutine function, or such a generator, after the change."""
        return function in self.steps or self.is_asynchronous(function)

    @cached_property
    def steps(self) -> dict[FunctionPlace, Step]:
        """The functions that have to become coroutine functions, each with why."""
        passed, managers = self.project.calls.passed_functions(), self.managers
        fakes, graph = self._fakes, self.project.calls.graph()

        def callers(function: FunctionPlace, walked: Walked | None = None) -> Iterable[Call]:
            direct = [*map(self.with_caller, managers.callers(function))]
            called = [*passed.callers(function, direct, walked)]
            for place in sorted(self.awaiting_lambdas.keys() & self._lambdas.get(function, {})):
                called += passed.of_lambda(place).calls.values()
            return (*called, *self.properties.callers(function), *self.pools.callers(function))

        def kin(function: FunctionPlace, walked: Walked) -> Iterable[FunctionPlace]:
            if function.qualname.endswith(".__init__"):
                # An object is made by that of its own class, whatever those above and below do.
                return self.wrappers.decorated_functions(function)
            together = (
                *fakes.methods_of_fakes(function),
                *self.entry_points.functions_wrapped_with(function),
            )
            wrapped = (
                *self.wrappers.decorated_functions(function),
                *_called_in_place(graph, function),
            )
            given = self.results.entering_methods(function)
            beside = passed.interchangeable_functions(function, walked)
            return (*managers.linked_methods(function), *beside, *together, *wrapped, *given)

        def with_stand_ins(function: FunctionPlace, walked: Walked) -> Iterable[FunctionPlace]:
            replacing = self.stand_ins
            beside = (*replacing.stand_ins_for(function, waiting), *replacing.replaced_by(function))
            return (*kin(function, walked), *beside)

        seeds = {**self.fake_engines.awaited, **self.fake_engines.entered, **self._seeds}
        while True:
            # All of a component is coloured with the first of its functions.
            waiting = coloured_functions(
                partial(callers, walked={}), partial(kin, walked={}), seeds, self._is_end
            )
            steps = coloured_functions(
                partial(callers, walked={}), partial(with_stand_ins, walked={}), seeds, self._is_end
            )
            taken = self.locks.seeds(steps, callers)
            added = self._loops_in(steps) | {
                function: at for function, at in taken.items() if not self._is_end(function)
            }
            if not added:
                return steps
            seeds |= added

    def _loops_in(self, steps: Iterable[FunctionPlace]) -> dict[FunctionPlace, Place]:
        """Return the functions that begin a loop, and would do so inside of that of ``steps``."""
        reached = self.project.calls.graph().reachable(steps) if self._loops else ()
        return {
            function: self._loops[function]
            for function in reached
            if function in self._loops and function not in steps and not self._is_end(function)
        }

    def _standing_in(self, function: FunctionPlace) -> Iterator[FunctionPlace]:
        """Yield what is called in the place of a function, or has it called in its own."""
        yield from self.managers.linked_methods(function)
        yield from self._fakes.methods_of_fakes(function)
        yield from self._fakes.originals(function)
        yield from _called_in_place(self.project.calls.graph(), function)

    @cached_property
    def stand_ins(self) -> StandIns:
        """The functions of tests that replace others."""
        return StandIns(self.project)

    def _is_end(self, function: FunctionPlace) -> bool:
        # A call of a task by its name runs its body.
        points = self.entry_points
        is_outside = function in points.found and not points.is_task(function)
        return self.is_asynchronous(function) or is_outside

    @cached_property
    def entry_points(self) -> EntryPoints:
        """The functions that something calls outside of the event loop."""
        return EntryPoints(self.project, self._seeds, self._bridged)

    @property
    def is_waiting(self) -> bool:
        """Whether anything in the program waits."""
        is_anything_asynchronous = not self._asynchronous.isdisjoint(self._seeds)
        return (
            bool(self.steps)
            or is_anything_asynchronous
            or any(map(self.waits, self.entry_points.found))
        )

    def waits(self, function: FunctionPlace) -> bool:
        """Whether a function uses the database, or calls a function that does."""
        wrapped = self.entry_points.wrapped.get(function, ())
        return (
            function in self._seeds
            or function in self.calls
            or function in self.entries
            or function in self.property_reads
            or function in self.locks.takers
            or any(candidate in self.steps for candidate in wrapped)
        )

    @property
    def in_lambdas(self) -> dict[Place, list[Call]]:
        """The calls of coloured functions that are in lambdas, by the lambda."""
        calls, pools = self._in_lambdas, self.pools.lambdas
        return {around: each for around, each in calls.items() if around not in pools}

    @property
    def in_threads(self) -> dict[Place, list[Call]]:
        """Those that the threads of a pool call."""
        calls, pools = self._in_lambdas, self.pools.lambdas
        return {around: each for around, each in calls.items() if around in pools}

    @cached_property
    def _in_lambdas(self) -> dict[Place, list[Call]]:
        graph, passed = self.project.calls.graph(), self.project.calls.passed_functions()
        functions: dict[Place, dict[Place, Call]] = defaultdict(dict)
        for function in self.steps:
            others = (each.calls.values() for each in passed.components_around(function))
            for call in chain(graph.callers(function), *others):
                around = graph.lambda_around(call)
                if around is not None:
                    functions[around][call.place] = call
        return {
            around: [calls[place] for place in sorted(calls)]
            for around, calls in sorted(functions.items())
        }

    @cached_property
    def awaiting_lambdas(self) -> dict[Place, list[Place]]:
        """The awaited operations that are in lambdas of which all calls are known."""
        passed = self.project.calls.passed_functions()
        places = {place: own for each in self._lambdas.values() for place, own in each.items()}
        components = {place: passed.of_lambda(place) for place in sorted(places)}
        return {
            place: places[place]
            for place, component in components.items()
            if component.calls and not component.functions and not component.threads
            if place not in self.pools.lambdas and not component.leaks
        }

    @property
    def in_written_lambdas(self) -> set[Place]:
        """The operations that lambdas await when they are coroutine functions."""
        return {place for places in self.awaiting_lambdas.values() for place in places}

    @cached_property
    def escaping_components(self) -> list[Component]:
        """The coloured functions that are passed on, with all that they are passed on with."""
        passed = self.project.calls.passed_functions()
        components = [
            component for function in self.steps for component in passed.components_of(function)
        ]
        lambdas = (*self.in_lambdas, *self.awaiting_lambdas)
        components += [passed.of_lambda(place) for place in lambdas]
        return list({id(component): component for component in components}.values())

    def leaks(self, component: Component) -> dict[Place, str]:
        """Return the places from which unread code may call a function that is passed on.

        Places that may call it come first, those that are not followed last. A test's replacement
        of a function that waits is awaited in the same places.
        """
        # Each of its functions asks. The component is kept, so that no other gets its identity.
        kept = self._leaks.get(id(component))
        if kept is None:
            kept = self._leaks[id(component)] = component, self._leaks_of(component)
        return kept[1]

    def _leaks_of(self, component: Component) -> dict[Place, str]:
        decorators = self.wrappers.decorators(component.functions) if component.leaks else ()
        return {
            place: why
            for place, why in sorted(component.leaks.items(), key=_calls_first)
            if place not in decorators
            and not self.stand_ins.is_of_session(place)
            and not any(function in self.steps for function in self.stand_ins.replaced_at(place))
            and not self._is_taken_as_coroutine(place)
        }

    def _is_taken_as_coroutine(self, place: Place) -> bool:
        """Whether a test has a function returned where all results go to what awaits if it has to.

        Such as `Depends(...)`, which gets what the replaced function returns.
        """
        replaced = self.stand_ins.returned_for(place)
        results = map(self.project.calls.passed_functions().of_result, replaced)
        # A call in the program would get a coroutine in the test alone.
        are_taken = [not (each.calls or each.leaks or each.threads) for each in results]
        return bool(are_taken) and all(are_taken)

    @cached_property
    def calls(self) -> dict[FunctionPlace, list[Call]]:
        """The calls of coloured functions, by the function around them."""
        graph = self.project.calls.graph()
        functions: dict[FunctionPlace, dict[Place, Call]] = defaultdict(dict)
        for function in self.steps:
            for call in map(self.with_caller, graph.callers(function)):
                if graph.lambda_around(call) is None:
                    functions[call.caller][call.place] = call
        for component in self.escaping_components:
            for call in map(self.with_caller, component.calls.values()):
                around = graph.lambda_around(call)
                if around is None or around not in self._in_lambdas:
                    functions[call.caller][call.place] = call
        return {
            caller: sorted(calls.values(), key=lambda item: item.place)
            for caller, calls in functions.items()
        }

    def is_result_used(self, function: FunctionPlace) -> bool:
        """Whether some call does anything with what ``function`` gives."""
        for call in self.project.calls.graph().callers(function):
            for module, node in self.project.calls_at(call.place):
                if not isinstance(module.parent(node), ast.Expr):
                    return True
        return False

    @cached_property
    def entries(self) -> dict[FunctionPlace, list[Place]]:
        """The places that enter a manager of the program, by the function around them."""
        return _by_caller(entry for each in self.steps for entry in self.managers.entries(each))

    @cached_property
    def property_reads(self) -> dict[FunctionPlace, list[Place]]:
        """The reads of properties that become methods, by the function around them."""
        return _by_caller(caller for each in self.steps for caller in self.properties.callers(each))

    @cached_property
    def functions(self) -> list[FunctionPlace]:
        """The functions in which something changes, in the order of their places."""
        changed: Iterable[FunctionPlace] = (
            *self.steps,
            *self._operating,
            *self.calls,
            *self.entries,
            *self.property_reads,
            *self.locks.takers,
        )
        return sorted(set(changed))


def _called_in_place(graph: CallGraph, function: FunctionPlace) -> Iterator[FunctionPlace]:
    """Yield what else is called where ``function`` is, by one name, of classes of one kind."""
    for call in graph.callers(function):
        if call.kind == "several":
            yield from call.functions


def _calls_first(leak: tuple[Place, str]) -> tuple[bool, Place]:
    """Order what may call a function before what is only not followed."""
    place, why = leak
    return not why.endswith("may call it"), place


def _by_caller(calls: Iterable[Call]) -> dict[FunctionPlace, list[Place]]:
    """Return the places of calls by the function around them."""
    result: dict[FunctionPlace, set[Place]] = defaultdict(set)
    for call in calls:
        result[call.caller].add(call.place)
    return {caller: sorted(places) for caller, places in result.items()}


def _in_lambdas_of(module: Module, operations: Iterable[Operation]) -> dict[Place, list[Place]]:
    """Return the awaited operations of a function that are in lambdas, by the lambda."""
    result: defaultdict[Place, list[Place]] = defaultdict(list)
    for operation in operations:
        around = module.enclosing_function(operation.node)
        if operation.how == "awaited" and isinstance(around, ast.Lambda):
            result[module.place(around)].append(module.place(operation.node))
    return dict(result)


class _Wrapper(Struct, frozen=True):
    """A wrapper: where its decorator is defined, what that decorates, and the calls of that."""

    decorator: Place
    decorated: tuple[FunctionPlace, ...]
    calls: tuple[Place, ...]


class Wrappers(ProjectFacts):
    """Answers which functions are wrappers, of decorators that visibly do nothing else."""

    def decorated_functions(self, function: FunctionPlace) -> tuple[FunctionPlace, ...]:
        """Return the functions that ``function`` is the wrapper of: it is called in their place."""
        wrapper = self._wrapper_of(function)
        return () if wrapper is None else wrapper.decorated

    def calls_of(self, function: FunctionPlace) -> tuple[Place, ...]:
        """Return the calls in ``function`` that call what it is the wrapper of."""
        wrapper = self._wrapper_of(function)
        return () if wrapper is None else wrapper.calls

    def decorators(self, functions: Iterable[FunctionPlace]) -> set[Place]:
        """Return the decorators that give one of ``functions`` as their wrapper."""
        wrappers = map(self._wrapper_of, functions)
        return {wrapper.decorator for wrapper in wrappers if wrapper is not None}

    @cached_method
    def _wrapper_of(self, function: FunctionPlace) -> _Wrapper | None:
        outermost, is_inside, _ = function.qualname.partition(".<locals>.")
        module = self._project.module(function.path) if is_inside else None
        # Importable decorators may decorate functions of other programs.
        if module is None or self._project.published:
            return None
        node = module.function_at(function.start)
        qualified = f"{module.name}.{outermost}"
        wrapping = self._wrapping(qualified, node)
        decorated = None if wrapping is None else self._project.calls.decorated_by(qualified)
        if wrapping is None or not decorated:
            return None
        return _Wrapper(
            module.place(wrapping.decorator),
            tuple(sorted(self._project.calls.graph().place_of(*pair) for pair in decorated)),
            tuple(map(module.place, wrapping.calls)),
        )

    def _wrapping(self, qualified: str, node: Function | None) -> Wrapping | None:
        """Return what a decorator does, whether called first or not, if ``node`` is its wrapper."""
        for called in (False, True):
            result = self._project.calls.wrapping(qualified, called=called)
            if result is not None and result.wrapper is node and node is not None and result.calls:
                return result
        return None


class PartFacts:
    """Facts of the synchronous part of one program."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project: Project = part.project
