"""Set `pool_pre_ping=True` on engines.

## What

Adds `pool_pre_ping=True` to `create_engine()` and `create_async_engine()`, for engines that outlive
the function that makes them: at the top of a file or class, kept in an attribute, a container or a
global variable, returned, yielded, or given to a factory of sessions that is. The message also
says which of `pool_recycle`, `pool_size`, `max_overflow` and `pool_timeout` nothing sets.

Not for SQLite, `NullPool` and `StaticPool`, which hold no connection that a server could close;
not in tests, migrations and scripts, which end before that matters; and not where `pool_pre_ping`
is given, whatever its value.

## Why

A pool keeps connections that the server, a proxy or a firewall may have closed long ago: the first
request after a restart of the database, or after a quiet night, fails. With the setting the pool
asks the connection first, and replaces it if there is no answer.

## Before: an engine (unsafe)

```python
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from shop import settings

engine = create_async_engine(settings.DATABASE_URL, pool_recycle=1800)
sessions = async_sessionmaker(engine, expire_on_commit=False)
```

## After: an engine (unsafe)

```python
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from shop import settings

engine = create_async_engine(
    settings.DATABASE_URL, pool_recycle=1800, pool_pre_ping=True
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
```

## The settings of the example

```python shop.py
import os


class settings:
    DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql+asyncpg://shop@database/shop")
```

## Safety

It is never *safe*: every connection that is taken from the pool costs one more round trip, which
drivers make a cheap one, and statements of tests that count them may be one more. A connection that
was lost while it was in the pool is replaced instead of failing; one that is lost during a
transaction fails as before.

## What it refuses

Options that are unpacked from a mapping, if `pool_pre_ping` stands nowhere else in the program;
engines whose options come from a configuration; a `pool` of the program's own, where the setting
belongs to the pool; a `poolclass` that is worked out; `strategy=`, which makes other kinds of
engines.

## On real programs

108 programs, 38 of which keep such an engine; all files compile afterwards. Of the 43 engines, two
are of SQLite all the same, by a URL that another distribution makes, and two serve a short task:

| program | engines | unsafe | manual |
| --- | --- | --- | --- |
| bcgov/lear | 10 | 10 | 0 |
| langgenius/dify (dify-plus) | 3 | 3 | 0 |
| LAION-AI/Open-Assistant | 2 | 2 | 0 |
| Opentrons/opentrons | 2 | 2 | 0 |
| teamhide/fastapi-boilerplate @ df4e6d4f | 2 | 2 | 0 |
| mamba-org/quetz @ f20db64f | 2 | 0 | 2 |
| Netflix/dispatch @ 9797ca8f | 1 | 1 | 0 |
| pypi/warehouse | 1 | 1 | 0 |
| polarsource/polar @ 918553c4 | 1 | 0 | 1 |
| 29 others | 30 | 22 | 8 |

## Sources

* SQLAlchemy 2.0, "Connection Pooling": "Disconnect Handling - Pessimistic", "Setting Pool Recycle"
* `sqlalchemy/engine/create.py`: `pool_pre_ping`, new in 1.2; what it does was run with 2.1.9
"""

from awaken.codemods.pooling.pool_pre_ping.plan import PoolPrePing

__all__ = ["PoolPrePing"]
