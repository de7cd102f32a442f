"""Objects that may be refreshed at a place: they are persistent there, in their session.

Refreshing an object that was deleted, expunged or rolled back raises (SQLAlchemy,
`Session.refresh`); reading its loaded attributes does not. Code that writes a refresh asks here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.added_functions import imported_name
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import (
    Step,
    below_headers,
    loaded_as_read,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import mapped_in
from awaken.codemods.sqlalchemy.session_to_async.reads.stale import holds_back
from awaken.contract import Edit
from awaken.kit.rule import ProjectFacts
from awaken.kit.search import nodes_with
from awaken.kit.sites import Site
from awaken.knowledge.library_names import library_names
from awaken.knowledge.sql_names import sql_names
from awaken.project.effects.own_nodes import own_nodes, what_runs
from awaken.project.effects.places.events_between import EventGraph
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.expressions.expression_uses import targets_of
from awaken.project.source.memo import cached_method, cached_property
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, arguments_of, last_name, variable_of
from awaken.project.values.domain import Values

if TYPE_CHECKING:
    from awaken.project import Project

_ENDING = {"begin_nested", "delete", "expunge", "expunge_all", "invalidate", "reset", "rollback"}
"""Methods by which a session may lose an object; a rollback loses those that are new."""
_CLOSING = {"close", "close_all", "remove"}
"""Methods that other things have as well."""
_WORDS = tuple(f"{name}(".encode() for name in sorted({*_ENDING, *_CLOSING}))
_DETACHING = {"close", "delete", "expunge", "expunge_all"}
_ORPHANS = (b"delete-orphan", b"cascade_delete")
_FLUSHING = {"commit", "flush", "refresh"}
"""Methods after which an object that was added is persistent, or which raise."""
_TAKING = library_names().removing_methods
"""Methods of collections by which a part loses its owner."""


class Reload(NamedTuple):
    """How attributes of objects are loaded again.

    If it ``is_part`` of them, these are the ones that a class has, and that nothing changed. A
    refresh may leave some unloaded, which are loaded ``by_reading``.
    """

    is_part: bool = False
    by_reading: bool = False


class Persistence(ProjectFacts):
    """Answers for one program."""

    def guarded(
        self, site: Site[ast.AST], node: ast.AST, text: str, code: str, *, certain: bool = True
    ) -> tuple[str, list[Edit]]:
        """Return ``code``, which refreshes what ``text`` says in front of ``node``, and imports.

        It runs under a condition, unless the object is certainly persistent there. Other objects
        are not ``certain``, because maybe nothing added them.
        """
        if certain and not self.may_be_lost(site.module, node, text):
            return code, []
        inspect, needed = imported_name(site, "sqlalchemy", "inspect", node)
        return below_headers(code, f"if {inspect}({text}).persistent"), [needed]

    def refresh_code(
        self, site: Site[ast.AST], session: str, text: str, names: Iterable[str], reload: Reload
    ) -> tuple[str, list[Edit]]:
        """Return what loads attributes of the object ``text`` again, and its imports."""
        names = sorted(names)
        listed = ", ".join(f'"{name}"' for name in names)
        if not reload.is_part:
            if reload.by_reading:
                steps = [Step(text, name, ()) for name in names]
                return f"{session}.expire({text}, [{listed}])\n{loaded_as_read(session, steps)}", []
            return f"await {session}.refresh({text}, attribute_names=[{listed}])\n", []
        inspect, needed = imported_name(site, "sqlalchemy", "inspect", site.node)
        saved = site.module.fresh_local(site.node, "saved", "names")
        code = f"{saved} = {{{listed}}} & {inspect}({text}).unmodified\nif {saved}:\n"
        code += f"    await {session}.refresh({text}, attribute_names={saved})\n"
        if reload.by_reading:
            reads = f"[getattr({text}, name) for name in {saved}]"
            code += f"    await {session}.run_sync(lambda _: {reads})\n"
        return code, [needed]

    def reload_of(self, values: Values, names: Iterable[str]) -> Reload:
        """Return how attributes of the objects, or items, that values may be are loaded again."""
        mapped = mapped_in(self._project, values)
        classes = [self._project.orm.mapped_class(name) for name in sorted(mapped)]
        is_part = not all(
            each is not None and each.attribute_kind(name) for name in names for each in classes
        )
        return Reload(is_part, self.may_stay_unloaded(mapped))

    def may_stay_unloaded(self, mapped: Iterable[str]) -> bool:
        """Whether a refresh of an object of mapped classes may leave relationships unloaded.

        Where a statement populates existing objects, those of joined subclasses keep the options
        that load their columns. These turn the relationships of the base off (SQLAlchemy,
        ``Mapper._subclass_load_via_in``).
        """
        return any(map(self._is_joined_below, mapped))

    @cached_method
    def _is_joined_below(self, mapped: str) -> bool:
        """Whether objects of a mapped class may be of one with a table of its own."""
        classes = (mapped, *self._project.all_subclasses(mapped))
        return any(map(self._has_own_table, classes))

    def _has_own_table(self, name: str) -> bool:
        """Whether a mapped class has another table than the mapped class that it inherits from."""
        models = map(self._project.orm.mapped_class, self._project.orm.mapping_ancestors(name))
        tables = {model.tablename for model in models if model is not None}
        return len(tables - {None}) > 1

    def may_be_lost(self, module: Module, node: ast.AST, text: str) -> bool:
        """Whether the session may have lost the object ``text`` on some path to ``node``."""
        return self._may_be_lost(module, node, text.partition(".")[0], set())

    def may_be_expunged(self, module: Module, node: ast.AST, text: str) -> bool:
        """Whether the function around ``node`` may take an object out of its session before it."""
        function = module.enclosing_function(node)
        name, end = text.partition(".")[0], module.span(node).start
        return any(
            isinstance(part, ast.Call)
            and last_name(part.func) in _DETACHING
            and module.span(part).end <= end
            and (not part.args or any(each.id == name for each in _names(part)))
            and self._project.orm.session_of(module, getattr(part.func, "value", part)) is not None
            for part in (module.walk(function) if function is not None else ())
        )

    def _may_be_lost(
        self, module: Module, node: ast.AST, name: str, seen: set[FunctionPlace]
    ) -> bool:
        function, place = (
            function_around(module, node),
            self._project.calls.graph().place_around(module, node),
        )
        if function is None or place in seen:
            return False
        seen.add(place)
        if self._is_reached(module, function, place, node, name) or self._may_be_pending(
            module, function, node, name
        ):
            return True
        bindings = module.scopes.scope_made_by(function).bindings_of(name)
        if not any(isinstance(binding.node, ast.arg) for binding in bindings):
            return False
        return any(
            self._may_be_lost(home, call, given, seen)
            for home, call, given in self._calls_of(place)
        )

    def _calls_of(self, function: FunctionPlace) -> Iterator[tuple[Module, ast.Call, str]]:
        """Yield the calls of a function, tests aside, each with a variable that it is given."""
        for call in self._project.calls.graph().callers(function):
            is_test = is_test_file(call.place.path)
            for home, node in () if is_test else self._project.calls_at(call.place):
                for argument in arguments_of(node):
                    if isinstance(argument, ast.Name):
                        yield home, node, argument.id

    # -------------------------------------------------------------------- what loses objects
    def _is_reached(
        self, module: Module, function: Function, place: FunctionPlace, node: ast.AST, name: str
    ) -> bool:
        """Whether something in a function loses objects, and ``node`` may run after that."""
        if place not in self._losing:
            return False
        nodes = list(own_nodes(what_runs(function)))
        called = {
            callee.place
            for callee in self._project.calls.graph().callees(place)
            if any(each in self._losing for each in callee.functions)
        }
        losing = [
            part
            for part in nodes
            if self._loses(module, part)
            or (isinstance(part, ast.Call) and module.place(part) in called)
        ]
        graph = EventGraph(module, function, losing)
        stops = {
            part
            for part in nodes
            if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        }
        reached = graph.reached_from(losing, stops)
        return any(part in reached for part in module.walk(node))

    # ------------------------------------------------------------------- what is not written yet
    def _may_be_pending(self, module: Module, function: Function, node: ast.AST, name: str) -> bool:
        """Whether ``function`` makes the object, and it may reach ``node`` without being flushed.

        A refresh flushes first, unless the session has ``autoflush=False``.
        """
        bindings = module.scopes.scope_made_by(function).bindings_of(name)
        made = [
            value
            for binding in bindings
            if (value := binding.value) is not None and self.makes_mapped(module, value)
        ]
        if not made or not self.holds_back:
            return False
        place = self._project.calls.graph().place_of(module, function)
        flushing = set(self._flushing(module, function, place, {place}))
        if node in flushing:
            return False
        graph = EventGraph(module, function, flushing)
        reached = graph.reached_from(made, flushing)
        return any(part in reached for part in module.walk(node))

    def makes_mapped(self, module: Module, node: ast.expr) -> bool:
        """Whether an expression makes an object of a mapped class."""
        name = (
            self._project.qualified_name(module, node.func) if isinstance(node, ast.Call) else None
        )
        return self._project.orm.mapped_class(name) is not None

    def _flushing(
        self, module: Module, function: Function, place: FunctionPlace, seen: set[FunctionPlace]
    ) -> Iterator[ast.Call]:
        """Yield the calls in a function after which nothing of its session is pending."""
        called = {item.place: item.functions for item in self._project.calls.graph().callees(place)}
        for node in own_nodes(what_runs(function)):
            match node:
                case ast.Call(func=ast.Attribute(value=owner, attr=attribute)) if (
                    attribute in _FLUSHING and self._project.orm.session_of(module, owner)
                ):
                    yield node
                case ast.Call():
                    functions = called.get(module.place(node), ())
                    if functions and all(self._always_flushes(each, seen) for each in functions):
                        yield node

    def _always_flushes(self, place: FunctionPlace, seen: set[FunctionPlace]) -> bool:
        """Whether each run of a function that ends without an error flushes."""
        home = self._project.calls.definition_of(place)
        if home is None or place in seen:
            return False
        module, function = home
        always = set(_always_run(function.body))
        return any(
            module.statement_of(call) in always
            for call in self._flushing(module, function, place, {*seen, place})
        )

    @cached_property
    def holds_back(self) -> bool:
        """Whether a session of the program may load without writing first what was changed."""
        return holds_back(self._project)

    @cached_property
    def _losing(self) -> frozenset[FunctionPlace]:
        """The functions in which a session may lose objects, or that call one of these."""
        words = [*_WORDS, *(f".{name}".encode() for name in sorted(self._of_orphans))]
        graph = self._project.calls.graph()
        kinds = (ast.Call, ast.Attribute, ast.Subscript, ast.AugAssign)
        nodes = nodes_with(self._project, words, kinds)
        losing = {graph.place_around(*pair) for pair in nodes if self._loses(*pair)}
        return frozenset(graph.reaching(losing))

    def _loses(self, module: Module, node: ast.AST) -> bool:
        """Whether a session may lose objects by a node."""
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _ENDING:
                is_bulk = name == "delete" and isinstance(owner, ast.Call)
                return is_bulk or self._project.orm.session_of(module, owner) is not None
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _CLOSING:
                proof = self._project.orm.session_of(module, owner)
                return isinstance(proof, SessionProof) or (
                    name in _TAKING and self._is_of_orphans(module, owner)
                )
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _TAKING:
                return self._is_of_orphans(module, owner)
            case ast.Call(func=ast.Name() | ast.Attribute() as called):
                return self._project.qualified_name(module, called) in sql_names().deletes
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                return self._is_of_orphans(module, node)
            case (
                ast.Subscript(value=owner, ctx=ast.Store() | ast.Del())
                | ast.AugAssign(target=ast.Name() as owner)
            ):
                return self._is_of_orphans(module, owner)
        return False

    def _is_of_orphans(self, module: Module, owner: ast.expr) -> bool:
        """Whether an expression, or a variable, is a relationship that deletes its orphans."""
        values = [owner]
        if isinstance(owner, ast.Name) and self._of_orphans:
            values += [item.value for item in module.scopes.bindings_of(owner) if item.value]
        return any(
            isinstance(value, ast.Attribute) and value.attr in self._of_orphans for value in values
        )

    @cached_property
    def _of_orphans(self) -> frozenset[str]:
        """The names of relationships, in a program that deletes objects without an owner."""
        has_orphans = self._project.files_with(_ORPHANS)
        return self._project.orm.reads.names_of_mapped() if has_orphans else frozenset()


def _always_run(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block that run unless an error or a return comes first."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.With | ast.AsyncWith | ast.Try):
            yield from _always_run(statement.body)
        if any(isinstance(node, ast.Return) for node in own_nodes([statement])):
            return


def _names(call: ast.Call) -> Iterator[ast.Name]:
    for argument in call.args:
        if isinstance(argument, ast.Name):
            yield argument


_QUERYING = library_names().executing_methods


def is_transient(project: Project, module: Module, statement: ast.stmt, name: str) -> bool:
    """Whether a variable has such an object where a statement sets an attribute of it.

    A statement of the same block makes the object, and no call runs between the two. The value of
    the statement cannot reach the object, because no related one has it.
    """
    block = module.block_of(statement)
    for earlier in reversed(block[: block.index(statement)] if statement in block else ()):
        made = getattr(earlier, "value", None)
        if getattr(variable_of(earlier), "id", "") == name:
            return isinstance(made, ast.Call) and _is_apart(project, module, made, statement, name)
        if any(isinstance(node, ast.Call | ast.Await | ast.Yield) for node in ast.walk(earlier)):
            return False
    return False


def _is_apart(
    project: Project, module: Module, made: ast.Call, statement: ast.stmt, name: str
) -> bool:
    """Whether a new object of a mapped class is in no session after the value of a statement."""
    qualified = project.qualified_name(module, made.func)
    if qualified is None or project.orm.mapped_class(qualified) is None:
        return False
    # An `__init__` may put the object into a session: `db.session.add(self)`.
    if project.orm.models.runs_where_made(qualified):
        return False
    value = getattr(statement, "value", None)
    parts = list(ast.walk(value)) if isinstance(value, ast.expr) else []
    if any(isinstance(part, ast.Name) and part.id == name for part in parts):
        return False
    # A related object may be in a session, and take the new one along.
    names = project.orm.reads.names_of_mapped()
    is_related = any(keyword.arg is None or keyword.arg in names for keyword in made.keywords)
    return not is_related or not any(isinstance(part, ast.Call | ast.Await) for part in parts)


def is_flushed_by_value(
    project: Project, module: Module, node: ast.expr, statement: ast.stmt
) -> bool:
    """Whether the value of a statement queries, and so may flush the new object that it changes.

    A pending object loads nothing, but the flush makes it one that loads what is replaced.
    """
    if not isinstance(getattr(module.parent(node), "ctx", None), ast.Store):
        return False
    is_pending = any(
        isinstance(binding.value, ast.Call)
        and _may_be_pending(project, module, binding.value, statement)
        for binding in module.scopes.bindings_of(node)
    )
    return is_pending and any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr in _QUERYING
        and isinstance(project.orm.session_of(module, part.func.value), SessionProof)
        for part in ast.walk(statement)
    )


def _may_be_pending(project: Project, module: Module, made: ast.Call, statement: ast.stmt) -> bool:
    """Whether a session may have a new object of a mapped class in front of a statement."""
    qualified = project.qualified_name(module, made.func)
    if qualified is None or project.orm.mapped_class(qualified) is None:
        return False
    return bool(_places_given_away(module, made, statement)) or project.orm.models.runs_where_made(
        qualified
    )


def is_given_away(module: Module, made: ast.Call, reading: ast.stmt) -> bool:
    """Whether a new object may be in a session where a statement reads it, and be flushed there."""
    given, end = _places_given_away(module, made, reading), module.span(reading).start
    if given is None:
        return True
    return bool(given) and any(
        isinstance(node, ast.Call) and min(given) <= module.span(node).start < end
        for node in module.walk(module.enclosing_function(made))
    )


def _places_given_away(module: Module, made: ast.Call, reading: ast.stmt) -> list[int] | None:
    """Return where a function gives a new object away before a statement; None if at once."""
    targets = targets_of(module.parent(made))
    names = {part.id for each in targets for part in ast.walk(each) if isinstance(part, ast.Name)}
    if not names:
        return None
    start, end = module.span(made).end, module.span(reading).start
    # A list or a collection has it, too: `order.items = [item]`.
    return [
        module.span(node).end
        for node in module.walk(module.enclosing_function(made))
        if isinstance(node, ast.Name)
        and node.id in names
        and isinstance(node.ctx, ast.Load)
        and start < module.span(node).start < end
        and not _is_attribute_read(module, node)
    ]


def _is_attribute_read(module: Module, node: ast.Name) -> bool:
    """Whether an attribute of a variable is read, and not called."""
    above = module.parent(node)
    return isinstance(above, ast.Attribute) and module.call_of(above) is None
