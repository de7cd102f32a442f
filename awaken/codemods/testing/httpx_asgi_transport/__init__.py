"""Pass an application to httpx clients as an `ASGITransport`.

## What

`httpx.AsyncClient(app=app)` becomes `httpx.AsyncClient(transport=httpx.ASGITransport(app=app))`,
and `httpx.Client(app=app)` the same with `WSGITransport`. That goes for calls of the classes under
any name, for `super().__init__(app=app)` in a subclass, and for calls of subclasses that have no
constructor of their own. The transport is written as the class is: behind the same module, or
imported beside it, inside functions and `try` blocks as well.

## Why

httpx 0.27 deprecated the argument and httpx 0.28 removed it: every such client raises
`TypeError: AsyncClient.__init__() got an unexpected keyword argument 'app'`. The transport has been
there since httpx 0.14, so that tests written this way run on either side of the upgrade.

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

*Safe* means: the same requests reach the same application, and every response, exception and
cookie is the same. That is read off httpx itself: all versions from 0.14 to 0.27 make exactly this
transport of `app=`, with its defaults, and treat a client with a transport as one with an
application where proxies of the environment are concerned. Neither form runs the application's
lifespan. Only the deprecation warning of 0.27 goes.

*Unsafe* is a client in a `try` that hides how it fails since httpx 0.28. So is one that unpacks a
mapping whose keys are not in sight: if it holds a `transport`, that one is used today, and Python
refuses it twice afterwards.

Type checkers look at the application more closely than before: `ASGITransport` declares what an
ASGI application is, where `AsyncClient` took any callable.

## What it refuses

Applications that are seen to be None on some way, for such a client talks to the network; clients
that are given a transport as well; an `app` that stands in a mapping or is kept by `partial`; and
subclasses that inherit from something else too, which may be what takes the `app`.

Classes that only look like a client of httpx, such as the `TestClient` of Starlette, are no sites:
they take an application and keep doing so.

## On real programs

66 programs, most of them as they stood in 2023, 26 of which make such a client; all files compile
afterwards:

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
"""

from awaken.codemods.testing.httpx_asgi_transport.plan import HttpxAsgiTransport

__all__ = ["HttpxAsgiTransport"]
