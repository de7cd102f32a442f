"""The rewrite of the operations of one function.

Results may come row by row: ``async for row in await db.stream_scalars(statement)``. A statement
with ``yield_per`` or ``stream_results`` asks for that, and then the methods that give a whole
result raise.
"""

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
from awaken.codemods.sqlalchemy.session_to_async.functions.coroutine_decorators import (
    entered_with_options,
    is_entered_with_options,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.callables import (
    moved_out_of_thread,
)
from awaken.codemods.sqlalchemy.session_to_async.functions.escapes.unresolved import annotation
from awaken.codemods.sqlalchemy.session_to_async.reasons import HANDED_ON, STREAMED
from awaken.codemods.sqlalchemy.session_to_async.twin_names import write_twin
from awaken.contract import Edit, Place, Span
from awaken.kit.imports import name_from_same_module, release_imports, replace_name
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import Resource, twins
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.modules import Module
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.codemods.sqlalchemy.session_to_async.reads.stale import Anew
    from awaken.project import Project

_OPTIONS = {"stream_results", "yield_per"}
_OF_RESULTS = {"columns", "mappings", "partitions", "scalars", "tuples", "unique"}
"""Methods that an asynchronous result has as well, and that ask for no rows."""
_STACK = "contextlib.ExitStack"
_CURE = "Enter or call it in this function, so that `with` can become `async with`."
_UNSAVED = "Reload what was loaded before, unless the session has unsaved changes."


class Streaming:
    """Writes the operations of one file whose result comes row by row."""

    def __init__(self, module: Module, awaiting: Awaiting) -> None:
        self._module = module
        self._awaiting = awaiting

    def writes(self, operation: Operation) -> bool:
        """Write an operation if its result comes row by row. Raises Refused."""
        node = operation.node
        resource: Resource = "connection" if operation.resource == "connection" else "session"
        name = twins().streamed[resource].get(operation.method)
        if name is None or not isinstance(node, ast.Call) or not self._is_streamed(node):
            return False
        if operation.method == "exec" or not isinstance(node.func, ast.Attribute):
            raise Refused(STREAMED, operation.method)
        whole = self._whole(node)
        if not isinstance(self._module.parent(whole), ast.For | ast.comprehension):
            raise Refused(STREAMED, operation.method)
        self._awaiting.renames(node.func, name)
        self._awaiting.awaits(node)
        self._awaiting.iterates(whole, name, has_end=True)
        return True

    def _is_streamed(self, call: ast.Call) -> bool:
        """Whether the statement, or its execution, asks for rows one after the other."""
        given = [*call.args[:1], *(node.value for node in call.keywords if node.arg == "statement")]
        options = [keyword.value for keyword in call.keywords if keyword.arg == "execution_options"]
        statements = [node for each in given for node in self._written_expressions(each, set())]
        return any(map(self._asks, [*statements, *options]))

    def _written_expressions(self, node: ast.expr, seen: set[ast.AST]) -> Iterator[ast.expr]:
        """Yield an expression, and those that a variable in it was given."""
        yield node
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                for binding in self._module.scopes.bindings_of(part):
                    value = binding.value
                    if value is not None and value not in seen:
                        seen.add(value)
                        yield from self._written_expressions(value, seen)

    def _asks(self, node: ast.expr) -> bool:
        for part in ast.walk(node):
            match part:
                case ast.Call(func=ast.Attribute(attr="execution_options"), keywords=keywords):
                    if any(each.arg in _OPTIONS and _is_set(each.value) for each in keywords):
                        return True
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        is_option = isinstance(key, ast.Constant) and key.value in _OPTIONS
                        if is_option and _is_set(value):
                            return True
        return False

    def _whole(self, node: ast.expr) -> ast.expr:
        """Return an expression with the methods of the result that follow."""
        module = self._module
        match module.parent(node):
            case ast.Attribute(attr=name) as attribute if name in _OF_RESULTS:
                call = module.call_of(attribute)
                return node if call is None else self._whole(call)
        return node


def _is_set(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and not value.value)


class Stacks:
    """Writes the stacks of one function; each of them once."""

    def __init__(self, project: Project, site: Site[ast.AST], awaiting: Awaiting) -> None:
        self._project = project
        self._site = site
        self._module: Module = site.module
        self._awaiting = awaiting
        self._written: set[ast.expr] = set()

    def write(self, node: ast.expr) -> Iterator[Edit]:
        """Have a stack keep ``node``, a session or a method of one. Raises Refused."""
        module, call = self._module, self._module.parent(node)
        made = self._made_call(call)
        match call:
            case ast.Call(func=ast.Attribute(attr=method), args=[first, *_]) if (
                made is not None and first is node and method in twins().stack_methods
            ):
                self._awaiting.renames(call.func, twins().stack_methods[method])
                if method == "enter_context":
                    self._awaiting.awaits(call)
            case _:
                because = (module.place(node),)
                raise Refused(HANDED_ON, module.excerpt(node), _CURE, because)
        if made not in self._written:
            self._written.add(made)
            self._awaiting.enters(made)
            yield from write_twin(self._project, self._site, made.func, _STACK)[1]

    def _made_call(self, call: ast.AST | None) -> ast.Call | None:
        """Return ``ExitStack()`` in the ``with`` whose stack ``call`` calls a method of.

        None where something else is done with the stack.
        """
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name() as stack)):
                bindings = self._module.scopes.bindings_of(stack)
            case _:
                return None
        item = bindings[0].node if len(bindings) == 1 else None
        item = item if isinstance(item, ast.withitem) else self._module.parent(item or call)
        match item:
            case ast.withitem(context_expr=ast.Call() as made) if (
                self._project.qualified_name(self._module, made.func) == _STACK
            ):
                pass
            case _:
                return None
        reads = bindings[0].scope.reads.get(stack.id, [])
        return made if all(map(self._is_known, reads)) else None

    def _is_known(self, stack: ast.expr) -> bool:
        """Whether a method of ``stack`` is called that an asynchronous one has as well."""
        above = self._module.parent(stack)
        call = self._module.parent(above)
        if not isinstance(above, ast.Attribute) or not isinstance(call, ast.Call):
            return False
        return above.attr in twins().stack_methods


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
            case Operation(how="handed" | "inside", resource="engine"):
                name, imports = name_from_same_module(self._project, self._site, None, SPAWN)
                self._run_sync.spawns(operation, name)
                yield from imports
            case Operation(how="inside"):
                self._run_sync.calls(operation)
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
