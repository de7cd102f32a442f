"""Writes what is called in a greenlet: `await greenlet_spawn(lambda: user.posts)`.

Pydantic models that are completed when they first validate, which fails in a greenlet.

Annotations of a model may name a class that is defined below it. The model looks for that class in
the frames that call it, and a greenlet has too few. Source: `model_rebuild` of Pydantic 2.

Calls that only accept a synchronous session: `run_sync` makes them.

``db.bulk_save_objects(rows)`` becomes ``await db.run_sync(lambda session:
session.bulk_save_objects(rows))``, and a function of a library that gets a session is called in the
same way. Code that immediately uses its result runs in there too, because it may load.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.session_to_async.expressions.awaiting import Awaiting
from awaken.codemods.sqlalchemy.session_to_async.expressions.text_insertions import Insertions
from awaken.codemods.sqlalchemy.session_to_async.reasons import (
    HANDED_SESSION,
    NO_TWIN,
    NOT_AWAITABLE_HERE,
)
from awaken.contract import Edit, Span
from awaken.kit.imports import name_from_same_module
from awaken.kit.sites import Refused, Site
from awaken.knowledge.asynchronous import twins
from awaken.knowledge.library_names import library_names
from awaken.project.frameworks.sqlalchemy.operations import Operation
from awaken.project.source.expressions.expression_uses import Use, use_of
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, Repeating, arguments_of
from awaken.project.source.worklist import Worklist

if TYPE_CHECKING:
    from awaken.project import Project

_CONSUMERS = library_names().consuming | {"bool", "len", "next", "str"}
"""Builtins that take of what they are given all that they want, before they return."""
_SQLALCHEMY = "sqlalchemy."
"""What is passed a session there makes inspectors, or is one, whose methods give lists."""
_USES = {"argument", "attribute", "compared", "tested"}
"""How an inspector is used by calls, which are made in greenlets as well."""
_LATER = (ast.Await, ast.comprehension, ast.For, ast.Starred, ast.withitem, ast.YieldFrom)
_VALIDATES = "model_validate"
SPAWN = "sqlalchemy.util.greenlet_spawn"
"""What `AsyncSession.run_sync` is made of: it calls a function in a greenlet, and is awaited."""
_ADAPTER = "pydantic.TypeAdapter"


class RunSync:
    """Writes the calls of one function that `run_sync` makes."""

    def __init__(self, module: Module, insertions: Insertions, awaiting: Awaiting) -> None:
        self._module = module
        self._insertions = insertions
        self._awaiting = awaiting
        self._made: set[ast.expr] = set()
        self._sessions: set[ast.expr] = set()

    def bridges(self, operation: Operation) -> None:
        """Have `run_sync` call a method of a session. Raises Refused."""
        if not isinstance(operation.session, ast.Name | ast.Attribute):
            raise Refused(NO_TWIN, operation.method)
        self._write(operation.node, operation.session, operation.resource)

    def hands(self, operation: Operation) -> None:
        """Have `run_sync` call a function of a library with the session. Raises Refused."""
        name = operation.method
        node = self._used_at_once(operation.node)
        is_inspector = name.startswith(_SQLALCHEMY)
        # A generator may run when `run_sync` is over.
        is_used_later = isinstance(self._module.parent(node), _LATER) and not is_inspector
        is_named = isinstance(operation.session, ast.Name | ast.Attribute)
        is_kept = self._is_kept(operation, node)
        if is_kept or is_used_later or operation.session is None or not is_named:
            raise Refused(HANDED_SESSION, name)
        self._write(node, operation.session, operation.resource)

    def calls(self, operation: Operation) -> None:
        """Have `run_sync` call what stays plain, and is given the session. Raises Refused."""
        if operation.session is None:
            raise Refused(HANDED_SESSION, operation.method)
        self._write(self._used_at_once(operation.node), operation.session, operation.resource)

    def spawns(self, operation: Operation, spawn: str) -> None:
        """Have a greenlet inspect the database of an engine. Raises Refused.

        ``spawn`` is the name of what calls a function there.
        """
        module, engine = self._module, operation.session
        node = self._used_at_once(operation.node)
        if self._is_kept(operation, node):
            raise Refused(HANDED_SESSION, module.excerpt(node))
        match node:
            case ast.Call(func=ast.Name() | ast.Attribute(value=ast.Name())) if all(
                part is engine or isinstance(part, ast.Name | ast.Constant)
                for part in arguments_of(node)
            ):
                # Names and constants load nothing where they are evaluated.
                pass_function(module, self._insertions, node, spawn)
                self._awaiting.awaits(node)
            case _:
                refused = Refused(HANDED_SESSION, module.excerpt(node))
                function = opened_lambda(module, node, refused)
                self._awaiting.runs_inside(node, f"{spawn}({function} ")
        self._made.add(node)
        # The held object was made with it elsewhere.
        if engine is not None and engine in ast.walk(node):
            self._insertions.insert_at(module.span(engine).end, ".sync_engine")

    def passes(self, operation: Operation) -> None:
        """Have `run_sync` pass the session to a function, whose other arguments stay outside.

        Raises Refused.
        """
        call, session, module = operation.node, operation.session, self._module
        match call:
            case ast.Call(args=[ast.Name() | ast.Attribute() as first, *others]) if (
                first is session
            ):
                starts = [module.span(node).start for node in (*others, *call.keywords)]
            case _:
                raise Refused(HANDED_SESSION, operation.method)
        shown = module.text_of(session)
        owner = f"{shown}()" if operation.resource == "scoped" else shown
        cut = Span(module.span(call.func).end, min(starts, default=module.span(call).end - 1))
        if b"#" in module.source.text[cut.start : cut.end]:
            raise Refused(HANDED_SESSION, operation.method)
        self._insertions.insert_before(call.func, f"{owner}.run_sync(")
        self._insertions.replace(cut, ", " if starts else "")
        self._awaiting.awaits(call)

    def makes(self, operation: Operation) -> bool:
        """Whether `run_sync` makes an operation already, as a part of another."""
        if not any(above in self._made for above in self._module.ancestors(operation.node)):
            return False
        match operation:
            case Operation(how="loading" | "spawned"):
                return True
            case Operation(session=ast.expr() as session):
                return session in self._sessions
            case Operation(node=ast.Call(func=ast.Attribute(value=receiver))):
                return receiver in self._sessions
        return False

    # -------------------------------------------------------------------------------------- parts
    def _used_at_once(self, node: ast.expr) -> ast.expr:
        """Return all of an expression that uses what ``node`` gives."""
        module = self._module
        while True:
            match module.parent(node):
                case ast.Attribute() | ast.Subscript() as above if above.value is node:
                    node = above
                case ast.Call() as call if call.func is node:
                    node = call
                case ast.Call(args=[first, *_]) as call if (
                    first is node and module.scopes.builtin_called(call) in _CONSUMERS
                ):
                    node = call
                case _:
                    return node

    def _is_kept(self, operation: Operation, used: ast.expr) -> bool:
        """Whether an object may use the session after the greenlet, not only in calls here."""
        module, name = self._module, operation.method
        is_object = used is operation.node and name.rpartition(".")[2][:1].isupper()
        if is_object or used is not operation.node or name not in twins().handed.inspecting:
            return is_object
        uses = [use_of(module, used)]
        match uses:
            case [Use("bound", ast.Assign(targets=[ast.Name() as variable]))]:
                uses = [use_of(module, read) for read in module.scopes.reads_of(variable)]
        return any(use.way not in _USES for use in uses)

    def _write(self, node: ast.expr, session: ast.expr, resource: str) -> None:
        module, shown = self._module, self._module.text_of(session)
        below = list(ast.walk(node))
        same = [part for part in below if _is_read(part) and module.text_of(part) == shown]
        within = {part for entry in same for part in ast.walk(entry)}
        names = {part.id for part in below if isinstance(part, ast.Name) and part not in within}
        kind = "connection" if resource == "connection" else "session"
        name = next(word for word in (kind, f"sync_{kind}", f"inner_{kind}") if word not in names)
        refused = Refused(HANDED_SESSION, module.excerpt(node))
        function = opened_lambda(module, node, refused, name, within)
        owner = f"{shown}()" if resource == "scoped" else shown
        self._awaiting.runs_inside(node, f"{owner}.run_sync({function} ")
        self._made.add(node)
        self._sessions.update(part for part in same if isinstance(part, ast.expr))
        for item in same:
            if shown != name:
                self._insertions.replace(module.span(item), name)


def pass_function(module: Module, insertions: Insertions, call: ast.Call, name: str) -> None:
    """Write ``f(x)`` as ``name(f, x)``, which evaluates the arguments where they are."""
    func_end = module.span(call.func).end
    opening = module.source.text.index(b"(", func_end) + 1
    if not arguments_of(call):
        insertions.insert_before(call.func, f"{name}(")
        insertions.replace(Span(func_end, opening), "")
        return
    # One argument on each line, as the others are.
    following = re.match(rb"[ \t]*\r?\n[ \t]*", module.source.text[opening:])
    before = "" if following is None else following[0].decode()
    insertions.insert_before(call.func, f"{name}({before}")
    insertions.replace(Span(func_end, opening), "," if before else ", ")


def opened_lambda(
    module: Module,
    node: ast.expr,
    refused: Refused,
    given: str = "",
    apart: Collection[ast.AST] = (),
) -> str:
    """Return ``lambda given, item=item:``, which keeps what loops bind. Raises ``refused``."""
    below = list(ast.walk(node))
    if any(isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom) for part in below):
        raise refused
    bound: set[str] = set()
    for above in takewhile(lambda item: not isinstance(item, Function), module.ancestors(node)):
        for part in ast.walk(above) if isinstance(above, Repeating) else ():
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                bound.add(part.id)
    names = {part.id for part in below if isinstance(part, ast.Name) and part not in apart}
    parameters = [given] * bool(given) + [f"{name}={name}" for name in sorted(names & bound)]
    return f"lambda {', '.join(parameters)}:" if parameters else "lambda:"


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)


def completing_edits(
    project: Project, site: Site[ast.AST], validating: ast.expr, model: ast.expr | None
) -> Iterator[Edit]:
    """Yield the statement that completes a model before an expression that validates by it."""
    module = site.module
    statement = module.statement_of(validating)
    if model is None or statement is None:
        return
    if any(_may_be_incomplete(project, name) for name in project.classes_of(module, model)):
        code = f"{module.text_of(model)}.model_rebuild()\n"
        yield site.insert_statements(module.place(statement), "before", code)


def model_of(call: ast.expr) -> ast.expr | None:
    """Return the model whose ``model_validate`` is called."""
    match call:
        case ast.Call(func=ast.Attribute(value=model, attr=name)) if name == _VALIDATES:
            return model
    return None


def _may_be_incomplete(project: Project, qualified: str) -> bool:
    """Whether a class, or one in its annotations, names a class that is defined below it."""
    waiting = Worklist([facts.qualified for facts in project.class_line(qualified)])
    for name in waiting:
        pair = project.class_definition(name)
        for other in () if pair is None else _named_classes(project, *pair):
            facts = project.class_facts(other)
            if pair is None or facts is None:
                continue
            if facts.path == pair[0].path and facts.span.start > pair[0].span(pair[1]).start:
                return True
            waiting += [facts.qualified]
    return False


def _named_classes(project: Project, module: Module, node: ast.ClassDef) -> Iterator[str]:
    for field in (part for part in node.body if isinstance(part, ast.AnnAssign)):
        for part in module.walk(field.annotation):
            quoted = module.parse_string(part) if isinstance(part, ast.Constant) else None
            for name in (part,) if quoted is None else ast.walk(quoted):
                if isinstance(name, ast.Name | ast.Attribute):
                    yield (
                        project.qualified_name(module, name) or f"{module.name}.{ast.unparse(name)}"
                    )


class InGreenlets:
    """Writes the expressions of one function that may load, and have no session at hand."""

    def __init__(
        self, project: Project, site: Site[ast.AST], insertions: Insertions, awaiting: Awaiting
    ) -> None:
        self._project = project
        self._site = site
        self._insertions = insertions
        self._awaiting = awaiting

    def write(self, operation: Operation) -> Iterator[Edit]:
        """Write one expression, and yield the edits that import what it needs. Raises Refused."""
        spawn, imports = name_from_same_module(self._project, self._site, None, SPAWN)
        yield from imports
        if operation.how == "loading":
            self._reads(operation, spawn)
        else:
            yield from self._validates(operation, spawn)

    def _reads(self, operation: Operation, spawn: str) -> None:
        module, node = self._site.module, operation.node
        refused = Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(node)}`")
        function = opened_lambda(module, node, refused)
        opening, closing = (f"{operation.method}(", ")") if operation.method else ("", "")
        if operation.session is not None:
            self._hands(node, operation.session, (f"{spawn}(lambda found: {opening}", closing))
        else:
            self._awaiting.runs_inside(node, f"{spawn}({function} {opening}", closing)

    def _hands(self, node: ast.expr, owner: ast.expr, around: tuple[str, str]) -> None:
        """Have a lambda read of ``owner``, which may wait itself. Raises Refused."""
        module, text = self._site.module, self._site.module.source.text
        start, end = module.span(node).start, module.span(node).end
        head = text[start : module.span(owner).start]
        behind = module.span(owner).end
        for _ in range(head.count(b"(")):
            behind = text.index(b")", behind) + 1
        read = text[behind:end]
        if b"#" in head or b"#" in text[module.span(owner).end : end]:
            raise Refused(NOT_AWAITABLE_HERE, f"`{module.excerpt(node)}`")
        opening, closing = around
        self._awaiting.keeps(node)
        before, after = self._awaiting.await_texts(node)
        steps = f"found{read.decode().strip()}{closing}"
        self._insertions.wrap(node, f"{before}{opening}{steps}, ", "")
        self._insertions.replace(Span(behind, end), f"){after}")

    def _validates(self, operation: Operation, spawn: str) -> Iterator[Edit]:
        """Have what an endpoint returns validated as FastAPI does it, which finds it done."""
        module, function = self._site.module, operation.why
        if operation.method == "validate_python":
            adapter, imports = name_from_same_module(self._project, self._site, None, _ADAPTER)
            yield from imports
            function = f"{adapter}({function})"
        named = module.mentions(function.rpartition(".")[2])
        models = [node for node in named if isinstance(node, ast.Name | ast.Attribute)]
        model = next((node for node in models if module.text_of(node) == function), None)
        yield from completing_edits(self._project, self._site, operation.node, model)
        self._awaiting.keeps(operation.node)
        span = module.span(operation.node)
        # Outside of all that is awaited in it.
        opening = f"await {spawn}({function}.{operation.method}, "
        self._insertions.insert_at(span.start, opening)
        self._insertions.insert_at(span.end, ", from_attributes=True)")
