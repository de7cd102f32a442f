"""Replace `asyncio.gather()` with a task group.

## What

| you write | awaken writes |
| --- | --- |
| `await asyncio.gather(f(), g())` | `async with asyncio.TaskGroup()`, and one `create_task()` per coroutine |
| `create_task(f())` or `ensure_future(f())` as an argument | `tg.create_task(f())` |
| a list that the code directly above the gather builds | the same list, built inside the task group |
| a list or dictionary of tasks, made directly above the gather | the same list or dictionary, inside the task group |
| coroutines from a dictionary, an attribute or another function | one task per item |
| `await asyncio.wait_for(asyncio.gather(...), seconds)` | the task group inside `asyncio.timeout(seconds)` |

Every argument must be proved to be a coroutine. A time limit must be a name, an attribute, a
positive number or `None`.

If a package has several such places, they share a class that awaken adds to a new file. Every
change that uses the class creates the same file, so you can leave out any place. awaken uses an
existing class first. It adds no file outside the selected paths.

## Why

When one coroutine fails, `gather()` raises and leaves the others running. Nobody awaits them or
sees their errors. A task group ends only after all its tasks have ended.

## Before: results (unsafe)

```python
import asyncio


async def fetch(path):
    return path.upper()


async def show(user_id):
    user, orders = await asyncio.gather(fetch(f"users/{user_id}"), fetch("orders"))
    return f"{user}: {orders}"
```

## After: results (unsafe)

```python
import asyncio


async def fetch(path):
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

No rewrite is safe: nothing proves that a coroutine cannot fail, or that nobody cancels it. The
results keep their order. The first error is raised as the same object, with the same cause.

| case | what may change |
| --- | --- |
| a coroutine fails | the group cancels the others and awaits them before it raises; `gather()` raises immediately and leaves them running |
| a cancelled coroutine would set an event, remove an entry or resolve a future, after an `await` and outside `finally` | it skips that step, and other code may wait forever; the message names the first such place that awaken sees |
| the gather is the only one in its package | the error is raised in an `except` block, so its `__context__` is the exception group. The shared class keeps the context. |
| other code cancels a task | `CancelledError` is raised when its result is read, later than with `gather()`. If nothing reads it, the error is ignored. |
| the caller is cancelled | the group awaits the cleanup of its tasks, and an exception of the cleanup replaces `CancelledError` |
| before Python 3.13, `asyncio.timeout()` contains the `try` that handles the error | the timeout later raises `CancelledError` instead of `TimeoutError` |
| `asyncio.wait_for()` limits the gather | an exception during the cancellation hides the timeout |
| a test mocks or watches `asyncio.gather` | the mock gets no call |
| a test mocks a coroutine function | the mock must return a coroutine, not a future |
| a later argument sets a context variable | the tasks of earlier arguments do not see it |
| some arguments are tasks, and some are coroutines | all tasks start in the order of the arguments |
| the statement also reads a variable or an attribute that the tasks may change | it is read after the tasks ran |
| the result is annotated as a tuple | the result is a tuple, not a list |
| a dictionary of tasks may get two with one key | the group also awaits the replaced task |
| a list from elsewhere may contain one coroutine twice | the task group fails |
| `locals()` is read | it also has the names of the group and of its tasks |
| the program uses `__del__`, weak references or `gc` | these names keep results and errors until the function ends |
| a task factory returns no task | the group waits forever |

The message names the cases that awaken sees in the program.

## What it refuses

| left alone | why |
| --- | --- |
| `return_exceptions=True` | a task group does not return exceptions |
| tasks and futures | a task group accepts only the tasks that it starts |
| a call whose result is unknown | it may return a future |
| an argument that awaits, yields or assigns a name | tasks of earlier arguments would run before it ends |
| a gather that is not awaited immediately, or is shielded | its result may be used elsewhere |
| a gather that is awaited on a condition, several times, or after code with effects | a block before the statement would run at another time |
| coroutines that share one SQLAlchemy session | a session does not allow concurrent use |
| files that import trio | the event loop of trio runs no asyncio task group |

## On real programs

With `--unsafe-fixes --target-version py311`. Of 438 gathers that are awaited directly without
`return_exceptions`, 295 are rewritten. Nearly all others get futures, running tasks, or results of
libraries without type declarations. Of the rewritten places, 60 were read: all give the same
results.

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
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace

from awaken.codemods.asyncio.gather_to_taskgroup.helper import (
    Prepared,
    imported_name,
    shares,
    with_helper,
)
from awaken.codemods.asyncio.gather_to_taskgroup.reasons import ALL
from awaken.codemods.asyncio.gather_to_taskgroup.site import CONTEXT, Options, task_group_rewrite
from awaken.codemods.asyncio.gather_to_taskgroup.task_names import Names
from awaken.contract import Constraints, Level, Phase, Plan, Status
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
    triggers = (b"gather",)
    needs: ClassVar[Mapping[str, str]] = {"python": ">=3.11"}
    options = Options
    reasons = (INSIDE_FSTRING, NAME_TAKEN, *ALL)
    writers = (f"{__package__}.rewrite",)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per gather, and its change."""
        prepared = list(self._prepared_items(project, constraints))
        return plan_of(with_helper(project, constraints, prepared))

    def _prepared_items(self, project: Project, constraints: Constraints) -> Iterator[Prepared]:
        options = constraints.options
        if not isinstance(options, Options):
            options = Options()
        calls = calls_of(project, self, {"asyncio.gather"})
        for module, sites in groupby(calls, key=attrgetter("module")):
            # Names of one file only, because they keep its tree in memory.
            names: dict[ast.AST, Names] = {}
            for site in sites:
                function = module.enclosing_function(site.node)
                # A gather outside functions is refused before it needs a name.
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
        rewrite = task_group_rewrite(site, project, names, options)
    except Refused as refused:
        return Prepared(module.path, name, refused_together((site,), refused))
    decided = rewritten_together((site,), rewrite)
    if not options.unwraps:
        return Prepared(module.path, name, decided)
    alone = rewritten_together((site,), replace(rewrite, caveats=[*rewrite.caveats, CONTEXT]))
    return Prepared(module.path, name, alone, decided if shares(module) else None, newline)
