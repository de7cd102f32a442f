"""Move blocking calls off the event loop.

## What

| you write, in a coroutine | what awaken does |
| --- | --- |
| `time.sleep(x)` | writes `await asyncio.sleep(x)` |
| `requests.get(url)`, `subprocess.run(command)`, `path.read_text()` and the like | writes `await asyncio.to_thread(requests.get, url)` |
| a call of a plain function that leads to such a call | reports it, with the calls in between |

## Why

An event loop runs in one thread. While a call blocks that thread, no other coroutine runs. No
request is answered, and no timeout ends.

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

No rewrite is safe, because other coroutines may run during the new `await`:

| case | what may change |
| --- | --- |
| any `await` | other coroutines run in between, in another order, and may see unfinished work |
| any `await` | the coroutine can be cancelled there |
| `time.sleep()` of a negative number | it raises; `asyncio.sleep()` does not |
| a call in a thread | two such calls may run at the same time |
| a call in a thread | it continues when its coroutine is cancelled |

Another `await` nearby does not make the rewrite safe, because it may not suspend the coroutine.

## What it does not report

| not reported | why |
| --- | --- |
| calls in plain functions, also in `def` endpoints of FastAPI | they may run in a thread |
| calls that take almost no time, such as `os.remove()` | they hardly block |
| tests | they have the loop for themselves |

awaken follows at most two calls from a coroutine to a blocking call. It must know every called
function. It does not follow:

* generators, and functions with decorators that it does not know
* functions that check whether a loop is running
* functions under another name, or imported from a module that is not theirs
* functions whose name appears in more than 60 files
* methods, unless the name of the object suggests a client, such as `client`, `pwd_context` or
  `smtp`

Ruff reports calls in the coroutine itself, and rewrites none of them:

| rule of Ruff | calls |
| --- | --- |
| ASYNC210, ASYNC212 | HTTP |
| ASYNC220 to ASYNC222 | processes |
| ASYNC230, ASYNC240 | files |
| ASYNC250 | `input()`, which awaken does not know |
| ASYNC251 | `time.sleep()` |

## What it refuses

| left alone | why |
| --- | --- |
| `open()`, a response with `stream=True`, a connection | the code reads the result later, and that blocks too |
| methods of sessions, connections and locks | the object may belong to its thread |
| programs of trio | trio has its own `sleep()` and threads |

## Sources

* Python 3.14, `asyncio`, "Developing with asyncio": "Running Blocking Code"
* Python 3.14, `asyncio`, "Coroutines and Tasks": `to_thread()`
* Ruff, `flake8-async`
"""  # noqa: E501  rows of tables

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from awaken.codemods.asyncio.blocking_call.awaited import awaited_rewrite
from awaken.codemods.asyncio.blocking_call.blocking_calls import (
    calls_in_coroutines,
    calls_in_functions,
    may_be_in_coroutines,
    may_be_in_functions,
)
from awaken.codemods.asyncio.blocking_call.reasons import ALL, THROUGH
from awaken.contract import Level, Phase, Status
from awaken.kit.changes import Decided, decide
from awaken.kit.rule import SiteRule
from awaken.kit.search import modules_with, site_modules
from awaken.kit.sites import Site, rewrite_through
from awaken.project.source.test_files import is_around_tests

if TYPE_CHECKING:
    from awaken.project import Project


class BlockingCall(SiteRule):
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

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Return one finding per call in a coroutine that blocks, or comes to one that does."""

        def unless(may_be_in: Callable[[bytes], bool]) -> Callable[[str], bool]:
            return lambda path: is_around_tests(path) or not may_be_in(project.snapshot[path].text)

        for module in site_modules(project, self.triggers, unless(may_be_in_coroutines)):
            for blocking in calls_in_coroutines(project, module):
                site = Site(self.name, module, blocking.call)
                yield decide(site, awaited_rewrite, project, blocking)
        ends = (
            (module, blocking.call, blocking.name)
            for module in modules_with(project, (b"def ",), unless(may_be_in_functions))
            for blocking in calls_in_functions(project, module)
        )
        in_sight = set(project.site_files(self.triggers))
        for module, call, way in project.calls.paths_to(ends):
            if module.path in in_sight:
                yield decide(Site(self.name, module, call), rewrite_through, THROUGH, way)
