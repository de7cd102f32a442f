"""Find loops that start one task per item of an input without a limit.

## What

`gather(*[...])`, `create_task()` in a loop and the like that start a task for each item of what a
function is given, what a query gives, or what is read from files, where no semaphore, limiter,
batch or pool stands in the function, nor in what the tasks run. The tasks ask for something
outside: a network, a database, a disk.

## Why

All tasks run at once. With ten items that is what was wanted; with ten thousand they open as many
connections, hold as much memory, and run into the limits of whoever they ask: pools time out,
servers answer 429, files cannot be opened any more.

## Before

```python
import asyncio


async def download(client, url):
    response = await client.get(url)
    return response.content


async def download_all(client, urls):
    return await asyncio.gather(*[download(client, url) for url in urls])
```

## After

```python
import asyncio


async def download(client, url, semaphore):
    async with semaphore:
        response = await client.get(url)
    return response.content


async def download_all(client, urls):
    semaphore = asyncio.Semaphore(20)
    return await asyncio.gather(*[download(client, url, semaphore) for url in urls])
```

## Safety

This is advice: nothing is rewritten. How many may run at once is for the owner to say, who knows
what they ask; and where an input is never large, there is nothing to do.

## What it does not report

Literals, ranges, constants, attributes of the object itself, and what a program has a handful of by
its name, such as devices, providers, servers or workers. Functions that name a limit, a batch, a
pool or a queue, or compare a length with something; tasks that run threads, which the pool of
threads limits, or whose function names a lock. Tasks of which it is not seen that they wait for
something outside. Tests.

## On real programs

| programs | advice | read: right, wrong, of little use |
| --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 2 | none |
| the six of `benchmarks/asyncio.md` | 0 | none |

## Sources

* Python 3.14, `asyncio`, "Synchronization Primitives": `Semaphore`
* Ruff has no such rule
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.unbounded_fan_out.fan_outs import FanOut, fan_outs, is_meant
from awaken.codemods.asyncio.unbounded_fan_out.limits import is_limited_here, works_without_limit
from awaken.codemods.asyncio.unbounded_fan_out.sizes import unbounded
from awaken.contract import Constraints, Finding, Phase, Plan, Status
from awaken.kit.rule import Rule
from awaken.kit.search import site_modules
from awaken.kit.sites import Site
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project

_CURE = "Limit the tasks with a shared semaphore, or work in batches."


class UnboundedFanOut(Rule):
    """Advises against a task for each of any number of items."""

    name = "unbounded-fan-out"
    kind = "advice"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"gather", b"create_task", b"ensure_future", b"start_soon", b"as_completed")
    status = Status.OPT_IN

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per fan-out over an input of any size."""
        del constraints  # nothing is rewritten
        found: dict[ast.Call, Finding] = {}
        for module in site_modules(project, self.triggers, is_around_tests):
            for one in fan_outs(project, module):
                over = None if one.started in found else _over(project, one)
                if over is not None:
                    found[one.started] = Site(self.name, module, one.started).advised(
                        f"every item of `{over}` starts a task that runs "
                        f"`{module.excerpt(one.called)}()`, without a limit",
                        _CURE,
                    )
        return Plan(tuple(found.values()))


def _over(project: Project, one: FanOut) -> str | None:
    """Return what a fan-out goes through, if neither its size nor its tasks are limited."""
    found = (unbounded(one.module, iterable) for iterable in one.iterables)
    over = next((each for each in found if each is not None), None)
    if over is None or is_limited_here(one.module, one.started) or not is_meant(project, one):
        return None
    return over if works_without_limit(project, one.module, one.started, one.called) else None
