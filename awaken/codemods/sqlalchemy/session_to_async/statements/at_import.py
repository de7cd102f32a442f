"""Code that runs when a file is imported: a call that waits there has to be moved or run.

Probes: a file connects in a `try` when it is imported, and the handler decides something.

Nothing awaits there, and nothing may happen later. So a probe keeps an engine that is synchronous,
of the same URL.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.colour.entry_points import begins_process
from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.codemods.sqlalchemy.session_to_async.components.engines.beside import beside_caveat
from awaken.codemods.sqlalchemy.session_to_async.components.engines.shared import urls_in, varies
from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import (
    of_schema,
    schema_change,
)
from awaken.codemods.sqlalchemy.session_to_async.find.blocking_engines import (
    connecting_call,
    connection_calls,
    tried_at_import,
)
from awaken.codemods.sqlalchemy.session_to_async.payload import REPLACE, Replaced
from awaken.codemods.sqlalchemy.session_to_async.resources.database_urls import Urls
from awaken.codemods.sqlalchemy.session_to_async.scripts.disposal import (
    Closed,
    Disposal,
    why_in_thread,
)
from awaken.codemods.sqlalchemy.session_to_async.scripts.regions import (
    is_collected,
    is_entered,
    is_script,
    iterates,
    waiting_in,
)
from awaken.codemods.sqlalchemy.session_to_async.statements.application_start import (
    ApplicationStart,
    Starts,
)
from awaken.codemods.sqlalchemy.session_to_async.statements.script_writing import Scripts
from awaken.codemods.sqlalchemy.session_to_async.twin_names import import_of_asyncio
from awaken.contract import Edit, Place
from awaken.kit.changes import Member, member
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.modules import Module
from awaken.project.source.test_files import is_test_file
from awaken.project.source.trees import Function, arguments_of, last_name, variable_of
from awaken.project.source.worklist import reachable
from awaken.project.values.calls.loaded_files import NAMING

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_BY_TEXT = tuple(name.rpartition(".")[2].encode() for name in NAMING)
_LISTENING = b"listen"
_INDENTED = "    "
_STARTED = {"engine.connect", "connection.begin", "connection.begin_nested"}
_OF_CALL = (
    "Move the database calls from `{}` into a function that runs at startup, such as the lifespan."
)


def runs_in_thread(part: SynchronousPart, module: Module, call: ast.expr) -> bool:
    """Whether another thread can run a call for a file that is being imported.

    A session that others use after it has a connection of the thread's event loop. Engines are
    returned without connections.
    """
    # Connections that work in any loop may be in what the call gives.
    is_apart = isinstance(module.parent(call), ast.Expr) or not part.is_loop_bound
    if not (is_apart or gives_engine(part, module, call)):
        return False
    functions = [*part.project.calls.run_inside(module, [call])]
    return waits_for_thread(part.project, module, call, functions) and (
        not part.is_loop_bound or not _keeps_sessions(part, module, call, functions)
    )


def waits_for_thread(
    project: Project, module: Module, call: ast.expr, functions: Sequence[tuple[Module, Function]]
) -> bool:
    """Whether a file that is being imported can wait for a thread that runs ``functions``.

    The thread would wait for ever where it imports that file. ``call`` begins a line outside of
    all functions.
    """
    statement = module.statement_of(call) or call
    before = module.source.text[: module.span(statement).start].rpartition(b"\n")[2]
    if before.strip() or module.scopes.scope_of(call).kind != "module":
        return False
    imported = _late_imports(project, functions)
    files = {*imported, *(home.path for home, _ in functions)}
    return module.path not in imported and files.isdisjoint(project.files_with(_BY_TEXT))


def gives_engine(part: SynchronousPart, module: Module, call: ast.expr) -> bool:
    """Whether a call of the program gives an engine."""
    return part.project.orm.resource_of(module, call) == "engine"


# ----------------------------------------------------------------------------------------- files
def _late_imports(project: Project, functions: Sequence[tuple[Module, Function]]) -> set[str]:
    """Return the files that functions may import when they run, or that these import.

    A file that is being imported reaches the statement, too: who imports it is among them with it.
    """
    imports, late = project.web.imports.in_functions(), set[str]()
    for home, function in functions:
        late.update(imports.get(home.path, {}).get(home.place(function), ()))
    # SQLAlchemy calls what listens to its events.
    for path in project.files_with((_LISTENING,)):
        late.update(*imports.get(path, {}).values())
    return reachable(late, project.web.imports.imported_anywhere)


# -------------------------------------------------------------------------------------- sessions
def _keeps_sessions(
    part: SynchronousPart,
    module: Module,
    call: ast.expr,
    functions: Sequence[tuple[Module, Function]],
) -> bool:
    """Whether functions use a session that is not made in them, or get one from ``call``."""
    resource_of = part.project.orm.resource_of
    arguments = arguments_of(call) if isinstance(call, ast.Call) else ()
    below = (node for node in module.nodes_below(call, ast.expr) if node is not call)
    resources = (resource_of(module, node) for node in below)
    if any(resource_of(module, node) is not None for node in arguments):
        return True
    if any(isinstance(resource, str) for resource in resources):
        return True
    places = {home.place(function) for home, function in functions}
    used = (
        (home, function, _session(operation))
        for home, function in functions
        for operation in part.operations_of(home, part.place_of(home, function))
        if operation.resource != "engine"
    )
    return any(
        any(binding.scope.kind == "module" for binding in home.scopes.bindings_of(node))
        or (
            isinstance(node, ast.Attribute)
            and _is_made_elsewhere(part.project, module.place(call), home, function, places)
        )
        for home, function, node in used
    )


def _session(operation: Operation) -> ast.expr:
    """Return what an operation is called on or enters: a session, or the call that makes it."""
    match operation.node:
        case ast.Call(func=ast.Attribute(value=receiver)) if operation.method:
            return operation.session or receiver
    return operation.session or operation.node


def _is_made_elsewhere(
    project: Project, call: Place, home: Module, function: Function, functions: Collection[Place]
) -> bool:
    """Whether an object with a session may be made by other code that runs at import.

    So it is where ``function`` is no method of a class with an ``__init__`` that ``call`` runs.
    """
    graph, around = project.calls.graph(), home.parent(function)
    makers = [
        graph.place_of(home, part)
        for part in getattr(around, "body", ())
        if isinstance(part, ast.FunctionDef) and part.name == "__init__"
        if home.place(part) in functions
    ]
    return not makers or any(
        maker in graph.reachable(other.functions)
        for maker in makers
        for caller in graph.reaching([maker])
        if caller.start < 0
        for other in graph.callees(caller)
        if other.place.path != call.path or not call.span.contains(other.place.span)
    )


class Probe(Struct, frozen=True):
    """An ``engine`` that a call connects, the statement that made it, and what waits for both."""

    engine: ast.Name
    call: ast.Call
    made: ast.Assign
    nodes: Sequence[ast.expr]


class Probes:
    """Finds them in a program, and writes their engines."""

    def __init__(self, part: SynchronousPart, rule: str, urls: Urls) -> None:
        self._project = part.project
        self._rule = rule
        self._urls = urls

    def of_file(self, module: Module, operations: Sequence[Operation]) -> Iterator[Probe]:
        """Yield the probes among the operations that ``module`` performs when it is imported."""
        for operation in operations:
            match operation.node:
                case ast.Call(func=ast.Attribute(value=ast.Name() as engine)) as call if (
                    tried_at_import(module, call) is not None
                    and connecting_call(module, engine) is call
                    and (used := connection_calls(module, call)) is not None
                    and (made := _made_before(module, engine)) is not None
                    and self._is_same(module, made, engine)
                ):
                    yield Probe(engine, call, made, [call, *used])

    def member(self, module: Module, probe: Probe) -> Member:
        """Return what gives a probe an engine of its own, of the text of the other."""
        site: Site[ast.AST] = Site(self._rule, module, probe.call)
        name = module.scopes.fresh_name(f"sync_{probe.engine.id}")
        margin = " " * probe.made.col_offset
        lines = module.text_of(probe.made.value).splitlines()
        code = f"{name} = " + "".join(f"{line.removeprefix(margin)}\n" for line in lines)
        before = module.place(module.statement_of(probe.call) or probe.call)
        edits: list[Edit] = [
            site.insert_statements(before, "before", code),
            site.replace(probe.engine, name),
        ]
        shown = f"`{module.excerpt(probe.call)}`"
        caveat = beside_caveat(urls_in(self._project, module, module.place(probe.made)))
        message = f"{shown} connects with a synchronous engine of its own"
        return Member(site, Rewrite(message, edits, [caveat]), shown)

    def _is_same(self, module: Module, made: ast.Assign, engine: ast.Name) -> bool:
        """Whether the text of ``made`` makes another ``engine`` of its database at a probe."""
        engines = self._project.orm.engines
        inside = [
            item
            for item in engines.in_file(module)
            if module.span(made).contains(module.span(item.call))
        ]
        if len(inside) != 1 or inside[0].is_async or engines.is_in_memory(inside[0]):
            return False
        if self._urls.is_written_elsewhere(inside[0]) or varies(self._project, module, made):
            return False
        bound = module.scopes.module.bindings
        end, start = module.span(made).end, module.span(engine).start
        names = {name.id for name in module.nodes_below(made.value, ast.Name)}
        return not any(
            end <= module.span(binding.node).start < start
            for name in sorted(names)
            for binding in bound.get(name, ())
        )


def _made_before(module: Module, engine: ast.Name) -> ast.Assign | None:
    """Return the assignment that surely gave ``engine`` its value, in a block around it."""
    bindings = [module.span(item.node) for item in module.scopes.bindings_of(engine)]
    around = (below for below, _ in module.steps_up(engine) if isinstance(below, ast.stmt))
    for below in around:
        block = module.block_of(below)
        for statement in reversed(block[: block.index(below)]):
            if any(module.span(statement).contains(binding) for binding in bindings):
                is_made = variable_of(statement) is not None
                return statement if is_made and isinstance(statement, ast.Assign) else None
    return None


def members_at_import(
    starts: Starts, path: str, disposal: Disposal, scripts: Scripts, probes: Probes
) -> Iterator[Member]:
    """Yield the rewrites of code that waits outside of all functions of a file."""
    part, rule = starts.part, starts.rule
    module = part.project.module(path)
    if module is None:
        return
    waiting = waiting_in(part, module)
    regions = scripts.regions(module, waiting)
    for region in regions:
        yield scripts.member(region, waiting)
    starting = ApplicationStart(starts, module, waiting)
    started = [] if is_test_file(path) else starting.regions()
    if started:
        yield from starting.members(started, scripts)
        regions += started

    probing = list[ast.expr]()
    for probe in probes.of_file(module, waiting.operations):
        probing += probe.nodes
        yield probes.member(module, probe)

    def is_left(node: ast.AST) -> bool:
        is_held = any(region.holds(module.place(node)) for region in regions)
        return not is_held and node not in probing

    for operation in waiting.operations:
        if is_left(operation.node):
            site: Site[ast.AST] = Site(rule, module, operation.node)
            shown = f"`{module.excerpt(operation.node)}`"
            yield member(site, shown, _run_operation, operation, disposal, part)
    for node in filter(is_left, waiting.entered):
        shown = f"`{module.excerpt(node)}`"
        yield Member(Site(rule, module, node), Refused(reasons.AT_IMPORT, shown), shown)
    for node in filter(is_left, waiting.calls):
        site = Site(rule, module, node)
        yield member(site, f"`{module.excerpt(node)}`", _run, node, disposal, part)


def _run(site: Site[ast.AST], node: ast.expr, disposal: Disposal, part: SynchronousPart) -> Rewrite:
    """Return how a coroutine is run where a program begins, or its tests. Raises Refused."""
    module = site.module
    shown = module.excerpt(node)
    # Connections that belong to one loop must not outlive this one.
    is_run = begins_process(module, node) or is_script(part.project, module)
    if not is_run and is_collected(part.project, module):
        is_run = disposal.is_possible(module) or not part.is_loop_bound
    is_engine = gives_engine(part, module, node)
    is_closed = is_engine or not part.is_loop_bound or disposal.is_possible(module)
    is_single = not is_entered(module, node) and not iterates(part, module, node)
    if not is_run and is_single and is_closed and runs_in_thread(part, module, node):
        closed: Closed = "engine" if is_engine else "program"
        edits = disposal.run_in_thread(site, node, closed if part.is_loop_bound else "")
        return Rewrite(f"a thread runs `{shown}` while the file is imported", edits)
    if is_entered(module, node) or not is_run:
        cure = _OF_CALL.format(shown) if isinstance(node, ast.Call) else ""
        raise Refused(reasons.AT_IMPORT, f"`{shown}`", cure)
    if iterates(part, module, node):
        raise Refused(reasons.GENERATOR_USE, shown)
    return Rewrite(f"`asyncio.run()` runs `{shown}`", *disposal.run_in_place(site, node))


# ------------------------------------------------------------------------------ changes of tables
def _run_operation(
    site: Site[ast.AST], operation: Operation, disposal: Disposal, part: SynchronousPart
) -> Rewrite:
    """Return how an operation is run where no loop runs, or where one may. Raises Refused."""
    module, node = site.module, operation.node
    statement = module.parent(node)
    shown = f"`{module.excerpt(node)}`"
    if not part.is_loop_bound and is_collected(part.project, module):
        edits = list(_run_in_any_loop(site, operation))
        if edits:
            edits.append(import_of_asyncio(part.project, site))
            return Rewrite(f"`asyncio.run()` runs {shown}", edits)
    is_of_tables = operation.how == "schema" and operation.resource == "engine"
    if not isinstance(statement, ast.Expr) or not is_of_tables:
        raise Refused(reasons.AT_IMPORT, shown)
    if is_test_file(module.path) and is_collected(part.project, module):
        return _change_in_tests(site, statement, part)
    return _change_in_thread(site, statement, disposal, part)


def _run_in_any_loop(site: Site[ast.AST], operation: Operation) -> Iterator[Edit]:
    """Yield the edits that run an operation on its own: its connection works in any loop."""
    module, node = site.module, operation.node
    above = module.parent(node)
    match operation.how, operation.resource, operation.method:
        case "schema", "connection", _ if isinstance(above, ast.Expr):
            bind, arguments = of_schema(module, node)
            yield site.replace(node, f"asyncio.run({bind}.run_sync({arguments}))")
            return
        case "entered", resource, method if f"{resource}.{method}" in _STARTED:
            if isinstance(above, ast.withitem):
                return
            closing = ".start())"
        case "awaited", _, _:
            closing = ")"
        case _:
            return
    yield from (site.insert_before(node, "asyncio.run("), site.insert_behind(node, closing))


def _change_in_tests(site: Site[ast.AST], statement: ast.Expr, part: SynchronousPart) -> Rewrite:
    """Return how tables are changed where tests are collected: no loop runs there."""
    module, change = site.module, statement.value
    closing = ""
    if part.is_loop_bound and "sqlite" not in part.databases:
        # Connections belong to this loop. One of SQLite may keep the tables in memory.
        closing = f"{_INDENTED}await {of_schema(module, change)[0]}.dispose()\n"
    name, function = _coroutine_of_change(site, statement, closing)
    run = site.replace(change, f"asyncio.run({name}())")
    edits = [function, run, import_of_asyncio(part.project, site)]
    return Rewrite(f"`asyncio.run()` runs `{module.excerpt(statement)}`", edits)


def _change_in_thread(
    site: Site[ast.AST], statement: ast.Expr, disposal: Disposal, part: SynchronousPart
) -> Rewrite:
    """Return how tables are changed while a loop may run. Raises Refused."""
    module, change = site.module, statement.value
    shown = f"`{module.excerpt(change)}`"
    functions = [*part.project.calls.run_inside(module, [change])]
    if not waits_for_thread(part.project, module, change, functions):
        raise Refused(reasons.AT_IMPORT, shown)
    name, function = _coroutine_of_change(site, statement)
    opening, closing, needed = disposal.around_thread(site, "program" if part.is_loop_bound else "")
    code = f"{why_in_thread(module)}\n{opening}{name}(){closing}"
    edits = [function, site.rewrite(statement, REPLACE, Replaced(code)), *needed]
    return Rewrite(f"a thread runs {shown} while the file is imported", edits)


def _coroutine_of_change(
    site: Site[ast.AST], statement: ast.Expr, closing: str = ""
) -> tuple[str, Edit]:
    """Return the name of a coroutine function that changes tables, and the edit that defines it.

    Each of a file has another name. ``closing`` is the code at its end.
    """
    module = site.module
    *_, outermost, _ = (statement, *module.ancestors(statement))
    verb, nodes = _verb(statement), module.nodes(ast.Expr)
    alike = [x for x in nodes if _verb(x) == verb and module.enclosing_function(x) is None]
    number = 1 + alike.index(statement)
    name = module.scopes.fresh_name(f"{verb}_tables" if number == 1 else f"{verb}_tables_{number}")
    changed = indent(f"{schema_change(module, statement.value)}\n", _INDENTED)
    code = f"async def {name}() -> None:\n{changed}{closing}"
    return name, site.insert_statements(module.place(outermost), "before", code)


def _verb(statement: ast.Expr) -> str:
    """Return what a statement does, by the name that it calls: `create` of `create_all`."""
    call = statement.value
    return last_name(call.func).partition("_")[0] if isinstance(call, ast.Call) else ""
