"""Await coroutines that share a session one after the other.

## Before (unsafe)

```python
import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession


async def dashboard(session: AsyncSession):
    users, posts = await asyncio.gather(
        session.scalars(select("users")),
        session.scalars(select("posts")),
    )
    return users, posts


async def load(session: AsyncSession, keys):
    return await asyncio.gather(*[session.get(object, key) for key in keys])
```

## After (unsafe)

```python
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession


async def dashboard(session: AsyncSession):
    users = await session.scalars(select("users"))
    posts = await session.scalars(select("posts"))
    return users, posts


async def load(session: AsyncSession, keys):
    return [await session.get(object, key) for key in keys]
```

## What

| you write | awaken writes |
| --- | --- |
| `asyncio.gather()` of coroutines that use one `AsyncSession` or `AsyncConnection` | one `await` after the other |
| the same, if they share it by `self.session`, a variable of the outer function, or objects built with it | one `await` after the other |
| tasks of a `TaskGroup` or of `asyncio.create_task()` that share a session | no change, but a finding |

## Why

A session is one transaction on one connection, which does one thing at a time. If two tasks use it
at once, SQLAlchemy raises `InvalidRequestError` or `IllegalStateChangeError`. Otherwise, one task
may commit or roll back the work of the other. Waiting costs nothing: the connection never did both
at once.

## Safety

Never safe:

| what may change | details |
| --- | --- |
| the time of other work in the coroutines, such as a request | it no longer overlaps with the query |
| after a failure | the later coroutines do not start |

## What it refuses

The table has a cure for each reason. These sessions are not reported:

* one of an `async_scoped_session`, which has one for each task;
* one that each coroutine opens itself;
* one that is used inside an `asyncio.Lock`.

## On real programs

The rule ran on the 33 programs of `benchmarks/recipes/statuses.md`, with `--unsafe-fixes`. Both
places were read, and are right: each gathers statements of one session.

| program | safe | unsafe | manual |
| --- | --- | --- | --- |
| prefect 3.9.1 | 0 | 0 | 2 |
| 32 others | 0 | 0 | 0 |

## Sources

* SQLAlchemy 2.1, "Session Basics": "Is the Session thread-safe? Is AsyncSession safe to share in
  concurrent tasks?"
* SQLAlchemy 2.1, "Error Messages": "This session is provisioning a new connection; concurrent
  operations are not permitted" (`isce`)
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from awaken.contract import Edit, Level, Phase, Reason, Span, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import SiteRule
from awaken.kit.search import argument, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names
from awaken.project.source.expressions.lists import added_parts, list_parts
from awaken.project.source.memo import recursive_items
from awaken.project.source.trees import Function, FunctionOrLambda, Loop, last_name
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.concurrent_sessions import SharedSession
    from awaken.project.source.modules import Module

_HELP = "Give each task its own session, or await one coroutine after the other."
KEPT = Reason("kept-coroutines", "the coroutines share {}, and are stored before the gather", _HELP)
NOT_A_COROUTINE = Reason(
    "not-a-coroutine", "the arguments share {}, and may not be coroutines", _HELP
)
NOT_AWAITED = Reason(
    "not-awaited", "the coroutines share {}, and `gather()` is not awaited directly", _HELP
)
RETURN_EXCEPTIONS = Reason(
    "return-exceptions",
    "the coroutines share {}, and their exceptions are returned as results",
    _HELP,
)
STARTED = Reason("started-tasks", "concurrent tasks share {}", _HELP)

_GATHER = "asyncio.gather"
_CREATE = library_names().task_makers
_GROUP = "asyncio.TaskGroup"
_NAMES = ("TaskGroup", "create_task", "ensure_future", "gather")
_PAUSES = (ast.Await, ast.AsyncFor, ast.AsyncWith)
_CAVEAT = "each coroutine starts after the previous one is done, and none starts after a failure"


class _Together(NamedTuple):
    """Coroutines that run at once, what runs them, and where that is reported."""

    at: ast.Call
    runs: ast.AST
    coroutines: Sequence[ast.expr]


class SessionSharedAcrossTasks(SiteRule):
    """Awaits the coroutines of ``gather`` one after the other if they share a session."""

    name = "session-shared-across-tasks"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"gather", b"create_task", b"ensure_future")
    anchors = ((b"sqlalchemy", b"sqlmodel", b"asyncpg"),)
    status = Status.OPT_IN
    per_file = True
    reasons = (INSIDE_FSTRING, KEPT, NOT_AWAITED, NOT_A_COROUTINE, RETURN_EXCEPTIONS, STARTED)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding for coroutines that share a session, and its change."""
        names = project.spellings_of(_NAMES)
        return (
            decide(Site(self.name, module, one.at), _rewrite, project, shared)
            for module in site_modules(project, self.triggers)
            for one in _items_together(project, module, project.names_in(module.path, names))
            if (
                shared := project.orm.shared_sessions.shared_session(
                    module, one.runs, one.coroutines
                )
            )
        )


