"""The rewrite of the operations of one function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.find import test_clients
from awaken.codemods.sqlalchemy.session_to_async.foreign.in_greenlets import (
    SPAWN,
    InGreenlets,
    RunSync,
)
from awaken.codemods.sqlalchemy.session_to_async.foreign.streaming import Streaming
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.in_threads import (
    moved_out_of_thread,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.managers.configured import (
    entered_with_options,
    is_entered_with_options,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.managers.stacks import Stacks
from awaken.codemods.sqlalchemy.session_to_async.functions.unknown_objects import annotation
from awaken.contract import Edit, Place, Span
from awaken.kit.imports import name_from_same_module, release_imports, replace_name
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
    from awaken.project import Project

_UNSAVED = "Reload what was loaded before, unless the session has unsaved changes."


class OperationWriter:
    """Writes the operations of the function ``site``."""

    def __init__(
        self, project: Project, site: Site[ast.AST], insertions: Insertions, awaiting: Awaiting
    ) -> None:
        self._project = project
        self._site = site
        self._module = site.module
        self._awaiting = awaiting
        self._insertions = insertions
        self._streaming = Streaming(site.module, awaiting)
        self._run_sync = RunSync(site.module, insertions, awaiting)
        self._stacks = Stacks(project, site, awaiting)
        self._in_greenlets = InGreenlets(project, site, insertions, awaiting)

    def edits_of(
        self, operations: Sequence[Operation], loaded_again: Mapping[Place, Anew]
    ) -> Iterator[Edit]:
        """Yield the edits that are no insertions. Raises Refused.

        ``loaded_again`` are those that have to load again, with the argument that says so.
        """
        for operation in operations:
            # Their parts are made with them.
            if not self._run_sync.makes(operation):
                yield from self._foreign(operation)
        for operation in operations:
            if operation.resource == "client":
                test_clients.write(self._module, self._awaiting, operation)
            elif not self._run_sync.makes(operation) and not self._enters_configured(
                operation.node
            ):
                self._write(operation, loaded_again)

    def makes(self, operation: Operation) -> bool:
        """Whether `run_sync` makes an operation as a part of another."""
        return self._run_sync.makes(operation)

    def _foreign(self, operation: Operation) -> Iterator[Edit]:
        """Write what has no counterpart, or another one. Raises Refused."""
        match operation:
            case Operation(how="bridged"):
                self._run_sync.bridges(operation)
            case Operation(how="inside"):
                self._run_sync.calls(operation)
            case Operation(how="handed", resource="engine"):
                name, imports = name_from_same_module(self._project, self._site, None, SPAWN)
                self._run_sync.spawns(operation, name)
                yield from imports
            case Operation(how="handed", method=method) if method in twins().functions:
                # Other arguments may wait themselves, and nothing is kept of the session.
                self._run_sync.passes(operation)
            case Operation(how="handed"):
                self._run_sync.hands(operation)
            case Operation(how="loading" | "validated"):
                yield from self._in_greenlets.write(operation)
            case Operation(how="closing", node=ast.Call() as call):
                yield from release_imports(self._site, call.func)
            case Operation(how="kept", node=node):
                yield from self._await_method(node)
            case Operation(how="twin", node=ast.Call() as call):
                self._awaiting.awaits(call)
                name = twins().functions[operation.method]
                yield from replace_name(self._project, self._site, call.func, name)[1]

    def _await_method(self, method: ast.expr) -> Iterator[Edit]:
        """Await a method that `await run_in_threadpool(db.commit)` runs. Raises Refused."""
        module, call = self._module, self._module.parent(method)
        match call, call and module.parent(call):
            case ast.Call(func=func, args=[first, *_]), ast.Await() if first is method:
                name = self._project.qualified_name(module, func)
            case _:
                name = None
        if call is None or name not in library_names().in_threads:
            yield from self._stacks.write(method)
            return
        moved = moved_out_of_thread(module, call)
        for span, text in moved.replaced:
            self._insertions.replace(span, text)
        yield from release_imports(self._site, moved.runner)

    def _write(self, operation: Operation, loaded_again: Mapping[Place, Anew]) -> None:
        module, awaiting, node = self._module, self._awaiting, operation.node
        because = (module.place(node),)
        match operation.how:
            case "awaited":
                self._await(operation, loaded_again)
            case "entered" if isinstance(module.parent(node), ast.withitem):
                awaiting.enters(node)
            case "closing" if operation.session is not None:
                awaiting.enters(node)
                inner, outer = module.span(operation.session), module.span(node)
                self._insertions.replace(Span(outer.start, inner.start), "")
                self._insertions.replace(Span(inner.end, outer.end), "")
            case "entered" | "lazy" | "spawned":
                awaiting.awaits(node)
            case "attribute":
                awaiting.loads(node)
            case "inner" if operation.session is not None:
                self._insertions.insert_at(module.span(operation.session).end, ".sync_session")
            case "bridged" | "handed" | "inside" | "kept" | "loading" | "twin" | "validated":
                pass
            case "schema":
                awaiting.runs_sync(node, operation.resource)
            case "missing":
                is_query = operation.method == "query"
                reason = reasons.LEGACY_QUERY if is_query else reasons.NO_TWIN
                raise Refused(reason, operation.method, because=because)
            case _:
                put = () if operation.put is None else (operation.put,)
                cure = _cure(operation.library) or annotation(self._project, because, "Session")
                raise Refused(reasons.UNKNOWN_SESSION, operation.why, cure, (*put, *because))

    def _enters_configured(self, node: ast.expr) -> bool:
        """Whether a connection with options is entered by ``node``, or gets them by it.

        The engine of it has the options in the rewrite. Raises Refused.
        """
        module = self._module
        if is_entered_with_options(module, node):
            return True
        configured = entered_with_options(module, node)
        if configured is None or not isinstance(node, ast.Call):
            return False
        engine = node.func.value if isinstance(node.func, ast.Attribute) else node
        connecting = Span(module.span(engine).end, module.span(node).end)
        self._awaiting.enters(configured)
        self._insertions.replace(connecting, "")
        written = module.source.text[connecting.start : connecting.end].decode()
        self._insertions.insert_at(module.span(configured).end, written)
        return True

    def _await(self, operation: Operation, loaded_again: Mapping[Place, Anew]) -> None:
        """Await an operation, with the argument that has it load again. Raises Refused."""
        node = operation.node
        again = loaded_again.get(self._module.place(node))
        if self._streaming.writes(operation):
            return
        self._awaiting.awaits(node)
        if isinstance(node, ast.Call) and again is not None:
            self._awaiting.adds_argument(node, again.argument, again.said)
            if again.asked and self._is_first(node, loaded_again):
                self._comment(node, _UNSAVED)

    def _is_first(self, node: ast.AST, loaded_again: Mapping[Place, Anew]) -> bool:
        """Whether a call is the first of its file that asks a session for its changes."""
        path, start = self._module.path, self._module.span(node).start
        return not any(
            place.path == path and place.span.start < start and again.asked
            for place, again in loaded_again.items()
        )

    def _comment(self, node: ast.AST, comment: str) -> None:
        """Write a comment above the statement of ``node``, if it begins its line."""
        statement, text = self._module.statement_of(node), self._module.source.text
        if statement is None or self._module.text_alongside(statement)[0]:
            return
        start = self._module.span(statement).start
        lines = LINE_END_BYTES.split(text[:start])
        line_end = LINE_END_BYTES.search(text)
        if line_end is not None:
            indent = line_end[0].decode() + lines[-1].decode()
            self._insertions.insert_at(start, f"# {comment}{indent}")


def _cure(library: str) -> str:
    """Return what to do where a library may give the session; nothing where none does."""
    if not library:
        return ""
    made = "make it with an engine and a session factory of this program"
    return f"If it is one, {made}: the session of `{library}` stays synchronous."
