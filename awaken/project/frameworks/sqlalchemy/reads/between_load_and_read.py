"""Events between the call that loads an object and a read of its relationship."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from msgspec import Struct

from awaken.contract import Place
from awaken.knowledge.libraries import CONFIGURED
from awaken.knowledge.library_names import library_names, name_list
from awaken.project.effects.places.events_between import Between, Event
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read, Trace, call_or_attribute_at
from awaken.project.graph.evaluator import ProgramEvaluator, ProgramFacts
from awaken.project.source.memo import cached_items
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    argument_of,
    arguments_of,
    is_constant,
    keyword_of,
    parameters_of,
)
from awaken.project.source.words import called_words
from awaken.project.source.worklist import MOST_FUNCTIONS, Queue, Worklist
from awaken.project.values.domain import (
    Session,
    instances_in,
)

_OPTION = "expire_on_commit"
_ATTRIBUTE_BUILTINS = name_list("attribute_builtins")
_RUNNING = library_names().executing_methods
# Calls that go through all items, or call the passed function, before they return.
_AT_ONCE = library_names().consuming | {"join", "next", "sort"}


class Expiry(ProgramFacts):
    """Answers for one program."""

    def never_by_commit(self) -> bool:
        """Whether every visible session is made with ``expire_on_commit=False``.

        All count, for a session is hardly ever proved to be of one factory alone. One that a
        library makes, such as Flask-SQLAlchemy's, expires.
        """
        return bool(self._sessions()) and all(keeps for *_, keeps in self._sessions())

    def expiring(self) -> list[tuple[Module, ast.Call]] | None:
        """Return the calls that make the sessions that expire; None if no other one is made."""
        result = [(module, call) for module, call, keeps in self._sessions() if not keeps]
        return None if len(result) == len(self._sessions()) else result

    @cached_items
    def _sessions(self) -> Iterator[tuple[Module, ast.Call, bool]]:
        return chain.from_iterable(map(self._in_file, self._paths()))

    def _paths(self) -> list[str]:
        # Without the word nothing says so, and no other file is parsed.
        option, files_with = _OPTION.encode(), self._evaluator.files_with
        if not files_with([option]):
            return []
        return files_with([option, b"sessionmaker", *called_words("Session", "SQLAlchemy")])

    def _in_file(self, path: str) -> Iterator[tuple[Module, ast.Call, bool]]:
        """Yield each call that makes sessions, or says so, and whether these do not expire."""
        module = self._evaluator.load(path)
        for node in module.walk() if module is not None else ():
            if module is None or not isinstance(node, ast.Call):
                continue
            said = keyword_of(node, _OPTION)
            if said is not None:
                yield module, node, is_constant(said, value=False)
            elif self._makes_sessions(module, node):
                yield module, node, False

    def _makes_sessions(self, module: Module, node: ast.Call) -> bool:
        called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
        name = self._evaluator.names.qualified_name(module, called) or ""
        role = self._evaluator.knowledge.types.get(name)
        return role in CONFIGURED or name.rpartition(".")[2] == "SQLAlchemy"


def read_at(module: Module, place: Place) -> tuple[ast.expr, ast.expr] | None:
    """Return the object that is read at a place, and the expression that reads it.

    Of one in a generator or a function that is used up at once this is the whole of that. None
    where there is no such expression.
    """
    for node in module.walk():
        if not isinstance(node, ast.Attribute | ast.Call) or module.span(node) != place.span:
            continue
        owner = _owner(node)
        if owner is not None:
            return owner, _run_with(module, node)
    return None


def _owner(node: ast.Attribute | ast.Call) -> ast.expr | None:
    match node:
        case ast.Attribute(value=ast.Attribute(value=owner, attr="awaitable_attrs")):
            return owner
        case ast.Attribute(value=owner):
            return owner
        case ast.Call(func=ast.Name(id=name), args=[owner, *_]) if name in _ATTRIBUTE_BUILTINS:
            return owner
        case ast.Call(func=ast.Attribute(attr="format")):
            return next(iter(arguments_of(node)), None)
    return None


def _run_with(module: Module, node: ast.expr) -> ast.expr:
    """Return the call that runs ``node``, if it is in an expression that is used up at once."""
    run, function = node, module.enclosing_function(node)
    for above in module.ancestors(node):
        if isinstance(above, ast.GeneratorExp | ast.Lambda):
            outer = module.call_taking(above)
            if outer is not None and _name_of(outer) in _AT_ONCE:
                run = above
            if above is function:
                function = module.enclosing_function(above)
        if above is function:
            break
    return run


def _name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def loading_call(module: Module, place: Place) -> ast.expr | None:
    """Return the whole chain of calls that begins at a place: it loads the objects.

    ``session.scalars(select(User).where(...)).all()`` for the place of ``select(User)``.
    """
    node: ast.expr | None = call_or_attribute_at(module, place)
    while node is not None:
        above = module.parent(node)
        match above:
            case ast.Attribute() | ast.Await():
                node = above
            case ast.Call(func=function) if function is node or _runs(above, node):
                node = above
            case _:
                return node
    return None


def _runs(call: ast.Call, statement: ast.expr) -> bool:
    return call.args[:1] == [statement] and _name_of(call) in _RUNNING


def uses_of(module: Module, made: ast.expr) -> Iterator[ast.AST]:
    """Yield the places where an object is given away: all but reads of its own attributes.

    An object that is no more than the value of one variable is followed through that variable.
    """
    above = module.parent(made)
    target = above.targets[0] if isinstance(above, ast.Assign) and len(above.targets) == 1 else None
    if not isinstance(target, ast.Name):
        yield made
        return
    for node in module.mentions(target.id):
        is_same = isinstance(node, ast.Name) and any(
            binding.node is target for binding in module.scopes.bindings_of(node)
        )
        # A returned value is seen where it is passed on, if the callers are visible.
        if is_same and not _reads_data(module, node):
            yield node


def _reads_data(module: Module, node: ast.AST) -> bool:
    """Whether only an attribute of the object is read: a method may give the object away."""
    is_read = isinstance(module.parent(node), ast.Attribute)
    return is_read and module.method_call_on(node) is None


class _Frame(Struct, frozen=True):
    """A function that holds the object: ``node`` gives it, ``later`` is where it is read.

    In the functions that it is passed on to, ``events`` may happen before the read.
    """

    module: Module
    node: ast.expr
    later: ast.expr
    events: tuple[Event, ...] = ()

    @property
    def function(self) -> FunctionOrLambda | None:
        """The function around the read."""
        return self.module.enclosing_function(self.later)

    @property
    def key(self) -> tuple[str, int, int]:
        """A key that identifies it, without a tree."""
        return self.module.path, self.module.span(self.node).start, self.module.span(self.later).end


class BetweenLoadAndRead:
    """Answers for one program.

    An object is followed from its read upwards, through the arguments of calls, to the function
    that gets it from the load: in that function, or returned by functions that it calls.
    """

    def __init__(self, evaluator: ProgramEvaluator, between: Between, expiry: Expiry) -> None:
        self._evaluator = evaluator
        self._between = between
        self._expiry = expiry

    def events_between(self, trace: Trace, read: Read) -> tuple[Event, ...]:
        """Return what may happen, in no certain order, with unknown events.

        A commit that expires nothing is left out. That a new object may get into a session is an
        event ``add``.
        """
        events = self._events(trace, read)
        if trace.load.kind == "new":
            events = (*events, *self._adds(trace.load.place))
        if any(event.kind == "commit" for event in events) and self._expiry.never_by_commit():
            events = tuple(event for event in events if event.kind != "commit")
        return events

    def _adds(self, load: Place) -> Iterator[Event]:
        """Yield where a new object may get into a session, anywhere in the function of the load.

        By hand, or as part of another object: whatever it is given to counts.
        """
        module, start, _ = self._loading(load)
        for node in uses_of(module, start) if module is not None and start is not None else ():
            if module is not None:
                yield Event("add", module.place(node))

    def _loading(
        self, load: Place
    ) -> tuple[Module | None, ast.expr | None, FunctionOrLambda | None]:
        """Return the call that loads at a place, with its file and the function around it."""
        home = self._evaluator.load(load.path)
        start = None if home is None else loading_call(home, load)
        around = None if home is None or start is None else home.enclosing_function(start)
        return home, start, around

    def _events(self, trace: Trace, read: Read) -> tuple[Event, ...]:
        module = self._evaluator.load(read.place.path)
        at = None if module is None else read_at(module, read.place)
        frames = [_Frame(module, *at)] if module and at else [*self._serving(read)]
        if not frames:
            return (Event("unknown", read.place, "the place of the read is unknown"),)
        result: dict[Event, None] = {}
        arrived, waiting = False, Queue(frames, lambda frame: frame.key)
        for count, frame in enumerate(waiting):
            if count == MOST_FUNCTIONS:
                why = "too many functions hand it on to tell"
                result[Event("unknown", read.place, why)] = None
                break
            held = instances_in(self._evaluator.values(frame.module, frame.node))
            for origin in dict.fromkeys(origin for item in held for origin in item.origins or ()):
                if origin.kind == "parameter":
                    parameter = _parameter(frame, origin.place)
                    waiting += self._callers(frame, parameter)
                    continue
                if origin.place != trace.load.place:
                    continue
                events = self._from_load(frame, origin.place)
                above = (
                    ()
                    if events is not None
                    else (*self._callers(frame, _receiving_parameter(frame)),)
                )
                waiting += above
                if not above:
                    arrived = True
                    events = (
                        self._events_of_injection(frame, origin.place) if events is None else events
                    )
                    result |= dict.fromkeys((*events, *frame.events))
        if not arrived:
            why = "how the object gets there is not followed"
            result[Event("unknown", read.place, why)] = None
        return tuple(result)

    def _serving(self, read: Read) -> Iterator[_Frame]:
        """Yield the expressions that give what a template or a response reads."""
        for place in read.served:
            module = self._evaluator.load(place.path)
            if module is not None:
                nodes = module.expressions_at({place.span})
                yield from (_Frame(module, node, node) for node in nodes)

    def _part(
        self,
        module: Module,
        function: FunctionOrLambda,
        earlier: ast.expr | None,
        later: ast.expr | None,
    ) -> tuple[Event, ...] | None:
        if earlier is not None and earlier is later:
            return ()
        # Else each receiver of each call in each function on the way would be asked of callers.
        with self._evaluator.without_callers():
            return self._between.part(module, function, earlier, later)

    def _callers(self, frame: _Frame, parameter: ast.arg | None) -> Iterator[_Frame]:
        """Yield the calls that pass the object to the parameter from which a frame has it."""
        module, function = frame.module, frame.function
        if not isinstance(function, Function) or parameter is None:
            return
        events = self._part(module, function, None, frame.later)
        if events is None:
            return
        events = (*events, *frame.events)
        for site in self._evaluator.callers_of(module, function).sites:
            for caller, call in self._evaluator.calls_at(site.place):
                given = argument_of(call, function, parameter, site.bound)
                if given is None and site.bound and isinstance(call.func, ast.Attribute):
                    given = call.func.value
                if given is not None:
                    yield _Frame(caller, given, call, events)

    def _from_load(self, frame: _Frame, load: Place) -> tuple[Event, ...] | None:
        """Return what may happen from the load to the place where a frame hands the object on.

        None where that function does not call what loads it.
        """
        home, start, function = self._loading(load)
        if home is None or start is None or function is None or frame.function is None:
            return (Event("unknown", load, "it is loaded outside of functions"),)
        if function is not frame.function:
            return self._returned_events(frame, home, function, start)
        events = self._part(home, function, start, frame.later)
        if events is not None:
            return events
        return (self._unknown(frame, "no way leads from the load to it"),)

    def _events_of_injection(self, frame: _Frame, load: Place) -> tuple[Event, ...]:
        """Return what may happen where no call but a framework passes what a function returns.

        That is a dependency or a fixture. Anything else that is made for the function may come
        between.
        """
        home, start, holder = self._loading(load)
        function, parameter = frame.function, _receiving_parameter(frame)
        if home is None or function is None or holder is None or parameter is None:
            why = "how it gets from one function to the other is not followed"
            return (self._unknown(frame, why),)
        first = self._part(home, holder, start, None)
        then = self._part(frame.module, function, None, frame.later)
        if first is None or then is None:
            return (self._unknown(frame, "no way leads from the load to it"),)
        others = [pair for pair in parameters_of(function.args) if pair[0] is not parameter]
        made = [node for node, default in others if self._is_made(frame.module, node, default)]
        why = "code that is created for `{}` may run in between"
        return (*first, *then, *(self._unknown(frame, why.format(node.arg)) for node in made))

    def _is_made(self, module: Module, parameter: ast.arg, default: ast.expr | None) -> bool:
        """Whether code of the program may run for a parameter, other than to make a session."""
        annotated = [] if parameter.annotation is None else [*ast.walk(parameter.annotation)]
        is_marked = default is not None or any(isinstance(node, ast.Call) for node in annotated)
        if not is_marked and parameter.annotation is not None:
            return False
        if isinstance(default, ast.Constant):
            return False
        function = module.enclosing_function(parameter)
        scope = None if function is None else module.scopes.scope_made_by(function)
        bindings = [] if scope is None else scope.bindings_of(parameter.arg)
        values = [value for each in bindings for value in self._evaluator.binding(module, each, ())]
        return not values or not all(isinstance(value, Session) for value in values)

    def _unknown(self, frame: _Frame, why: str) -> Event:
        return Event("unknown", frame.module.place(frame.later), why)

    def _returned_events(
        self, frame: _Frame, home: Module, function: FunctionOrLambda, start: ast.expr
    ) -> tuple[Event, ...] | None:
        """Return what may happen where functions return the object until ``frame`` has it.

        None if the function of the frame calls none of them.
        """
        result: dict[Event, None] = {}
        arrived, waiting = False, Queue([(home, function, start)])
        for module, holder, node in waiting:
            if holder is frame.function:
                events = self._part(module, holder, node, frame.later)
                arrived = arrived or events is not None
                result |= dict.fromkeys(events or ())
                continue
            events = self._part(module, holder, node, None)
            if events is None or not isinstance(holder, Function):
                continue
            callers = list(self._calls_of(module, holder))
            # Only those of the frame, if it calls it itself.
            here = [candidate for candidate in callers if candidate[1] is frame.function]
            result |= dict.fromkeys(events if callers else ())
            waiting += here or callers
        return tuple(result) if arrived else None

    def _calls_of(
        self, module: Module, function: Function
    ) -> Iterator[tuple[Module, FunctionOrLambda, ast.expr]]:
        """Yield the calls in other functions that get what a function returns, with these."""
        if not module.outputs_of(function):
            return
        for site in self._evaluator.callers_of(module, function).sites:
            for caller, call in self._evaluator.calls_at(site.place):
                holder = caller.enclosing_function(call)
                if holder is not None:
                    yield caller, holder, call


def _parameter(frame: _Frame, place: Place) -> ast.arg | None:
    """Return the parameter at a place, of the function of a frame."""
    if frame.function is None or frame.module.path != place.path:
        return None
    parameters = (argument for argument, _ in parameters_of(frame.function.args))
    return next((node for node in parameters if frame.module.span(node) == place.span), None)


def _receiving_parameter(frame: _Frame) -> ast.arg | None:
    """Return the parameter of its function from which a frame has the object."""
    nodes = Worklist[ast.expr]([frame.node])
    for node in nodes:
        binding = frame.module.scopes.only_binding(node)
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Await):
            nodes += [node.value]
        elif binding is not None and isinstance(binding.node, ast.arg):
            return binding.node if binding.scope.node is frame.function else None
        elif binding is not None and binding.value is not None:
            # Of a loop that is what it goes through.
            nodes += [binding.value]
    return None
