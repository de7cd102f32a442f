"""The writes of a program through its sessions, and the classes of the rows.

A relationship that is first read after such a write includes it: the read flushes pending changes,
and loads. A relationship that is loaded before the write does not.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step
from awaken.codemods.sqlalchemy.session_to_async.reads.new_objects import written_behind
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import is_of_function
from awaken.kit.names_here import values_behind
from awaken.kit.relationships.sides import WORDS
from awaken.kit.search import modules_with, nodes_with
from awaken.knowledge.library_names import library_names
from awaken.knowledge.sql_names import sql_names
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import Call, FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, variable_of
from awaken.project.values.domain import ClassOf, InstanceOf, TupleOf, classes_in, values_inside

if TYPE_CHECKING:
    from awaken.contract import Place
    from awaken.project import Project

_OBJECTS = {"add", "add_all", "bulk_save_objects", "delete", "merge"}
"""Methods of sessions that are given objects to write."""
_MAPPINGS = {"bulk_insert_mappings", "bulk_update_mappings"}
_EXECUTING = library_names().executing_methods
_OF_SESSIONS = {*_OBJECTS, *_MAPPINGS, *_EXECUTING, "refresh"}
_CALLS = tuple(f".{name}(".encode() for name in sorted(_OF_SESSIONS))


class Written(NamedTuple):
    """A class whose rows a write may change; of what ``sets_key`` it is a key of the object.

    ``owner`` is empty where it may be any class. A new object (``is_new``) has only the
    relationships that it ``is_given``, until they are loaded after the byte ``loaded``. An object
    that ``is_refreshed`` is not written at all.
    """

    owner: str
    sets_key: bool = False
    is_new: bool = False
    is_given: frozenset[str] = frozenset()
    loaded: int = 0
    is_refreshed: bool = False


class Writes:
    """Answers for one program."""

    def __init__(self, project: Project) -> None:
        self.project = self._project = project
        owners = {
            side.owner
            for path in project.files_with(WORDS)
            for side in project.orm.relationships.in_file(path)
        }
        self._owners = {
            name for owner in owners if owner for name in (owner, *project.all_subclasses(owner))
        }
        self._keys = {key for owner in owners if owner for key in self._keys_of(owner)}
        self._keys |= {
            (owner, name)
            for owner in owners
            if owner and (mapped := project.orm.mapped_class(owner)) is not None
            for name, facts in mapped.relationships.items()
            if facts.uselist is False
        }
        self._names = {name for _, name in self._keys}
        self._all: defaultdict[Place, set[Written]] = defaultdict(set)
        own: defaultdict[FunctionPlace, set[Written]] = defaultdict(set)
        words = (
            *_CALLS,
            b".append(",
            b".refresh(",
            *(f".{name}".encode() for name in sorted(self._names)),
        )
        kinds = (ast.Call, ast.Attribute)
        for module, node in nodes_with(project, words, kinds, revisions=False):
            written = set(self._written_classes(module, node))
            function = function_around(module, node) if written else None
            if isinstance(function, Function):
                self._all[module.place(node)] |= written
                own[project.calls.graph().place_of(module, function)] |= written
        self._add_calls(own)

    def places(self) -> list[Place]:
        """Return the calls and assignments that write, or call what writes."""
        return sorted(self._all)

    @cached_method
    def in_file(self, path: str) -> list[Place]:
        """Return those of one file."""
        return [place for place in self.places() if place.path == path]

    def changes(self, place: Place, owner: str, name: str) -> bool:
        """Whether the write at a place may change what a relationship holds."""
        target = self._project.orm.models.target_of(owner, name)
        return any(
            target is None
            or not candidate.owner
            or self.is_kin(candidate.owner, target)
            or (candidate.sets_key and self.is_kin(candidate.owner, owner))
            for candidate in self._all[place]
            if not candidate.is_new and not candidate.is_refreshed
        )

    def leaves_others(self, owner: str, name: str) -> bool:
        """Whether deleting an object takes no row from a relationship of another of its class."""
        heirs = (owner, *self._project.all_subclasses(owner))
        mapped = [each for each in map(self._project.orm.mapped_class, heirs) if each is not None]
        parts = {pair for each in mapped for pair in each.relationships.items()}
        facts = self._project.orm.models.relationship(owner, name)
        if facts is None or facts.target is None or not facts.plain_join or facts.secondary:
            return False
        return facts.uselist is True and not any(
            target is None or self.is_kin(target, facts.target)
            for target in (owner, *(other.target for key, other in parts if key != name))
        )

    def refreshes(self, place: Place) -> bool:
        """Whether an object is refreshed at a place, or by what is called there."""
        return any(name.is_refreshed for name in self._all[place])

    def makes(self, place: Place, step: Step, start: int) -> bool:
        """Whether an object is made at a place, or by what is called there, that is read unloaded.

        ``start`` is where it is read. A relationship that is loaded after a write is read through
        its variable.
        """
        return any(
            name.is_new
            and step.name not in name.is_given
            and (not name.loaded or start < name.loaded or "." in step.text)
            and (not name.owner or self.is_kin(name.owner, owner))
            for name in self._all[place]
            for owner in step.owners
        )

    def sets_key(self, place: Place, owners: Iterable[str]) -> bool:
        """Whether an object of a class may refer to another one after the write at a place."""
        return any(
            name.sets_key and (not name.owner or self.is_kin(name.owner, owner))
            for name in self._all[place]
            for owner in owners
        )

    def sets_key_inside(self, module: Module, node: ast.AST, owners: Iterable[str]) -> bool:
        """Whether the function around a node does so."""
        return any(self.sets_key(place, owners) for place in self._writes_around(module, node))

    def with_unloaded(self) -> Iterator[Place]:
        """Yield the calls that make objects or set a key: the related objects may be unloaded."""
        for place, written in sorted(self._all.items()):
            if any(name.is_new or name.sets_key or name.is_refreshed for name in written):
                yield place

    def makes_inside(self, module: Module, node: ast.AST, step: Step) -> bool:
        """Whether the function around a read makes such an object, or calls what does."""
        start = module.span(node).start
        return any(self.makes(place, step, start) for place in self._writes_around(module, node))

    def _writes_around(self, module: Module, node: ast.AST) -> Iterator[Place]:
        """Yield the writes of the function around a node."""
        span = module.span(module.enclosing_function(node) or module.tree)
        return (each for each in self._all if module.path == each.path and span.contains(each.span))

    def is_kin(self, one: str, other: str) -> bool:
        """Whether an object of one class may be one of another."""
        ancestors = self._project.orm.mapping_ancestors
        return one in ancestors(other) or other in ancestors(one)

    def is_outside(self, module: Module, made: ast.Call) -> bool:
        """Whether a call gives an object that is in no session: nothing has added it by then."""
        named = self._project.qualified_name(module, made.func)
        if self._project.orm.mapped_class(named) is not None or _is_parameter(module, made.func):
            return True
        graph, names = self._project.calls.graph(), self._project.orm.reads.names_of_mapped()
        run = graph.reachable(graph.run_by(module, made))
        if not run or any(call.kind == "unknown" for each in run for call in graph.callees(each)):
            return False
        # A related object may be in a session, and take the new one along.
        return not any(
            (isinstance(part, ast.Call) and last_name(part.func) in _OBJECTS)
            or (isinstance(part, ast.Attribute) and part.attr in names)
            or (isinstance(part, ast.keyword) and (part.arg is None or part.arg in names))
            for home in map(self._project.calls.definition_of, run)
            if home is not None
            for part in own_nodes(what_runs(home[1]))
        )

    # ----------------------------------------------------------------------------------- writes
    def _written_classes(self, module: Module, node: ast.AST) -> Iterator[Written]:
        """Yield the classes whose rows a node may change."""
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[_, *_]) if name in _OF_SESSIONS:
                yield from self._of_session(module, node)
            case ast.Call(func=ast.Name() | ast.Attribute()) if (
                made := self._project.qualified_name(module, node.func)
            ) in self._owners:
                given = frozenset(part.arg for part in node.keywords if part.arg is not None)
                if (loaded := self._loaded_behind(module, node)) is not None:
                    yield Written(made or "", is_new=True, is_given=given, loaded=loaded)
            case ast.Call(func=called) if _is_parameter(module, called):
                # A class that its caller names.
                if (loaded := self._loaded_behind(module, node)) is not None:
                    yield Written("", is_new=True, loaded=loaded)
            case ast.Attribute(attr=name, ctx=ast.Store()) if name in self._names:
                for owner in classes_in(self._project.values.of(module, node.value).alternatives):
                    if (owner, name) in self._keys:
                        yield Written(owner, sets_key=True)

    def _of_session(self, module: Module, call: ast.Call) -> Iterator[Written]:
        """Yield what a method of a session writes."""
        func = call.func
        if not isinstance(func, ast.Attribute):
            return
        if not isinstance(self._project.orm.session_of(module, func.value), SessionProof):
            return
        if func.attr != "refresh":
            yield from self._given_names(module, func.attr, call.args[0])
        elif len(call.args) == 1:
            # Nothing is written; but a side that leads back may be unloaded then.
            yield Written("", is_refreshed=True)

    def _given_names(self, module: Module, method: str, first: ast.expr) -> Iterator[Written]:
        if method in _EXECUTING:
            behind = values_behind(module, first)
            for node in (call for part in behind for call in module.nodes_below(part, ast.Call)):
                made = self._project.qualified_name(module, node.func)
                if node.args and made in sql_names().writes:
                    name = self._project.qualified_name(module, node.args[0])
                    mapped = self._project.orm.mapped_class(name)
                    yield Written("" if mapped is None else mapped.qualified, sets_key=True)
            return
        known = list(self._classes(module, first))
        for owner in known or [""]:
            yield Written(owner, sets_key=method in _MAPPINGS)
            if method == "delete" and owner:
                mapped = self._project.orm.mapped_class(owner)
                parts = () if mapped is None else mapped.relationships.values()
                yield from (Written(facts.target) for facts in parts if facts.target is not None)

    def _classes(self, module: Module, node: ast.expr) -> Iterator[str]:
        """Yield the mapped classes of an object, of the items of a list, or that a class is."""
        values = list(self._project.values.of(module, node).alternatives)
        mapped = self._project.orm.mapped_class
        for value in values:
            if isinstance(value, TupleOf):
                values += values_inside(value)
            elif isinstance(value, InstanceOf) and value.parameters:
                values += value.parameters[-1]
            elif isinstance(value, InstanceOf | ClassOf) and mapped(value.qualified):
                yield value.qualified

    def _loaded_behind(self, module: Module, made: ast.Call) -> int | None:
        """Return the offset after which a new object is loaded, 0 if it never is.

        None if it is refreshed at once: by what it is passed to, or because no variable keeps it.
        """
        above = module.parent(made)
        if isinstance(above, ast.Call) and last_name(above.func) in self._refreshing:
            return None
        name = last_name(variable_of(module.statement_of(made)))
        function = function_around(module, made)
        refreshed = [
            node
            for each in module.mentions("refresh")
            if isinstance(node := module.parent(each), ast.Call)
            and function is not None
            and function_around(module, node) is function
        ]
        if not name:
            is_dropped = refreshed and not self._is_kept(module, made)
            return None if is_dropped else written_behind(self._project, module, made)
        end = module.span(made).end
        ends = [
            module.span(call).end
            for call in refreshed
            if module.span(call).start > end
            and any(isinstance(each, ast.Name) and each.id == name for each in call.args[:1])
        ]
        ends.append(written_behind(self._project, module, made))
        return min((candidate for candidate in ends if candidate), default=0)

    def _is_kept(self, module: Module, made: ast.Call) -> bool:
        """Whether a variable may have the new object later; a refresh loads no such object again.

        Other objects are dropped when a refresh expires the collection that has them.
        """
        function, end = module.enclosing_function(made), module.span(made).end
        qualified = self._project.qualified_name(module, made.func) or ""
        if not isinstance(function, Function):
            return False
        return any(
            self.is_kin(name, qualified)
            for node in module.walk(function)
            if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and module.span(node).start > end
            and is_of_function(module, node, function)
            for name in classes_in(self._project.values.of(module, node).alternatives)
        )

    @cached_property
    def _refreshing(self) -> frozenset[str]:
        """The names of the functions that refresh what they are given."""
        functions = (
            function_around(module, node)
            for module in modules_with(self._project, (b".refresh(",))
            for node in module.mentions("refresh")
        )
        return frozenset(function.name for function in functions if function is not None)

    def _keys_of(self, owner: str) -> Iterator[tuple[str, str]]:
        """Yield the attributes of a class that hold keys of others."""
        mapped = self._project.orm.mapped_class(owner)
        for name, facts in () if mapped is None else mapped.columns.items():
            if facts.foreign_key is not None or facts.refers is not None:
                yield owner, name

    # ------------------------------------------------------------------------------------ calls
    def _add_calls(self, written: dict[FunctionPlace, set[Written]]) -> None:
        """Add the calls of functions that write, over any number of calls."""
        graph = self._project.calls.graph()
        waiting = list(written)
        while waiting:
            function = waiting.pop()
            for call in graph.callers(function):
                passed = {each for name in written[function] for each in self._passed(call, name)}
                self._all[call.place] |= passed
                known = written.setdefault(call.caller, set())
                if not passed <= known:
                    known |= passed
                    waiting.append(call.caller)

    def _passed(self, call: Call, written: Written) -> Iterator[Written]:
        """Yield what a call writes by a function: of a class that it is given, if it makes one."""
        module = None if written.loaded else self._project.module(call.place.path)
        if not written.is_new or written.owner or module is None:
            yield from () if written.loaded else (written,)
            return
        given = {
            name
            for node in module.calls_at(call.place.span)
            for argument in node.args
            if isinstance(argument, ast.Name | ast.Attribute)
            and (name := self._project.qualified_name(module, argument)) in self._owners
        }
        yield from (written._replace(owner=argument) for argument in sorted(given))


def _is_parameter(module: Module, called: ast.expr) -> bool:
    """Whether a caller names what is called."""
    return isinstance(called, ast.Name) and any(
        isinstance(binding.node, ast.arg) for binding in module.scopes.bindings_of(called)
    )
