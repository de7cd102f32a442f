"""Operations: where a program waits for its database through a synchronous session or engine.

A program passes sessions and connections to functions of libraries and to revisions of Alembic.
Those stay synchronous.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place
from awaken.knowledge.asynchronous import Resource, session_classes, twins
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.knowledge.library_names import name_list, name_table
from awaken.project.frameworks.sqlalchemy.made_sessions.entered_resources import EnteredResources
from awaken.project.frameworks.sqlalchemy.made_sessions.kept_connections import (
    KeptConnections,
    PutSessions,
)
from awaken.project.frameworks.sqlalchemy.sessions import Sessions
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.memo import cached_by, cached_method
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_revision
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Function, arguments_of, is_none, last_name, parameters_of
from awaken.project.values.domain import (
    ClassOf,
    External,
    FunctionOf,
    InstanceOf,
    NotRelevant,
    Producer,
    Session,
    Unknown,
    UnknownResult,
    Value,
    classes_in,
    without_none,
)

_INSPECTOR = "sqlalchemy.Inspector"
How = Literal[
    "attribute", "awaited", "bridged", "closing", "entered", "handed", "inner", "inside", "kept",
    "lazy", "loading", "missing", "schema", "spawned", "twin", "unknown", "validated",
]  # fmt: skip
_CLASSES: dict[str, Resource] = name_table("resources")
_TELLING = name_list("of_sessions_alone")
_KINDS = (ast.Attribute, ast.Call, ast.withitem)
"""What may be an operation."""


class _Given(NamedTuple):
    """An argument: a session, or what is connected by a call of one's method."""

    session: ast.expr
    is_connected: bool = False


