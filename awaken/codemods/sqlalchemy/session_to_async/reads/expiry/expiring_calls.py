"""Calls of functions that roll back or expire the session that they get.

If such a function raises afterwards, only code that handles the exception continues.

Objects that the program expires one by one are reloaded. ``expire`` stays, because it drops changes
that are not flushed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import Wrappers
from awaken.codemods.sqlalchemy.session_to_async.find.operations_of_files import calls_of_expire
from awaken.codemods.sqlalchemy.session_to_async.greenlet_reads import Step, loaded_as_read
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.committing import (
    entering,
    is_of_callers,
)
from awaken.codemods.sqlalchemy.session_to_async.reads.committed.read_of import ReadOf, kept_steps
from awaken.codemods.sqlalchemy.session_to_async.reads.object_reads import mapped_in
from awaken.codemods.sqlalchemy.session_to_async.reads.persistence import Persistence
from awaken.codemods.sqlalchemy.session_to_async.reasons import NOT_AWAITABLE_HERE
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.asynchronous import twins
from awaken.project.effects.own_nodes import own_nodes
from awaken.project.graph.forwards.call_graph import FunctionPlace
from awaken.project.graph.forwards.resolving import function_around
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, last_name, root_of, written_name
from awaken.project.values.domain import classes_in
from awaken.project.values.local.context_managers import returns_nothing_true

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.loaded_relationships import Loading
    from awaken.project import Project

_LEAVING = (ast.Break, ast.Continue, ast.Return)


class _Event(NamedTuple):
    """A call, after which objects are expired, unless it is one that only ``raises``."""

    place: Place
    raises: bool


def expiring_calls(project: Project, expiring: Iterable[Place]) -> list[Place]:
    """Return the calls after which ``expiring``, calls of sessions, have expired something."""
    graph, wrappers = project.calls.graph(), Wrappers(project)
    begun = {place: project.calls_at(place)[:1] for place in expiring}
    own = {
        _Event(place, any(is_savepoint(*one) for one in pairs)) for place, pairs in begun.items()
    }
    seen, waiting, places = set(own), sorted(own), set[Place]()
    while waiting:
        calls: set[_Event] = set()
        # Those of one file one after the other: its tree is kept that long.
        for event in waiting:
            function, raises = _ended_function(project, event)
            if event not in own and raises is not None:
                places.add(event.place)
            if function is not None:
                ends = event.raises if raises is None else raises
                # A wrapper runs where what it decorates is called.
                called = (function, *wrappers.decorated_functions(function))
                calls |= {_Event(x.place, ends) for callee in called for x in graph.callers(callee)}
                definitions = project.calls.definitions_of([function])
                ends = ends or all(returns_nothing_true(*each) for each in definitions)
                calls |= {_Event(place, ends) for place in entering(project, function)}
        waiting = sorted(calls - seen)
        seen |= calls
    return sorted(places)


def _ended_function(project: Project, event: _Event) -> tuple[FunctionPlace | None, bool | None]:
    """Return the function around an event, and whether it raises after it.

    No function where its callers have nothing of that session. An unhandled exception of an event
    leaves the function: None.
    """
    for module, call in project.calls_at(event.place)[:1]:
        around = function_around(module, call)
        if isinstance(around, Function):
            raises = _goes_on(project, module, around, call, event)
            is_outside = is_of_callers(project, module, call)
            return project.calls.graph().place_of(module, around) if is_outside else None, raises
    return None, None


def _goes_on(
    project: Project, module: Module, function: Function, node: ast.AST, event: _Event
) -> bool | None:
    """Return whether a function raises after an event; None if it does nothing after it."""
    if not event.raises:
        return _raises_behind(module, function, node)
    guard = _guard_around(project, module, node)
    if not isinstance(guard, ast.Try):
        return None if guard is None else _raises_behind(module, function, guard)
    return all(isinstance(handler.body[-1], ast.Raise) for handler in guard.handlers)


def _guard_around(
    project: Project, module: Module, node: ast.AST
) -> ast.With | ast.AsyncWith | ast.Try | None:
    """Return the nearest block of the same function that may end an exception of ``node``."""
    for below, above in module.steps_up(node):
        if isinstance(above, Function):
            break
        if isinstance(above, ast.With | ast.AsyncWith):
            managers = (item.context_expr for item in above.items)
            if any(project.effects.ends_exceptions(module, manager) for manager in managers):
                return above
        if isinstance(above, ast.Try) and below in above.body and above.handlers:
            return above
    return None


def _raises_behind(module: Module, function: Function, node: ast.AST) -> bool:
    """Whether the block around a node, or one around that, ends by an exception.

    It does not if a statement after the node may leave that block in another way.
    """
    for below, above in module.steps_up(node):
        if above is function:
            return False
        if isinstance(below, ast.stmt):
            block = module.block_of(below)
            behind = block[block.index(below) + 1 :]
            if any(isinstance(part, _LEAVING) for part in own_nodes(behind)):
                return False
            if isinstance(block[-1], ast.Raise):
                return True
    return False


def is_savepoint(module: Module, event: ast.Call) -> bool:
    """Whether a call enters a block that only an exception rolls back."""
    return last_name(event.func) == "begin_nested" and isinstance(
        module.parent(event), ast.withitem
    )


def goes_on_at(project: Project, module: Module, event: ast.Call, node: ast.AST) -> bool:
    """Whether an exception may have ended the block that ``event`` enters, where ``node`` runs."""
    guard = _guard_around(project, module, event)
    if not isinstance(guard, ast.Try):
        return guard is not None
    around, ends = (node, *module.ancestors(node)), [each.body[-1] for each in guard.handlers]
    is_inside = any(part in around for part in (*guard.handlers, *guard.finalbody))
    return is_inside or not all(isinstance(end, ast.Raise | ast.Return) for end in ends)


class ExpireCalls:
    """The loads after ``session.expire(user)`` in one program."""

    def __init__(self, project: Project, rule: str, loading: Loading) -> None:
        self._project = project
        self._rule = rule
        self._loading = loading
        self._reads = ReadOf(project)
        self._found = {
            module.place(call): module.place(statement)
            for module, call in calls_of_expire(project)
            if (statement := module.statement_of(call)) is not None
        }

    def places(self) -> frozenset[Place]:
        """Return the statements after which something is loaded."""
        return frozenset(self._found.values())

    def members(self) -> Iterator[Member]:
        """Yield the loads that are written after them."""
        for module, call in calls_of_expire(self._project):
            site: Site[ast.AST] = Site(self._rule, module, call)
            yield member(site, f"`{module.excerpt(call)}`", self._loaded_rewrite, call)

    def _loaded_rewrite(self, site: Site[ast.AST], call: ast.Call) -> Rewrite:
        """Return what loads again what a call expires. Raises Refused."""
        module, statement = site.module, site.module.statement_of(call)
        given, names = call.args[0], call.args[1] if len(call.args) > 1 else None
        for keyword in call.keywords:
            names = keyword.value if keyword.arg == "attribute_names" else names
        is_statement = isinstance(statement, ast.Expr) and statement.value is call
        is_named = isinstance(given, ast.Name | ast.Attribute)
        if statement is None or not is_statement or not is_named:
            raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(call)}`")
        text, session = module.text_of(given), module.text_of(call.func).rpartition(".")[0]
        wanted = [f", {module.text_of(names)}" if names is not None else ""]
        read = self._read_of(module, given) if names is None else []
        if read:
            listed = ", ".join(f'"{name}"' for name in read)
            wanted.append(f", attribute_names=[{listed}]")
        code = "".join(f"await {session}.refresh({text}{name})\n" for name in wanted)
        if back := [*dict.fromkeys(self._led_back(module, call, text))]:
            code += loaded_as_read(session, back)
        following = self._next_use(module, statement, given)
        edits: list[Edit]
        if following is not None and _sends_before(module, statement, following):
            code, imports = Persistence(self._project).guarded(site, following, text, code)
            edits = [site.insert_statements(module.place(following), "before", code), *imports]
        else:
            edits = [site.insert_statements(module.place(statement), "after", code)]
        return Rewrite(f"reloads `{text}` where it is expired", edits)

    def _read_of(self, module: Module, node: ast.expr) -> list[str]:
        """Return the relationships of an object that are read somewhere."""
        classes = classes_in(self._project.values.of(module, node).alternatives)
        return sorted({x for owner in classes for x in self._loading.read_by_themselves(owner)})

    def _next_use(self, module: Module, statement: ast.stmt, given: ast.expr) -> ast.stmt | None:
        """Return the next statement of the same block that names the object, or may lead to it."""
        block, first = module.block_of(statement), root_of(given)
        owners = mapped_in(self._project, self._project.values.of(module, given).alternatives)
        for node in block[block.index(statement) + 1 :]:
            for name in module.nodes_below(node, ast.Name):
                values = self._project.values.of(module, name).alternatives
                if name.id == written_name(first) or owners & mapped_in(self._project, values):
                    return node
        return None

    def _led_back(self, module: Module, call: ast.Call, text: str) -> Iterator[Step]:
        """Yield the reads of an object after a call, by relationships that lead both ways.

        A refresh that comes back to the object by the other side leaves it unloaded there.
        """
        for node in module.walk(module.enclosing_def(call)):
            if (
                isinstance(node, ast.Name | ast.Attribute)
                and module.span(node).start >= module.span(call).end
                and module.text_of(node) == text
            ):
                values = self._project.values.of(module, node).alternatives
                for step in kept_steps(self._loading, self._reads.along(module, node, values)):
                    inverse_of = self._project.orm.reads.inverse_of
                    if all(inverse_of(owner, step.name) for owner in step.owners):
                        yield step


def _sends_before(module: Module, statement: ast.stmt, following: ast.stmt) -> bool:
    """Whether something between two statements of a block may write to the database."""
    block = module.block_of(statement)
    between = block[block.index(statement) + 1 : block.index(following)]
    methods = twins().methods()
    return any(
        isinstance(node, ast.Call)
        and (not isinstance(node.func, ast.Attribute) or node.func.attr in methods)
        for part in between
        for node in module.walk(part)
    )
