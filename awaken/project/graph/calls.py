"""The calls of a program, asked from both ends."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from awaken.contract import Place
from awaken.knowledge.decorators import DecoratorEffects
from awaken.project.graph.call_paths import CallPath, CallPaths, End, Leading, leading_to
from awaken.project.graph.callers import Callers, Obstacle
from awaken.project.graph.classes.override_sets import is_stub
from awaken.project.graph.dispatch import (
    Called,
    function_called,
    functions_behind,
    functions_called,
)
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.graph.forwards.call_graph import CallGraph, FunctionPlace
from awaken.project.graph.forwards.call_graph_building import (
    CallGraphBuilder,
    OverrideSets,
    given_names,
)
from awaken.project.graph.forwards.passed.components import PassedFunctions
from awaken.project.graph.forwards.value_calls import ValueCalls
from awaken.project.names.functions.definitions import Functions
from awaken.project.names.functions.opaque import OpaqueUse, passed_names
from awaken.project.names.functions.wrapping import Wrapping, Wrappings
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_items, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, without_arguments
from awaken.project.values.calls.decorator_effects import decorator_effects, library_names
from awaken.project.values.domain import Unknown
from awaken.project.values.evaluation import Evaluator
from awaken.project.values.local.context_managers import returns_in_the_end
from awaken.project.values.questions import Passed
from awaken.project.values.wrapped import Decorated, decorated_by


class Calls:
    """Calls and their arguments; they are worked out on demand."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._wrappings = Wrappings(evaluator.names, evaluator.forwarding)

    @cached_method
    def graph(self) -> CallGraph:
        """Return all calls of the program, each resolved once, asked from both ends.

        It is made when it is first asked for, which parses every file; then it answers without
        parsing.
        """
        evaluator, words = self._evaluator, self._evaluator.callers.words
        paths = words.python()
        names = given_names(map(words.text, paths))
        return CallGraphBuilder(
            evaluator, self._functions, lambda: self._override_sets, paths, names
        ).build()

    def is_value(self, path: str) -> bool:
        """Whether the module of a file may be a value, so that something unknown may be it."""
        is_public = self._evaluator.names.layout.published
        return is_public or self._evaluator.callers.module_values.may_be_asked(path)

    def may_meet(self, first: str, second: str) -> bool:
        """Whether a process may run both files, so that one gets objects of the other."""
        return self._evaluator.callers.importers.may_meet(first, second)

    def definition_of(self, function: FunctionPlace) -> tuple[Module, Function] | None:
        """Return the definition of a function; None for the code outside of all."""
        return next(self.definitions_of([function]), None)

    def definitions_of(
        self, functions: Iterable[FunctionPlace]
    ) -> Iterator[tuple[Module, Function]]:
        """Yield the definitions of functions."""
        return self._evaluator.functions_at((item.path, item.start) for item in functions)

    def run_inside(
        self, module: Module, nodes: Iterable[ast.AST]
    ) -> Iterator[tuple[Module, Function]]:
        """Yield the functions that calls in some nodes of a file run, over any number of calls."""
        spans, graph = [*map(module.span, nodes)], self.graph()
        calls = graph.calls_in(module.path) if spans else ()
        inside = (call for call in calls if any(span.contains(call.place.span) for span in spans))
        return self.definitions_of(graph.reachable(x for call in inside for x in call.functions))

    @cached_method
    def reading(self, attribute: str) -> frozenset[FunctionPlace]:
        """Return the functions that read an attribute of this name, or call what reads it."""
        graph, words = self.graph(), (attribute.encode(),)
        return frozenset(
            graph.reaching(
                graph.place_around(module, node)
                for module in self._evaluator.modules_with(words)
                for node in module.mentions(attribute)
                if isinstance(node, ast.Attribute)
            )
        )

    @cached_property
    def _functions(self) -> Functions:
        names = self._evaluator.names
        return Functions(names, names.facts)

    @cached_property
    def _override_sets(self) -> OverrideSets:
        classes, callers = self._evaluator.classes, self._evaluator.callers
        return OverrideSets(classes, self._functions, callers.overrides, callers.words.python())

    @cached_method
    def override_sets(self) -> _Kin:
        """Return which methods replace each other, over the whole program."""
        return _Kin(self._evaluator, self._functions, self._override_sets)

    @cached_method
    def passed_functions(self) -> PassedFunctions:
        """Return which functions are passed on, and which calls may reach them."""
        words = self._evaluator.callers.words
        return PassedFunctions(self._evaluator, self.graph(), words, self._wrappings)

    def wrapping(self, qualified: str, *, called: bool) -> Wrapping | None:
        """Return what a decorator of the program makes of a coroutine function.

        ``called`` says that it is given arguments first. None where it cannot be read.
        """
        return self._wrappings.wrapping_of(qualified, called=called)

    def wrapping_by(self, module: Module, decorator: ast.expr) -> Wrapping | None:
        """Return the same of ``decorator``, the expression in front of a function."""
        plain = without_arguments(decorator)
        qualified = self._evaluator.names.qualified_name(module, plain)
        return self.wrapping(qualified or "", called=plain is not decorator)

    def opaque_use(self, qualified: str, decorator: ast.expr) -> OpaqueUse | None:
        """Return what a decorator does that reads nothing of its function's signature.

        None where it may read it. ``decorator`` is its expression, with its arguments.
        """
        passed = passed_names(decorator) if isinstance(decorator, ast.Call) else None
        return self._evaluator.forwarding.opaque(qualified, passed)

    def decorator_effects(self, module: Module, decorator: ast.expr) -> DecoratorEffects:
        """Return what is true of what a decorator, with its arguments, makes of its function."""
        return decorator_effects(self._evaluator, module, decorator)

    def library_names(self, module: Module, plain: ast.expr) -> list[tuple[str, ...]]:
        """Return the names that libraries have for each thing that a decorator may be.

        ``plain`` is without its arguments. Empty if it may be anything else.
        """
        return library_names(self._evaluator, module, plain)

    def decorated_by(self, qualified: str) -> Decorated | None:
        """Return what a decorator of the program is used for; None if it is used otherwise.

        A decorator that others may import may decorate their functions too.
        """
        return decorated_by(self._evaluator, qualified)

    def callers_of(self, module: Module, function: Function) -> Callers:
        """Return who calls a function or method of ``module``, over all files.

        Of ``__init__`` these are the calls of its class. Nothing is searched before it is asked.
        """
        return self._evaluator.callers_of(module, function)

    def leading_to(self, module: Module, function: Function) -> Leading:
        """Return a function of ``module``, all that lead to it, and the calls by which they do.

        Only visible calls count: code outside the project may lead to it as well.
        """
        return leading_to(self._evaluator, self.graph, module, function)

    def calls_of_value(self, obstacle: Obstacle) -> tuple[Place | None, ...]:
        """Return the calls of a function that is passed as a value at the places of an obstacle.

        One is None where other code may call it.
        """
        return self._value_calls.calls_at(obstacle)

    @cached_property
    def _value_calls(self) -> ValueCalls:
        return ValueCalls(self._evaluator)

    def search_callers(self, functions: Iterable[tuple[Module, Function]]) -> None:
        """Find the callers of many functions at once, for ``callers_of`` to answer later.

        Each file is parsed once for all of them. ``functions`` may be made one after the other:
        their trees are not kept.
        """
        self._evaluator.callers.search(functions)

    def is_declaration(self, module: Module, function: Function) -> bool:
        """Whether ``function`` of ``module`` only declares what others implement."""
        return is_stub(self._evaluator, module, function)

    def paths_to(self, ends: Iterable[End]) -> Iterator[tuple[Module, ast.Call, CallPath]]:
        """Yield the calls in coroutines that lead to one of ``ends`` over plain functions.

        The ends are calls in plain functions, each with the name of what it calls. No call graph
        is made: only files that name such a function are parsed.
        """
        return CallPaths(self._evaluator).paths_to(ends)

    def function_called(self, module: Module, call: ast.Call) -> Called | Unknown:
        """Return the only function of the project that ``call`` can reach; Unknown says why not.

        Overrides count, and methods of other classes of the same hierarchy.
        """
        return function_called(self._evaluator, module, call)

    def always_returns(self, module: Module, function: Function) -> bool:
        """Whether every path through a function ends in ``return`` or ``raise``."""
        return returns_in_the_end(self._evaluator, module, function)

    def functions_behind(self, module: Module, call: ast.Call) -> tuple[Called, ...] | Unknown:
        """Return the functions that get the arguments of ``call`` and whose result it gives.

        As ``functions_called``, but also through wrappers of the program that forward both.
        """
        return functions_behind(self._evaluator, module, call)

    def functions_called(self, module: Module, call: ast.Call) -> tuple[Called, ...] | Unknown:
        """Return the functions of the project that ``call`` can reach: a method, its overrides.

        The first is the one it seems to reach. Unknown says why they are not all visible.
        """
        return functions_called(self._evaluator, module, call)

    def known_functions(self, module: Module, call: ast.Call) -> list[tuple[Module, Function]]:
        """Return those functions with their files; none where they are not all visible."""
        called = self.functions_called(module, call)
        callees = () if isinstance(called, Unknown) else called
        return [(callee.module, callee.function) for callee in callees]

    def passed_to(
        self, module: Module, binding: Binding, *, declared: bool = False
    ) -> Passed | None:
        """Return what callers pass to a parameter that neither annotation nor default explains.

        With ``declared`` of one that they explain, too. None for every other binding.
        """
        return self._evaluator.passed_values(module, binding, declared=declared)


