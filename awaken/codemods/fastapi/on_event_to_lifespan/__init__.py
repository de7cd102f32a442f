"""Replace `on_event` handlers with a lifespan.

## What

Everything that an application registers to run at startup and at shutdown, by `@app.on_event`,
`add_event_handler`, `on_startup=[...]` or on `app.router`, is called by one lifespan, in the order
in which it was registered. A single short handler becomes the body of the lifespan; several, long
ones, and those that anybody else refers to stay functions.

All handlers of an application move in one change, or none does: an application that has a lifespan
runs no other handler, without a word. That goes over files: handlers of routers that it includes,
of files that are imported below it, and of functions that are given the application and do nothing
but register. A function that registers all handlers of what it is given makes the lifespan itself.
Tests that run the handlers by hand enter the lifespan instead.

## Why

`on_event` is deprecated, and Starlette 1.0 has removed `add_event_handler`, `on_startup` and
`on_shutdown`. A lifespan says in one place what is opened and closed.

## Before

```python
from fastapi import FastAPI

from database import database

app = FastAPI(title="Shop")


@app.on_event("startup")
async def startup():
    await database.connect()


@app.on_event("shutdown")
async def shutdown():
    await database.disconnect()
```

## After

```python
from contextlib import asynccontextmanager

from fastapi import FastAPI

from database import database


@asynccontextmanager
async def lifespan(app: FastAPI):
    await database.connect()
    try:
        yield
    finally:
        await database.disconnect()


app = FastAPI(title="Shop", lifespan=lifespan)
```

## Before: a factory with several handlers

```python
from fastapi import FastAPI

from database import database


def create_app(url: str) -> FastAPI:
    app = FastAPI()

    @app.on_event("startup")
    async def connect() -> None:
        await database.connect(url)

    @app.on_event("startup")
    def announce() -> None:
        print("connected to", url)

    app.add_event_handler("shutdown", database.disconnect)
    return app
```

## After: a factory with several handlers

```python
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from database import database


def create_app(url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await connect()
        announce()
        try:
            yield
        finally:
            await database.disconnect()

    app = FastAPI(lifespan=lifespan)

    async def connect() -> None:
        await database.connect(url)

    def announce() -> None:
        print("connected to", url)

    return app
```

## The module beside the examples

```python database.py
class Database:
    async def connect(self, url: str = "") -> None: ...

    async def disconnect(self) -> None: ...


database = Database()
```

## Safety

*Safe* means: the same handlers run in the same order, on the same thread, with the same
exceptions; none runs twice or not at all. Shutdown runs in the order of registration, as
it did, not in reverse. It is written in `finally`, because `on_event` runs it also when the server
is cancelled; startup stands in front of `try`, because a failed startup runs no shutdown. What was
registered only in some cases is called only in these: the lifespan asks the condition again where
nothing can change it, else a variable that remembers. Comments move with
what they speak of; one that only told a tool to overlook a removed line (`# noqa`, `# type:
ignore`) goes with it.

*Unsafe* is what depends on something out of sight, or changes what was not meant:

* a library is given the application, and it is not known whether it registers handlers of its own;
* handlers of routers, which run twice since FastAPI 0.112.2, and once afterwards;
* handlers of files that import the application: the lifespan imports them;
* functions that code outside the project may call as well: what they make gets the lifespan, and
  what they are given and has a lifespan loses it; a `lifespan` among the keywords that they give
  the constructor fails;
* tests that replace a handler, which now replace it for the lifespan too, and tests that fail
  between startup and shutdown, which now run the shutdown.

FastAPI before 0.93 has no `lifespan=`: nothing is rewritten unless the project's own requirements
promise a newer one.

## What it refuses

Applications of which not every handler is in sight: registered on something that cannot be
followed, in a loop, behind a `return`, in a function that does other things, or by a library; made
with `**kwargs` that may hold handlers; of a class that adds to FastAPI's. Handlers of which it
cannot be told whether they are awaited, whose name means something else when the application
starts, or that are no plain functions. Applications that have a lifespan already, or are mounted in
another one: their handlers never run, which is reported. Applications of which one includes the
router of the other, and handlers that decorators register on several. Code that runs the handlers
of an application itself, by `app.router.startup()`, other than around statements of one block.

A program in which no file names FastAPI or Starlette has no sites: its `on_event` is another
library's.

## On real programs

The 25 programs of `benchmarks/applications.md`, which were chosen before the rule was written: 87
registrations of 34 applications, counted without awaken. No handler was lost, doubled or put into
another order in any diff.

| program (FastAPI) | handlers | apps | safe | unsafe | manual |
| --- | --- | --- | --- | --- | --- |
| Castwright (0.115) | 10 | 1 | 1 | 0 | 0 |
| codex-autorunner (0.111 or later) | 5 | 2 | 0 | 0 | 2 |
| fastapi-jsonrpc (0.123 to 0.134) | 1 | 1 | 0 | 0 | 1 |
| feast (0.68 or later) | 2 | 2 | 0 | 0 | 2 |
| freqtrade (0.115) | 2 | 1 | 0 | 1 | 0 |
| gns3-server (0.135) | 2 | 1 | 1 | 0 | 0 |
| infrahub (0.95) | 2 | 1 | 1 | 0 | 0 |
| KohakuRiver (any) | 4 | 2 | 2 | 0 | 0 |
| lnbits (0.109) | 3 | 1 | 0 | 1 | 0 |
| merino-py (0.104) | 4 | 1 | 1 | 0 | 0 |
| mlrun (0.95) | 2 | 1 | 1 | 0 | 0 |
| neuronpedia (0.115; 0.133) | 2 | 2 | 2 | 0 | 0 |
| Open-Assistant (0.88, read as 0.110) | 23 | 4 | 4 | 0 | 0 |
| openrag (Starlette 0.47) | 2 | 1 | 1 | 0 | 0 |
| SN27 (0.110) | 3 | 2 | 2 | 0 | 0 |
| sqlmesh (0.110) | 2 | 1 | 1 | 0 | 0 |
| nine smaller ones | 18 | 10 | 10 | 0 | 0 |

The manual ones: applications of which another one runs the handlers by hand (codex-autorunner), a
class that registers on itself (fastapi-jsonrpc), an application mounted in another one and a range
of versions that begins at 0.68 (feast). Four of the smaller ones and Open-Assistant pin FastAPI
before 0.93 and were run as if they pinned 0.110.

## Sources

* FastAPI, "Lifespan Events" and "Testing Events"; Starlette, "Lifespan", and release notes of 1.0
* `starlette/routing.py` (`_DefaultLifespan`, `Router.lifespan`), `fastapi/routing.py`
  (`_merge_lifespan_context`, `APIRouter.include_router`)
"""

from awaken.codemods.fastapi.on_event_to_lifespan.plan import OnEventToLifespan

__all__ = ["OnEventToLifespan"]
