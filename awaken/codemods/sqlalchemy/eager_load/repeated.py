"""Reads of relationships that are made for each of many objects."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from awaken.contract import Place
from awaken.kit.eager_loads.loading_statements import GETS, Statement, node_at, statement_of
from awaken.kit.relationships.intervening_writes import DEEPEST_HELPERS
from awaken.kit.relationships.readers import DEEPEST_CALLERS, READERS
from awaken.kit.rule import ProjectFacts
from awaken.kit.sites import Refused
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.mapping import RelationshipFacts
from awaken.project.frameworks.sqlalchemy.reads.read_facts import (
    ANY,
    How,
    Load,
    Read,
    Trace,
    Wanted,
)
from awaken.project.source.bindings import Binding
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.programs.alembic_files import is_revision
from awaken.project.source.test_files import is_around_tests
from awaken.project.source.trees import Comprehension, Function, last_name, receivers

if TYPE_CHECKING:
    from awaken.project import Project

# Those that load by a call of their own are asked for as such. Generated reads are placed at the
# declaration.
_NO_READS: frozenset[How] = frozenset(
    {"assigned", "awaitable", "dynamic", "generated", "hasattr", "run_sync"}
)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_EXPIRING = frozenset({"commit", "expire", "expire_all", "expunge_all", "rollback"})


class Repeated(Struct, frozen=True):
    """A read, and one path from a statement to it; None if no statement is visible.

    ``is_cut`` says that all objects of the statement would be loaded only to read the first,
    ``expired`` is the code that makes them reload, one by one, during the loop.
    """

    read: Read
    trace: Trace | None
    is_cut: bool = False
    expired: Place | None = None


def repeated_reads(project: Project) -> list[Repeated]:
    """Return the reads that send a statement for each of many objects, in the order of the files.

    Each way to a read is shortened where it leads back to the object that it came from.
    """
    search, attributes = _Search(project), project.orm.reads.names_of_mapped()
    wanted = Wanted(attributes, _NO_READS, search.may_repeat)
    reads = project.orm.reads.reads_of(wanted)
    return [item for read in reads for item in search.repetitions_of(read)]


class _Search:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._expiry = _Expiry(project)

    def may_repeat(self, how: How, place: Place) -> bool:
        """Whether a place may be read for each of many objects, by how it is written alone.

        Then it begins with the variable of a loop, or with a parameter.
        """
        if is_around_tests(place.path):
            return False
        result = None if how in READERS else self._root(place)
        if result is None:
            return how in READERS
        module, _, root = result
        return _varying(*result) is not None or _is_parameter(module, root)

    def repetitions_of(self, read: Read) -> Iterator[Repeated]:
        """Yield a read with each way to it on which many objects come."""
        if (
            not read.owner
            or read.attribute == ANY
            or self._is_loaded(read)
            or self._is_in_revision(read)
        ):
            return
        if not read.traces:
            if read.how not in READERS and read.unknown and self._is_of_loop(read.place):
                yield Repeated(read, None)
            return
        ways = [trace for trace in read.traces if self._gives_many(trace, read)]
        loops = self._loops(read.place, DEEPEST_CALLERS) if ways else ()
        if not loops and read.how not in READERS:
            return
        for way in ways:
            path = self._without_returns(way.path)
            if path and self._gives_many(replace(way, path=path), read):
                statement = self._statement(way.load)
                is_cut = statement is not None and statement.is_cut
                expired = self._expiry.in_loops(loops, way.load.place)
                yield Repeated(read, replace(way, path=path), is_cut, expired)

    def _is_in_revision(self, read: Read) -> bool:
        """Whether a migration reads it, which runs once and is not to change any more."""
        module = self._project.module(read.place.path)
        return module is not None and is_revision(module)

    def _is_loaded(self, read: Read) -> bool:
        """Whether reading sends no statement: it raises, or gives nothing."""
        facts = self._facts(f"{read.owner}.{read.attribute}")
        return facts is not None and facts.lazy in name_list("never_loading")

    # ------------------------------------------------------------------------- how many objects
    def _gives_many(self, trace: Trace, read: Read) -> bool:
        """Whether a way gives many objects to read of: by its statement, or by a collection."""
        if any(self._is_collection(path) is True for path in trace.path[:-1]):
            return True
        if trace.load.kind in {"get", "merge", "new", "other"}:
            return False
        statement = self._statement(trace.load)
        if statement is None:
            return False
        return statement.gives_many if read.how in READERS else not statement.gives_one

    @cached_method
    def _statement(self, load: Load) -> Statement | None:
        module = self._project.module(load.place.path)
        node = None if module is None else node_at(module, load.place)
        is_get = isinstance(node, ast.Call) and last_name(node.func) in GETS
        if module is None or node is None or is_get:
            return None
        try:
            return statement_of(self._project, module, node)
        except Refused:
            # It is reported where it would be written.
            return Statement(module, node, node, [], [], [])

    def _facts(self, step: str) -> RelationshipFacts | None:
        qualified, _, attribute = step.rpartition(".")
        return self._project.orm.models.relationship(qualified, attribute)

    def _is_collection(self, step: str) -> bool | None:
        qualified, _, attribute = step.rpartition(".")
        return self._project.orm.is_collection(qualified, attribute)

    # -------------------------------------------------------------------------------- the loops
    @cached_method
    def _loops(self, place: Place, depth: int) -> tuple[Loop, ...]:
        """Return the loops in which the expression at a place reads another object each time."""
        result = self._root(place)
        if result is None:
            return ()
        module, node, root = result
        loop = _varying(module, node, root)
        if loop is not None:
            return (Loop(module, loop),)
        function = module.enclosing_function(node)
        if not depth or not isinstance(function, Function) or not _is_parameter(module, root):
            return ()
        callers = self._project.calls.callers_of(module, function)
        return tuple(
            loop for site in callers.sites for loop in self._calls_in_loop(site.place, depth - 1)
        )

    def _calls_in_loop(self, place: Place, depth: int) -> Iterator[Loop]:
        for module, call in self._project.calls_at(place)[:1]:
            for name in module.walk(call):
                loop = _varying(module, call, name) if isinstance(name, ast.Name) else None
                if loop is not None:
                    yield Loop(module, loop)
                elif isinstance(name, ast.Name):
                    yield from self._loops(module.place(name), depth)

    def _is_of_loop(self, place: Place) -> bool:
        """Whether the object is another one each time a loop of the same function goes round."""
        root = self._root(place)
        return root is not None and _varying(*root) is not None

    def _root(self, place: Place) -> tuple[Module, ast.expr, ast.Name] | None:
        """Return the expression at a place, and the variable that it begins with."""
        module = self._project.module(place.path) if place.path in self._project.snapshot else None
        if module is None:
            return None
        node = next(module.expressions_at({place.span}), None)
        if node is None:
            return None
        owner, _ = module.scopes.attribute_read(node, {"getattr", "hasattr"})
        *_, root = receivers(owner or node)
        return (module, node, root) if isinstance(root, ast.Name) else None

    # ------------------------------------------------------------------------- there and back
    def _without_returns(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return a way without what leads back, as from the posts of a user to their author."""
        kept: list[str] = []
        for step in path:
            if kept and self._leads_back(kept[-1], step):
                kept.pop()
            else:
                kept.append(step)
        return tuple(kept)

    def _leads_back(self, there: str, back: str) -> bool:
        owner, _, attribute = there.rpartition(".")
        inverse = self._project.orm.reads.inverse_of(owner, attribute)
        if inverse is None or inverse.attribute != back.rpartition(".")[2]:
            return False
        facts = self._facts(there)
        is_table = facts is not None and bool(facts.secondary)
        return not is_table and self._is_collection(back) is False