class _Kin:
    """Answers for one program, from its functions and override sets."""

    def __init__(
        self, evaluator: Evaluator, functions: Functions, override_sets: OverrideSets
    ) -> None:
        self._evaluator = evaluator
        self._functions = functions
        self._override_sets = override_sets

    def override_set(self, function: FunctionPlace) -> tuple[FunctionPlace, ...]:
        """Return the methods that change with ``function``, itself among them.

        Those that override it or are overridden by it, and those of classes that fulfil the same
        protocol. A function that is no method is alone.
        """
        owner, _, method = function.qualname.rpartition(".")
        home = self._evaluator.names.layout.name_of(function.path)
        if not owner or self._evaluator.classes.facts(f"{home}.{owner}") is None:
            return (function,)
        return tuple(sorted({function, *self.methods(f"{home}.{owner}", method)}))

    @cached_items
    def methods(self, qualified: str, method: str) -> list[FunctionPlace]:
        """Return all that ``method`` of an instance of a class may be, with what is kin to it.

        None for an external class.
        """
        places: set[FunctionPlace] = set()
        if self._evaluator.classes.facts(qualified) is None:
            return []
        for name in self._override_sets.overriding_classes(qualified, method):
            named = self._functions.functions_called(f"{name}.{method}")
            if named is not None:
                qualname = f"{self._name_within(name, named.path)}.{method}"
                places |= {
                    FunctionPlace(named.path, one.start, qualname) for one in named.functions
                }
        return sorted(places)

    def _name_within(self, qualified: str, path: str) -> str:
        """Return the name of a class inside of its file."""
        return qualified.removeprefix(f"{self._evaluator.names.layout.name_of(path)}.")
