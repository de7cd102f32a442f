"""Find test clients that never run the lifespan.

## What

A `TestClient(app)` that is not entered by `with`, and an `httpx.AsyncClient` with an
`ASGITransport` (or `app=`), in the tests of an application whose lifespan, or whose handlers of
start-up, set something that requests read: `app.state.pool`, a key of the state that is yielded, a
global name or an item of one. The finding shows where it is set and where it is read.

## Why

`TestClient` runs the lifespan only inside `with`, and httpx's transports never do. What the
lifespan was to set is missing then: the request fails with an `AttributeError`, or reads the `None`
that the name had at first.

## Before

```python test_shop.py
from fastapi.testclient import TestClient

from shop import app


def test_orders():
    client = TestClient(app)
    assert client.get("/orders").json() == []
```

## After

```python test_shop.py
from fastapi.testclient import TestClient

from shop import app


def test_orders():
    with TestClient(app) as client:
        assert client.get("/orders").json() == []
```

## The application of the examples

```python shop.py
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.orders = []
    yield  # requests are served here


app = FastAPI(lifespan=lifespan)


@app.get("/orders")
def list_orders(request: Request):
    return request.app.state.orders
```

## Safety

This is advice: nothing is rewritten, for entering the lifespan may reach for the real database.

## What it does not report

Clients of an application whose lifespan sets nothing that requests read, or only what the tests
set themselves, or what is read behind a route whose path does not stand in the file. What is read
only in dependencies that the tests override. Clients in a file in which the lifespan is run in
another way, as by `LifespanManager(app)` or `app.router.lifespan_context(app)`, or for which a
`conftest.py` above does so; clients that are entered later, as in `with client:`.

## Sources

* FastAPI, "Testing Events: lifespan and startup - shutdown"; Starlette, "Test Client"
* httpx, "Transports": "ASGI startup and shutdown"; asgi-lifespan
"""

from awaken.codemods.testing.lifespan_in_tests.plan import LifespanInTests

__all__ = ["LifespanInTests"]
