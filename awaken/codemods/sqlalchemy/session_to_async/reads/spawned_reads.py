"""Calls that read relationships which no statement can load: they load as before, in a greenlet.

A schema that validates an object reads the fields that it has, and `getattr` a computed name. If
visible statements load all of that, nothing else is needed. Otherwise `greenlet_spawn` makes the
call, so that reads load as before: of new objects, and of objects from elsewhere. A plain function
that validates one is called in the same way if its caller waits.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import waits
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import is_served
from awaken.contract import Place
from awaken.knowledge.library_names import name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_by, cached_method, cached_property
from awaken.project.source.programs.alembic_files import is_of_alembic
from awaken.project.source.trees import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import FileOperations
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import Read
    from awaken.project.source.modules import Module

_KNOWN = schema_knowledge().models
_METHODS = {*_KNOWN.methods, *_KNOWN.adapter_methods}
_FUNCTIONS = {function.rpartition(".")[2] for function in _KNOWN.functions}
_BUILTINS = name_list("attribute_builtins")
_NOT_AWAITED = (ast.ClassDef, ast.GeneratorExp, ast.Lambda)


class SpawnedReads:
    """Answers for one program."""

    def __init__(self, project: Project, operations: FileOperations) -> None:
        self._project = project
        self._operations = operations
        self._calls: set[Place] = set()
        self._plain: dict[FunctionPlace, None] = {}
        self._reads: list[Read] = []
        self._of_schemas()
        self._others()
        self._of_plain_functions()

    def calls(self) -> frozenset[Place]:
        """Return the calls that are made in a greenlet."""
        return frozenset(self._calls)

    def reads(self) -> list[Read]:
        """Return the reads of relationships that something else has to load for."""
        return self._reads

    def _of_schemas(self) -> None:
        by_given: defaultdict[Place | None, list[Read]] = defaultdict(list)
        for given, read in self._project.orm.reads.of_schemas():
            if not self._is_of_migration(given or read.place):
                by_given[given].append(read)
        for given, reads in by_given.items():
            call = None if given is None or all(map(is_served, reads)) else self._validating(given)
            if call is None:
                self._reads += reads
            else:
                self._calls.add(call)

    def _others(self) -> None:
        for read in self._project.orm.reads.all():
            if read.how == "schema" or self._is_of_migration(read.place):
                continue
            call = self._computed_call(read.place) if read.how == "dynamic" else None
            if call is None:
                self._reads.append(read)
            elif call == read.place:
                self._calls.add(call)

    @cached_by(attrgetter("path"))
    def _is_of_migration(self, place: Place) -> bool:
        """Whether a read is one of Alembic's, which keeps its synchronous driver."""
        module = self._project.module(place.path)
        return module is not None and is_of_alembic(module)

    def _validating(self, given: Place) -> Place | None:
        """Return the call that validates, at a place or around it, if it may wait; None if not."""
        module, node = next(self._project.expressions_at(given), (None, None))
        if module is None or node is None:
            return None
        for above in (node, *module.ancestors(node)):
            if isinstance(above, ast.stmt):
                return None
            if isinstance(above, ast.Call) and validates(above):
                return self._where_it_waits(module, above)
        return None

    def _computed_call(self, place: Place) -> Place | None:
        """Return the call that reads what a computed name says, if it may wait; None if not."""
        for module, call in self._project.calls_at(place):
            if module.scopes.builtin_called(call) not in _BUILTINS:
                continue
            if self._may_wait(module, call):
                return place
            return self._by_mapper(module, call)
        return None

    def _by_mapper(self, module: Module, call: ast.Call) -> Place | None:
        """Return a call if a plain function reads by the names that a mapper gives, at any depth.

        Its callers make it in a greenlet.
        """
        around = module.enclosing_function(call)
        if not isinstance(around, ast.FunctionDef) or not any(
            isinstance(node, ast.Attribute) and node.attr == "relationships"
            for node in module.walk(around)
        ):
            return None
        graph = self._project.calls.graph()
        if not graph.callers(graph.place_of(module, around)):
            return None
        self._where_it_waits(module, call)
        return None if module.is_generator(around) else module.place(around)

    def _where_it_waits(self, module: Module, call: ast.Call) -> Place | None:
        """Return the place of a call that may wait; else remember the function around it."""
        if self._may_wait(module, call):
            return module.place(call)
        around = module.enclosing_function(call)
        if isinstance(around, ast.FunctionDef) and not module.is_generator(around):
            self._plain[self._project.calls.graph().place_of(module, around)] = None
        return None

    # --------------------------------------------------------------------------------- functions
    def _of_plain_functions(self) -> None:
        """Find the calls, in functions that wait, of those that validate and do not wait."""
        graph = self._project.calls.graph()
        waiting = [*self._plain]
        for function in waiting:
            for call in graph.callers(function):
                is_in_lambda = graph.lambda_around(call) is not None
                for module, node in () if is_in_lambda else self._project.calls_at(call.place):
                    place = self._where_it_waits(module, node)
                    if place is not None and call.kind != "unknown":
                        self._calls.add(place)
            waiting += [candidate for candidate in self._plain if candidate not in waiting]

    def _may_wait(self, module: Module, call: ast.Call) -> bool:
        """Whether a call can be awaited, in a function that waits anyway."""
        around = module.enclosing_function(call)
        if not isinstance(around, Function):
            return False
        for above in module.ancestors(call):
            if above is around:
                break
            if isinstance(above, _NOT_AWAITED):
                return False
        else:
            return False
        return self._reaches(module, call)

    def _reaches(self, module: Module, call: ast.Call) -> bool:
        """Whether the function around a call waits, or calls what does, over any number of calls.

        A coroutine function that has to do with no session stays as it is, whatever it validates.
        """
        around = function_around(module, call)
        graph = self._project.calls.graph()
        return around is not None and self._leads_to_waiting(graph.place_of(module, around))

    @cached_method
    def _leads_to_waiting(self, function: FunctionPlace) -> bool:
        result = {
            (item.path, item.start) for item in self._project.calls.graph().reachable([function])
        }
        return not result.isdisjoint(self._waiting)

    @cached_property
    def _waiting(self) -> frozenset[tuple[str, int]]:
        """The functions that wait themselves, each by its file and where it begins."""
        return frozenset(self._functions())

    def _functions(self) -> Iterator[tuple[str, int]]:
        for module in self._operations.files():
            for start, operations in self._operations.in_file(module).items():
                if any(map(waits, operations)):
                    yield module.path, start


def validates(call: ast.Call) -> bool:
    """Whether a call has a model read the object that it is given."""
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS
    return is_method or last_name(call.func) in _FUNCTIONS
