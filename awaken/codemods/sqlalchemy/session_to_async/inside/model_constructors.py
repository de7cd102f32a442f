"""Constructors of mapped classes that query with a session they are given, and listeners.

Nothing can be awaited where an object is made, nor in what SQLAlchemy calls while it flushes. A
constructor is called by `run_sync`, in whose greenlet the session waits; a flush is in one anyway.

Code that stays plain with a function: its calls that wait, and calls that pass it a session.

``Model(session=session, **values)`` becomes ``await session.run_sync(lambda session:
Model(session=session, **values))``. Its calls get the synchronous session of the asynchronous one,
and wait in the greenlet of `run_sync`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import name_of
from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside, holds, takes_session
from awaken.codemods.sqlalchemy.session_to_async.functions.async_constructors import Constructors
from awaken.codemods.sqlalchemy.session_to_async.reasons import LEGACY_QUERY, NO_TWIN
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.sites import Refused
from awaken.knowledge.asynchronous import Resource
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of, first_parameter, without_arguments
from awaken.project.source.worklist import Worklist, multimap

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
    from awaken.project import Project

_USING = (ast.Attribute, ast.BoolOp, ast.Call, ast.Compare, ast.Expr, ast.If, ast.UnaryOp)
"""What uses a session and does not keep it: its methods, what it is passed to, conditions."""
_LATER = (ast.AsyncFunctionDef, ast.FunctionDef, ast.GeneratorExp, ast.Lambda)
_CALLING = name_list("calling_the_same")
_LISTENS = "sqlalchemy.event.listens_for"
_FLUSHING = name_list("events_of_flushes")


def is_session(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether an expression is a synchronous session, whatever else is not known."""
    proof = project.orm.session_of(module, node)
    return isinstance(proof, SessionProof) and proof.kind == "session"


def session_given(project: Project, module: Module, call: ast.Call) -> ast.expr | None:
    """Return the only session that is passed to a call, as a name or an attribute.

    Or the only engine, where no session is.
    """
    named = [node for node in arguments_of(call) if isinstance(node, ast.Name | ast.Attribute)]
    nodes = [node for node in named if is_session(project, module, node)] or [
        node for node in named if project.orm.resource_of(module, node) == "engine"
    ]
    return nodes[0] if len(nodes) == 1 else None


def is_within_run_sync(module: Module, call: ast.Call) -> bool:
    """Whether a call is passed the session of ``run_sync``: its lambda passes that on."""
    around = next((node for node in module.ancestors(call) if isinstance(node, ast.Lambda)), None)
    running = module.parent(around)
    if around is None or not around.args.args or not isinstance(running, ast.Call):
        return False
    is_first = running.args[:1] == [around] and isinstance(running.func, ast.Attribute)
    name = around.args.args[0].arg
    arguments = arguments_of(call)
    is_passed = any(
        isinstance(argument, ast.Name) and argument.id == name for argument in arguments
    )
    return is_first and is_passed and getattr(running.func, "attr", "") == "run_sync"


def keeps_session(project: Project, module: Module, function: Function) -> bool:
    """Whether a function puts a session, or an engine, where it may be found afterwards."""
    for node in module.walk(function):
        if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        is_engine = project.orm.resource_of(module, node) == "engine"
        if not (is_engine or is_session(project, module, node)):
            continue
        if _is_kept(module, node) or _may_run_later(module, node, function):
            return True
    return False


def _is_kept(module: Module, node: ast.expr) -> bool:
    above = module.parent(node)
    match above:
        case ast.keyword():
            return module.call_taking(node) is None
        case ast.Assign(targets=[ast.Name()]) | ast.AnnAssign(target=ast.Name()):
            return False
    return not isinstance(above, _USING)


def _may_run_later(module: Module, node: ast.expr, function: Function) -> bool:
    """Whether ``node`` is in code that may run after ``function`` has ended."""
    inside = takewhile(lambda ancestor: ancestor is not function, module.ancestors(node))
    return any(isinstance(part, _LATER) for part in inside)


