"""The operations of a program, file by file: each file is searched once.

A parameter without an annotation may be a session. A caller that uses another name passes arguments
that no call of the function's own name shows.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import FactoryBlocks
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import (
    BlockingEngines,
    Helpers,
)
from awaken.codemods.sqlalchemy.session_to_async.find.idle import is_given_by_none, is_of_uncalled
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import is_in_listener
from awaken.codemods.sqlalchemy.session_to_async.reasons import UNKNOWN_CALL
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_by, cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import Function, arguments_of, last_name, unpacks
from awaken.project.values.domain import Unknown, functions_in

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside
    from awaken.codemods.sqlalchemy.session_to_async.find.test_clients import Clients
    from awaken.project import Project
    from awaken.project.graph.forwards.passed.components import Component

WORDS = (*(f".{name}(".encode() for name in sorted(twins().methods())), b".expire(", b"with ")
"""What a file holds that may hold an operation."""
_OTHERS = [name for name in Operation.__struct_fields__ if name not in {"node", "session"}]


class _Kept(NamedTuple):
    """An operation without its tree: ``node`` and ``session`` are numbers in the walk of that.

    ``function`` is the byte at which the function around it begins, ``others`` are its fields.
    """

    function: int
    node: int
    session: int | None
    others: dict[str, Any]

    def operation_in(self, nodes: list[ast.AST]) -> Operation:
        """Return the operation, whose nodes are ``nodes``."""
        session = None if self.session is None else nodes[self.session]
        return Operation(**self.others, node=nodes[self.node], session=session)  # type: ignore[arg-type]


class FileOperations:
    """Finds them for one program; those of ``clients`` are there if clients of tests wait."""

    def __init__(self, project: Project, clients: Clients | None) -> None:
        self._project = project
        self._clients = clients
        self._blocking = BlockingEngines(project)
        self.unannotated = UnannotatedSessions(project)
        self._helpers = Helpers(project)
        self.factory_blocks = FactoryBlocks(project)
        self._attributes: frozenset[Place] = frozenset()
        self._lazy: frozenset[Place] = frozenset()
        self._validated: Mapping[Place, Operation] = {}
        self._bridged: Mapping[Place, Operation] | None = None
        self._inside: Mapping[Place, Operation] = {}
        self._staying: frozenset[tuple[str, int]] = frozenset()
        # Of one file at a time: its nodes would keep its tree.
        self._of: Module | None = None
        self._last: dict[int, list[Operation]] = {}

    def files(self) -> Iterator[Module]:
        """Yield the files that may hold some."""
        words = (*WORDS, *self._project.object_factories.words)
        seen = set[str]()
        for module in modules_with(self._project, (b"def ", *words)):
            seen.add(module.path)
            yield module
        others = {place.path for place in (*self._attributes, *self._lazy, *self._validated)} - seen
        yield from (item for item in map(self._project.module, sorted(others)) if item is not None)

    def any_waits(self) -> bool:
        """Whether anything in the program may wait synchronously, as far as that is known."""
        # An expired object is loaded again, which waits: no other operation is needed.
        return any(calls_of_expire(self._project)) or any(
            waits(operation)
            for module in self.files()
            for operations in self.in_file(module).values()
            for operation in operations
        )

    def add_reads(
        self,
        attributes: Iterable[Place],
        calls: Iterable[Place],
        validated: Mapping[Place, Operation],
    ) -> None:
        """From now on, reads are operations: of ``attributes``, which load, and by ``calls``.

        So is what is ``validated``.
        """
        self._attributes, self._lazy = frozenset(attributes), frozenset(calls)
        self._validated = validated
        self._of = None

    def add_bridged(self, operations: Mapping[Place, Operation]) -> None:
        """From now on, these are operations as well; twins of libraries are not."""
        self._bridged = operations
        self._of = None

    def add_inside(self, inside: Inside) -> None:
        """From now on, code inside of synchronous sessions is no operation, but calls of it are."""
        self._staying = frozenset((function.path, function.start) for function in inside.functions)
        self._inside = inside.calls
        self._of = None

    def in_file(self, module: Module) -> dict[int, list[Operation]]:
        """Return the operations of a file, those of each function in the order of their places.

        By the byte at which the function begins; -1 for the code outside of all.
        """
        if self._of is not module:
            self._of, self._last = module, defaultdict(list)
            kept = self._without_nodes(module)
            nodes = [*module.walk()] if kept else []
            for item in kept:
                self._last[item.function].append(item.operation_in(nodes))
            spawned = {**self._validated, **(self._bridged or {})}
            for operation in self._loading(module):
                if module.place(operation.node) in spawned:
                    continue
                self._last[self._start_around(module, operation.node)].append(operation)
            if self._bridged is not None:
                self._without_twins()
            self._add(module, spawned)
            self._add(module, self._inside)
            for start in [entry for entry in self._last if (module.path, entry) in self._staying]:
                del self._last[start]
        return self._last

    def function_around(self, module: Module, node: ast.AST) -> Function | None:
        """Return the function that runs ``node``; None for what a file runs when it is imported."""
        function = function_around(module, node)
        if function is None or self.factory_blocks.holds(module.place(node)):
            return None
        return function

    def _start_around(self, module: Module, node: ast.AST) -> int:
        function = self.function_around(module, node)
        return -1 if function is None else module.span(function).start

    def _without_twins(self) -> None:
        """Have libraries call nothing but what is called in a greenlet."""
        for start, operations in self._last.items():
            self._last[start] = [
                replace(item, how="handed") if item.how == "twin" else item for item in operations
            ]

    def _add(self, module: Module, known_before: Mapping[Place, Operation]) -> None:
        """Add what is called in a greenlet, or in `run_sync`."""
        here = {place for place in known_before if place.path == module.path}
        for node in module.expressions_at({place.span for place in here}):
            if module.place(node) not in here:
                continue
            known = known_before[module.place(node)]
            operation = replace(known, node=node, session=_same(node, known.session))
            self._last[self._start_around(module, node)].append(operation)

    def _loading(self, module: Module) -> Iterator[Operation]:
        """Yield the reads of a file that are operations."""
        both = (*self._attributes, *self._lazy)
        for node in module.expressions_at({item.span for item in both if item.path == module.path}):
            if isinstance(node, ast.Attribute) and module.place(node) in self._attributes:
                yield Operation(node, "attribute", method=node.attr)
            elif isinstance(node, ast.Call) and module.place(node) in self._lazy:
                yield Operation(node, "lazy", method=last_name(node.func))

    @cached_by(attrgetter("path"))
    def _without_nodes(self, module: Module) -> list[_Kept]:
        operations = [*self._found_operations(module)]
        numbers = {node: number for number, node in enumerate(module.walk())} if operations else {}
        return [
            _Kept(
                self._start_around(module, operation.node),
                numbers[operation.node],
                None if operation.session is None else numbers[operation.session],
                {name: getattr(operation, name) for name in _OTHERS},
            )
            for operation in operations
        ]

    def _found_operations(self, module: Module) -> Iterator[Operation]:
        is_migration = is_of_alembic(module)
        if not is_migration:
            operations = [*self._project.orm.operations.in_module(module)]
            operations += self.unannotated.operations(module, operations)
            for operation in operations:
                node = operation.node
                if self._blocking.is_used_by(module, node) or self._helpers.hold(module, node):
                    continue
                is_held = self._is_of_factory(module, operation)
                if is_held or is_in_listener(self._project, module, operation.node):
                    continue
                if operation.how == "kept" and self._is_awaited_by(module, operation.node):
                    continue
                if operation.how != "unknown" or not self._never_runs(module, operation.node):
                    yield operation
            for call in self._project.object_factories.calls(module):
                yield Operation(call, "spawned", method=last_name(call.func))
        if self._clients is not None:
            yield from self._clients.operations(module)

    def _never_runs(self, module: Module, node: ast.AST) -> bool:
        project = self._project
        return (
            is_given_by_none(project, module, node)
            or is_of_uncalled(project, module, node)
            or project.is_after_failing_import(module, node)
        )

    def _is_awaited_by(self, module: Module, node: ast.AST) -> bool:
        """Whether ``node`` is passed to what takes coroutine functions as well as plain ones."""
        above = module.parent(node)
        if isinstance(above, ast.List):
            handlers = module.parent(above)
            return isinstance(handlers, ast.keyword) and handlers.arg in {
                "on_shutdown",
                "on_startup",
            }
        if not isinstance(above, ast.Call):
            return False
        names = self._project.effects.library_functions(module, above)
        return not set(twins().absorbing.functions).isdisjoint(names)

    def _is_of_factory(self, module: Module, operation: Operation) -> bool:
        """Whether a factory uses the session that it holds, where it may wait as it always did."""
        factories, node = self._project.object_factories, operation.node
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and factories.is_held(module, node.func.value)
            and factories.is_inside(module, node)
        )


def calls_of_expire(project: Project) -> Iterator[tuple[Module, ast.Call]]:
    """Yield the calls by which synchronous sessions expire objects."""
    for module in modules_with(project, (b".expire(",)):
        for node in module.walk():
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr="expire"), args=[_, *_]) if (
                    project.orm.resource_of(module, owner) in BLOCKING_SESSIONS
                ):
                    yield module, node


def _same(node: ast.expr, other: ast.expr | None) -> ast.expr | None:
    """Return the expression inside of ``node`` that is ``other``, of the file parsed before."""
    if other is None:
        return None
    wanted = (type(other), other.lineno, other.col_offset, other.end_lineno, other.end_col_offset)
    return next(
        one
        for one in ast.walk(node)
        if isinstance(one, ast.expr)
        and (type(one), one.lineno, one.col_offset, one.end_lineno, one.end_col_offset) == wanted
    )


def waits(operation: Operation) -> bool:
    """Whether the function around an operation waits for it, as far as that is known."""
    return operation.how not in {"inner", "unknown"}


_METHODS = frozenset(twins().methods())
_METHODCALLER = "operator.methodcaller"
_CURE = "Annotate the parameter of that function: `db: Session`."


class _Passing(Struct, frozen=True):
    """The calls that pass a session to a component; ``is_visible`` if all is that it is passed."""

    calls: frozenset[Place]
    is_visible: bool


class UnannotatedSessions:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        # By the function whose parameter it is, the calls that may pass it a session.
        self._passing: dict[Place, set[Place]] = {}

    def operations(self, module: Module, known: Iterable[Operation]) -> Iterator[Operation]:
        """Yield the calls in a file that may be on a session, except the ``known`` ones."""
        done = {operation.node: operation.how for operation in known}
        for node in module.nodes(ast.Call):
            if done.get(node, "unknown") != "unknown":
                continue
            if node not in done and self._calls_by_name(module, node):
                why = f"`{module.excerpt(node)}` calls a method by its name"
                yield Operation(node, "unknown", why=why, put=module.place(node))
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in _METHODS:
                continue
            owner = node.func.value
            place, calls = self._passed_at(module, owner)
            if place is None:
                continue
            shown = module.text_of(owner)
            why = f"`{shown}` has no annotation, and its function is passed as a value"
            if node not in done:
                yield Operation(node, "unknown", method=node.func.attr, why=why, put=place)
            function = module.place(module.enclosing_function(node) or module.tree)
            self._passing.setdefault(function, set()).update(calls)

    def members(self, rule: str) -> Iterator[Member]:
        """Yield the calls that may pass a session to one of these functions: they stay together."""
        for function, calls in sorted(self._passing.items()):
            for place in sorted(calls):
                for module, node in self._project.calls_at(place):
                    shown = f"`{module.excerpt(node)}`"
                    why = f"a function that is passed as a value, with the session of {shown}"
                    refused = Refused(UNKNOWN_CALL, why, _CURE, (function,))
                    yield Member(Site(rule, module, node), refused, shown, (function,))

    def _calls_by_name(self, module: Module, call: ast.Call) -> bool:
        """Whether `methodcaller` may call a session, for the function around has one."""
        match call:
            case ast.Call(args=[ast.Constant(str() as name), *_]) if name in _METHODS:
                around = module.enclosing_function(call)
                if self._project.qualified_name(module, call.func) != _METHODCALLER:
                    return False
                nodes = () if around is None else module.walk(around)
                resources = (
                    self._project.orm.resource_of(module, node)
                    for node in nodes
                    if isinstance(node, ast.Name)
                )
                return any(isinstance(resource, str) for resource in resources)
        return False

    def _passed_at(self, module: Module, owner: ast.expr) -> tuple[Place | None, set[Place]]:
        """Return where the function of a parameter is used, and the calls that may pass a session.

        None if none does.
        """
        parameter = _parameter(module, owner)
        if parameter is None:
            return None, set()
        name, function = parameter.name, parameter.scope.node
        if isinstance(function, ast.Lambda):
            places = [module.place(function)]
            components = [[self._project.calls.passed_functions().of_lambda(places[0])]]
        else:
            passed = self._project.calls.passed_to(module, parameter)
            places = [] if passed is None else [*passed.doubts.values()]
            components = [[*self._components_at(place)] for place in places]
        if not places or not isinstance(self._project.orm.resource_of(module, owner), Unknown):
            return None, set()
        together = [component for each in components for component in each]
        passing = [self._passing_in(component) for component in together]
        calls = {place for item in places for place in self._passed_along(item)}
        calls = calls.union(*(item.calls for item in passing))
        is_visible = all(components) and all(candidate.is_visible for candidate in passing)
        if not calls and (is_visible or not self._names_session(name)):
            return None, set()
        return places[0], calls if is_visible else {*calls, *self._passed_to_unknown}

    def _passed_along(self, place: Place) -> Iterator[Place]:
        """Yield the calls around a function that pass it on with a session, as `partial(f, db)`.

        An attribute that `setattr` sets is called by its name there.
        """
        for module, node in self._project.expressions_at(place):
            around = takewhile(_is_argument, module.ancestors(node))
            for call in (part for part in around if isinstance(part, ast.Call)):
                if self._passes_session(module, call):
                    yield module.place(call)
                match call:
                    case ast.Call(
                        func=ast.Name("setattr"), args=[_, ast.Constant(str() as name), _]
                    ):
                        yield from self._given_by_name(name)

    def _given_by_name(self, name: str) -> Iterator[Place]:
        """Yield the calls of any attribute with a name that pass a session."""
        for module in modules_with(self._project, (f".{name}".encode(),)):
            for node in module.mentions(name):
                call = module.parent(node)
                if not isinstance(node, ast.Attribute) or not isinstance(call, ast.Call):
                    continue
                if call.func is node and self._passes_session(module, call):
                    yield module.place(call)

    def _components_at(self, place: Place) -> Iterator[Component]:
        """Yield the arguments that are passed along with the functions at a place."""
        graph = self._project.calls.graph()
        for module, node in self._project.expressions_at(place):
            for home, function in self._functions(module, node):
                known = graph.function_at(*home.key_of(function))
                if known is not None:
                    yield from self._project.calls.passed_functions().components_of(known)

    def _functions(self, module: Module, node: ast.expr) -> Iterator[tuple[Module, Function]]:
        above = module.parent(node)
        decorated = module.parent(above) if isinstance(above, ast.Call) else above
        if isinstance(decorated, Function) and {node, above} & {*decorated.decorator_list}:
            yield module, decorated
            return
        yield from functions_in(self._project.values.of(module, node).alternatives)

    @cached_by(id)
    def _passing_in(self, component: Component) -> _Passing:
        """Return the calls that pass a session to the functions of a component."""
        return _Passing(frozenset(self._calls_passing(component)), self._is_visible(component))

    def _calls_passing(self, component: Component) -> Iterator[Place]:
        for place in sorted({*component.calls, *component.threads, *component.absorbed}):
            for module, call in self._project.calls_at(place):
                if self._passes_session(module, call):
                    yield module.place(call)
        for place in component.leaks:
            for home, node in self._project.expressions_at(place):
                above = home.parent(node)
                if isinstance(above, ast.Call) and self._passes_session(home, above):
                    yield home.place(above)

    def _is_visible(self, component: Component) -> bool:
        """Whether all is visible that the functions of a component are passed."""
        calls = (call for place in component.calls for _, call in self._project.calls_at(place))
        return not component.leaks and not any(map(unpacks, calls))

    @cached_property
    def _passed_to_unknown(self) -> frozenset[Place]:
        """The calls that pass a session to what is not known."""
        return frozenset(
            module.place(node)
            for call in self._project.calls.graph().calls()
            if call.kind == "unknown"
            for module, node in self._project.calls_at(call.place)
            if self._passes_session(module, node)
        )

    def _passes_session(self, module: Module, call: ast.Call) -> bool:
        arguments = arguments_of(call)
        return any(
            isinstance(self._project.orm.resource_of(module, node), str)
            for argument in arguments
            for node in _variables(argument)
        )

    @cached_method
    def _names_session(self, name: str) -> bool:
        """Whether a variable of this name is a session anywhere in the program."""
        return any(
            isinstance(node, ast.Name)
            and isinstance(self._project.orm.resource_of(module, node), str)
            for module in modules_with(self._project, (name.encode(),))
            for node in module.mentions(name)
        )


def _parameter(module: Module, owner: ast.expr) -> Binding | None:
    """Return the parameter that ``owner`` is, or that `__init__` keeps as ``owner``."""
    match owner:
        case ast.Name():
            bindings = module.scopes.bindings_of(owner)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            around = module.enclosing_class(owner)
            kept = [
                node.value
                for node in (() if around is None else module.walk(around))
                if isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Name)
                and [module.text_of(target) for target in node.targets] == [f"self.{name}"]
            ]
            bindings = module.scopes.bindings_of(kept[0]) if len(kept) == 1 else []
        case _:
            return None
    is_parameter = len(bindings) == 1 and isinstance(bindings[0].node, ast.arg)
    return bindings[0] if is_parameter else None


def _variables(node: ast.expr) -> Iterator[ast.Name | ast.Attribute]:
    """Yield the variables and attributes that an argument is, or that it holds."""
    match node:
        case ast.Name() | ast.Attribute():
            yield node
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            yield from (node for part in parts for node in _variables(part))
        case ast.Dict(values=parts):
            yield from (node for part in parts for node in _variables(part))
        case ast.Starred(value=part):
            yield from _variables(part)


def _is_argument(node: ast.AST) -> bool:
    return isinstance(node, ast.Call | ast.keyword | ast.Starred | ast.List | ast.Tuple)
