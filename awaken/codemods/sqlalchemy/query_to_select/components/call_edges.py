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
class Frame:
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
class Passage:
    """A call in ``frame`` that reaches the function of ``into``, and maybe what overrides it.

    ``bound`` is 1 where the receiver is the first argument.
    """

    frame: Frame
    call: ast.Call
    into: Frame
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
        own = self.frame.function.args
        first = [one.arg for one in (*own.posonlyargs, *own.args)][:1]
        if isinstance(receiver, ast.Call) and ast.unparse(receiver) == "super()":
            receiver = ast.Name(first[0], ast.Load()) if first else None
        if not _is_class_method(self.into.function):
            return receiver
        is_class = _is_class_method(self.frame.function) and isinstance(receiver, ast.Name)
        return receiver if is_class and [receiver.id] == first else None  # type: ignore[union-attr]


class Passages:
    """The functions that the queries of one web go through, found while it is read.

    Trees are held as long as it is needed, for nodes are compared. ``known`` are the calls whose
    result is a query, or the names that get one out of a tuple, with a passage for each function
    that they may reach; ``elements`` says which one of the tuple. ``outside`` says of functions why
    code out of sight may call them as well.
    """

    def __init__(self, reader: Reader) -> None:
        self._project = reader.project
        self._modules = {reader.module.path: reader.module}
        self._frames: dict[ast.AST, Frame] = {}
        self._passages: dict[ast.Call, tuple[Passage, ...] | Unknown] = {}
        self._calls: dict[Frame, list[Passage]] = {}
        self._results: dict[Frame, set[ast.Call]] = {}
        self._passing: dict[ast.arg, dict[ast.AST, Passage]] = {}
        self.known: dict[ast.AST, tuple[Passage, ...]] = {}
        self.elements: dict[ast.AST, int] = {}
        self.outside: dict[str, str] = {}

    # ------------------------------------------------------------------------------------ frames
    def frame_around(self, module: Module, node: ast.AST) -> Frame | None:
        """Return the function around ``node``; None for lambdas and outside of functions."""
        function = module.enclosing_function(node)
        return None if not isinstance(function, Function) else self._frame(module, function)

    def _frame(self, module: Module, function: Function) -> Frame:
        if function not in self._frames:
            reader = Reader(self._project, module)
            self._frames[function] = Frame(reader, function, flow_of(module, function))
        return self._frames[function]

    def _held(self, path: str) -> Module | None:
        module = self._modules.get(path) or self._project.module(path)
        if module is not None:
            self._modules[path] = module
        return module

    def reached(self, frame: Frame, call: ast.Call) -> tuple[Passage, ...] | Unknown:
        """Return a passage into each function that ``call`` may reach; Unknown says why not."""
        if call not in self._passages:
            called = self._project.calls.functions_called(frame.reader.module, call)
            self._passages[call] = (
                called
                if isinstance(called, Unknown)
                else tuple(self._passage(frame, call, one) for one in called)
            )
        return self._passages[call]

    def _passage(self, frame: Frame, call: ast.Call, called: Called) -> Passage:
        home = self._held(called.module.path) or called.module
        span = called.module.span(called.function)
        mine = next(
            one
            for one in home.like(called.function)
            if isinstance(one, Function) and home.span(one) == span
        )
        return Passage(frame, call, self._frame(home, mine), called.bound)

    # --------------------------------------------------------------- out of functions
    def check_returning(self, frame: Frame) -> None:
        """Raise Refused unless every call of the function of ``frame`` gives what it returns."""
        function = frame.function
        yields = any(
            isinstance(node, ast.Yield | ast.YieldFrom)
            and frame.reader.module.enclosing_function(node) is function
            for node in frame.reader.module.walk(function)
        )
        if (
            isinstance(function, ast.AsyncFunctionDef)
            or yields
            or not _always_leaves(function.body)
        ):
            raise Refused(reasons.RETURNED_QUERY, because=(frame.place(function),))

    def returned(self, frame: Frame) -> list[tuple[Frame, ast.expr]]:
        """Return what the function of ``frame`` returns; raises Refused."""
        module = frame.reader.module
        found: list[tuple[Frame, ast.expr]] = []
        for node in module.walk(frame.function):
            if isinstance(node, ast.Return) and module.enclosing_function(node) is frame.function:
                if node.value is None:
                    raise Refused(reasons.RETURNED_QUERY, because=(frame.place(node),))
                found.append((frame, node.value))
        return found

    def results(self, frame: Frame) -> list[Passage]:
        """Return all calls of the function of ``frame``, whose result is a query."""
        self._result_calls(frame)
        return self._calls_of(frame)

    def _result_calls(self, frame: Frame) -> set[ast.Call]:
        """Return all calls of the function of ``frame``, which are known from then on."""
        if frame not in self._results:
            for one in self._calls_of(frame):
                reached = self.reached(one.frame, one.call)
                self.known[one.call] = () if isinstance(reached, Unknown) else reached
            self._results[frame] = {one.call for one in self._calls_of(frame)}
        return self._results[frame]

    def leaves(self, frame: Frame, call: ast.Call) -> bool:
        """Whether ``call`` reaches functions of the project, which may return a query."""
        reached = self.reached(frame, call)
        if isinstance(reached, Unknown):
            return False
        for passage in reached:
            self.check_returning(passage.into)
        return all(call in self._result_calls(one.into) for one in reached)

    # --------------------------------------------------------------- out of functions, in tuples
    def returned_elements(self, frame: Frame, element: int) -> list[tuple[Frame, ast.expr]]:
        """Return what is at one place of the tuples that the function of ``frame`` returns."""
        values = [value for _, value in self.returned(frame)]
        tuples = [value.elts for value in values if isinstance(value, ast.Tuple)]
        starred = any(isinstance(one, ast.Starred) for elements in tuples for one in elements)
        if starred or len(tuples) != len(values) or len({*map(len, tuples)}) != 1:
            detail = f"in what `{frame.function.name}` returns, not always a tuple of that length"
            raise Refused(reasons.KEPT_QUERY, detail, because=(frame.place(frame.function),))
        return [(frame, elements[element]) for elements in tuples]

    def unpacked(self, frame: Frame, element: int) -> list[tuple[Frame, ast.Name]]:
        """Return the names that get the element wherever the function of ``frame`` is called."""
        found: list[tuple[Frame, ast.Name]] = []
        for one in self._calls_of(frame):
            reached = self.reached(one.frame, one.call)
            target = _target_of(one.frame.reader.module, one.call, element)
            if target is None or isinstance(reached, Unknown):
                detail = f"in the tuple that `{frame.function.name}` returns, which is not unpacked"
                raise Refused(reasons.KEPT_QUERY, detail, because=(one.frame.place(one.call),))
            self.known[target] = reached
            self.elements[target] = element
            found.append((one.frame, target))
        return found

    def unpacks(self, frame: Frame, target: ast.Name) -> bool:
        """Whether ``target`` gets an element of a tuple that functions of the project return."""
        module = frame.reader.module
        many = module.parent(target)
        statement = module.parent(many) if isinstance(many, ast.Tuple) else None
        call = statement.value if isinstance(statement, ast.Assign) else None
        reached = self.reached(frame, call) if isinstance(call, ast.Call) else None
        if not isinstance(many, ast.Tuple) or reached is None or isinstance(reached, Unknown):
            return False
        element = many.elts.index(target)
        for passage in reached:
            self.check_returning(passage.into)
        return all(
            any(name is target for _, name in self.unpacked(passage.into, element))
            for passage in reached
        )

    # --------------------------------------------------------------- into functions
    def entered(self, frame: Frame, node: ast.expr) -> list[tuple[Frame, ast.arg]]:
        """Return the functions that ``node``, an argument, is passed to, and the parameters."""
        module = frame.reader.module
        parent = module.parent(node)
        call = module.parent(parent) if isinstance(parent, ast.keyword) else parent
        if not isinstance(call, ast.Call):
            raise Refused(reasons.PASSED_QUERY, module.excerpt(node))
        name = ast.unparse(call.func)
        reached = self.reached(frame, call)
        if isinstance(reached, Unknown):
            because = Place(reached.place.path, reached.place.span, reached.why)
            raise Refused(reasons.PASSED_QUERY, name, because=(because,))
        found = [
            (passage.into, parameter)
            for passage in reached
            for parameter, _ in parameters_of(passage.into.function.args)
            if passage.given(parameter) is node
        ]
        if len(found) != len(reached):
            raise Refused(reasons.PASSED_QUERY, name, because=(frame.place(call),))
        return found

    def arguments(self, frame: Frame, parameter: ast.arg) -> list[tuple[Frame, ast.expr]]:
        """Return what all callers pass to ``parameter``; raises Refused."""
        found: list[tuple[Frame, ast.expr]] = []
        for passage in self._calls_of(frame):
            given = passage.given(parameter)
            if given is None:
                detail = f"in `{parameter.arg}`, which is not given by every call"
                place = passage.frame.place(passage.call)
                raise Refused(reasons.KEPT_QUERY, detail, because=(place,))
            found.append((passage.frame, given))
        if not found:
            detail = f"in `{parameter.arg}`, which no call in sight gives"
            raise Refused(reasons.KEPT_QUERY, detail, because=(frame.place(parameter),))
        return found

    def passage_of(self, frame: Frame, parameter: ast.arg, given: ast.expr) -> Passage | None:
        """Return the call that passes ``given``, or a value of which it is one alternative."""
        if parameter not in self._passing:
            passing = self._passing[parameter] = {}
            for passage in reversed(self._calls_of(frame)):
                whole = passage.given(parameter)
                parts = () if whole is None else ast.walk(whole)
                passing.update((part, passage) for part in parts)
        return self._passing[parameter].get(given)

    # ------------------------------------------------------------------------------------- calls
    def _calls_of(self, frame: Frame) -> list[Passage]:
        if frame not in self._calls:
            callers = self._project.calls.callers_of(frame.reader.module, frame.function)
            self._raise_if_hidden(frame, callers)
            self._calls[frame] = list(self._followed(frame, callers))
        return self._calls[frame]

    def _raise_if_hidden(self, frame: Frame, callers: Callers) -> None:
        name = frame.function.name
        for obstacle in callers.obstacles:
            if obstacle.kind in {"outside", "inherited"}:
                self.outside.setdefault(name, obstacle.why)
                continue
            because = Place(obstacle.place.path, obstacle.place.span, obstacle.why)
            detail = f"`{name}`: {obstacle.why}"
            raise Refused(reasons.UNSEEN_CALLERS, detail, because=(because,))

    def _followed(self, frame: Frame, callers: Callers) -> Iterator[Passage]:
        for site in callers.sites:
            module = self._held(site.place.path)
            calls = [] if module is None else module.calls_at(site.place.span)
            call = calls[0] if calls else None
            around = None if module is None or call is None else self.frame_around(module, call)
            if around is None or call is None:
                detail = f"`{frame.function.name}`, which is called outside of functions"
                raise Refused(reasons.UNSEEN_CALLERS, detail, because=(site.place,))
            reached = self.reached(around, call)
            into = () if isinstance(reached, Unknown) else reached
            passage = next((one for one in into if one.into is frame), None)
            if passage is None:
                why = reached.why if isinstance(reached, Unknown) else "another may be called"
                because = Place(site.place.path, site.place.span, why)
                detail = f"`{frame.function.name}`: {why}"
                raise Refused(reasons.UNSEEN_CALLERS, detail, because=(because,))
            yield passage


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
