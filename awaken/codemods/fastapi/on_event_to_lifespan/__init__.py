"""Replace `on_event` handlers with a lifespan.

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

## What

One lifespan calls every function that an application registers for startup and shutdown, in the
order of registration.

| you write | awaken writes |
| --- | --- |
| `@app.on_event`, `add_event_handler`, `on_startup=[...]`, the same on `app.router` | a call in the lifespan |
| a single short handler | its body in the lifespan |
| several handlers, a long one, or one that other code uses | functions that the lifespan calls |
| a handler that is registered under a condition | a call under the same condition, or under a variable that remembers it |
| handlers of routers that the application includes | calls in the lifespan of the application |
| handlers in other files that are imported | calls in the lifespan |
| a function that gets the application and only registers handlers | its handlers are called in the lifespan |
| a function that registers all handlers of the application that it gets | the function makes the lifespan itself |
| a test that runs the handlers itself | the test enters the lifespan |
| a comment | it moves with its code; `# noqa` and `# type: ignore` for a removed line go |

All handlers of an application move in one change, over all files, or none does. An application with
a lifespan ignores other handlers without a warning.

## Why

`on_event` is deprecated, and Starlette 1.0 removed `add_event_handler`, `on_startup` and
`on_shutdown`. A lifespan shows in one place what the application opens and closes.

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

## The module of the examples

```python database.py
class Database:
    async def connect(self, url: str = "") -> None: ...

    async def disconnect(self) -> None: ...


database = Database()
```

## Safety

A *safe* rewrite runs the same handlers in the same order, on the same thread, with the same
exceptions. No handler runs twice, and none is lost.

| what stays the same | how |
| --- | --- |
| the order at shutdown | the order of registration, not the reverse |
| shutdown when the server is cancelled | it is in `finally` |
| no shutdown after a failed startup | startup comes before `try` |
| conditions | the lifespan checks the condition again if nothing can change it; otherwise a variable remembers it |

An *unsafe* rewrite depends on code that awaken does not see, or changes behaviour that looks like a
mistake:

| case | what may change |
| --- | --- |
| the application is passed to a library | handlers that the library registers no longer run |
| handlers of routers, since FastAPI 0.112.2 | they ran twice, and run once |
| a file with handlers imports the application | the lifespan imports that file |
| code outside the project may call the function that makes or gets the application | its application gets a lifespan, or loses its own; a `lifespan` among its keyword arguments fails |
| a test replaces a handler | the lifespan calls the replacement too |
| a test fails between startup and shutdown | the shutdown now runs |

FastAPI has `lifespan=` since 0.93. Nothing is rewritten unless the requirements of the project
exclude older versions.

## What it refuses

| left alone | why |
| --- | --- |
| a handler that is registered after a `return`, or in a function with other tasks | awaken does not know when it is registered |
| an application that has a lifespan, or is mounted in another one | its handlers never run, which the finding says |
| code that runs the handlers, such as `app.router.startup()` | awaken rewrites only calls around the statements of one block |

The next table has a cure for each reason. Files are not considered if the program never names
FastAPI or Starlette. Their `on_event` belongs to another library.

## On real programs

The 25 programs of `benchmarks/applications.md` were chosen before the rule was written. They have
87 registrations of 34 applications, counted without awaken. No diff loses, doubles or reorders a
handler.

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

| manual | why |
| --- | --- |
| codex-autorunner | another application runs the handlers by hand |
| fastapi-jsonrpc | a class registers handlers on itself |
| feast | one application is mounted in another; the range of versions begins at 0.68 |

Four of the smaller programs and Open-Assistant pin FastAPI before 0.93. They were run as if they
pinned 0.110.

## Sources

* FastAPI, "Lifespan Events" and "Testing Events"; Starlette, "Lifespan", and release notes of 1.0
* `starlette/routing.py` (`_DefaultLifespan`, `Router.lifespan`), `fastapi/routing.py`
  (`_merge_lifespan_context`, `APIRouter.include_router`)
"""  # noqa: E501  rows of tables

from awaken.codemods.fastapi.on_event_to_lifespan.plan import OnEventToLifespan

__all__ = ["OnEventToLifespan"]
