"""How queries go from function to function: returned to all callers, or passed to a parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Place, Span
from awaken.project.graph.callers import Callers
from awaken.project.graph.dispatch import Called
from awaken.project.graph.passing import argument_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import parameters_of
from awaken.project.values.domain import Unknown
from awaken.project.values.flow import Flow, flow_of

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, eq=False)
class FunctionContext:
    """One function through which queries go, with its file and the flow of its variables."""

    reader: Reader
    function: Function
    flow: Flow

    @property
    def path(self) -> str:
        """The file."""
        return self.reader.module.path

    def span(self, node: ast.AST) -> Span:
        """Return where ``node`` stands in the file."""
        return self.reader.module.span(node)

    def place(self, node: ast.AST, note: str = "") -> Place:
        """Return the place of ``node``."""
        return Place(self.path, self.span(node), note)


@dataclass(frozen=True, slots=True, eq=False)
class CallEdge:
    """A call in ``context`` that reaches the function of ``into``, and maybe what overrides it.

    ``bound`` is 1 where the receiver is the first argument.
    """

    context: FunctionContext
    call: ast.Call
    into: FunctionContext
    bound: int

    def given(self, parameter: ast.arg) -> ast.expr | None:
        """Return what is passed to ``parameter``; None if nothing, or if it cannot be told."""
        positional = [*self.into.function.args.posonlyargs, *self.into.function.args.args]
        if self.bound and positional and parameter is positional[0]:
            return self._receiver()
        return argument_of(self.call, self.into.function, parameter, self.bound)

    def _receiver(self) -> ast.expr | None:
        """Return what the method is given as itself; None where that has no name at the call.

        That is what stands in front of its name, of ``super()`` the caller's own first parameter. A
        class method is given a class, which an instance in front of its name is not.
        """
        receiver = self.call.func.value if isinstance(self.call.func, ast.Attribute) else None
        own = self.context.function.args
        first = [one.arg for one in (*own.posonlyargs, *own.args)][:1]
        if isinstance(receiver, ast.Call) and ast.unparse(receiver) == "super()":
            receiver = ast.Name(first[0], ast.Load()) if first else None
        if not _is_class_method(self.into.function):
            return receiver
        is_class = _is_class_method(self.context.function) and isinstance(receiver, ast.Name)
        return receiver if is_class and [receiver.id] == first else None  # type: ignore[union-attr]


class CallEdges:
    """The functions that the queries of one component go through, found while it is read.

    Trees are held as long as it is needed, for nodes are compared. ``known`` are the calls whose
    result is a query, or the names that get one out of a tuple, with an edge for each function
    that they may reach; ``elements`` says which one of the tuple. ``outside`` says of functions why
    code out of sight may call them as well.
    """

    def __init__(self, reader: Reader) -> None:
        self._project = reader.project
        self._modules = {reader.module.path: reader.module}
        self._contexts: dict[ast.AST, FunctionContext] = {}
        self._edges: dict[ast.Call, tuple[CallEdge, ...] | Unknown] = {}
        self._calls: dict[FunctionContext, list[CallEdge]] = {}
        self._results: dict[FunctionContext, set[ast.Call]] = {}
        self._passing: dict[ast.arg, dict[ast.AST, CallEdge]] = {}
        self.known: dict[ast.AST, tuple[CallEdge, ...]] = {}
        self.elements: dict[ast.AST, int] = {}
        self.outside: dict[str, str] = {}

    # ------------------------------------------------------------------------------------ contexts
    def context_around(self, module: Module, node: ast.AST) -> FunctionContext | None:
        """Return the function around ``node``; None for lambdas and outside of functions."""
        function = module.enclosing_function(node)
        return None if not isinstance(function, Function) else self._context(module, function)

    def _context(self, module: Module, function: Function) -> FunctionContext:
        if function not in self._contexts:
            reader = Reader(self._project, module)
            self._contexts[function] = FunctionContext(reader, function, flow_of(module, function))
        return self._contexts[function]

    def _held(self, path: str) -> Module | None:
        module = self._modules.get(path) or self._project.module(path)
        if module is not None:
            self._modules[path] = module
        return module

    def reached(self, context: FunctionContext, call: ast.Call) -> tuple[CallEdge, ...] | Unknown:
        """Return an edge into each function that ``call`` may reach; Unknown says why not."""
        if call not in self._edges:
            called = self._project.calls.functions_called(context.reader.module, call)
            self._edges[call] = (
                called
                if isinstance(called, Unknown)
                else tuple(self._edge(context, call, one) for one in called)
            )
        return self._edges[call]

    def _edge(self, context: FunctionContext, call: ast.Call, called: Called) -> CallEdge:
        home = self._held(called.module.path) or called.module
        span = called.module.span(called.function)
        mine = next(
            one
            for one in home.like(called.function)
            if isinstance(one, Function) and home.span(one) == span
        )
        return CallEdge(context, call, self._context(home, mine), called.bound)

    # --------------------------------------------------------------- out of functions
    def check_returning(self, context: FunctionContext) -> None:
        """Raise Refused unless every call of the function of ``context`` gives what it returns."""
        function = context.function
        yields = any(
            isinstance(node, ast.Yield | ast.YieldFrom)
            and context.reader.module.enclosing_function(node) is function
            for node in context.reader.module.walk(function)
        )
        if (
            isinstance(function, ast.AsyncFunctionDef)
            or yields
            or not _always_leaves(function.body)
        ):
            raise Refused(reasons.RETURNED_QUERY, because=(context.place(function),))

    def returned(self, context: FunctionContext) -> list[tuple[FunctionContext, ast.expr]]:
        """Return what the function of ``context`` returns; raises Refused."""
        module = context.reader.module
        found: list[tuple[FunctionContext, ast.expr]] = []
        for node in module.walk(context.function):
            if isinstance(node, ast.Return) and module.enclosing_function(node) is context.function:
                if node.value is None:
                    raise Refused(reasons.RETURNED_QUERY, because=(context.place(node),))
                found.append((context, node.value))
        return found

    def results(self, context: FunctionContext) -> list[CallEdge]:
        """Return all calls of the function of ``context``, whose result is a query."""
        self._result_calls(context)
        return self._calls_of(context)

    def _result_calls(self, context: FunctionContext) -> set[ast.Call]:
        """Return all calls of the function of ``context``, which are known from then on."""
        if context not in self._results:
            for one in self._calls_of(context):
                reached = self.reached(one.context, one.call)
                self.known[one.call] = () if isinstance(reached, Unknown) else reached
            self._results[context] = {one.call for one in self._calls_of(context)}
        return self._results[context]

    def leaves(self, context: FunctionContext, call: ast.Call) -> bool:
        """Whether ``call`` reaches functions of the project, which may return a query."""
        reached = self.reached(context, call)
        if isinstance(reached, Unknown):
            return False
        for edge in reached:
            self.check_returning(edge.into)
        return all(call in self._result_calls(one.into) for one in reached)

    # --------------------------------------------------------------- out of functions, in tuples
    def returned_elements(
        self, context: FunctionContext, element: int
    ) -> list[tuple[FunctionContext, ast.expr]]:
        """Return what is at one place of the tuples that the function of ``context`` returns."""
        values = [value for _, value in self.returned(context)]
        tuples = [value.elts for value in values if isinstance(value, ast.Tuple)]
        starred = any(isinstance(one, ast.Starred) for elements in tuples for one in elements)
        if starred or len(tuples) != len(values) or len({*map(len, tuples)}) != 1:
            detail = f"in what `{context.function.name}` returns, not always a tuple of that length"
            raise Refused(reasons.KEPT_QUERY, detail, because=(context.place(context.function),))
        return [(context, elements[element]) for elements in tuples]

    def unpacked(
        self, context: FunctionContext, element: int
    ) -> list[tuple[FunctionContext, ast.Name]]:
        """Return the names that get the element wherever the function of ``context`` is called."""
        found: list[tuple[FunctionContext, ast.Name]] = []
        for one in self._calls_of(context):
            reached = self.reached(one.context, one.call)
            target = _target_of(one.context.reader.module, one.call, element)
            if target is None or isinstance(reached, Unknown):
                detail = (
                    f"in the tuple that `{context.function.name}` returns, which is not unpacked"
                )
                raise Refused(reasons.KEPT_QUERY, detail, because=(one.context.place(one.call),))
            self.known[target] = reached
            self.elements[target] = element
            found.append((one.context, target))
        return found

    def unpacks(self, context: FunctionContext, target: ast.Name) -> bool:
        """Whether ``target`` gets an element of a tuple that functions of the project return."""
        module = context.reader.module
        many = module.parent(target)
        statement = module.parent(many) if isinstance(many, ast.Tuple) else None
        call = statement.value if isinstance(statement, ast.Assign) else None
        reached = self.reached(context, call) if isinstance(call, ast.Call) else None
        if not isinstance(many, ast.Tuple) or reached is None or isinstance(reached, Unknown):
            return False
        element = many.elts.index(target)
        for edge in reached:
            self.check_returning(edge.into)
        return all(
            any(name is target for _, name in self.unpacked(edge.into, element)) for edge in reached
        )

    # --------------------------------------------------------------- into functions
    def entered(
        self, context: FunctionContext, node: ast.expr
    ) -> list[tuple[FunctionContext, ast.arg]]:
        """Return the functions that ``node``, an argument, is passed to, and the parameters."""
        module = context.reader.module
        parent = module.parent(node)
        call = module.parent(parent) if isinstance(parent, ast.keyword) else parent
        if not isinstance(call, ast.Call):
            raise Refused(reasons.PASSED_QUERY, module.excerpt(node))
        name = ast.unparse(call.func)
        reached = self.reached(context, call)
        if isinstance(reached, Unknown):
            because = Place(reached.place.path, reached.place.span, reached.why)
            raise Refused(reasons.PASSED_QUERY, name, because=(because,))
        found = [
            (edge.into, parameter)
            for edge in reached
            for parameter, _ in parameters_of(edge.into.function.args)
            if edge.given(parameter) is node
        ]
        if len(found) != len(reached):
            raise Refused(reasons.PASSED_QUERY, name, because=(context.place(call),))
        return found

    def arguments(
        self, context: FunctionContext, parameter: ast.arg
    ) -> list[tuple[FunctionContext, ast.expr]]:
        """Return what all callers pass to ``parameter``; raises Refused."""
        found: list[tuple[FunctionContext, ast.expr]] = []
        for edge in self._calls_of(context):
            given = edge.given(parameter)
            if given is None:
                detail = f"in `{parameter.arg}`, which is not given by every call"
                place = edge.context.place(edge.call)
                raise Refused(reasons.KEPT_QUERY, detail, because=(place,))
            found.append((edge.context, given))
        if not found:
            detail = f"in `{parameter.arg}`, which no call in sight gives"
            raise Refused(reasons.KEPT_QUERY, detail, because=(context.place(parameter),))
        return found

    def edge_passing(
        self, context: FunctionContext, parameter: ast.arg, given: ast.expr
    ) -> CallEdge | None:
        """Return the call that passes ``given``, or a value of which it is one alternative."""
        if parameter not in self._passing:
            passing = self._passing[parameter] = {}
            for edge in reversed(self._calls_of(context)):
                whole = edge.given(parameter)
                parts = () if whole is None else ast.walk(whole)
                passing.update((part, edge) for part in parts)
        return self._passing[parameter].get(given)

    # ------------------------------------------------------------------------------------- calls
    def _calls_of(self, context: FunctionContext) -> list[CallEdge]:
        if context not in self._calls:
            callers = self._project.calls.callers_of(context.reader.module, context.function)
            self._raise_if_hidden(context, callers)
            self._calls[context] = list(self._followed(context, callers))
        return self._calls[context]

    def _raise_if_hidden(self, context: FunctionContext, callers: Callers) -> None:
        name = context.function.name
        for obstacle in callers.obstacles:
            if obstacle.kind in {"outside", "inherited"}:
                self.outside.setdefault(name, obstacle.why)
                continue
            because = Place(obstacle.place.path, obstacle.place.span, obstacle.why)
            detail = f"`{name}`: {obstacle.why}"
            raise Refused(reasons.UNSEEN_CALLERS, detail, because=(because,))

    def _followed(self, context: FunctionContext, callers: Callers) -> Iterator[CallEdge]:
        for site in callers.sites:
            module = self._held(site.place.path)
            calls = [] if module is None else module.calls_at(site.place.span)
            call = calls[0] if calls else None
            around = None if module is None or call is None else self.context_around(module, call)
            if around is None or call is None:
                detail = f"`{context.function.name}`, which is called outside of functions"
                raise Refused(reasons.UNSEEN_CALLERS, detail, because=(site.place,))
            reached = self.reached(around, call)
            into = () if isinstance(reached, Unknown) else reached
            edge = next((one for one in into if one.into is context), None)
            if edge is None:
                why = reached.why if isinstance(reached, Unknown) else "another may be called"
                because = Place(site.place.path, site.place.span, why)
                detail = f"`{context.function.name}`: {why}"
                raise Refused(reasons.UNSEEN_CALLERS, detail, because=(because,))
            yield edge


def _target_of(module: Module, call: ast.Call, element: int) -> ast.Name | None:
    """Return the name that gets an element of what ``call`` returns, if it is unpacked at once."""
    match module.parent(call):
        case ast.Assign(targets=[ast.Tuple(elts=[*targets])]) if len(targets) > element:
            target = targets[element]
            starred = any(isinstance(one, ast.Starred) for one in targets)
            return target if isinstance(target, ast.Name) and not starred else None
        case _:
            return None


def _is_class_method(function: Function) -> bool:
    return any(ast.unparse(one) == "classmethod" for one in function.decorator_list)


def _always_leaves(body: list[ast.stmt]) -> bool:
    """Whether the end of ``body`` is never reached."""
    match body[-1] if body else None:
        case ast.Return() | ast.Raise():
            return True
        case ast.If(body=first, orelse=second):
            return _always_leaves(first) and _always_leaves(second)
        case ast.Try(body=inner, handlers=handlers, orelse=orelse, finalbody=final):
            return _always_leaves(final) or (
                _always_leaves(orelse or inner)
                and all(_always_leaves(handler.body) for handler in handlers)
            )
        case ast.Match(cases=cases):
            is_open = cases[-1].guard is None and isinstance(cases[-1].pattern, ast.MatchAs)
            return is_open and all(_always_leaves(case.body) for case in cases)
        case _:
            return False