class PassedSessions:
    """Finds the calls that are given a session or connection, one after the other.

    ``is_session`` tells of an expression whether it is one, ``is_engine`` whether it is an engine:
    what is made of it inspects the database.
    """

    def __init__(
        self,
        evaluator: ProgramEvaluator,
        is_session: Callable[[Module, ast.expr], bool],
        is_engine: Callable[[Module, ast.expr], bool],
    ) -> None:
        self._evaluator = evaluator
        self._is_session = is_session
        self._is_engine = is_engine
        self._harmless = frozenset(twins().handed.harmless)
        self._inspecting = frozenset(twins().handed.inspecting)
        self._sending = frozenset(twins().handed.sending)
        self.kept = KeptConnections(evaluator, is_session)

    def session_given_to(self, module: Module, call: ast.Call) -> tuple[str, ast.expr] | None:
        """Return the function that ``call`` calls, and the session that it is given.

        A method of an inspector, or a function that gets one, reads with the inspector's session.
        """
        if isinstance(call.func, ast.Attribute):
            inspected = self._inspected_object(module, call.func.value)
            if inspected is not None:
                return f"{_INSPECTOR}.{call.func.attr}", inspected
        name = self._evaluator.names.qualified_name(module, call.func)
        is_sending = self._is_sending(module, call, name)
        read = (self._inspected_object(module, argument) for argument in arguments_of(call))
        inspected = next((session for session in read if session is not None), None)
        inspected = inspected or self.kept.read_by(module, call)
        is_own = name is None or self._evaluator.names.locate(name) is not None
        if inspected is not None and (is_own or self._stays(name or "")):
            return name or module.excerpt(call.func), inspected
        if name is not None and not is_sending and not self._stays(name):
            return None
        given = list(_given_arguments(module, call))
        called = name or (self._method(module, call.func) if given else None)
        if called is None and is_sending:
            called = last_name(call.func)
        # The callee is mostly of the program: then its arguments do not matter.
        if called is None and not any(self._is_by_path(module, call.func, item) for item in given):
            return None
        argument = next((item for item in given if self._is_session(module, item.session)), None)
        if argument is None:
            asked = arguments_of(call) if is_sending else call.args[: name in self._inspecting]
            engine = next((each for each in asked if self._is_asked(module, each)), None)
            return None if called is None or engine is None else (called, engine)
        if called is None and self._is_by_path(module, call.func, argument):
            called = module.excerpt(call.func)
        return None if called is None else (called, argument.session)

    def _is_sending(self, module: Module, call: ast.Call, name: str | None) -> bool:
        """Whether a call sends SQL over what it is given: a function, or a method of libraries."""
        is_method = isinstance(call.func, ast.Attribute) and call.func.attr in self._sending
        return name in self._sending or (
            is_method
            and not any(
                isinstance(value, FunctionOf) for value in self._evaluator.values(module, call.func)
            )
        )

    def _is_asked(self, module: Module, given: ast.expr) -> bool:
        """Whether the database of an engine is asked, other than the one inside of another."""
        is_inner = isinstance(given, ast.Attribute) and given.attr == "sync_engine"
        return not is_inner and self._is_engine(module, given)

    def _inspected_object(self, module: Module, held: ast.expr) -> ast.expr | None:
        """Return the session of the inspector that a variable holds; None if it holds another."""
        made = module.scopes.only_value(held)
        if not isinstance(made, ast.Call) or not made.args:
            return None
        if self._evaluator.names.qualified_name(module, made.func) not in self._inspecting:
            return None
        pair = self.session_given_to(module, made)
        return None if pair is None else pair[1]

    def _stays(self, name: str) -> bool:
        """Whether ``name`` is of what stays synchronous, and may use what it is given."""
        root = name.partition(".")[0]
        if name in self._inspecting:
            return True
        if root in sys.stdlib_module_names or root in {"builtins", *self._harmless}:
            return False
        located = self._evaluator.names.locate(name)
        return located is None or self._is_revision(located.path)

    @cached_method
    def _is_revision(self, path: str) -> bool:
        """Whether a file is a revision, or cannot be read."""
        home = self._evaluator.load(path)
        return home is None or is_revision(home)

    def _is_by_path(self, module: Module, function: ast.expr, given: _Given) -> bool:
        """Whether a revision that is loaded by its path has what is called.

        An unknown revision counts if it gets a connection: all that becomes asynchronous is known.
        """
        values = self._evaluator.values(module, function)
        if all(isinstance(value, Unknown) for value in values):
            return given.is_connected
        return all(isinstance(value, FunctionOf) and is_revision(value.module) for value in values)

    def _method(self, module: Module, function: ast.expr) -> str | None:
        """Return the method of a library that ``function`` is; None if it may be another."""
        if not isinstance(function, ast.Attribute):
            return None
        for owner in self._evaluator.values(module, function.value):
            match owner:
                case InstanceOf() | ClassOf() | External():
                    is_own = self._evaluator.classes.facts(owner.qualified) is not None
                    if is_own or not self._stays(owner.qualified):
                        return None
                case _:
                    return None
            return f"{owner.qualified}.{function.attr}"
        return None


def _given_arguments(module: Module, call: ast.Call) -> Iterator[_Given]:
    """Yield the arguments that may be a session, or what gives its connection."""
    for argument in arguments_of(call):
        made = module.scopes.only_value(argument)
        is_bind = isinstance(made, ast.Call) and last_name(made.func) == "get_bind"
        match made if is_bind else argument:
            case ast.Call(func=ast.Attribute(value=owner, attr="connection" | "get_bind")):
                if isinstance(owner, ast.Name | ast.Attribute):
                    yield _Given(owner, is_connected=True)
            case ast.Attribute(value=ast.Name() | ast.Attribute() as owner, attr="bind"):
                yield _Given(owner)
            case ast.Name() | ast.Attribute():
                yield _Given(argument)


class Operation(Struct, frozen=True):
    """One use of a synchronous session, connection or engine that its twin does otherwise.

    ``node`` is the call of ``method``, or the expression that a ``with`` statement enters (without
    a method). ``how``: on the asynchronous side it is ``awaited``; gives what ``async with``
    enters, and is awaited elsewhere (``entered``); is ``missing``, or so that ``run_sync`` calls it
    (``bridged``); or is found on the session inside, and waits for nothing (``inner``). A change of
    the ``schema`` is called by ``run_sync``. An ``attribute`` loads when it is read, and so does
    what a ``lazy`` call reads. ``spawned`` code waits for a session of its own. A ``loading`` one
    may load: ``method`` takes its items, if they are taken, and ``session`` is the receiver, if
    that may wait. The ``method`` of the model ``why`` validates a ``validated`` one. A session is
    ``handed`` to the function ``method``, which stays synchronous, or to one that has a ``twin``,
    or, ``inside`` of `run_sync`, to one of the program. ``unknown``: it may be an operation, and
    ``why`` names the unknown part; ``library`` names its invisible source, and ``put`` is the place
    where a session enters the container that it comes from. For bridged, closed, handed and inside
    ones, ``session`` is the expression of the session. ``fakes`` are classes of tests whose objects
    may replace an engine or a connection there.
    """

    node: ast.expr
    how: How
    resource: Resource = "session"
    method: str = ""
    why: str = ""
    session: ast.expr | None = None
    library: str = ""
    put: Place | None = None
    fakes: tuple[str, ...] = ()