class Staying:
    """Follows the functions of one program that stay plain, and what calls them."""

    def __init__(self, part: SynchronousPart) -> None:
        self._part = part
        self._project = part.project
        self._graph = part.project.calls.graph()

    def with_all(
        self, roots: Iterable[FunctionPlace]
    ) -> tuple[frozenset[FunctionPlace], dict[Place, Operation]] | None:
        """Return what stays plain with ``roots``, and the calls of it that `run_sync` makes.

        None if something cannot stay plain, or is not known to be called with a session.
        """
        waiting, functions = Worklist(sorted(roots)), set[FunctionPlace]()
        while not waiting.is_done:
            for function in waiting:
                if not self._may_stay(function):
                    return None
                functions.add(function)
                waiting += self._waitings_along(function)
            passing = self._passing(functions)
            if passing is None:
                return None
            waiting += sorted(passing)
        made = self._made_calls(functions)
        return None if made is None else (frozenset(functions), made)

    def uses_raw_connection(self, function: FunctionPlace) -> bool:
        """Whether a raw connection, of a passed engine, does in a greenlet what it does now.

        Drivers that belong to an event loop begin transactions, and write parameters, otherwise.
        """
        part = self._part
        module, node = part.node_of(function) or (None, None)
        if module is None or node is None or part.is_loop_bound:
            return False
        operations = part.operations_of(module, function)
        raw = [item.node for item in operations if item.method == "raw_connection"]
        is_known = all(_is_as_before(module, made, node) for made in raw)
        return bool(raw) and is_known and self._is_given(function)

    # ------------------------------------------------------------------------------ what it calls
    def _waitings_along(self, function: FunctionPlace) -> Iterator[FunctionPlace]:
        """Yield the waiting functions that a function calls, its wrappers, and replacements."""
        part = self._part
        for call in part.calls.get(function, ()):
            yield from (candidate for candidate in call.functions if candidate in part.steps)
        yield from (
            item for item in part.wrappers.decorated_functions(function) if item in part.steps
        )
        yield from self._wrapping.get(function, ())
        if not function.qualname.endswith(".__init__"):
            yield from (
                item for item in part.managers.linked_methods(function) if item in part.steps
            )

    @cached_property
    def _wrapping(self) -> dict[FunctionPlace, list[FunctionPlace]]:
        """The wrappers that wait, by what they wrap."""
        decorated = self._part.wrappers.decorated_functions
        return multimap((item, step) for step in self._part.steps for item in decorated(step))

    def _may_stay(self, function: FunctionPlace) -> bool:
        """Whether nothing but the program calls a function, which keeps no session."""
        part = self._part
        module, node = part.node_of(function) or (None, None)
        if module is None or not isinstance(node, ast.FunctionDef) or module.is_generator(node):
            return False
        if function in part.entry_points.found or any(
            part.leaks(component)
            for component in self._project.calls.passed_functions().components_of(function)
        ):
            return False
        is_known = all(self._is_known(module, decorator) for decorator in node.decorator_list)
        return is_known and not keeps_session(self._project, module, node)

    def _is_known(self, module: Module, decorator: ast.expr) -> bool:
        """Whether a decorator calls what it decorates where that is called, or is an event."""
        qualified = self._project.qualified_name(module, without_arguments(decorator))
        if qualified is None or qualified in _CALLING:
            return qualified is not None
        return self._project.calls.wrapping_by(module, decorator) is not None

    # ------------------------------------------------------------------------------ what calls it
    def _callers(self, found: set[FunctionPlace]) -> Iterator[tuple[FunctionPlace, Call]]:
        for caller, calls in self._part.calls.items():
            if caller not in found:
                yield from ((caller, one) for one in calls if not found.isdisjoint(one.functions))

    def _passing(self, found: set[FunctionPlace]) -> set[FunctionPlace] | None:
        """Return the methods of models that pass on all that they are given, a session with it.

        A call that makes an object without a session loads nothing.
        """
        passing: set[FunctionPlace] = set()
        are_given = all(map(self._is_given, found))
        for caller, call in self._callers(found):
            if self._operation(call) is not None:
                continue
            if self._passes_on(caller, call):
                passing.add(caller)
            elif call.kind != "class" or not are_given or self._may_pass(call):
                return None
        return passing

    def _is_given(self, function: FunctionPlace) -> bool:
        """Whether a function uses no session but what it is passed, and those of its objects."""
        module, _ = self._part.node_of(function) or (None, None)
        return module is not None and all(
            operation.how == "lazy" or _is_of_parameter(module, operation.node)
            for operation in self._part.operations_of(module, function)
        )

    def _may_pass(self, call: Call) -> bool:
        """Whether a call passes what it does not name."""
        nodes = self._nodes(call)
        return not nodes or any(
            any(isinstance(part, ast.Starred) for part in node.args)
            or any(part.arg is None for part in node.keywords)
            for node in nodes
        )

    def _passes_on(self, caller: FunctionPlace, call: Call) -> bool:
        """Whether a method calls one of its own object with all that it is given by name."""
        _, node = self._part.node_of(caller) or (None, None)
        nodes = self._nodes(call)
        if node is None or not nodes or node.args.kwarg is None:
            return False
        match nodes[0]:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner)), keywords=keywords):
                named = [keyword.value for keyword in keywords if keyword.arg is None]
                return first_parameter(node) == owner and any(
                    isinstance(part, ast.Name) and part.id == node.args.kwarg.arg for part in named
                )
        return False

    def _made_calls(self, found: set[FunctionPlace]) -> dict[Place, Operation] | None:
        """Return the calls that `run_sync` makes; None if one of a lambda is made otherwise."""
        made: dict[Place, Operation] = {}
        names = {function.name for function in found}
        calls = [function for _, function in self._callers(found)]
        calls += [item for item in self._graph.unresolved_calls(names) if item.caller not in found]
        for call in calls:
            operation = self._operation(call)
            if operation is not None and not self._is_within(call):
                made[call.place] = operation
        for calls in (*self._part.in_lambdas.values(), *self._part.in_threads.values()):
            for call in calls:
                if not found.isdisjoint(call.functions) and not self._is_within(call):
                    return None
        return made

    def _operation(self, call: Call) -> Operation | None:
        """Return the operation of a call that is given a session; None if no session is visible."""
        module, nodes = self._project.module(call.place.path), self._nodes(call)
        if module is None or not nodes or call.caller.start < 0:
            return None
        session = session_given(self._project, module, nodes[0])
        if session is None:
            return None
        is_engine = not is_session(self._project, module, session)
        resource: Resource = "engine" if is_engine else "session"
        return Operation(nodes[0], "inside", resource, call.name, session=session)

    def _is_within(self, call: Call) -> bool:
        return any(is_within_run_sync(*pair) for pair in self._project.calls_at(call.place))

    def _nodes(self, call: Call) -> list[ast.Call]:
        """Return the calls at the place of one."""
        return [node for _, node in self._project.calls_at(call.place)]


