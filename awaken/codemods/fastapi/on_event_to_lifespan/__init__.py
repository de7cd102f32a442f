"""Moves startup and shutdown handlers into the lifespan of their application.

## What

Everything that an application registers to run at startup and at shutdown, by `@app.on_event`,
`add_event_handler`, `on_startup=[...]` or on `app.router`, is called by one lifespan, in the order
in which it was registered. A single short handler becomes the body of the lifespan; several, long
ones, and those that anybody else refers to stay functions.

All handlers of an application move in one change, or none does: an application that has a lifespan
runs no other handler, without a word.

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
registered only in some cases is called only in these, as a variable remembers.

*Unsafe* is what depends on something out of sight, and the message says what:

* a library is given the application, and it is not known whether it registers handlers of its own.

## What it refuses

Applications of which not every handler is in sight: registered on something that cannot be
followed, in a loop, behind a `return`, or by a library; made with `**kwargs` that may hold
handlers; of a class that adds to FastAPI's. Handlers of which it cannot be told whether they are
awaited, whose name means something else when the application starts, or that are no plain
functions. Applications that have a lifespan already: their handlers never run, which is reported.
Code that runs the lists of handlers itself (`app.router.startup()`).

## Sources

* FastAPI, "Lifespan Events" and "Testing Events"; Starlette, "Lifespan", and release notes of 1.0
* `starlette/routing.py` (`_DefaultLifespan`, `Router.lifespan`), `fastapi/routing.py`
  (`_merge_lifespan_context`, `APIRouter.include_router`)
"""

from awaken.codemods.fastapi.on_event_to_lifespan.plan import OnEventToLifespan

__all__ = ["OnEventToLifespan"]
