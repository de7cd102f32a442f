"""Function contexts, and the call edges between them that a value goes along.

A context is one function with its file and the flow of its variables; an edge is a call in one
context that reaches the function of another. Both are compared by identity: ``CallEdges`` gives the
same one for the same place. Functions are followed on demand, from one to the next, and only while
everything is visible; otherwise the answer is Unseen.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from awaken.contract import Place, Span
from awaken.project.graph.callers import Callers
from awaken.project.graph.calls import Calls
from awaken.project.graph.dispatch import Called
from awaken.project.graph.passing import default_of
from awaken.project.source.expressions.alternatives import branches
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Load, Module
from awaken.project.source.trees import (
    Function,
    argument_of,
    first_parameter,
    has_decorator,
    is_none,
    is_super,
    parameters_of,
    positional_parameters,
    unpacks,
)
from awaken.project.values.domain import Unknown
from awaken.project.values.local.flow import Flow, flow_of


@dataclass(frozen=True, slots=True, eq=False)
class FunctionContext:
    """One function, with its file and the flow of its variables."""

    module: Module
    function: Function
    flow: Flow

    @property
    def path(self) -> str:
        """The file."""
        return self.module.path

    def span(self, node: ast.AST) -> Span:
        """Return the place of ``node`` in the file."""
        return self.module.span(node)

    def place(self, node: ast.AST, note: str = "") -> Place:
        """Return the place of ``node``."""
        return self.module.place(node, note)


@dataclass(frozen=True, slots=True, eq=False)
class CallEdge:
    """A call in ``context`` that reaches the function of ``into``, and maybe what overrides it.

    ``bound`` is 1 where the receiver is the first argument.
    """

    context: FunctionContext
    call: ast.Call
    into: FunctionContext
    bound: int

    def argument_for(self, parameter: ast.arg) -> ast.expr | None:
        """Return the argument for ``parameter``; None if there is none, or it is unknown."""
        if self.bound and positional_parameters(self.into.function)[:1] == [parameter]:
            return self._receiver()
        return argument_of(self.call, self.into.function, parameter, self.bound)

    def _receiver(self) -> ast.expr | None:
        """Return what the method is given as itself; None where that has no name at the call.

        That is the expression before its name, for ``super()`` the caller's own first parameter. A
        class method is given a class, which an instance in front of its name is not.
        """
        receiver = self.call.func.value if isinstance(self.call.func, ast.Attribute) else None
        first = first_parameter(self.context.function)
        if receiver is not None and is_super(receiver):
            # `super()` hands on what the caller was given as itself.
            receiver = ast.Name(first, ast.Load()) if first else None
        if not has_decorator(self.into.function, "classmethod"):
            return receiver
        if not has_decorator(self.context.function, "classmethod"):
            return None
        return receiver if isinstance(receiver, ast.Name) and receiver.id == first else None


class Unseen(Struct, frozen=True):
    """A reason why uses of a value are not visible; ``places`` show it.

    ``callers``: another call of the function may be hidden; ``returned``: the function need not
    return it; ``passed``: a call may pass it anywhere; ``held``: it may be something else. ``what``
    is a clause, of ``passed`` and ``returned`` the function.
    """

    kind: Literal["callers", "returned", "passed", "held"]
    what: str = ""
    places: tuple[Place, ...] = ()


class CallEdges:
    """The functions that a value goes through, found while they are asked for.

    Trees are held as long as this is needed, for nodes are compared. ``known`` are the calls whose
    result is followed, or the names that get it out of a tuple, with an edge for each function that
    they may reach, and which one of the tuple it is. ``outside`` says of functions why
    invisible code may call them as well.
    """

    def __init__(self, calls: Calls, load: Load, module: Module) -> None:
        self._program = calls
        self._load = load
        self._modules = {module.path: module}
        self._followed: set[FunctionContext] = set()
        self.known: dict[ast.AST, tuple[tuple[CallEdge, ...], int | None]] = {}
        self.outside: dict[str, str] = {}

    # ---------------------------------------------------------------------------------- contexts
    def context_around(self, module: Module, node: ast.AST) -> FunctionContext | None:
        """Return the function around ``node``; None for lambdas and outside of functions."""
        function = module.enclosing_function(node)
        return None if not isinstance(function, Function) else self._context(module, function)

    @cached_by(lambda _module, function: function)
    def _context(self, module: Module, function: Function) -> FunctionContext:
        return FunctionContext(module, function, flow_of(module, function))

    def _held_module(self, path: str) -> Module | None:
        module = self._modules.get(path) or self._load(path)
        if module is not None:
            self._modules[path] = module
        return module

    # ------------------------------------------------------------------------------------- calls
    @cached_by(lambda _context, call: call)
    def edges_of(self, context: FunctionContext, call: ast.Call) -> tuple[CallEdge, ...] | Unknown:
        """Return an edge into each function that ``call`` may reach; Unknown says why not."""
        called = self._program.functions_behind(context.module, call)
        if isinstance(called, Unknown):
            return called
        return tuple(self._edge(context, call, callee) for callee in called)

    def _edge(self, context: FunctionContext, call: ast.Call, called: Called) -> CallEdge:
        home = self._held_module(called.module.path) or called.module
        span = called.module.span(called.function)
        # The function may be in a tree that was parsed again: this node is looked up.
        mine = home.function_at(span.start) or called.function
        return CallEdge(context, call, self._context(home, mine), called.bound)

    @cached_method
    def calls_of(self, context: FunctionContext) -> list[CallEdge] | Unseen:
        """Return all calls of the function of ``context``.

        Calls by other programs are left out: ``outside`` says why there may be some.
        """
        callers = self._program.callers_of(context.module, context.function)
        return self._hidden_callers(context, callers) or self._visible_edges(context, callers)

    def _hidden_callers(self, context: FunctionContext, callers: Callers) -> Unseen | None:
        name = context.function.name
        for obstacle in callers.obstacles:
            # Invisible code may call nearly every public function: it is said, but no reason to
            # stop.
            if obstacle.kind in {"outside", "inherited"}:
                self.outside.setdefault(name, obstacle.why)
                continue
            # A text of that name, or one that is put together, seldom means the function.
            if obstacle.kind in {"named", "dynamic"}:
                self.outside.setdefault(name, f"{obstacle.why}, so that others may call it")
                continue
            return _hidden_by(name, obstacle.why, obstacle.place)
        return None

    def _visible_edges(self, context: FunctionContext, callers: Callers) -> list[CallEdge] | Unseen:
        name, edges = context.function.name, list[CallEdge]()
        for site in callers.sites:
            module = self._held_module(site.place.path)
            calls = [] if module is None else module.calls_at(site.place.span)
            call = calls[0] if calls else None
            around = None if module is None or call is None else self.context_around(module, call)
            if around is None or call is None:
                what = f"`{name}`, which is called outside of functions"
                return Unseen("callers", what, (site.place,))
            reached = self.edges_of(around, call)
            into = () if isinstance(reached, Unknown) else reached
            edge = next((candidate for candidate in into if candidate.into is context), None)
            if edge is None:
                # A call that may reach others as well is not followed back to this one alone.
                why = reached.why if isinstance(reached, Unknown) else "another may be called"
                return _hidden_by(name, why, site.place)
            edges.append(edge)
        return edges

    # -------------------------------------------------------------------------- out of functions
    def returned_values(
        self, context: FunctionContext
    ) -> list[tuple[FunctionContext, ast.expr]] | Unseen:
        """Return what the function of ``context`` returns."""
        returns = list(context.module.returns_of(context.function))
        # A bare ``return`` gives None, which is not the value that is followed.
        unseen = next(
            (self.why_not_returned(context, node) for node in returns if not node.value), None
        )
        return unseen or [(context, node.value) for node in returns if node.value is not None]

    def why_not_returned(
        self, context: FunctionContext, none: ast.Return | None = None
    ) -> Unseen | None:
        """Return why a call may give something else than what a function returns; None if it can't.

        ``none`` is a ``return`` of the function without a value, if it has one.
        """
        function, module = context.function, context.module
        # Calling a coroutine or a generator function gives something else than what it returns.
        if isinstance(function, ast.AsyncFunctionDef):
            why = "is a coroutine function"
        elif module.is_generator(function):
            why = "is a generator function"
        elif none is not None or not self._program.always_returns(module, function):
            why = "may also return None"
        else:
            return None
        return Unseen(
            "returned", f"`{function.name}`, which {why}", (context.place(none or function),)
        )

    def results(self, context: FunctionContext) -> list[CallEdge] | Unseen:
        """Return all calls of the function of ``context``, whose results are followed."""
        calls = self.calls_of(context)
        if not isinstance(calls, Unseen) and context not in self._followed:
            self._followed.add(context)
            for call in calls:
                reached = self.edges_of(call.context, call.call)
                self.known[call.call] = () if isinstance(reached, Unknown) else reached, None
        return calls

    def comes_out(self, context: FunctionContext, call: ast.Call) -> bool | Unseen:
        """Whether the value of ``call`` is what functions of the project return."""
        reached = self.edges_of(context, call)
        if isinstance(reached, Unknown):
            return False
        for edge in reached:
            unseen = self.why_not_returned(edge.into)
            if unseen is not None:
                return unseen
        for edge in reached:
            results = self.results(edge.into)
            if isinstance(results, Unseen):
                return results
            if all(result.call is not call for result in results):
                return False
        return True

    # ---------------------------------------------------------------- out of functions, in tuples
    def returned_elements(
        self, context: FunctionContext, element: int
    ) -> list[tuple[FunctionContext, ast.expr]] | Unseen:
        """Return what is at one place of the tuples that the function of ``context`` returns."""
        returned = self.returned_values(context)
        if isinstance(returned, Unseen):
            return returned
        values = [value for _, value in returned]
        tuples = [value.elts for value in values if isinstance(value, ast.Tuple)]
        starred = any(isinstance(node, ast.Starred) for elements in tuples for node in elements)
        if starred or len(tuples) != len(values) or len({*map(len, tuples)}) != 1:
            what = f"in what `{context.function.name}` returns, not always a tuple of that length"
            return Unseen("held", what, (context.place(context.function),))
        return [(context, elements[element]) for elements in tuples]

    def unpacking_targets(
        self, context: FunctionContext, element: int
    ) -> list[tuple[FunctionContext, ast.Name]] | Unseen:
        """Return the names that get the element wherever the function of ``context`` is called."""
        result: list[tuple[FunctionContext, ast.Name]] = []
        calls = self.calls_of(context)
        if isinstance(calls, Unseen):
            return calls
        for call in calls:
            reached = self.edges_of(call.context, call.call)
            target = _target_of(call.context.module, call.call, element)
            if target is None or isinstance(reached, Unknown):
                name = context.function.name
                what = f"in the tuple that `{name}` returns, which is not unpacked"
                return Unseen("held", what, (call.context.place(call.call),))
            self.known[target] = reached, element
            result.append((call.context, target))
        return result

    def unpacks(self, context: FunctionContext, target: ast.Name) -> bool | Unseen:
        """Whether ``target`` gets an element of a tuple that functions of the project return."""
        module = context.module
        many = module.parent(target)
        statement = module.parent(many) if isinstance(many, ast.Tuple) else None
        call = statement.value if isinstance(statement, ast.Assign) else None
        reached = self.edges_of(context, call) if isinstance(call, ast.Call) else None
        if not isinstance(many, ast.Tuple) or reached is None or isinstance(reached, Unknown):
            return False
        for edge in reached:
            unseen = self.why_not_returned(edge.into)
            if unseen is not None:
                return unseen
        for edge in reached:
            unpacked = self.unpacking_targets(edge.into, many.elts.index(target))
            if isinstance(unpacked, Unseen):
                return unpacked
            if all(name is not target for _, name in unpacked):
                return False
        return True

    # ----------------------------------------------------------------------------- into functions
    def receiving_parameters(
        self, context: FunctionContext, node: ast.expr
    ) -> list[tuple[FunctionContext, ast.arg]] | Unseen:
        """Return the functions that ``node``, an argument, is passed to, and the parameters."""
        module = context.module
        call = module.call_taking(node)
        if call is None:
            return Unseen("passed", module.excerpt(node))
        name = ast.unparse(call.func)
        reached = self.edges_of(context, call)
        if isinstance(reached, Unknown):
            return Unseen("passed", name, (_noted_place(reached.place, reached.why),))
        result = [
            (edge.into, parameter)
            for edge in reached
            for parameter, _ in parameters_of(edge.into.function.args)
            if edge.argument_for(parameter) is node
        ]
        if len(result) != len(reached):
            return Unseen("passed", name, (context.place(call),))
        return result

    def arguments(
        self, context: FunctionContext, parameter: ast.arg
    ) -> list[tuple[FunctionContext, ast.expr]] | Unseen:
        """Return what all callers pass to ``parameter``."""
        calls = self.calls_of(context)
        if isinstance(calls, Unseen):
            return calls
        result: list[tuple[FunctionContext, ast.expr]] = []
        for edge in calls:
            argument = edge.argument_for(parameter)
            default = default_of(context.function, parameter)
            # Without an argument it is None, which is not among the followed values.
            if (
                argument is None
                and default is not None
                and not unpacks(edge.call)
                and is_none(default)
            ):
                result.append((context, default))
                continue
            if argument is None:
                what = f"in `{parameter.arg}`, which is not given by every call"
                return Unseen("held", what, (edge.context.place(edge.call),))
            result.append((edge.context, argument))
        if not result:
            what = f"in `{parameter.arg}`, which no visible call passes"
            return Unseen("held", what, (context.place(parameter),))
        return result

    @cached_by(lambda _context, parameter: parameter)
    def passing(self, context: FunctionContext, parameter: ast.arg) -> dict[ast.AST, CallEdge]:
        """Return what all calls pass to ``parameter``, each with its call.

        Of `a if x else b` a call passes both, but nothing that a call in it passes on.
        """
        calls = self.calls_of(context)
        edges = [] if isinstance(calls, Unseen) else calls
        arguments = ((edge, edge.argument_for(parameter)) for edge in edges)
        return {part: edge for edge, whole in arguments if whole for part in branches(whole)}


def _hidden_by(name: str, why: str, place: Place) -> Unseen:
    return Unseen("callers", f"`{name}`: {why}", (_noted_place(place, why),))


def _noted_place(place: Place, note: str) -> Place:
    return Place(place.path, place.span, note)


def _target_of(module: Module, call: ast.Call, element: int) -> ast.Name | None:
    """Return the name that gets an element of what ``call`` returns, if it is unpacked at once."""
    match module.parent(call):
        case ast.Assign(targets=[ast.Tuple(elts=[*targets])]) if len(targets) > element:
            target = targets[element]
            starred = any(isinstance(node, ast.Starred) for node in targets)
            return target if isinstance(target, ast.Name) and not starred else None
    return None
