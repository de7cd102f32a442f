"""Pass an application to httpx clients as an `ASGITransport`.

## What

| you write | awaken writes |
| --- | --- |
| `httpx.AsyncClient(app=app)` | `httpx.AsyncClient(transport=httpx.ASGITransport(app=app))` |
| `httpx.Client(app=app)` | `httpx.Client(transport=httpx.WSGITransport(app=app))` |
| `super().__init__(app=app)` in a subclass | `super().__init__(transport=...)` |
| a call of a subclass without its own constructor | the same call with `transport=...` |

The class may have any name. awaken imports the transport in the same way as the class, also inside
functions and `try` blocks.

## Why

httpx 0.27 deprecated the argument, and httpx 0.28 removed it. Such a client now raises
`TypeError: AsyncClient.__init__() got an unexpected keyword argument 'app'`. The transports exist
since httpx 0.14, so the new tests run before and after the upgrade.

## Before

```python
import pytest
from httpx import AsyncClient

from shop import app


@pytest.fixture
async def client():
    async with AsyncClient(app=app, base_url="http://test") as client:
        yield client
```

## After

```python
import pytest
from httpx import ASGITransport, AsyncClient

from shop import app


@pytest.fixture
async def client():
    async with AsyncClient(
        transport=ASGITransport(app=app), base_url="http://test"
    ) as client:
        yield client
```

## Before: a client that takes more options (unsafe)

```python
import httpx

from shop import app


def new_client(**options):
    return httpx.AsyncClient(app=app, **options)
```

## After: a client that takes more options (unsafe)

```python
import httpx

from shop import app


def new_client(**options):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), **options)
```

## The application of the examples

```python shop.py
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
```

## Safety

A *safe* rewrite sends the same requests to the same application. Every response, exception and
cookie is the same. For `app=`, httpx 0.14 to 0.27 create exactly this transport, with its defaults.
They also treat proxies of the environment in the same way. Neither form runs the lifespan of the
application. Only the deprecation warning of 0.27 disappears.

| case | what may change (unsafe) |
| --- | --- |
| a surrounding `except` hides that the client fails since httpx 0.28, here or in a caller | the client works |
| a thread or a task that makes the client keeps the failure | the same |
| a test or an assignment replaces the client, or its constructor | the replacement gets a `transport` |
| the call unpacks a mapping with unknown keys | if it contains a `transport`, httpx uses that one today; after the change, Python raises `TypeError` |

A type checker may report more: `ASGITransport` declares the type of an ASGI application, but
`AsyncClient` accepted any callable.

## What it refuses

| left alone | why |
| --- | --- |
| an application that is `None` on some branch | that client uses the network |
| a client that also gets a `transport` | httpx ignores `app=` |
| an `app` that a mapping contains | the call does not show it |
| an `app` that `partial` keeps | later calls may pass another one |
| a subclass that also inherits from an unknown class | that class may take the `app` |

awaken does not report classes that only look like a client of httpx, such as the `TestClient` of
Starlette. They still accept an application.

## On real programs

66 programs, most of them from 2023; 26 of them create such a client. After the rewrite, all files
compile.

| program | clients | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| polarsource/polar @ 918553c4 | 84 | 84 | 0 | 0 |
| Boavizta/boaviztapi @ 158999b0 | 29 | 29 | 0 | 0 |
| simonw/datasette @ fd083e37 | 8 | 8 | 0 | 0 |
| teamhide/fastapi-boilerplate @ df4e6d4f | 8 | 8 | 0 | 0 |
| ets-labs/python-dependency-injector @ cc2304e4 | 4 | 4 | 0 | 0 |
| aminalaee/sqladmin @ 724b9a96 | 3 | 3 | 0 | 0 |
| nsidnev/fastapi-realworld-example-app @ 029eb778 | 3 | 3 | 0 | 0 |
| 19 others | 21 | 21 | 0 | 0 |

## Sources

* httpx, changelog: 0.27.0 "Deprecations", 0.28.0 "Removals"; Advanced usage, "Transports"
* `httpx/_client.py` of 0.14.3, 0.18.2, 0.23.3 and 0.27.2 (`_init_transport`, `allow_env_proxies`)
"""  # noqa: E501  rows of tables

from awaken.codemods.testing.httpx_asgi_transport.plan import HttpxAsgiTransport

__all__ = ["HttpxAsgiTransport"]
