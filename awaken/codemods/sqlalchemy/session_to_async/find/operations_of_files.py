"""The operations of a program, file by file: each file is searched once."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.session_to_async.find.application_factories import FactoryBlocks
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import BlockingEngines
from awaken.codemods.sqlalchemy.session_to_async.find.idle import (
    is_given_by_none,
    is_of_uncalled,
)
from awaken.codemods.sqlalchemy.session_to_async.find.listeners import is_in_listener
from awaken.codemods.sqlalchemy.session_to_async.find.migration_helpers import Helpers
from awaken.codemods.sqlalchemy.session_to_async.find.unannotated import UnannotatedSessions
from awaken.contract import Place
from awaken.kit.search import modules_with
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.libraries import BLOCKING_SESSIONS
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_by
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.find.inside import Inside
    from awaken.codemods.sqlalchemy.session_to_async.find.test_clients import Clients
    from awaken.project import Project

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
