"""Listens to the synchronous counterpart of an asynchronous engine, connection or session.

## What

`event.listens_for(async_engine, "connect")` becomes
`event.listens_for(async_engine.sync_engine, "connect")`; of an `AsyncConnection` it is
`sync_connection`, of an `AsyncSession` `sync_session`. The same goes for `event.listen`,
`event.remove` and `event.contains`. What the target is, is followed through variables, attributes,
annotations and functions, over all files.

## Why

Events belong to the synchronous objects that the asynchronous ones wrap. Listening to the latter
raises `NotImplementedError` as soon as that line runs.

## Before

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")


@event.listens_for(engine, "connect")
def enforce_foreign_keys(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
```

## After

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite://")


@event.listens_for(engine.sync_engine, "connect")
def enforce_foreign_keys(connection, record):
    connection.execute("PRAGMA foreign_keys=ON")
```

## Before: a failure that is hidden (unsafe)

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


def count_connections(engine: AsyncEngine, count) -> None:
    try:
        event.listen(engine, "connect", count)
    except Exception:
        print("connections are not counted")
```

## After: a failure that is hidden (unsafe)

```python
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


def count_connections(engine: AsyncEngine, count) -> None:
    try:
        event.listen(engine.sync_engine, "connect", count)
    except Exception:
        print("connections are not counted")
```

## Safety

*Safe* means here that nothing can rely on what the line does today, for all it does is fail: the
target is proven to be asynchronous, and nothing around catches the failure.

*Unsafe* is a call in a `try` or `suppress` that hides the failure: the listener is called from then
on.

## What it refuses

Listeners that are coroutine functions, which events call and never await; the classes
`AsyncEngine`, `AsyncConnection` and `AsyncSession` as targets, since there is more than one thing
that may be meant; tests that expect the failure. Targets that are not proven to be asynchronous
are no sites, nor is `async_engine.pool`, which is the pool of the synchronous engine already.

## Sources

* SQLAlchemy 2.0, "Asynchronous I/O (asyncio)": "Using events with the asyncio extension"
* `sqlalchemy/ext/asyncio/engine.py`: `AsyncConnectable._no_async_engine_events`; run with 2.1.9
"""

from awaken.codemods.pooling.pool_event_target.plan import PoolEventTarget

__all__ = ["PoolEventTarget"]