class Operations:
    """Finds operations, one file after the other."""

    def __init__(self, evaluator: ProgramEvaluator, sessions: Sessions) -> None:
        self._evaluator = evaluator
        self._sessions = sessions
        self._twins = twins()
        self._methods = self._twins.methods() | _TELLING
        self._inner = frozenset(self._twins.inner["session"])
        self._put = PutSessions(evaluator, self._is_session)
        self._passed = PassedSessions(evaluator, self._runs_sync, self._is_engine)
        self.kept_connections = self._passed.kept
        self._managers = EnteredResources(evaluator, self.resource_of)

    def in_module(
        self, module: Module, among: Callable[[ast.AST], bool] = lambda _: True
    ) -> Iterator[Operation]:
        """Yield the operations of a file whose nodes are ``among`` some, in source order."""
        held = frozenset(self._held_variables(module))
        for node in _those(module, among):
            match node:
                case ast.Call(func=ast.Name(id=name) as function) if name in held:
                    operation = self._of_held(module, node, function)
                    if operation is not None:
                        yield operation
                case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if (
                    method in self._methods
                ):
                    operation = self._of_call(module, node, receiver, method)
                    if operation is not None and not (
                        operation.how == "entered" and self._managers.is_entered(module, node)
                    ):
                        yield operation
                    yield from self._kept_operations(module, node)
                case ast.Call():
                    yield from self._of_library(module, node)
                    yield from self._kept_operations(module, node)
                case ast.Attribute(ctx=ast.Load()):
                    yield from self._of_attribute(module, node)
                case ast.withitem(context_expr=entered):
                    yield from self._entered_operations(module, entered)

    def _held_variables(self, module: Module) -> Iterator[str]:
        """Yield the variables that hold a method which may be one of a session."""
        for node in module.nodes(ast.Assign):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr=method)) if (
                    method in self._methods
                ):
                    yield name

    def _of_held(self, module: Module, node: ast.Call, function: ast.Name) -> Operation | None:
        """Return the operation of ``commit()``, a variable that holds ``session.commit``."""
        held = module.scopes.only_value(function)
        if not isinstance(held, ast.Attribute) or held.attr not in self._methods:
            return None
        if self._evaluator.names.qualified_name(module, held.value) in session_classes():
            return None
        operation = self._of_call(module, node, held.value, held.attr)
        return operation if operation is not None and operation.how == "awaited" else None

    def _of_call(
        self, module: Module, node: ast.Call, receiver: ast.expr, method: str
    ) -> Operation | None:
        known = self._twins
        if method in known.schema.methods:
            return self._of_schema(module, node, method)
        if (
            node.args
            and self._evaluator.names.qualified_name(module, receiver) in session_classes()
        ):
            # `Session.commit(db)`
            operation = self._of_call(module, node, node.args[0], method)
            return operation if operation is not None and operation.how == "awaited" else None
        resource = self.resource_of(module, receiver)
        if not isinstance(resource, str) and self._bound_to(module, receiver) is not None:
            return self._of_engine(node, method)
        if isinstance(resource, Unknown):
            library = resource.name if isinstance(resource, UnknownResult) else ""
            put = None if library else self._put.put_where(module, receiver)
            is_told = method in _TELLING or put is not None
            if not is_told and not self._may_be_one(module, node, receiver, method):
                return None
            return Operation(
                node, "unknown", method=method, why=resource.why, library=library, put=put
            )
        result = None if resource is None else self._of_resource(node, receiver, resource, method)
        fakes = () if result is None else self._fakes(module, receiver)
        return replace(result, fakes=fakes) if result is not None and fakes else result

    def _may_be_one(self, module: Module, node: ast.Call, receiver: ast.expr, method: str) -> bool:
        """Whether a method is an operation of sessions, and one of the receiver's values is one."""
        values = map(self._evaluator.members.as_session, self._evaluator.values(module, receiver))
        kinds = {value.kind for value in values if isinstance(value, Session)}
        is_operation = self._of_resource(node, receiver, "session", method) is not None
        return is_operation and not kinds.isdisjoint(BLOCKING_SESSIONS)

    def _of_resource(
        self, node: ast.Call, receiver: ast.expr, resource: Resource, method: str
    ) -> Operation | None:
        known = self._twins
        kinds: tuple[Resource, ...] = ("scoped", "session") if resource == "scoped" else (resource,)
        for kind in kinds:
            if method in known.awaited.get(kind, ()):
                return Operation(node, "awaited", resource, method)
            if method in known.entered.get(kind, ()):
                return Operation(node, "entered", resource, method)
            if method in known.missing.get(kind, ()):
                return Operation(node, "missing", resource, method)
            if method in known.bridged.get(kind, ()):
                return Operation(node, "bridged", resource, method, session=receiver)
        return None

    def _of_engine(self, node: ast.Call, method: str) -> Operation | None:
        """Return the operation of ``db.get_bind().connect()``: the engine stays synchronous."""
        known = self._twins
        waiting = {*known.awaited.get("engine", ()), *known.entered.get("engine", ())}
        is_waiting = method in waiting
        return Operation(node, "missing", method=f"get_bind().{method}") if is_waiting else None

    def _of_library(self, module: Module, node: ast.Call) -> Iterator[Operation]:
        """Yield the operation of a call of a library that is given a session."""
        pair = self._passed.session_given_to(module, node)
        if pair is not None:
            name, session = pair
            resource = self.resource_of(module, session)
            if isinstance(resource, str):
                how: How = "twin" if name in self._twins.functions else "handed"
                yield Operation(node, how, resource, name, session=session)

    def _runs_sync(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression is what has `run_sync` on the asynchronous side."""
        return self.resource_of(module, node) in {"connection", "scoped", "session"}

    def _is_engine(self, module: Module, node: ast.expr) -> bool:
        return self.resource_of(module, node) == "engine"

    def _is_session(self, module: Module, node: ast.expr) -> bool:
        return self.resource_of(module, node) in BLOCKING_SESSIONS

    def _of_attribute(self, module: Module, node: ast.Attribute) -> Iterator[Operation]:
        name = node.attr
        if name in self._inner and self._is_session(module, node.value):
            yield Operation(node, "inner", method=name, session=node.value)
        elif name in self._methods:
            resource = self._managers.escaping_resource(module, node)
            if resource is not None:
                yield Operation(node, "kept", resource, name)

    def _kept_operations(self, module: Module, node: ast.Call) -> Iterator[Operation]:
        for given, resource in self._managers.keeping(module, node):
            yield Operation(given, "kept", resource)

    def _entered_operations(self, module: Module, node: ast.expr) -> Iterator[Operation]:
        """Yield the operation of what a ``with`` statement enters that is no call of a method."""
        closed = self._managers.closed_resource(module, node)
        result = self._managers.entered_resource(module, node)
        if closed is not None:
            yield Operation(node, "closing", closed[1], session=closed[0])
        elif isinstance(result, Unknown):
            yield Operation(node, "unknown", why=result.why)
        elif result is not None:
            yield Operation(node, "entered", result)

    def _of_schema(self, module: Module, node: ast.Call, method: str) -> Operation | None:
        """Return the operation of ``metadata.create_all(engine)``."""
        given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "bind")]
        for argument in given:
            resource = self.resource_of(module, argument)
            if isinstance(resource, str) and resource in {"engine", "connection"}:
                return Operation(node, "schema", resource, method)
            session = self._bound_to(module, argument)
            if session is not None:
                return Operation(node, "bridged", "session", method, session=session)
        return None

    def _bound_to(self, module: Module, node: ast.expr) -> ast.expr | None:
        """Return the session of which ``node`` is the synchronous engine: ``db.get_bind()``."""
        match module.scopes.only_value(node) or node:
            case ast.Call(func=ast.Attribute(value=session, attr="get_bind")) if self._is_session(
                module, session
            ):
                return session
        return None

    def resource_of(self, module: Module, node: ast.expr) -> Resource | Unknown | None:
        """Return which synchronous resource an expression is; None if it is proved to be none."""
        proof = self._sessions.proof_of(module, node)
        if proof is not None and not isinstance(proof, Unknown):
            return proof.kind if proof.kind in {"session", "scoped"} else None
        values = without_none(self._evaluator.values(module, node))
        kinds = {self._of_value(value) for value in values if not self._is_fake(value)}
        if len(kinds) == 1 and None not in kinds:
            return kinds.pop()
        is_other = values and all(isinstance(value, InstanceOf) for value in values)
        if is_other and all(_is_of_sqlalchemy(value) for value in values):
            return None
        kind = next(filter(None, sorted(kinds, key=str)), None)
        if proof is None and kind is not None and None in kinds:
            text = module.excerpt(node)
            return Unknown(f"`{text}` may be of SQLAlchemy, or another object", module.place(node))
        return proof

    @cached_by(Module.place)
    def session_variable(self, module: Module, function: Function) -> str:
        """Return how a function names the only session that it uses; empty without one.

        Empty, too, for a parameter that is None by default: the function may have no session.
        """
        parameters = list(parameters_of(function.args))
        first = next((argument.arg for argument, _ in parameters), "")
        optional = {item.arg for item, default in parameters if is_none(default)}
        names, others = set[str](), set[str]()
        around = [function, *(x for x in module.ancestors(function) if isinstance(x, Function))]
        for node in module.walk(function):
            match node:
                case ast.Name(id=text, ctx=ast.Load()):
                    bindings = module.scopes.bindings_of(node)
                    is_own = any(item.scope.node in around for item in bindings)
                    is_single = len(bindings) == 1
                case ast.Attribute(value=ast.Name(id=name), ctx=ast.Load(), attr=attribute):
                    text, is_own, is_single = f"{name}.{attribute}", name == first, True
                case _:
                    continue
            resource = self.resource_of(module, node) if is_own and text not in others else None
            if resource in BLOCKING_SESSIONS:
                names.add(module.text_of(node))
            elif is_own and is_single and resource is None:
                others.add(text)  # a variable with one value is no session elsewhere
        if len(names) != 1:
            return ""
        (name,) = names
        is_sure = (
            name not in optional or len(module.scopes.scope_made_by(function).bindings_of(name)) > 1
        )
        return name if is_sure else ""

    def _fakes(self, module: Module, node: ast.expr) -> tuple[str, ...]:
        """Return the classes of tests of which an engine, or a connection, may be an instance."""
        values = self._evaluator.values(module, node)
        return tuple(sorted(classes_in(filter(self._is_fake, values))))

    def _is_fake(self, value: Value) -> bool:
        """Whether it is a mock, or of a class that tests define, and that inherits nothing."""
        if not isinstance(value, InstanceOf):
            return isinstance(value, NotRelevant) and value.mock
        facts = self._evaluator.classes.facts(value.qualified)
        return facts is not None and is_around_tests(facts.path) and not any(facts.bases)

    def _of_value(self, value: Value) -> Resource | None:
        match value:
            case InstanceOf():
                return _CLASSES.get(value.qualified)
            case Session(kind="session" | "scoped" as kind):
                return kind
            case Producer(how="factory", inner=(Session(kind="session"),)):
                return "factory"
        return None


def _those(module: Module, among: Callable[[ast.AST], bool]) -> Iterator[ast.AST]:
    """Yield the nodes that are among some; for an item of ``with``, the object that it enters."""
    for node in module.nodes_of(*_KINDS):
        if among(node.context_expr if isinstance(node, ast.withitem) else node):
            yield node


def _is_of_sqlalchemy(value: Value) -> bool:
    """Whether an object is of a class of SQLAlchemy's: a result, a statement."""
    return isinstance(value, InstanceOf) and value.qualified.startswith("sqlalchemy.")