def _is_parameter(module: Module, name: ast.Name) -> bool:
    return any(binding.kind == "parameter" for binding in module.scopes.bindings_of(name))


def _varying(module: Module, node: ast.expr, name: ast.Name) -> ast.AST | None:
    """Return the loop around ``node`` that assigns a variable in each round."""
    bindings = module.scopes.bindings_of(name)
    for below, above in module.steps_up(node):
        if isinstance(above, Function):
            return None
        goes_round = isinstance(above, _LOOPS) and below is not getattr(above, "iter", None)
        goes_round = goes_round or isinstance(above, Comprehension)
        if goes_round and any(_is_inside(module, binding, above) for binding in bindings):
            return above
    return None


def _is_inside(module: Module, binding: Binding, loop: ast.AST) -> bool:
    return module.span(loop).contains(module.span(binding.node))


class Loop(Struct, frozen=True):
    """A loop of a file."""

    module: Module
    node: ast.AST


class _Expiry(ProjectFacts):
    """Answers for one program."""

    def in_loops(self, loops: Iterable[Loop], load: Place) -> Place | None:
        """Return a call in one of ``loops``, or around it, that ends what was loaded at ``load``.

        A loop that contains the statement itself loads the objects again each time.
        """
        for loop in loops:
            for node in (loop.node, *loop.module.ancestors_inside(loop.node)):
                here = loop.module.path == load.path and loop.module.span(node).contains(load.span)
                if isinstance(node, _LOOPS) and (
                    not here or _is_gone_over(loop.module, node, load)
                ):
                    place = self._within(loop.module, node, DEEPEST_HELPERS)
                    if place is not None:
                        return place
        return None

    @cached_method
    def _within(self, module: Module, node: ast.AST, depth: int) -> Place | None:
        calls = list(module.nodes_below(node, ast.Call))
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in _EXPIRING:
                return module.place(call)
        for call in calls if depth else ():
            for home, function in self._project.calls.known_functions(module, call):
                place = self._within(home, function, depth - 1)
                if place is not None:
                    return place
        return None


def _is_gone_over(module: Module, loop: ast.AST, load: Place) -> bool:
    """Whether the statement is at the head of a loop: it runs once."""
    over = getattr(loop, "iter", None)
    return over is not None and module.span(over).contains(load.span)
