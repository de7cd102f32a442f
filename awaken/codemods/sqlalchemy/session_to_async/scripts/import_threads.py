"""Calls that a thread of its own can run while a file is imported, where a loop may run."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.colour.synchronous_part import SynchronousPart
from awaken.contract import Place
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, arguments_of
from awaken.project.source.worklist import reachable
from awaken.project.values.calls.loaded_files import NAMING

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.operations import Operation

_BY_TEXT = tuple(name.rpartition(".")[2].encode() for name in NAMING)
_LISTENING = b"listen"


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
