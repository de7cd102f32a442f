"""Runs coroutines together in a task group.

## What

`await asyncio.gather(...)` becomes `async with asyncio.TaskGroup()`, if each argument is proved to
be a coroutine. Results keep their order, and where a coroutine fails, the same exception is raised.

## Why

When one coroutine fails, `gather()` raises and leaves the others running, with nobody who waits for
them or hears of their errors. A task group ends only when all its tasks have ended.

## Before (unsafe)

```python
import asyncio


async def fetch(path):
    await asyncio.sleep(0.1)
    return path.upper()


async def show(user_id):
    user, orders = await asyncio.gather(fetch(f"users/{user_id}"), fetch("orders"))
    return f"{user}: {orders}"
```

## After (unsafe)

```python
import asyncio


async def fetch(path):
    await asyncio.sleep(0.1)
    return path.upper()


async def show(user_id):
    try:
        async with asyncio.TaskGroup() as tg:
            user_task = tg.create_task(fetch(f"users/{user_id}"))
            orders_task = tg.create_task(fetch("orders"))
    except BaseExceptionGroup as group:
        raise group.exceptions[0]
    user, orders = user_task.result(), orders_task.result()
    return f"{user}: {orders}"
```

## Safety

*Safe* means: no coroutine can raise anything, so all of them end, as before. Elsewhere, if one
fails, the others are cancelled and awaited before it is raised. The exception is the same object.

## What it refuses

Versions of Python before 3.11, and `return_exceptions=True`. Arguments that are not proved to be
coroutines, such as tasks and futures.

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": `gather()`, "Task Groups"
* PEP 654, "Exception Groups and except*"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.asyncio.gather_to_taskgroup.helper import Prepared, shares, with_helper
from awaken.codemods.asyncio.gather_to_taskgroup.placing import Names
from awaken.codemods.asyncio.gather_to_taskgroup.reasons import ALL
from awaken.codemods.asyncio.gather_to_taskgroup.site import (
    USE_RESULTS,
    WRAP_LOOP,
    WRITE_GROUP,
    Options,
    judged,
)
from awaken.contract import Constraints, Level, Phase, Plan, Rewriter
from awaken.kit.changes import plan_of, refused_together, rewritten_together
from awaken.kit.reasons import INSIDE_FSTRING, NAME_TAKEN
from awaken.kit.rule import Rule
from awaken.kit.search import calls_of
from awaken.kit.sites import Refused, Site
from awaken.workspace.sources import LINE_END_BYTES

if TYPE_CHECKING:
    from awaken.project import Project


class GatherToTaskgroup(Rule):
    """Rewrites ``await asyncio.gather(...)`` to a task group."""

    name = "gather-to-taskgroup"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    levels = (Level.SAFE, Level.UNSAFE, Level.MANUAL)
    since = "0.1.0"
    after = ("ensure-future",)
    triggers = (b"gather(", b"gather as ")
    needs: ClassVar[Mapping[str, str]] = {"python": ">=3.11"}
    options = Options
    reasons = (INSIDE_FSTRING, NAME_TAKEN, *ALL)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per gather, and its change."""
        prepared = list(self._prepared(project, constraints))
        return plan_of(with_helper(project, constraints, prepared))

    def rewriters(self) -> Mapping[str, Rewriter]:
        """Return the rewriters that write the task group, and use its results."""
        from awaken.codemods.asyncio.gather_to_taskgroup.rewrite import (  # noqa: PLC0415  loads LibCST
            use_results,
            wrap_loop,
            write_group,
        )

        return {WRITE_GROUP: write_group, WRAP_LOOP: wrap_loop, USE_RESULTS: use_results}

    def _prepared(self, project: Project, constraints: Constraints) -> Iterator[Prepared]:
        options = constraints.options
        if not isinstance(options, Options):
            options = Options()
        names: dict[ast.AST, Names] = {}
        for site in calls_of(project, self, {"asyncio.gather"}):
            module = site.module
            function = module.enclosing_function(site.node)
            # What stands outside of functions is refused before a name is asked for.
            scope = module.tree if function is None else function
            if scope not in names:
                names[scope] = Names(module, scope)
            yield _prepare(site, project, names[scope], options)


def _prepare(site: Site[ast.Call], project: Project, names: Names, options: Options) -> Prepared:
    module = site.module
    first = LINE_END_BYTES.search(module.source.text)
    newline = "\n" if first is None else first.group().decode()
    try:
        found = judged(site, project, names, options)
    except Refused as refused:
        return Prepared(module.path, module.name, refused_together((site,), refused))
    alone = rewritten_together((site,), found.alone)
    if found.shared is None or not shares(module):
        return Prepared(module.path, module.name, alone)
    shared = rewritten_together((site,), found.shared)
    return Prepared(module.path, module.name, alone, shared, newline)
