"""Find test clients that never run the lifespan.

## What

awaken reports two kinds of clients in tests:

* a `TestClient(app)` that no `with` enters
* an `httpx.ASGITransport(app)`, or an `httpx.AsyncClient(app=app)`

It does so if the lifespan or a startup handler of the application sets a value that requests read:

* `app.state.pool`
* a key of the state that the lifespan yields
* a global name, or an item of it

The finding shows where the value is set, and where it is read.

## Why

`TestClient` runs the lifespan only inside `with`, and the transports of httpx never run it. So the
value is missing. The request raises `AttributeError`, or reads the initial value, such as `None`.

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

This is advice: nothing is rewritten, because the lifespan may connect to the real database.

## What it does not report

| not reported | why |
| --- | --- |
| an application whose lifespan sets nothing that requests read | no value is missing |
| values that the tests set themselves | they are there |
| values with a usable initial value, and code that handles a missing value | the request works |
| values that only overridden dependencies read | the tests do not read them |
| values that a route reads whose path is not in the file | no test there requests it |
| a file that runs the lifespan in another way, such as `LifespanManager(app)` or `app.router.lifespan_context(app)` | the lifespan runs |
| files below a `conftest.py` that does so | the lifespan runs |
| clients that are entered later, such as `with client:` | the lifespan runs |

## Sources

* FastAPI, "Testing Events: lifespan and startup - shutdown"; Starlette, "Test Client"
* httpx, "Transports": "ASGI startup and shutdown"; asgi-lifespan
"""  # noqa: E501  rows of tables

from awaken.codemods.testing.lifespan_in_tests.plan import LifespanInTests

__all__ = ["LifespanInTests"]
