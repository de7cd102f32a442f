"""Find loops that start one task per item of an input without a limit.

## What

awaken reports `gather(*[...])`, `create_task()` in a loop and the like, if:

* they start a task for each item of a parameter, of a query result, or of the contents of files
* the tasks wait for a network, a database or a disk
* neither the function nor the tasks use a semaphore, a limiter, batches or a pool

## Why

All tasks run at the same time. With ten items, that is intended. Ten thousand items open ten
thousand connections, and each task uses memory. Pools time out, servers answer 429, and files can
no longer be opened.

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

This is advice: nothing is rewritten. You decide how many tasks may run at the same time. If the
input is never large, ignore the finding.

## What it does not report

| not reported | why |
| --- | --- |
| literals, ranges, constants and attributes of the object itself | their size is known, or small |
| inputs whose name means few items, such as devices, providers, servers or workers | a program has few of them |
| functions that name a limit, a batch, a pool or a queue, or compare a length | they may limit the tasks |
| tasks that run threads | the thread pool limits them |
| tasks whose function names a lock | the lock limits them |
| tasks that may not wait for anything outside | they need no connection |
| tests | their input is small |

## On real programs

| programs | advice | read: right, wrong, of little use |
| --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 2 | none |
| the six of `benchmarks/asyncio.md` | 0 | none |

## Sources

* Python 3.14, `asyncio`, "Synchronization Primitives": `Semaphore`
* Ruff has no such rule
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.unbounded_fan_out.fan_outs import FanOut, fan_outs, is_meant
from awaken.codemods.asyncio.unbounded_fan_out.loop_sizes import unbounded_size
from awaken.codemods.asyncio.unbounded_fan_out.task_limits import (
    is_limited_here,
    works_without_limit,
)
from awaken.contract import Finding, Phase, Status
from awaken.kit.rule import Advice
from awaken.kit.search import site_modules
from awaken.kit.sites import Site
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project

_CURE = "Limit the tasks with a shared semaphore, or work in batches."


class UnboundedFanOut(Advice):
    """Advises against a task for each of any number of items."""

    name = "unbounded-fan-out"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    triggers = (b"gather", b"create_task", b"ensure_future", b"start_soon", b"as_completed")
    status = Status.OPT_IN

    def findings(self, project: Project) -> Iterable[Finding]:
        """Return one finding per fan-out over an input of any size."""
        findings: dict[ast.Call, Finding] = {}
        for module in site_modules(project, self.triggers, is_around_tests):
            for fan_out in fan_outs(project, module):
                over = None if fan_out.started in findings else _text_over(project, fan_out)
                if over is not None:
                    findings[fan_out.started] = Site(self.name, module, fan_out.started).advice(
                        f"every item of `{over}` starts a task that runs "
                        f"`{module.excerpt(fan_out.called)}()`, without a limit",
                        _CURE,
                    )
        return findings.values()


def _text_over(project: Project, one: FanOut) -> str | None:
    """Return what a fan-out goes through, if neither its size nor its tasks are limited."""
    result = (unbounded_size(one.module, iterable) for iterable in one.iterables)
    over = next((each for each in result if each is not None), None)
    if over is None or is_limited_here(one.module, one.started) or not is_meant(project, one):
        return None
    return over if works_without_limit(project, one.module, one.started, one.called) else None