# ----------------------------------------------------------------------------------- the sites
def _items_together(project: Project, module: Module, names: frozenset[str]) -> Iterator[_Together]:
    """Yield what runs at once; ``names`` are last names of the functions that run coroutines."""
    # Qualified names are asked of what is called like that only: they may be evaluated.
    calls = [node for node in module.nodes(ast.Call) if last_name(node.func) in names]
    gathered: set[ast.expr] = set()
    for call in calls:
        if project.qualified_name(module, call.func) == _GATHER:
            coroutines = list(_elements(module, ast.Tuple(call.args, ast.Load())))
            gathered.update(coroutines)
            yield _Together(call, call, coroutines)
    for node in module.nodes(ast.AsyncWith):
        yield from _of_group(project, module, node, names)
    started = [
        call
        for call in calls
        if call not in gathered and project.qualified_name(module, call.func) in _CREATE
    ]
    yield from _of_tasks(module, started)


@recursive_items
def _elements(module: Module, node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a list or tuple holds, as far as it is visible; it may be in a variable."""
    for part in list_parts(module, node):
        if part.kind != "rest":
            yield part.node
        elif isinstance(part.node, ast.Name):
            value = module.scopes.only_value(part.node)
            if value is not None and not isinstance(value, ast.Name):
                yield from _elements(module, value)
                for read in module.scopes.reads_of(part.node):
                    yield from (added.node for added in added_parts(module, read) or ())


def _of_group(
    project: Project, module: Module, node: ast.AsyncWith, names: frozenset[str]
) -> Iterator[_Together]:
    """Yield the coroutines of which a task group makes tasks."""
    for item in node.items:
        made = item.context_expr
        if not isinstance(made, ast.Call) or not isinstance(item.optional_vars, ast.Name):
            continue
        if last_name(made.func) not in names:
            continue
        if project.qualified_name(module, made.func) == _GROUP:
            name = item.optional_vars.id
            yield _Together(made, node, _given_coroutines(list(_tasks_of(module, node, name))))


def _tasks_of(module: Module, node: ast.AsyncWith, group: str) -> Iterator[ast.Call]:
    for part in module.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="create_task")):
                if name == group:
                    yield part


def _given_coroutines(calls: Sequence[ast.Call]) -> list[ast.expr]:
    """Return the coroutines of which ``calls`` make tasks."""
    return [node for call in calls if (node := argument(call, 0, "coro")) is not None]


def _of_tasks(module: Module, calls: Sequence[ast.Call]) -> Iterator[_Together]:
    """Yield the coroutines of tasks between which nothing waits, function by function."""
    by_function: dict[FunctionOrLambda, list[ast.Call]] = {}
    for call in calls:
        function = module.enclosing_function(call)
        if isinstance(function, Function) and not _waits_in_loop(module, call, function):
            by_function.setdefault(function, []).append(call)
    for function, result in by_function.items():
        pauses = [
            module.span(node).start for node in module.walk(function) if isinstance(node, _PAUSES)
        ]
        for run in _runs(module, result, pauses):
            yield _Together(run[0], function, _given_coroutines(run))


def _waits_in_loop(module: Module, call: ast.Call, function: Function) -> bool:
    """Whether a loop around ``call`` waits for something, maybe for the task."""
    for above in module.ancestors(call):
        if above is function:
            return False
        if isinstance(above, Loop):
            return any(isinstance(node, _PAUSES) for node in module.walk(above))
    return False


def _runs(
    module: Module, calls: Sequence[ast.Call], pauses: Sequence[int]
) -> Iterator[list[ast.Call]]:
    """Yield the calls in groups, which end where something waits."""
    calls = sorted(calls, key=lambda call: module.span(call).start)
    run = list(calls[:1])
    for before, after in pairwise(calls):
        start, end = module.span(before).end, module.span(after).start
        if any(start <= pause < end for pause in pauses):
            yield run
            run = []
        run.append(after)
    if run:
        yield run


# --------------------------------------------------------------------------------- the rewrite
def _rewrite(site: Site[ast.Call], project: Project, shared: SharedSession) -> Rewrite:
    """Return how the coroutines are awaited one after the other. Raises Refused."""
    module, call, shown = site.module, site.node, f"`{shared.shown}`"
    if module.in_fstring(call):
        raise Refused(INSIDE_FSTRING, module.excerpt(call))
    if last_name(call.func) != "gather" and project.qualified_name(module, call.func) != _GATHER:
        raise Refused(STARTED, shown, because=shared.places)
    awaited = module.parent(call)
    if not isinstance(awaited, ast.Await) or module.enclosing_coroutine(call) is None:
        raise Refused(NOT_AWAITED, shown, because=shared.places)
    if call.keywords:
        raise Refused(RETURN_EXCEPTIONS, shown, because=shared.places)
    made = [_made_by(node) for node in call.args]
    if not all(isinstance(node, ast.Call) for node in made):
        raise Refused(KEPT, shown, because=shared.places)
    if any(project.effects.awaitable(module, node) != "coroutine" for node in made):
        raise Refused(NOT_A_COROUTINE, shown, because=shared.places)
    message = (
        f"awaits the coroutines one after the other, because {shown} allows only one task at a time"
    )
    unused = [site.release_import("asyncio", name) for name in ("gather", None)]
    edits = [*_in_sequence(site, awaited), *unused]
    return Rewrite(message, edits, [_CAVEAT], shared.places)


def _made_by(given: ast.expr) -> ast.expr:
    """Return the expression that makes a coroutine of an argument, or each of them."""
    match given:
        case ast.Starred(value=ast.ListComp() | ast.GeneratorExp() as inner):
            return inner.elt
    return given


def _in_sequence(site: Site[ast.Call], awaited: ast.Await) -> list[Edit]:
    """Return the edits that await the arguments one after the other."""
    module, statement = site.module, site.module.statement_of(awaited)
    if statement is not None and _has_own_lines(module, statement):
        loop = _loop(module, statement, awaited, site.node)
        if loop:
            return [site.replace(statement, loop)]
        lines = _statements(module, statement, awaited, site.node)
        if lines:
            first, *others = lines
            place = module.place(statement)
            more = site.insert_statements(place, "after", "\n".join(others))
            return [site.replace(statement, first), *([more] if others else [])]
    match site.node.args:
        case [ast.Starred(value=ast.ListComp() | ast.GeneratorExp() as inner)]:
            return _comprehension(site, awaited, inner)
    return list(_display(site, awaited))


def _has_own_lines(module: Module, statement: ast.stmt) -> bool:
    """Whether ``statement`` has its lines for itself, and no comments within."""
    others = [*module.block_of(statement), module.parent(statement)]
    beside = any(
        getattr(node, "lineno", 0) == statement.lineno for node in others if node is not statement
    )
    return not beside and "#" not in module.text_of(statement)


def _loop(module: Module, statement: ast.stmt, awaited: ast.Await, call: ast.Call) -> str:
    """Return the loop that awaits what a comprehension makes, if nobody takes the results."""
    inner = call.args[0].value if isinstance(call.args[0], ast.Starred) else None
    if not isinstance(inner, ast.ListComp | ast.GeneratorExp) or len(call.args) > 1:
        return ""
    loop, text = inner.generators[0], module.source.text
    is_plain = len(inner.generators) == 1 and not loop.ifs and not loop.is_async
    end = LINE_END_BYTES.search(text, module.span(statement).end)
    above = module.parent(statement)
    if not isinstance(statement, ast.Expr) or statement.value is not awaited or end is None:
        return ""
    if not is_plain or above is None or _leaks(module, loop.target, inner):
        return ""
    outer = "" if isinstance(above, ast.Module) else _indentation(module, above)
    indent = _indentation(module, statement)
    head = f"for {module.text_of(loop.target)} in {module.text_of(loop.iter)}:"
    body = f"{indent}{indent.removeprefix(outer)}await {module.text_of(inner.elt)}"
    return f"{head}{end.group().decode()}{body}"


def _indentation(module: Module, node: ast.AST) -> str:
    """Return the space in front of the line that ``node`` begins in."""
    line = module.source.text[: module.span(node).start]
    line = line[max(line.rfind(b"\n"), line.rfind(b"\r")) + 1 :]
    return line[: len(line) - len(line.lstrip())].decode()


def _leaks(module: Module, target: ast.expr, inner: ast.expr) -> bool:
    """Whether a variable of a comprehension would be another one of the function as well."""
    names = {node.id for node in module.nodes_below(target, ast.Name)}
    around, own = module.enclosing_function(inner), module.span(inner)
    return any(module.scopes.is_bound(name, inner) for name in names) or any(
        isinstance(node, ast.Name)
        and node.id in names
        and not own.start <= module.span(node).start < own.end
        for node in module.walk(around)
    )


def _statements(
    module: Module, statement: ast.stmt, awaited: ast.Await, call: ast.Call
) -> list[str]:
    """Return a statement for each coroutine; none where they are part of a larger expression."""
    if any(isinstance(node, ast.Starred) for node in call.args):
        return []
    awaits = [f"await {module.text_of(node)}" for node in call.args]
    match statement:
        case ast.Expr(value=value) if value is awaited:
            return awaits
        case ast.Assign(targets=[ast.Tuple(elts=elts) | ast.List(elts=elts)], value=value) if (
            value is awaited and len(elts) == len(awaits)
        ):
            names = [element.id for element in elts if isinstance(element, ast.Name)]
            if len(names) == len(elts) and not _is_read_behind(module, names, call):
                return [f"{name} = {word}" for name, word in zip(names, awaits, strict=True)]
    return []


def _is_read_behind(module: Module, names: Sequence[str], call: ast.Call) -> bool:
    """Whether a coroutine is made of a variable that one before it is assigned to."""
    return any(
        isinstance(node, ast.Name) and node.id in names[:index]
        for index, given in enumerate(call.args)
        for node in module.walk(given)
    )


def _comprehension(
    site: Site[ast.Call], awaited: ast.Await, inner: ast.ListComp | ast.GeneratorExp
) -> list[Edit]:
    """Return the edits that leave nothing but the comprehension."""
    whole, kept = site.module.span(awaited), site.module.span(inner)
    brackets = isinstance(inner, ast.GeneratorExp)
    return [
        site.write(Span(whole.start, kept.start + brackets), "[" * brackets),
        site.insert_before(inner.elt, "await "),
        site.write(Span(kept.end - brackets, whole.end), "]" * brackets),
    ]


def _display(site: Site[ast.Call], awaited: ast.Await) -> Iterator[Edit]:
    """Yield the edits that make a list of results of the call."""
    module, call = site.module, site.node
    whole, text = module.span(awaited), module.source.text
    opened = text.index(b"(", module.span(call.func).end) + 1
    yield site.write(Span(whole.start, opened), "[")
    for given in call.args:
        if isinstance(given, ast.Starred) and isinstance(given.value, ast.GeneratorExp):
            span = module.span(given.value)
            yield site.write(Span(span.start, span.start + 1), "[")
            yield site.write(Span(span.end - 1, span.end), "]")
        yield site.insert_before(_made_by(given), "await ")
    yield site.write(Span(module.span(call).end - 1, whole.end), "]")
