"""Replace `asyncio.gather()` with a task group.

## What

`await asyncio.gather(...)` becomes `async with asyncio.TaskGroup()`, if each argument is proved to
be a coroutine. Results keep their order, and where a coroutine fails, the same exception is raised.

## Why

When one coroutine fails, `gather()` raises and leaves the others running, with nobody who waits for
them or hears of their errors. A task group ends only when all its tasks have ended.

## Before: results (unsafe)

```python
import asyncio


async def fetch(path):
    await asyncio.sleep(0.1)
    return path.upper()


async def show(user_id):
    user, orders = await asyncio.gather(fetch(f"users/{user_id}"), fetch("orders"))
    return f"{user}: {orders}"
```

## After: results (unsafe)

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

## Before: several places of a package (unsafe)

```python shop/pages.py
import asyncio


async def fetch(path):
    await asyncio.sleep(0.1)
    return path.upper()


async def fetch_all(paths):
    return await asyncio.gather(*(fetch(path) for path in paths))


async def warm(paths):
    await asyncio.gather(*[fetch(path) for path in paths])
```

## After: several places of a package (unsafe)

```python shop/pages.py
import asyncio

from shop.task_groups import FirstErrorTaskGroup


async def fetch(path):
    await asyncio.sleep(0.1)
    return path.upper()


async def fetch_all(paths):
    async with FirstErrorTaskGroup() as tg:
        tasks = [tg.create_task(fetch(path)) for path in paths]
    return [task.result() for task in tasks]


async def warm(paths):
    async with FirstErrorTaskGroup() as tg:
        for path in paths:
            tg.create_task(fetch(path))
```

```python shop/task_groups.py
\"\"\"Task groups that raise the errors of their tasks as they are.\"\"\"

import asyncio
from types import TracebackType


class FirstErrorTaskGroup(asyncio.TaskGroup):
    \"\"\"A task group that raises the first error of its tasks, not an exception group.

    As in every task group, the other tasks are cancelled and awaited first.
    \"\"\"

    async def __aexit__(
        self,
        et: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            return await super().__aexit__(et, exc, tb)
        except BaseExceptionGroup as group:
            first_error = group.exceptions[0]
        # Raised here and not above, the error keeps its own context.
        raise first_error
```

## Safety

Never safe, for nothing proves that a coroutine cannot fail or is not cancelled.

* If one fails, the others are cancelled, and awaited before the error is raised. `gather()` raises
  at once and leaves them running. The error is the same object, with the same cause; of several
  the first is raised. Alone in its package, a place raises it inside of `except`, so its
  `__context__` is the exception group; the class that several places share changes nothing of it.
* What a cancelled coroutine leaves undone stays undone: an `Event` that it sets, an entry that it
  removes, a future that it resolves, each after an `await` and outside of `finally`. Whoever waits
  for that waits forever. The message names the first such place that awaken can see.
* A task that something else cancels ends in `CancelledError` where its result is read, later than
  with `gather()`, and is passed over where nothing reads it.
* Where the caller itself is cancelled, a task group waits until its tasks have cleaned up, and
  raises an exception from there in place of `CancelledError`. Before Python 3.13, a failed task
  group marks its caller: if the exception is handled inside of `asyncio.timeout()`, that limit
  later raises `CancelledError` instead of `TimeoutError`.
* A test that replaces or watches `asyncio.gather` sees no call. A test double of a coroutine
  function must return a coroutine, no future.
* Tasks are made one by one: a task does not see the context variables that later arguments set.
  `locals()` shows the names of the group and of its tasks. These hold the results, or the error,
  until the function ends: `__del__` and weak references see that. The message says where this
  matters.

## Options

`exceptions` says what is raised where a coroutine fails:

* `"unwrap"`, the default: the first exception, as `gather()` does.
* `"plain"`: an `ExceptionGroup` of all. `except ValueError` does not catch it.

The class stands in a file of its own, so that each place can be left out: every change that uses it
makes the same file. It is looked for first. Where only some paths are selected and the file is not
among them, none is made.

## What it refuses

Versions of Python before 3.11, and `return_exceptions=True`, which a task group does not have. What
is not proved to be a coroutine: tasks and futures, which a task group cannot take over, and calls
whose result is not known. `create_task(coroutine)` and `ensure_future(coroutine)` count as the
coroutine in the call itself, or where they fill the list right above it. The coroutines may come
from a dictionary, an attribute or another function. A list that holds one of them twice fails in a
task group; the message says so. An argument that awaits
something, for the tasks made before it would run by then. A gather that is not awaited where it
stands, or shielded, or awaited on a condition, several times, or after something that may have
effects. One session of SQLAlchemy used by several coroutines, and files that import trio.

`await asyncio.wait_for(asyncio.gather(...), seconds)` is taken where `seconds` is a name, or a
number above zero.

## On real programs

With `--unsafe-fixes --target-version py311`. Of 438 gathers that are awaited directly, without
`return_exceptions`, 295 are rewritten. Nearly all others are given futures, tasks that run already,
or what libraries without declarations return. Of 60 rewritten places that were read, none gave
other results.

| program | sites | unsafe | `return_exceptions` | tasks, or not proved | other |
| --- | --- | --- | --- | --- | --- |
| homeassistant 2024.3.3 | 228 | 116 | 40 | 69 | 3 |
| litellm 1.109.1 | 166 | 96 | 53 | 11 | 6 |
| chia-blockchain 2.7.5 | 53 | 14 | 6 | 30 | 3 |
| ray 2.60.0 | 53 | 26 | 12 | 13 | 2 |
| prefect 3.9.1 | 32 | 16 | 12 | 2 | 2 |
| langflow-base 1.13.0 | 23 | 8 | 10 | 3 | 2 |
| dagster 1.13.28 | 17 | 14 | 1 | 1 | 1 |
| crewai 1.15.30 | 15 | 5 | 6 | 4 | 0 |

## Sources

* Python 3.14, `asyncio`, "Coroutines and Tasks": `gather()`, "Task Groups", "Timeouts"
* PEP 654, "Exception Groups and except*"; PEP 789, on `yield` in task groups
* `Lib/asyncio/taskgroups.py` and `tasks.py` of CPython 3.11 and 3.13
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.asyncio.gather_to_taskgroup.helper import (
    Prepared,
    imported_name,
    shares,
    with_helper,
)
from awaken.codemods.asyncio.gather_to_taskgroup.names import Names
from awaken.codemods.asyncio.gather_to_taskgroup.reasons import ALL
from awaken.codemods.asyncio.gather_to_taskgroup.site import (
    CONTEXT,
    DROP_LIST,
    USE_RESULTS,
    WRAP_LOOP,
    WRITE_GROUP,
    Options,
    judged,
)
from awaken.contract import Constraints, Level, Phase, Plan, Rewriter, Status
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
    status = Status.OPT_IN
    decides_by = "selection"
    levels = (Level.UNSAFE, Level.MANUAL)
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
            drop_list,
            use_results,
            wrap_loop,
            write_group,
        )

        return {
            WRITE_GROUP: write_group,
            WRAP_LOOP: wrap_loop,
            USE_RESULTS: use_results,
            DROP_LIST: drop_list,
        }

    def _prepared(self, project: Project, constraints: Constraints) -> Iterator[Prepared]:
        options = constraints.options
        if not isinstance(options, Options):
            options = Options()
        found = calls_of(project, self, {"asyncio.gather"})
        for module, sites in groupby(found, key=attrgetter("module")):
            # Names of one file alone: they would keep the trees of all.
            names: dict[ast.AST, Names] = {}
            for site in sites:
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
    name = imported_name(project, module)
    try:
        found = judged(site, project, names, options)
    except Refused as refused:
        return Prepared(module.path, name, refused_together((site,), refused))
    decided = rewritten_together((site,), found)
    if not options.unwraps:
        return Prepared(module.path, name, decided)
    alone = rewritten_together((site,), replace(found, caveats=[*found.caveats, CONTEXT]))
    return Prepared(module.path, name, alone, decided if shares(module) else None, newline)
