"""The uses of objects by functions: they change, pass on, flush and read them.

A session gets objects again after items of their collections were deleted. A collection that is not
loaded adds nothing with its owner. One that is loaded ahead still holds
what was deleted, and `add` raises for that. So an object is added only if its session lacks it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import dominates
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import holds_back
from awaken.contract import Place
from awaken.kit.changes import Member
from awaken.kit.search import nodes_with
from awaken.kit.sites import Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.sqlalchemy.commits.reloads import LOADING
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import last_name
from awaken.project.values.domain import InstanceOf

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


class AddedAgain(Uses):
    """Answers for one program; ``loaded`` gives what is loaded ahead of objects of a class."""

    def members(self, rule: str) -> Iterator[Member]:
        """Yield the calls of `add` that run under a condition from now on."""
        for module, statement, call in self._calls.values():
            if isinstance(call.func, ast.Attribute) and not self.caveat(module, call):
                held, session = module.text_of(call.args[0]), module.text_of(call.func.value)
                code = f"if {held} not in {session}:\n    {module.text_of(statement)}\n"
                site: Site[ast.AST] = Site(rule, module, statement)
                edits = [site.rewrite(statement, REPLACE, Replaced(code))]
                message = f"adds `{held}` only if `{session}` lacks it, because of deleted items"
                yield Member(site, Rewrite(message, edits), f"`{module.text_of(call)}`")

    def caveat(self, module: Module, node: ast.AST) -> str:
        """Return why a call of `add` cannot run under a condition; empty if it can, or need not.

        A new item that only refers to its owner is added with that.
        """
        if isinstance(node, ast.Call) and module.place(node) in self._calls:
            for owner, name, item in self._held(module, node):
                inverse = self._project.orm.reads.inverse_of(owner, name)
                if inverse is not None and self._is_set(item, inverse.attribute):
                    shown = f"{module.text_of(node.args[0])}.{name}"
                    return f"`{module.excerpt(node)}` fails if `{shown}` has deleted items"
        return ""

    @cached_property
    def _calls(self) -> dict[Place, tuple[Module, ast.stmt, ast.Call]]:
        """The calls that may add what a session has, and whose collections have deleted items."""
        return {
            module.place(call): (module, node, call)
            for module, node in nodes_with(
                self._project, (b".add(",) if self._deleting_of else (), ast.Expr
            )
            if isinstance(call := node.value, ast.Call)
            if self._is_of_session(module, call, {"add"})
            if any(self._is_behind(module, call, item) for *_, item in self._held(module, call))
        }

    def _held(self, module: Module, call: ast.Call) -> list[tuple[str, str, str]]:
        """Return the collections of what a call adds, each with its owner and the class of items.

        A new object has loaded none.
        """
        held = call.args[0] if call.args else call
        is_name = isinstance(held, ast.Attribute | ast.Name)
        return [
            (value.qualified, name, item)
            for value in (self._project.values.of(module, held).alternatives if is_name else ())
            if isinstance(value, InstanceOf) and not self._is_new(value)
            for item in self._deleting_of
            for name in self._collections_of(value.qualified, frozenset({item}))
        ]

    def _is_new(self, value: InstanceOf) -> bool:
        """Whether an object certainly comes from a call of its class."""
        places = [origin.place for origin in value.origins or ()]
        return bool(places) and all(
            any(
                self._project.qualified_name(module, call.func) == value.qualified
                for call in module.calls_at(place.span)
            )
            for place in places
            if (module := self._project.module(place.path)) is not None
        )

    def _is_behind(self, module: Module, add: ast.Call, item: str) -> bool:
        """Whether a function deletes objects of a class, flushes that, and then reaches a call."""
        graph, function = self._project.calls.graph(), function_around(module, add)
        adding = graph.reaching([] if function is None else [graph.place_of(module, function)])
        deleting = self._deleting_of[item].intersection(adding)
        for home, around in self._project.calls.definitions_of(deleting):
            calls = [node for node in home.walk(around) if isinstance(node, ast.Call)]
            if any(
                self._is_flushed(home, calls, deletion, node)
                for node in calls
                if node is add or not {*self._called(home, node)}.isdisjoint(adding)
                for deletion in calls
                if deletion is not node and item in self._deleted_classes(home, deletion)
            ):
                return True
        return False

    def _is_flushed(
        self, module: Module, calls: list[ast.Call], deletion: ast.Call, later: ast.Call
    ) -> bool:
        """Whether a call may run after a deletion, and a flush in between."""
        start, end = module.span(deletion).end, module.span(later).start
        around = {*module.ancestors(deletion)}.intersection(module.ancestors(later))
        if start > end and not any(isinstance(node, ast.For | ast.While) for node in around):
            return False
        methods = FLUSHING if self._is_held else FLUSHING | LOADING
        return not self._is_of_session(module, deletion, {"delete"}) or any(
            self._is_of_session(module, node, methods)
            or not self._flushing.isdisjoint(self._called(module, node))
            for node in calls
            if start > end or start <= module.span(node).start <= end
        )

    def _is_set(self, item: str, name: str) -> bool:
        """Whether the program gives an attribute to a new object of a class, or sets it later."""
        for module, node in nodes_with(self._project, (name.encode(),), (ast.Attribute, ast.Call)):
            match node:
                case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute == name:
                    return True
                case ast.Call(keywords=given) if name in {each.arg for each in given}:
                    if self._project.qualified_name(module, node.func) == item:
                        return True
        return False
