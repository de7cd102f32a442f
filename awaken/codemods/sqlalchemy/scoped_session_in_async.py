"""Find `scoped_session` registries that coroutines use.

## Before

```python
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker

app = FastAPI()
db_session = scoped_session(sessionmaker(create_engine("sqlite:///shop.db")))


@app.get("/orders")
async def count_orders():
    return db_session.scalar(text("SELECT count(*) FROM orders"))
```

## After

```python
from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

app = FastAPI()
sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///shop.db"))


async def get_db() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


@app.get("/orders")
async def count_orders(db: AsyncSession = Depends(get_db)):
    return await db.scalar(text("SELECT count(*) FROM orders"))
```

## What

The rule reports a `scoped_session(...)` if a coroutine uses its session, or a function that a
coroutine calls. The finding is at the registry, and shows the calls from the coroutine to it.

## Why

A registry gives each thread one session. All tasks of an event loop run in one thread, so they
share that session. One task commits or rolls back the work of another, and `remove()` closes the
session for all of them. Its calls also block the event loop.

## Safety

This is advice: nothing is rewritten. Pass a session per request as a dependency. A registry for
tasks is `async_scoped_session(factory, scopefunc=asyncio.current_task)`. The task that used it
then awaits `registry.remove()`. A `BaseHTTPMiddleware` cannot do that, because it runs endpoints in
another task.

## What it does not report

* A registry that only plain functions use. Endpoints without `async` run in threads, and so do
  functions that are passed to `to_thread`.
* A registry whose `scopefunc` is `asyncio.current_task`.
* A call over more than two functions.
* Tests.

## Sources

* SQLAlchemy 2.0, "Contextual/Thread-local Sessions"; "Asynchronous I/O (asyncio)": "Using asyncio
  scoped session"
* Starlette, "Middleware": limitations of `BaseHTTPMiddleware`
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from awaken.contract import Finding, Phase, Place, Status
from awaken.kit.rule import Advice
from awaken.kit.search import argument, calls_of, modules_with
from awaken.kit.sites import Site
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_REGISTRY = "sqlalchemy.orm.scoped_session"
_TASK = "asyncio.current_task"
_SHOWN = 5  # coroutines; more say nothing else
_CHILD_TASKS = (b"BaseHTTPMiddleware", b'middleware("http")', b"middleware('http')")
_CURE = "Give each request or task its own `AsyncSession`, for example with `Depends(get_db)`."
_FOR_TASKS = (
    "Or use `async_scoped_session(..., scopefunc=asyncio.current_task)`, and await "
    "`remove()` in the task that used it."
)
_WITH_SCOPE = "Or use `async_scoped_session` with the same `scopefunc`."
_NOT_IN_MIDDLEWARE = (
    "A `BaseHTTPMiddleware` cannot do that, because it runs endpoints in another task."
)


class _Registry(Struct, frozen=True):
    """A call that makes a registry, and the name by which it is kept."""

    site: Site[ast.Call]
    name: str


class ScopedSessionInAsync(Advice):
    """Advises against registries of sessions that coroutines use."""

    name = "scoped-session-in-async"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"scoped_session",)
    anchors = ((b"async def",),)
    status = Status.PREVIEW

    def findings(self, project: Project) -> Iterator[Finding]:
        """Return one finding per registry that coroutines use."""
        for registry in self._registries(project):
            places = tuple(_reached_places(project, registry))
            if places:
                yield _advice(project, registry, places)

    def _registries(self, project: Project) -> Iterator[_Registry]:
        for site in calls_of(project, self, {_REGISTRY}):
            scope = argument(site.node, 1, "scopefunc")
            is_for_tasks = scope is not None and (
                project.qualified_name(site.module, scope) == _TASK
            )
            name = _kept_as(site.module, site.node)
            if name and not is_for_tasks and not is_around_tests(site.module.path):
                yield _Registry(site, name)


def _kept_as(module: Module, call: ast.Call) -> str:
    """Return the name of the variable or attribute that a registry is assigned to."""
    match module.parent(call):
        case (
            ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)])
            | ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name))
        ):
            return name
    return ""


def _advice(project: Project, registry: _Registry, places: tuple[Place, ...]) -> Finding:
    has_scope = argument(registry.site.node, 1, "scopefunc") is not None
    shares = "" if has_scope else ": all tasks of an event loop share its session"
    help_text = f"{_CURE} {_WITH_SCOPE if has_scope else _FOR_TASKS}"
    if project.files_with(_CHILD_TASKS):
        help_text = f"{help_text} {_NOT_IN_MIDDLEWARE}"
    return registry.site.advice(
        f"coroutines use the registry `{registry.name}`{shares}", help_text, places[:_SHOWN]
    )


def _reached_places(project: Project, registry: _Registry) -> Iterator[Place]:
    """Yield where coroutines use the registry, or call what does."""
    later: list[Place] = []
    for module in modules_with(project, (registry.name.encode(),), unless=is_around_tests):
        for call in _uses(project, module, registry):
            coroutine = module.enclosing_coroutine(call)
            if coroutine is not None:
                yield module.place(call, f"used in the coroutine `{coroutine.name}`")
            else:
                later.append(module.place(call))
    # Asked for one after the other: no tree is held meanwhile.
    ends = (
        (module, call, registry.name)
        for place in later
        for module, call in project.calls_at(place)[:1]
        if module.enclosing_function(call) is not None
    )
    for module, call, way in project.calls.paths_to(ends):
        if not is_around_tests(module.path):
            yield module.place(call, f"calls it through `{way.name}`")


def _uses(project: Project, module: Module, registry: _Registry) -> Iterator[ast.Call]:
    """Yield the calls of a registry, and of its methods."""
    for node in module.mentions(registry.name):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        called = module.call_of(node) or module.method_call_on(node)
        if called is not None and _is_of(project, module, node, registry):
            yield called


def _is_of(
    project: Project, module: Module, node: ast.Name | ast.Attribute, registry: _Registry
) -> bool:
    proof = project.orm.session_of(module, node)
    return (
        isinstance(proof, SessionProof)
        and proof.kind == "scoped"
        and (not proof.places or registry.site.place.path in {place.path for place in proof.places})
    )
