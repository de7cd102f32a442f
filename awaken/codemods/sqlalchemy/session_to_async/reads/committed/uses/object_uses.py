"""The uses of objects by functions: they change, pass on, flush and read them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.reads.covered import dominates
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import holds_back
from awaken.kit.search import nodes_with
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.committed.written_rows import Writes

ADDING = name_list("taking_objects")
APPENDING = library_names().growing_methods
CHANGING = library_names().changing_methods
FLUSHING = {"commit", "flush", "rollback"}
_CONDITIONAL = (ast.ExceptHandler, ast.For, ast.If, ast.Match, ast.While)


class Use(NamedTuple):
    """A call or an assignment, and the object that it is about, as it is written."""

    node: ast.AST
    text: str
    owners: frozenset[str] = frozenset()


class Uses:
    """Answers for one program; ``loaded`` gives what is loaded ahead of objects of a class."""

    def __init__(self, writes: Writes, loaded: Callable[[str], Iterable[str]]) -> None:
        self._project = writes.project
        self._loaded = loaded

    def _rows_of(self, module: Module, node: ast.AST) -> frozenset[str]:
        """Return the classes of which a call deletes objects, or changes rows by a statement."""
        match node:
            case ast.Call(func=ast.Attribute(attr="delete"), args=[ast.expr() as held]) if (
                self._is_of_session(module, node, {"delete"})
            ):
                return self._classes_of(module, held)
            case ast.Call(args=[named, *_]) if (
                self._project.qualified_name(module, node.func) in sql_names().changes
            ):
                pass
            case _:
                return frozenset()
        name = self._project.qualified_name(module, named)
        return frozenset() if name is None else frozenset({name})

    def _deleted_classes(self, module: Module, node: ast.AST) -> frozenset[str]:
        """Return what ``_rows_of`` does, and the classes that functions delete that it calls."""
        callees = set(self._called(module, node)) if isinstance(node, ast.Call) else set()
        reaching = self._deleting_of.items() if callees else ()
        called = {name for name, functions in reaching if not functions.isdisjoint(callees)}
        return self._rows_of(module, node) | called

    def _adds(self, module: Module, node: ast.AST) -> Iterator[tuple[str, str]]:
        """Yield the objects that a call adds to a session, or a function that it calls does."""
        return self._passed(module, node, ADDING, self._adding)

    def _passed(
        self,
        module: Module,
        node: ast.AST,
        methods: Collection[str],
        functions: frozenset[FunctionPlace],
    ) -> Iterator[tuple[str, str]]:
        """Yield the objects that a call hands to methods of a session, or to functions."""
        if not isinstance(node, ast.Call):
            return
        is_passed = self._is_of_session(module, node, methods)
        if functions and not is_passed:
            is_passed = not functions.isdisjoint(self._called(module, node))
        for part in node.args if is_passed else ():
            for each in part.elts if isinstance(part, ast.List | ast.Tuple) else (part,):
                for owner in sorted(self._classes_of(module, each)):
                    yield module.text_of(each), owner

    def _called(self, module: Module, node: ast.Call) -> Iterator[FunctionPlace]:
        """Yield the functions that a call runs."""
        return self._project.calls.graph().run_by(module, node)

    def _collections_of(self, owner: str, classes: frozenset[str]) -> Iterator[str]:
        for name in self._loaded(owner):
            is_of_them = self._project.orm.models.target_of(owner, name) in classes
            if is_of_them and self._project.orm.is_collection(owner, name):
                yield name

    def _classes_of(self, module: Module, node: ast.expr) -> frozenset[str]:
        return frozenset(self._project.orm.classes_of(module, node))

    def _is_read(self, module: Module, node: ast.Name) -> bool:
        """Whether a variable is passed on, or a relationship of it is read."""
        above = module.parent(node)
        match above:
            case ast.Attribute(attr=name, ctx=ast.Load()):
                return name in self._project.orm.reads.names_of_mapped()
            case ast.Call():
                return not self._is_of_session(module, above, {"delete", "expunge", "refresh"})
            case ast.Return() | ast.keyword():
                return True
        return False

    def _is_of_session(self, module: Module, call: ast.Call, methods: Collection[str]) -> bool:
        match call.func:
            case ast.Attribute(value=owner, attr=name) if name in methods:
                return self._project.orm.session_of(module, owner) is not None
        return False

    def _is_between(
        self,
        module: Module,
        nodes: Sequence[ast.AST],
        start: ast.AST,
        end: ast.AST,
        methods: Collection[str] = FLUSHING,
    ) -> bool:
        """Whether a flush, or another of some methods, certainly runs between two nodes."""
        later = module.statement_of(end)
        flushing = (
            module.statement_of(call)
            for call in calls_between(module, nodes, start, end)
            if last_name(call.func) in methods
        )
        return any(
            statement is not None and later is not None and dominates(module, statement, later)
            for statement in flushing
        )

    def _changes(self, module: Module, node: ast.AST) -> bool:
        match node:
            case ast.Attribute(value=held, ctx=ast.Store()):
                return bool(self._classes_of(module, held))
            case ast.Call():
                return self._is_of_session(module, node, ADDING) or bool(
                    [*self._appending(module, [node], CHANGING)]
                )
        return False

    def _appending(
        self,
        module: Module,
        nodes: Sequence[ast.AST],
        methods: Collection[str] = APPENDING,
    ) -> Iterator[Use]:
        """Yield the calls that give a relationship items, or change it by other methods."""
        for node in nodes:
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        attr=method, value=ast.Attribute(value=held, attr=name) as given
                    )
                ) if method in methods:
                    owners = self._classes_of(module, held)
                    if any(self._project.orm.is_collection(owner, name) for owner in owners):
                        yield Use(node, module.text_of(given), owners)

    @cached_property
    def _adding(self) -> frozenset[FunctionPlace]:
        """The functions that add objects to sessions, and those that call one of these."""
        return self._reaching(ADDING)

    @cached_property
    def _deleting(self) -> frozenset[FunctionPlace]:
        """The functions that delete objects by sessions, and those that call one of these."""
        return self._reaching({"delete"})

    @cached_property
    def _deleting_of(self) -> dict[str, frozenset[FunctionPlace]]:
        """For each class the functions that delete its objects, and those that call one."""
        functions: defaultdict[str, set[FunctionPlace]] = defaultdict(set)
        graph = self._project.calls.graph()
        for module, node in nodes_with(self._project, (b"delete",), ast.Call):
            for name in self._rows_of(module, node) if last_name(node.func) != "update" else ():
                functions[name].add(graph.place_around(module, node))
        return {name: frozenset(graph.reaching(each)) for name, each in functions.items()}

    @cached_property
    def _is_held(self) -> bool:
        return holds_back(self._project)

    @cached_property
    def _flushing(self) -> frozenset[FunctionPlace]:
        """The functions that flush or commit, and those that call one of these."""
        return self._reaching(name_list("writing_methods"))

    @cached_property
    def _getting(self) -> frozenset[FunctionPlace]:
        """The functions that get objects by their keys, and those that call one of these."""
        return self._reaching(library_names().getting_methods)

    @cached_property
    def _committing(self) -> frozenset[FunctionPlace]:
        """The functions that commit under a condition, and those that call one of these."""
        return self._reaching({"commit"}, _is_conditional)

    def _reaching(
        self, methods: Collection[str], kept: Callable[[Module, ast.AST], bool] | None = None
    ) -> frozenset[FunctionPlace]:
        graph, words = self._project.calls.graph(), [f".{x}(".encode() for x in sorted(methods)]
        functions = {
            graph.place_around(module, node)
            for module, node in nodes_with(self._project, words, ast.Call)
            if self._is_of_session(module, node, methods) and (not kept or kept(module, node))
        }
        return frozenset(graph.reaching(functions))


def calls_between(
    module: Module, nodes: Iterable[ast.AST], start: ast.AST, end: ast.AST
) -> Iterator[ast.Call]:
    """Yield the calls among ``nodes`` that begin after one node and before another."""
    first, last = module.span(start).end, module.span(end).start
    for node in nodes:
        if isinstance(node, ast.Call) and first <= module.span(node).start < last:
            yield node


def names_read(
    module: Module, nodes: Iterable[ast.AST], start: ast.AST, name: str = ""
) -> Iterator[ast.Name]:
    """Yield the reads of variables among ``nodes`` after one: of the variable ``name``, or any."""
    end = module.span(start).end
    for node in (part for part in nodes if isinstance(part, ast.Name)):
        is_it = isinstance(node.ctx, ast.Load) and node.id == (name or node.id)
        if is_it and module.span(node).start > end:
            yield node


def _is_conditional(module: Module, node: ast.AST) -> bool:
    """Whether a function may end without the call that a node is, and raise nothing."""
    start, nodes = module.span(node).start, [*module.walk(function_around(module, node))]
    around = [part for part in nodes if isinstance(part, _CONDITIONAL)]
    returns = [module.span(part).start for part in nodes if isinstance(part, ast.Return)]
    return any(one < start for one in returns) or not set(around).isdisjoint(module.ancestors(node))