def _is_of_parameter(module: Module, node: ast.expr) -> bool:
    """Whether an operation is one of a parameter, or of what is taken out of one."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as owner)):
            bindings = module.scopes.bindings_of(owner)
        case _:
            return False
    return bool(bindings) and all(
        binding.kind == "parameter" or _is_taken(module, binding.value) for binding in bindings
    )


def _is_taken(module: Module, value: ast.expr | None) -> bool:
    """Whether ``value`` is taken out of the arguments that a function is passed by name."""
    match value:
        case (
            ast.Call(func=ast.Attribute(value=ast.Name() as owner))
            | ast.Subscript(value=ast.Name() as owner)
        ):
            return module.scopes.parameter_of(owner) is not None
    return False


def _is_as_before(module: Module, raw: ast.AST, function: Function) -> bool:
    """Whether a function uses a raw connection, and its cursors, as either side has them."""
    waiting = Worklist([(raw, name_list("of_raw_connections"))])
    for made, names in waiting:
        above, uses = module.parent(made), [made]
        match above:
            case ast.Assign(targets=[ast.Name() as variable]):
                uses = [*module.scopes.reads_of(variable)]
        for use in uses if not isinstance(above, ast.Expr) else ():
            read = module.parent(use)
            is_here = module.enclosing_function(use) is function
            if not (isinstance(read, ast.Attribute) and read.attr in names and is_here):
                return False
            if read.attr.startswith(("cursor", "execute")):
                # A cursor that is asynchronous does not return itself.
                allowed = name_list("of_raw_cursors") if made is raw else frozenset[str]()
                waiting += [(module.parent(read) or read, allowed)]
    return True


def inside_sessions(part: SynchronousPart) -> Inside:
    """Return what of the functions that wait runs inside of a synchronous session."""
    staying = Staying(part)
    groups = [_constructors(part), *([step] for step in part.steps if _is_listener(part, step))]
    groups += ([named] for named in part.entry_points.inside if named in part.steps)
    groups += ([step] for step in part.steps if staying.uses_raw_connection(step))
    functions: set[FunctionPlace] = set()
    calls: dict[Place, Operation] = {}
    for group in groups:
        function = staying.with_all(group) if group else None
        if function is not None:
            functions |= function[0]
            calls |= function[1]
    outside = {place: item for place, item in calls.items() if not _is_of(part, place, functions)}
    return Inside(frozenset(functions), outside)


def offer_inside(part: SynchronousPart, function: FunctionPlace, item: Member) -> bool:
    """Add the option that keeps ``function`` plain to a refusal; False if it may not stay so.

    Code without an asynchronous counterpart works in the greenlet of `run_sync`.
    """
    refused = item.outcome
    if not isinstance(refused, Refused) or refused.reason not in {LEGACY_QUERY, NO_TWIN}:
        return False
    definition = part.node_of(function)
    if definition is None or not takes_session(part.project, *definition):
        return False
    can_stay = Staying(part).with_all([function]) is not None
    if can_stay:
        bridged = f'bridged = ["{name_of(part.project, function)}"]'
        refused.help += f" Or keep `{function.qualname}` synchronous: set the option `{bridged}`."
        refused.answered_by(f"rules.session-to-async.{bridged}")
    return can_stay


def _is_of(part: SynchronousPart, place: Place, functions: set[FunctionPlace]) -> bool:
    return any(holds(functions, *call) for call in part.project.calls_at(place))


def _constructors(part: SynchronousPart) -> list[FunctionPlace]:
    """Return the constructors of mapped classes that wait, if no class method can replace one."""
    functions = [step for step in part.steps if _is_of_model(part, step)]
    constructors = Constructors(part)
    for function in functions:
        module, node = part.node_of(function) or (None, None)
        if module is None or not isinstance(node, ast.FunctionDef):
            continue
        try:
            constructors.check(module, node, function)
        except Refused:
            return functions
    return []


def _is_of_model(part: SynchronousPart, function: FunctionPlace) -> bool:
    owner, _, name = function.qualname.rpartition(".")
    module = part.project.module(function.path)
    if name != "__init__" or module is None:
        return False
    return part.project.orm.mapped_class(f"{module.name}.{owner}") is not None


def _is_listener(part: SynchronousPart, function: FunctionPlace) -> bool:
    """Whether all that calls a function are events of a flush."""
    module, node = part.node_of(function) or (None, None)
    if module is None or node is None or not node.decorator_list:
        return False
    is_called_by_events = all(_events(part, module, node.decorator_list))
    return is_called_by_events and not part.project.calls.graph().callers(function)


def _events(part: SynchronousPart, module: Module, decorators: list[ast.expr]) -> Iterator[bool]:
    for decorator in decorators:
        match decorator:
            case ast.Call(args=[target, ast.Constant(value=name), *_], func=function):
                listens = part.project.qualified_name(module, function) == _LISTENS
                yield listens and name in _FLUSHING and _is_target(part, module, target)
            case _:
                yield False


def _is_target(part: SynchronousPart, module: Module, target: ast.expr) -> bool:
    """Whether events of a mapped class, or of all sessions, are listened to."""
    qualified = part.project.qualified_name(module, target)
    if qualified is None:
        return False
    return qualified == "sqlalchemy.orm.Session" or (
        part.project.orm.mapped_class(qualified) is not None
    )
