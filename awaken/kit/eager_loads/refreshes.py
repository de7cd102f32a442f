"""Refreshes: they load the relationships of objects that no statement has just loaded.

The program makes such an object itself, or a commit has expired it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from awaken.contract import Edit
from awaken.kit.eager_loads.gets_by_key import select_by_key
from awaken.kit.eager_loads.levels import Level, Loads
from awaken.kit.eager_loads.loader_options import NamesHere, written_code
from awaken.kit.eager_loads.loading_statements import check_place
from awaken.kit.eager_loads.planned_loads import AddedLoad, PlannedLoads
from awaken.kit.eager_loads.reasons import NESTED_REFRESH, NO_KEY, NO_REFRESH
from awaken.kit.search import argument
from awaken.kit.sites import Refused, Site
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Load, Trace
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.modules import Module
from awaken.project.source.trees import FunctionOrLambda, Loop, arguments_of, last_name
from awaken.project.source.worklist import groups_of
from awaken.project.values.domain import origins_of

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.effects.places.events_between import Event

_WRITING = name_list("writing_methods")
_VARIABLES = (ast.Name, ast.Attribute)
_LOADS_COLUMNS_ALONE = "<2.0.4"
"""The versions whose ``refresh()`` loads no lazy relationship that it names (their changelog)."""


class Reload(Load, frozen=True):
    """A call after which an object is loaded again; ``variable`` holds the object there."""

    variable: str = ""


def plan_refreshes(
    project: Project, site: Site[ast.expr], traces: Sequence[Trace], *, selects: bool
) -> PlannedLoads:
    """Return what loads the reads of the objects that are made or reloaded at ``site``.

    It follows a plain refresh, which expires what is loaded before it. Without one, it follows the
    last commit. With ``selects``, a ``select()`` loads what no refresh can. Raises Refused where
    neither is in the function.
    """
    module, plans = site.module, list[PlannedLoads]()
    check_place(module, site.node)
    for load, group in groups_of(traces, lambda trace: trace.load).items():
        if isinstance(load, Reload):
            variable, calls = load.variable, _reloading_calls(module, load)
        else:
            name = _variable(module, site.node)
            variable, calls = name.id if name else "", loading_calls(project, module, site.node)
        refreshing = _Refreshing(project, site, variable, calls)
        plans.append(refreshing.plan(group, selects=selects))
    return PlannedLoads.union(plans)


class _Refreshing:
    """The loads of the object that ``variable`` holds, after ``calls``."""

    def __init__(
        self, project: Project, site: Site[ast.expr], variable: str, calls: Sequence[ast.Call]
    ) -> None:
        self._project, self._site, self._variable = project, site, variable
        self._named = [names for call in calls if (names := _names(call)) is not None]
        self._plain = [call for call in calls if _names(call) is None]
        if not variable or any(_statement(site.module, call) is None for call in self._plain):
            raise self._refusal()

    def plan(self, traces: Sequence[Trace], *, selects: bool) -> PlannedLoads:
        """Return the decision on the reads. Raises Refused."""
        present = frozenset(trace for trace in traces if self._is_present(trace))
        needed = [trace for trace in traces if trace not in present]
        if not needed or not self._plain:
            return PlannedLoads((), (), present, dict.fromkeys(needed, self._refusal()))
        nested = [trace for trace in needed if len(trace.path) > 1]
        is_old = self._project.targets.admits("sqlalchemy", _LOADS_COLUMNS_ALONE)
        if selects and (nested or is_old):
            plan = self._plan_select(needed)
            return replace(plan, present=plan.present | present)
        refused = {trace: Refused(NESTED_REFRESH, _attribute(trace)) for trace in nested}
        flat = [trace for trace in needed if trace not in refused]
        edits, added = self._plan_refresh(flat) if flat else ([], [])
        return PlannedLoads(tuple(edits), tuple(added), present, refused)

    def _is_present(self, trace: Trace) -> bool:
        """Whether the program names the relationship in a refresh."""
        return len(trace.path) == 1 and any(_attribute(trace) in names for names in self._named)

    def _plan_refresh(self, traces: Sequence[Trace]) -> tuple[list[Edit], list[AddedLoad]]:
        """Return the refreshes that name the relationships, and what each loads."""
        module, needed = self._site.module, groups_of(traces, _attribute)
        listed = ", ".join(f'"{name}"' for name in needed)
        code = f"refresh({self._variable}, attribute_names=[{listed}])"
        edits = [
            self._written_after(
                call, f"{_await_of(module, call)}{module.text_of(self._session(call))}.{code}"
            )
            for call in self._plain
        ]
        place = module.place(self._plain[0])
        added = [
            AddedLoad(place, f'refresh(attribute_names=["{name}"])', tuple(served))
            for name, served in needed.items()
        ]
        return edits, added

    def _plan_select(self, traces: Sequence[Trace]) -> PlannedLoads:
        """Return a ``select()`` of the object by its key, with loader options."""
        names = NamesHere(self._project, self._site, self._site.node)
        model = traces[0].path[0].rpartition(".")[0]
        top = Level(model, [], text=names.class_of(model))
        loads = Loads(self._project, names, separate=False, is_select=True)
        served, refused = dict[str, list[Trace]](), dict[Trace, Refused]()
        for trace in traces:
            try:
                served.setdefault(loads.serve(top, trace.path).text, []).append(trace)
            except Refused as why:
                refused[trace] = why
        options = [written_code(option, names.function) for option in top.own]
        if not options:
            return PlannedLoads((), (), frozenset(chain(*served.values())), refused)
        edits = [self._select(call, top, options, names) for call in self._plain]
        place = self._site.module.place(self._plain[0])
        added = tuple(AddedLoad(place, text, tuple(each)) for text, each in served.items())
        return PlannedLoads((*edits, *names.edits), added, frozenset(), refused)

    def _select(self, call: ast.Call, top: Level, options: Sequence[str], names: NamesHere) -> Edit:
        module, variable = self._site.module, self._variable
        select = select_by_key(self._project, module, self._session(call), top.qualified)
        if select is None:
            raise Refused(NO_KEY, module.excerpt(self._site.node))
        values = (f"{variable}.{key}" for key in select.keys)
        sent, fetched = select.code(names, top.text, values, options)
        waits = _await_of(module, call)
        return self._written_after(
            call, f"{variable} = {f'({waits}{sent})' if waits else sent}{fetched}"
        )

    def _session(self, call: ast.Call) -> ast.expr:
        session = _session_at(self._project, self._site.module, call)
        if session is None:
            raise self._refusal()
        return session

    def _written_after(self, call: ast.Call, code: str) -> Edit:
        module = self._site.module
        return self._site.insert_statements(
            module.place(_statement(module, call) or call), "after", code
        )

    def _refusal(self) -> Refused:
        return Refused(NO_REFRESH, self._site.module.excerpt(self._site.node))


def reloads_after(project: Project, trace: Trace, events: Iterable[Event]) -> list[Reload] | None:
    """Return where the object of ``trace`` is to be loaded again: after each of ``events``.

    None if one of these is no commit, or if no variable holds the object after it. A commit
    expires no object that was deleted before it.
    """
    result: dict[Reload, None] = {}
    for event in events:
        # A function that is called meanwhile has the object if it is passed to it.
        way = (*event.chain, event.place) if event.kind == "commit" else ()
        calls = ((place, project.calls_at(place)[:1]) for place in reversed(way))
        reloads = (
            _Commit(project, module, call, trace, is_called=place != way[0]).reloads()
            for place, pairs in calls
            for module, call in pairs
        )
        nearest = next((each for each in reloads if each is not None), None)
        if nearest is None:
            return None
        result |= dict.fromkeys(nearest)
    return list(result)


class _Commit:
    """A call that commits, or passes a session to code that does, and the variables around it."""

    def __init__(
        self, project: Project, module: Module, call: ast.Call, trace: Trace, *, is_called: bool
    ) -> None:
        self._project, self._module, self._call, self._trace = project, module, call, trace
        self._is_called = is_called
        self._function, self._span = module.enclosing_def(call), module.span(call)
        self._block = module.parent(_statement(module, call) or call)
        self._session = _session_at(project, module, call)

    def reloads(self) -> list[Reload] | None:
        """Return the reloads after it; None where no variable surely has an object to reload."""
        if _statement(self._module, self._call) is None or not self._has_only_session():
            return None
        before, after = dict[str, ast.Name](), dict[str, ast.Name]()
        for node in self._module.nodes_below(self._function, ast.Name) if self._function else ():
            bindings = self._module.scopes.bindings_of(node)
            is_local = all(binding.scope.node is self._function for binding in bindings)
            is_passed = all(isinstance(binding.node, ast.arg) for binding in bindings)
            if bindings and is_local and (is_passed or not self._is_called):
                start = self._module.span(node).start
                (before if start < self._span.start else after).setdefault(node.id, node)
        holding = {
            name: read
            for name, read in after.items()
            if self._is_bound(read) and self._may_hold(read)
        }
        deleted = {name for name in holding if self._is_deleted(name)}
        if any(self._may_be_none(read) for name, read in holding.items() if name not in deleted):
            return None
        is_gone = deleted or any(
            name not in holding and self._is_in_block(after[name]) and self._may_hold(read)
            for name, read in before.items()
            if name in after
        )
        place = self._module.place(self._call)
        reloads = [
            Reload("reload", place, variable=name) for name in holding if name not in deleted
        ]
        return reloads if reloads or is_gone else None

    def _has_only_session(self) -> bool:
        """Whether the call has the only session of its function: no other one has the object."""
        if self._session is None:
            return False
        session_of, own = self._project.orm.session_of, self._module.text_of(self._session)
        receivers = {
            self._module.text_of(call.func.value): call.func.value
            for call in self._module.nodes_below(self._function, ast.Call)
            if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, _VARIABLES)
        }
        others = (node for text, node in receivers.items() if text != own)
        return not any(isinstance(session_of(self._module, node), SessionProof) for node in others)

    def _is_bound(self, read: ast.Name) -> bool:
        """Whether a variable that is read later is bound at the commit, and never after it.

        One that is always read after the commit is bound by then, whichever branch has bound it.
        """
        module, above = self._module, {self._function, *self._module.ancestors(self._call)}
        nodes = [binding.node for binding in module.scopes.bindings_of(read)]
        statements = [module.statement_of(node) for node in nodes if not isinstance(node, ast.arg)]
        if any(module.span(node).start > self._span.start for node in nodes):
            return False
        return (
            len(statements) < len(nodes)
            or self._is_in_block(read)
            or any(
                statement in above
                if isinstance(statement, Loop)
                else statement and not above.isdisjoint(_blocks(module, statement))
                for statement in statements
            )
        )

    def _may_hold(self, read: ast.Name) -> bool:
        """Whether a variable may have the object where it is read, and no other class."""
        owner = self._trace.path[0].rpartition(".")[0]
        values = self._project.values.of(self._module, read)
        lines = [{name, *self._project.all_subclasses(name)} for name in values.instance_of]
        if not lines or not all(owner in line for line in lines):
            return False
        origins = [origin for origin in origins_of(values.alternatives) if not origin.way]
        calls = self._project.orm.reads.calls_behind(origins)
        return any(call.place == self._trace.load.place and not call.way for call in calls)

    def _may_be_none(self, read: ast.Name) -> bool:
        values = self._project.values.of(self._module, read)
        return values.may_be_none and _refreshing_call(self._module, read) is None

    def _is_in_block(self, node: ast.AST) -> bool:
        """Whether a node is in a statement of the block that the commit is in."""
        return self._module.parent(self._module.statement_of(node) or node) is self._block

    def _is_deleted(self, variable: str) -> bool:
        """Whether the object of a variable is surely deleted before the commit."""
        return any(
            last_name(call.func) == "delete"
            and self._module.span(call).start < self._span.start
            and self._is_in_block(call)
            and any(isinstance(node, ast.Name) and node.id == variable for node in call.args)
            for call in self._module.nodes_below(self._function, ast.Call)
        )


def _session_at(project: Project, module: Module, call: ast.Call) -> ast.expr | None:
    """Return the session of which a call is a method, or that it passes."""
    receiver = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    for node in (*receiver, *arguments_of(call)):
        if isinstance(project.orm.session_of(module, node), SessionProof):
            return node
    return None


def _reloading_calls(module: Module, load: Reload) -> list[ast.Call]:
    """Return the refreshes of a variable that always follow a call, or else that call."""
    for call in module.calls_at(load.place.span)[:1]:
        above = {*module.ancestors(call)}
        refreshes = [
            refresh
            for refresh in _refreshes(module, module.enclosing_function(call), load.variable)
            if module.span(refresh).start > module.span(call).start
            and module.parent(module.statement_of(refresh) or refresh) in above
        ]
        return refreshes or [call]
    return []


def loading_calls(project: Project, module: Module, made: ast.expr) -> list[ast.Call]:
    """Return the calls after which an object that ``made`` makes can be loaded, in its function.

    Its refreshes, or else the last commit or flush, which runs whenever the object is made.
    """
    name, around = _variable(module, made), module.enclosing_function(made)
    if name is None:
        return []
    refreshes = _refreshes(module, around, name.id)
    if refreshes or len(module.scopes.bindings_of(name)) > 1:
        return refreshes
    block = module.parent(module.statement_of(made) or made)
    calls = [
        call
        for call in module.nodes_below(around, ast.Call)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in _WRITING
        and module.span(call).start > module.span(made).end
        and _statement(module, call) is not None
        and isinstance(project.orm.session_of(module, call.func.value), SessionProof)
    ]
    commits = [call for call in calls if last_name(call.func) == "commit"] or calls
    last = max(commits, key=lambda call: module.span(call).start, default=None)
    above = None if last is None else _statement(module, last)
    is_on_each = above is not None and block in {*_blocks(module, above)}
    return [last] if last is not None and is_on_each else []


def _refreshes(module: Module, around: FunctionOrLambda | None, variable: str) -> list[ast.Call]:
    """Return the calls in a function that refresh the object of a variable."""
    names = (node for node in module.nodes_below(around, ast.Name) if node.id == variable)
    calls = [call for node in names if (call := _refreshing_call(module, node)) is not None]
    return [call for call in calls if module.enclosing_function(call) is around]


def _refreshing_call(module: Module, read: ast.Name) -> ast.Call | None:
    """Return the call that refreshes what a variable has where it is read."""
    match module.parent(read):
        case ast.Call(func=ast.Attribute(attr="refresh"), args=[first, *_]) as call:
            return call if first is read else None
    return None


def _blocks(module: Module, statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the block of a statement, and those around each `try` that has it in its body."""
    for below, above in module.steps_up(statement):
        yield above
        if not isinstance(above, ast.Try) or below not in above.body:
            return


def _variable(module: Module, made: ast.expr) -> ast.Name | None:
    """Return the variable of a function that gets what ``made`` makes."""
    target = module.parent(made)
    name = target.targets[0] if isinstance(target, ast.Assign) else None
    is_local = module.enclosing_function(made) is not None
    return name if isinstance(name, ast.Name) and is_local else None


def _names(call: ast.Call) -> list[str] | None:
    """Return the names that a refresh loads; None for one of all columns, and for a commit."""
    names = argument(call, 1, "attribute_names")
    if not isinstance(names, ast.List | ast.Tuple):
        return None
    return [str(element.value) for element in names.elts if isinstance(element, ast.Constant)]


def _statement(module: Module, call: ast.Call) -> ast.Expr | None:
    """Return the statement that is nothing but a call, awaited or not."""
    statement = module.statement_of(call)
    value = statement.value if isinstance(statement, ast.Expr) else None
    inner = value.value if isinstance(value, ast.Await) else value
    return statement if isinstance(statement, ast.Expr) and inner is call else None


def _await_of(module: Module, call: ast.Call) -> str:
    return "await " if isinstance(module.parent(call), ast.Await) else ""


def _attribute(trace: Trace) -> str:
    return trace.path[-1].rpartition(".")[2]
