"""The lifespan of one application, as it will be written.

References of the lifespan to handlers in other places than the application.

Tests that run the handlers by hand: they enter the lifespan instead.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from msgspec import Struct, field

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import Home
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.step_comments import Comments
from awaken.codemods.fastapi.on_event_to_lifespan.registrations.steps import Step
from awaken.contract import Place, Span
from awaken.editing.comments import Comment, comments_in, only_suppresses
from awaken.kit.sites import Refused
from awaken.project import Project
from awaken.project.frameworks.web.applications import Application
from awaken.project.frameworks.web.wiring import Run
from awaken.project.source.expressions.attribute_texts import readers_of_names
from awaken.project.source.modules import Module
from awaken.project.source.trees import Function, parameters_of
from awaken.workspace.sources import LINE_END_BYTES

_MOST_STATEMENTS = 5
"""So many read well between others; a longer handler stays a function that is called."""
_ENDS_OTHERWISE = (ast.Return, ast.Yield, ast.YieldFrom)


class Body(Struct, frozen=True):
    """The body of a handler: its source, the names it binds, and those it reads from outside."""

    source: str
    bound: frozenset[str]
    read: frozenset[str]
    global_names: tuple[str, ...]
    nonlocal_names: tuple[str, ...]


def body_of(module: Module, function: Function) -> Body | None:
    """Return the body of ``function`` if it can be moved; None where a call says it better.

    That nobody else refers to the function is the caller's to know.
    """
    scope = module.scopes.scope_made_by(function)
    # FastAPI calls handlers without arguments, so that these have defaults or fail.
    if parameters_of(function.args) or not _is_short(module, function):
        return None
    # In the lifespan these would see other locals.
    if any(readers_of_names(module, scope)) or not _comments_can_move(module, function):
        return None
    declared = [node for node in function.body if isinstance(node, ast.Global | ast.Nonlocal)]
    deep = [node for node in module.walk(function) if isinstance(node, ast.Global | ast.Nonlocal)]
    # A declaration in a nested block or function cannot be moved to the top.
    if len(declared) != len(deep):
        return None
    return Body(
        source=_source(module, function),
        bound=frozenset(scope.bindings),
        read=frozenset(module.scopes.free_reads(function)) | scope.globals | scope.nonlocals,
        global_names=_names(declared, ast.Global),
        nonlocal_names=_names(declared, ast.Nonlocal),
    )


def _names(
    declared: Sequence[ast.Global | ast.Nonlocal], kind: type[ast.Global | ast.Nonlocal]
) -> tuple[str, ...]:
    names = [name for node in declared if isinstance(node, kind) for name in node.names]
    return tuple(dict.fromkeys(names))


def _is_short(module: Module, function: Function) -> bool:
    first = function.body[0]
    docstring = ast.get_docstring(function, clean=True)
    # The docstring becomes a comment of one line.
    if docstring is not None and "\n" in docstring:
        return False
    body = function.body[1:] if docstring is not None else function.body
    body = [part for part in body if not isinstance(part, ast.Global | ast.Nonlocal)]
    if not body or first.lineno == function.lineno or all(map(_is_empty, body)):
        return False
    statements = 0
    for statement in body:
        for node in module.walk(statement):
            own = module.enclosing_function(node) is function
            # An early `return` would end the lifespan: "generator didn't yield".
            if own and isinstance(node, _ENDS_OTHERWISE):
                return False
            statements += isinstance(node, ast.stmt)
    return statements <= _MOST_STATEMENTS


def _is_empty(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _comments_can_move(module: Module, function: Function) -> bool:
    """Whether no comment is above or next to the head, or after the body.

    Those between the statements move with them, and those that only suppress go with the head.
    """
    text, first = module.source.text, function.decorator_list[0]
    lines = text.splitlines(keepends=True)
    above = lines[first.lineno - 2].strip() if first.lineno > 1 else b""
    head = [comment for comment in head_comments(module, function) if not comment.alone]
    after = lines[function.end_lineno :] if function.end_lineno else []
    below = next((line for line in after if line.strip()), b"")
    column = len(below) - len(below.lstrip())
    behind = below.strip().startswith(b"#") and column > function.col_offset
    said = any(not only_suppresses(comment.text) for comment in head)
    return not above.startswith(b"#") and not said and not behind


def head_comments(module: Module, function: Function) -> list[Comment]:
    """Return the comments in the lines from the first decorator to the body."""
    lines = module.source.text.splitlines(keepends=True)
    start = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return comments_in(b"".join(lines[start - 1 : function.body[0].lineno - 1]).decode())


def _source(module: Module, function: Function) -> str:
    """Return the lines of ``function`` from its ``def`` on."""
    text, span = module.source.text, module.span(function)
    # Old files may end their lines with a carriage return alone.
    start = max(text.rfind(b"\n", 0, span.start), text.rfind(b"\r", 0, span.start)) + 1
    return text[start : _line_end(text, span)].decode()


def _line_end(text: bytes, span: Span) -> int:
    match = LINE_END_BYTES.search(text, span.end)
    return match.end() if match else len(text)


class Entered(Struct, frozen=True):
    """A function in which startup and shutdown are around statements of one block.

    ``always``: shutdown is run as well if these fail, or nothing of the kind can happen.
    """

    module: Module
    function: ast.AsyncFunctionDef
    receiver: str
    statements: tuple[ast.stmt, ...]
    always: bool


def functions_to_enter(project: Project, application: Application) -> list[Entered]:
    """Return the functions that run the handlers of ``application``. Raises Refused."""
    entries: list[Entered] = []
    runs = [candidate for candidate in project.web.runs.all if candidate.may_be_of(application)]
    for run in runs:
        # A shutdown is looked for from its startup on.
        if run.node.attr != "startup":
            continue
        pair = _pair(run)
        if pair is None:
            raise _refusal(run)
        entries.append(pair)
    inside = [(entry.module.path, entry.function) for entry in entries]
    for run in runs:
        function = run.module.enclosing_function(run.node)
        # `router.startup()` runs nothing once the handlers have moved: every run needs its pair.
        others = inside.count((run.module.path, function))  # type: ignore[arg-type]
        alone = run.of.only_application == application
        if others != 1 or not alone:
            raise _refusal(run)
    return entries


def _refusal(run: Run) -> Refused:
    text = run.module.excerpt(run.node)
    return Refused(reasons.ROUTER_STARTUP, text, because=(run.place,))


def _pair(run: Run) -> Entered | None:
    """Return the statements between the startup ``run`` and the shutdown of its application."""
    module = run.module
    function, statement = module.enclosing_function(run.node), module.statement_of(run.node)
    receiver = module.text_of(run.receiver)
    if not isinstance(function, ast.AsyncFunctionDef) or statement is None:
        return None
    if not _is_run(module, statement, receiver, "startup"):
        return None
    block = module.block_of(statement)
    rest = block[block.index(statement) + 1 :]
    first = rest[0] if rest else None
    # `async with` takes the place of `try` and `finally` alone.
    if isinstance(first, ast.Try) and not first.handlers and not first.orelse:
        if len(first.finalbody) == 1 and _is_run(module, first.finalbody[0], receiver, "shutdown"):
            return Entered(module, function, receiver, (statement, first), always=True)
        return None
    ends = [index for index, node in enumerate(rest) if _is_run(module, node, receiver, "shutdown")]
    # A `with` block needs at least one statement in it.
    if len(ends) != 1 or ends[0] == 0:
        return None
    between = rest[: ends[0]]
    # A failing test does not raise at the `yield` of its fixture.
    yields = len(between) == 1 and _is_yield(between[0])
    return Entered(module, function, receiver, (statement, *rest[: ends[0] + 1]), always=yields)


def _is_run(module: Module, statement: ast.stmt, receiver: str, event: str) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Await)
        and module.text_of(statement.value) == f"await {receiver}.router.{event}()"
    )


def _is_yield(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield)


def places_of(one: Entered) -> list[Place]:
    """Return the places of the statements that change, or are indented."""
    note = "enters the lifespan instead"
    return [one.module.place(part, note) for part in one.statements]


class Reference(Struct, frozen=True):
    """An expression for a function of another file.

    ``imported`` is what the file of the application must import for it, with an alias if the name
    is taken there; ``within`` is an import for the lifespan itself.
    """

    code: str
    imported: tuple[str, str, str] | None = None
    within: str = ""


class Reaching:
    """Finds names for what other files define, in the file of one application."""

    def __init__(self, project: Project, home: Home) -> None:
        self._project = project
        self._home = home

    def reference_to(
        self, module: Module, name: str, place: Place, *, imported_first: bool
    ) -> Reference:
        """Return how to write ``name`` of ``module``; ``imported_first``: its file is imported
        before the application is made. Raises Refused.
        """
        home = self._home.module
        if module.path == home.path:
            return Reference(name)
        known = self._project.web.imports.name_of(home, module.path)
        # The parameter of the lifespan would hide a module of that name.
        if known not in {None, "app", "application"}:
            return Reference(f"{known}.{name}")
        certain = self._project.web.imports.certain(home, module.path)
        # A new import would run code that is not run at startup today.
        if not certain and not imported_first:
            raise Refused(reasons.REGISTERED_ELSEWHERE, module.path, because=(place,))
        taken = name in home.scopes.names()
        alias = home.scopes.fresh_name(f"{module.name.rpartition('.')[2]}_{name}") if taken else ""
        # At the top of the file this import could close a circle, or change the order.
        if not certain or not imported_first:
            renamed = f" as {alias}" if alias else ""
            return Reference(alias or name, within=f"from {module.name} import {name}{renamed}")
        return Reference(alias or name, imported=(module.name, name, alias))


class Lifespan(Struct):
    """The lifespan of one application, as it will be written."""

    home: Home
    steps: Sequence[Step]
    name: str = ""
    parameter: str = ""
    nested: bool = False
    bodies: dict[int, Body] = field(default_factory=dict)
    references: dict[int, Reference] = field(default_factory=dict)
    caveats: list[str] = field(default_factory=list)
    iterators: str = ""
    entered: list[Entered] = field(default_factory=list)
    comments: Comments = field(default_factory=Comments)
