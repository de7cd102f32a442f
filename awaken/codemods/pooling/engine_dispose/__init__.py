"""Dispose of the application's asynchronous engine at the end of the lifespan.

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

## What

The rule looks for an engine that `create_async_engine` makes at the top of a module, and that
nothing disposes of. The program needs a FastAPI or Starlette application. If the application has a
visible lifespan, awaken adds `await engine.dispose()` at its end. That is after the code that
follows the `yield`, or at the end of the `finally` around it. An application without a lifespan
gets one, if no code registers handlers and the program has one such engine.

## Why

The connections of an asynchronous engine belong to the event loop. A connection that is open when
the loop ends can no longer be closed. PostgreSQL logs a lost connection, and drivers warn about
transports that were never closed. A server that reloads often leaks connections, until the database
has none left.

## Safety

Never safe:

| what may change | details |
| --- | --- |
| the shutdown | it takes the time to close the connections, and fails if closing one fails |
| code that uses the engine after the lifespan | it still works: a disposed engine opens new connections |
| tests that start the application many times | each start connects again |

## What it refuses

| left alone | why |
| --- | --- |
| a lifespan that is a parameter, or that a function makes | awaken cannot find its end |
| an application that handlers start or stop, also those of its routers | a new lifespan would silence them |
| several engines of an application without a lifespan | each of them would bring a lifespan |
| a lifespan that yields in a branch, or ends in a `return` or a `try` without `finally` | no plain code follows the `yield` |

The next table has a cure for each reason. These engines are not reported:

* one that something may dispose of: the program has a `dispose()` outside tests, and its receiver
  may be this engine;
* one with `NullPool` or `StaticPool`;
* one that is not made at the top of a module;
* one of a script.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 1 | 0 | 1 | 0 |

## Sources

* SQLAlchemy 2.0, "Asynchronous I/O (asyncio)": "Using multiple asyncio event loops"; "Engine
  Disposal"
* FastAPI, "Lifespan Events"
"""  # noqa: E501  rows of tables

from awaken.codemods.pooling.engine_dispose.plan import EngineDispose

__all__ = ["EngineDispose"]
