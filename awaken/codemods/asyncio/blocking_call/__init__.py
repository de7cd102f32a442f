"""Move blocking calls off the event loop.

## What

In a coroutine, `time.sleep(x)` becomes `await asyncio.sleep(x)`, and a call such as
`requests.get(url)`, `subprocess.run(command)` or `path.read_text()` becomes
`await asyncio.to_thread(requests.get, url)`. Calls of plain functions that come to such a call are
reported, with the way.

## Why

An event loop runs in one thread. While a call waits there for a server, a process or a disk, no
other coroutine runs: no request is answered, no timeout ends.

## Before: sleeping (unsafe)

```python
import asyncio
import time


async def poll(read):
    while not await read():
        time.sleep(0.5)
```

## After: sleeping (unsafe)

```python
import asyncio


async def poll(read):
    while not await read():
        await asyncio.sleep(0.5)
```

## Before: waiting for others (unsafe)

```python
import subprocess

import requests


async def publish(url, folder):
    subprocess.run(["make", "pages"], cwd=folder, check=True)
    return requests.get(url, timeout=5).status_code
```

## After: waiting for others (unsafe)

```python
import asyncio
import subprocess

import requests


async def publish(url, folder):
    await asyncio.to_thread(subprocess.run, ["make", "pages"], cwd=folder, check=True)
    return (await asyncio.to_thread(requests.get, url, timeout=5)).status_code
```

## Safety

Never safe. While `await asyncio.sleep()` lasts, other coroutines run, so the order of what they do
changes, they may see what is half done, and the coroutine can be cancelled there. Nothing proves
that no other is ready to run, also where the sleep stands beside another `await`, which need not
suspend. For a negative number `time.sleep()` raises an exception, `asyncio.sleep()` does not.

In a thread, two such calls may run at once as well, and a call goes on where its coroutine is
cancelled.

## What it refuses

Calls that give something which is read later: `open()`, a response with `stream=True`, connections.
Methods of sessions, connections and locks, which may belong to their thread. Programs of trio.

No sites are calls in plain functions, whoever hands these to a thread, and so endpoints of FastAPI
that are written with `def`; what takes no time to speak of, such as `os.remove()`; tests. Ways go
over two calls at most, and only over those of which it is certain what they call: not through
generators, decorators that may do anything, and functions that ask whether a loop is running. They
are climbed by names: not found are calls by another name, of a function that is imported from
elsewhere than its module or package, of what more than 60 files name, and of methods where the name
of the object tells nothing, as `client`, `pwd_context` and `smtp` do.

Ruff reports calls that stand in a coroutine itself: ASYNC210, ASYNC212 (HTTP), ASYNC220 to ASYNC222
(processes), ASYNC230 and ASYNC240 (files), ASYNC251 (`time.sleep()`), and ASYNC250 (`input()`),
which this rule does not know. It rewrites none of them, and follows no calls.

## Sources

* Python 3.14, `asyncio`, "Developing with asyncio": "Running Blocking Code"
* Python 3.14, `asyncio`, "Coroutines and Tasks": `to_thread()`
* Ruff, `flake8-async`
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.blocking_call.awaited import awaited
from awaken.codemods.asyncio.blocking_call.calls import (
    calls_in_coroutines,
    calls_in_functions,
    may_be_in_coroutines,
    may_be_in_functions,
)
from awaken.codemods.asyncio.blocking_call.reasons import ALL, THROUGH
from awaken.contract import Constraints, Level, Phase, Plan, Status
from awaken.kit.changes import Decided, decide, plan_of
from awaken.kit.rule import Rule
from awaken.kit.search import modules_with, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.graph.ways import Way
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project


class BlockingCall(Rule):
    """Awaits what waits in the thread of the event loop, in another thread where it has to."""

    name = "blocking-call"
    family = "asyncio"
    phase = Phase.CONCURRENCY
    decides_by = "file"
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"async def",)
    status = Status.PREVIEW
    reasons = ALL

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per call in a coroutine that blocks, or comes to one that does."""
        del constraints  # no change needs another site
        return plan_of(self._decided(project))

    def _decided(self, project: Project) -> Iterator[Decided]:
        def unless(may_be_in: Callable[[bytes], bool]) -> Callable[[str], bool]:
            return lambda path: is_around_tests(path) or not may_be_in(project.snapshot[path].text)

        for module in site_modules(project, self.triggers, unless(may_be_in_coroutines)):
            for blocking in calls_in_coroutines(project, module):
                site = Site(self.name, module, blocking.call)
                yield decide(site, awaited, project, blocking)
        ends = (
            (module, blocking.call, blocking.name)
            for module in modules_with(project, (b"def ",), unless(may_be_in_functions))
            for blocking in calls_in_functions(project, module)
        )
        in_sight = set(project.site_files(self.triggers))
        for module, call, way in project.calls.ways_to(ends):
            if module.path in in_sight:
                yield decide(Site(self.name, module, call), _through, way)


def _through(site: Site[ast.Call], way: Way) -> Rewrite:
    shown = f"`{site.module.excerpt(site.node.func)}()` leads to `{way.name}()`"
    raise Refused(THROUGH, shown, because=way.places)
