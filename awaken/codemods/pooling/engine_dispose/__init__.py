"""Dispose of the application's asynchronous engine at the end of the lifespan.

## What

An engine that `create_async_engine` makes at the top of a module, in a program with a FastAPI or
Starlette application, and that nobody disposes of. Where the application has a lifespan in sight,
`await engine.dispose()` is added at its end: after everything that follows the `yield`, or at the
end of the `finally` around it.

## Why

The connections of an asynchronous engine belong to the event loop. What is still open when the loop
ends cannot be closed any more: PostgreSQL logs a lost connection for each, drivers warn about
transports that were never closed, and a server that reloads often leaves connections behind until
the database has no more of them.

## Before: the lifespan ends without it (unsafe)

```python
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("postgresql+asyncpg://localhost/shop")


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.orders = {}
    yield  # requests are served here
    app.state.orders.clear()


app = FastAPI(lifespan=lifespan)
```

## After: the lifespan ends without it (unsafe)

```python
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("postgresql+asyncpg://localhost/shop")


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.orders = {}
    yield  # requests are served here
    app.state.orders.clear()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
```

## Safety

Never safe: shutting down takes the time to close the connections, and fails where closing one does.
Code that uses the engine after the lifespan still works, for an engine that is disposed of opens
new connections when asked; tests that start the application many times connect anew each time.

## What it refuses

Programs with no lifespan, with one that is handed over as a parameter or made by a function, or
with several applications: who disposes of the engine is for the owner to say. Lifespans of another
shape: what `yield`s in a branch, or ends in a `return` or a `try` without `finally`. An engine
whose module imports the lifespan's: it cannot be imported there.

No sites are engines that something disposes of, or may: any `dispose()` in the program, tests
apart, whose receiver is not known to be another engine. The same goes for engines with `NullPool`
or `StaticPool`, for those that are not made at the top of a module, and for those of scripts.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 1 | 0 | 1 | 0 |

## Sources

* SQLAlchemy 2.0, "Asynchronous I/O (asyncio)": "Using multiple asyncio event loops"; "Engine
  Disposal"
* FastAPI, "Lifespan Events"
"""

from awaken.codemods.pooling.engine_dispose.plan import EngineDispose

__all__ = ["EngineDispose"]
