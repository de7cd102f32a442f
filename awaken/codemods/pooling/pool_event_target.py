"""Listen to the synchronous engine or session of an asynchronous one.

## Before

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")


@event.listens_for(engine, "connect")
def enforce_foreign_keys(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
```

## After

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")


@event.listens_for(engine.sync_engine, "connect")
def enforce_foreign_keys(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
```

## What

| you write | awaken writes |
| --- | --- |
| `event.listens_for(async_engine, "connect")` | `event.listens_for(async_engine.sync_engine, "connect")` |
| an `AsyncConnection` as target | its `sync_connection` |
| an `AsyncSession` as target | its `sync_session` |
| `event.listen`, `event.remove`, `event.contains` | the same |

awaken follows the target through variables, attributes, annotations and functions, over all files.

## Why

Events belong to the synchronous objects that the asynchronous ones wrap. Listening to an
asynchronous object raises `NotImplementedError` when the line runs.

## Before: a failure that is hidden (unsafe)

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


def count_connections(engine: AsyncEngine, count) -> None:
    try:
        event.listen(engine, "connect", count)
    except Exception:
        print("connections are not counted")
```

## After: a failure that is hidden (unsafe)

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


def count_connections(engine: AsyncEngine, count) -> None:
    try:
        event.listen(engine.sync_engine, "connect", count)
    except Exception:
        print("connections are not counted")
```

## Safety

In a *safe* rewrite, the line can only fail today, so nothing can rely on it. The target is proved
to be asynchronous, and no code around it catches the failure.

A rewrite is *unsafe* if a `try` or `suppress` around the call hides the failure, here or in a
caller. So it is if a thread or a task runs the call, and keeps the failure. The listener is then
called for the first time.

## What it refuses

The table has a cure for each reason. These targets are not reported:

* one that is not proved to be asynchronous;
* `async_engine.pool`, which already is the pool of the synchronous engine.

## Sources

* SQLAlchemy 2.0, "Asynchronous I/O (asyncio)": "Using events with the asyncio extension"
* `sqlalchemy/ext/asyncio/engine.py`: `AsyncConnectable._no_async_engine_events`; run with 2.1.9
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.contract import Edit, Phase, Reason, Status
from awaken.kit.caveats.failures import HIDDEN, caught_by_callers
from awaken.kit.changes import Decided, decide
from awaken.kit.rule import SiteRule
from awaken.kit.search import argument, calls_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list, name_table, word_list
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

ASYNC_LISTENER = Reason(
    "async-listener",
    "`{}` is a coroutine function, which events call and never await",
    "Write it as a plain function. The connection that it gets is synchronous.",
)
CLASS_TARGET = Reason(
    "class-target",
    "`{}` is a class without events",
    "Listen to `sqlalchemy.Engine` or `sqlalchemy.orm.Session` for all of them, or to "
    "`sync_engine` or `sync_session` of one.",
)
EXPECTED_FAILURE = Reason(
    "expected-failure",
    "the surrounding code expects that listening fails",
    "Remove that expectation.",
)
INSIDE_FSTRING = Reason(
    "inside-f-string", "the target is inside an f-string", "Assign it to a variable first."
)

_FUNCTIONS = name_list("event_functions")
_COUNTERPARTS = name_table("counterparts")
_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"
_SYNC_SESSION = "sync_session"
_ASYNC = (b"ext.asyncio", b"ext import asyncio", *word_list("asynchronous_sessions"))
_PRIMARIES = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
_CATCHING = library_names().catching_all | {None, "builtins.RuntimeError"}
_CATCHING |= {"builtins.NotImplementedError"}


class PoolEventTarget(SiteRule):
    """Rewrites ``listens_for(async_engine, ...)`` to listen to ``async_engine.sync_engine``."""

    name = "pool-event-target"
    family = "pooling"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"listen", b"event.remove", b"event.contains")
    anchors = (_ASYNC,)
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.PREVIEW
    reasons = (ASYNC_LISTENER, CLASS_TARGET, EXPECTED_FAILURE, INSIDE_FSTRING)

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return one finding per listener with an asynchronous target, and its change."""
        return (
            decide(site, _rewrite, project, target, counterpart)
            for site in calls_of(project, self, _FUNCTIONS)
            if (target := argument(site.node, 0, "target")) is not None
            if (counterpart := _counterpart(project, site.module, target)) is not None
        )


def _counterpart(project: Project, module: Module, target: ast.expr) -> str | None:
    """Return the attribute with the synchronous counterpart of ``target``.

    It is empty for the classes themselves, and None for everything else.
    """
    name = project.qualified_name(module, target)
    if name in _COUNTERPARTS or name == _SESSION:
        return ""
    result = {_COUNTERPARTS.get(word) for word in project.instance_of(module, target)}
    if len(result) == 1:
        return result.pop()
    proof = project.orm.session_of(module, target)
    if isinstance(proof, SessionProof) and proof.kind == "async" and not proof.unless:
        return _SYNC_SESSION
    return None


def _rewrite(site: Site[ast.Call], project: Project, target: ast.expr, counterpart: str) -> Rewrite:
    """Return how the call listens to the counterpart of its target. Raises Refused."""
    text = site.module.excerpt(target)
    if not counterpart:
        raise Refused(CLASS_TARGET, text)
    # Before Python 3.12 nodes inside an f-string have no reliable positions.
    if site.module.in_fstring(site.node):
        raise Refused(INSIDE_FSTRING)
    listener = _async_listener(site.module, site.node)
    if listener is not None:
        raise Refused(ASYNC_LISTENER, listener)
    return Rewrite(
        f"`{text}` becomes `{text}.{counterpart}` as the target of an event",
        _edits(site, target, counterpart),
        list(dict.fromkeys(_of_guards(project, site.module, site.node))),
    )


def _of_guards(project: Project, module: Module, call: ast.Call) -> Iterator[str]:
    for guard in project.effects.guards(module, call):
        if guard.ends == "expects":
            raise Refused(EXPECTED_FAILURE)
        if guard.ends == "swallows":
            yield "it fails today, and a surrounding `suppress` hides that"
        # With the failure gone, the listener is called for the first time.
        if not _CATCHING.isdisjoint(guard.catches):
            yield HIDDEN
    yield from (clause for clause, _ in caught_by_callers(project, module, call, _CATCHING))


def _async_listener(module: Module, call: ast.Call) -> str | None:
    """Return the name of the listener if it is a coroutine function."""
    above = module.parent(call)
    # `@listens_for(...)` has no argument for its listener.
    if isinstance(above, ast.AsyncFunctionDef) and call in above.decorator_list:
        return above.name
    given = argument(call, 2, "fn")
    if isinstance(given, ast.Name):
        bindings = module.scopes.bindings_of(given)
        if any(isinstance(binding.node, ast.AsyncFunctionDef) for binding in bindings):
            return given.id
    return None


def _edits(site: Site[ast.Call], target: ast.expr, counterpart: str) -> list[Edit]:
    attribute = f".{counterpart}"
    if isinstance(target, _PRIMARIES):
        return [site.insert_behind(target, attribute)]
    # `a or b` binds weaker than the attribute.
    return [site.insert_before(target, "("), site.insert_behind(target, f"){attribute}")]
