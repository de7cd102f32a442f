"""Set `pool_pre_ping=True` on engines.

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

## What

awaken adds `pool_pre_ping=True` to `create_engine()` and `create_async_engine()`, if the engine
outlives the function that makes it. Such an engine is made at the top of a file or class, returned
or yielded. Or it is kept: in an attribute, a container, a global variable, or a session factory
that outlives the function. The message also names settings that nothing sets: `pool_recycle`,
`pool_size`, `max_overflow` and `pool_timeout`.

## Why

The server, a proxy or a firewall may have closed a connection of the pool. Then the first request
fails, for example after a restart of the database or a quiet night. With `pool_pre_ping`, the pool
tests a connection first, and replaces it if it does not answer.

## The settings of the example

```python shop.py
import os


class settings:
    DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql+asyncpg://shop@database/shop")
```

## Safety

Never safe:

| what may change | details |
| --- | --- |
| the cost of a connection from the pool | one more round trip, which drivers make cheap |
| a test that counts statements | it may count one more |
| a connection that was lost in the pool | it is replaced instead of failing |

A connection that is lost during a transaction fails as before.

## What it refuses

The table has a cure for each reason. These engines are not reported:

* with SQLite, `NullPool` or `StaticPool`: no server can close their connections;
* in tests, migrations and scripts: they end before it matters;
* with any value of `pool_pre_ping`;
* with options unpacked from a mapping, if the program names `pool_pre_ping` elsewhere.

## On real programs

108 programs, of which 38 keep such an engine. All files compile afterwards. Of the 43 engines, two
use SQLite after all, by a URL from another distribution. Two others serve a short task:

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
* `sqlalchemy/engine/create.py`: `pool_pre_ping`, new in 1.2; run with 2.1.9
"""

from awaken.codemods.pooling.pool_pre_ping.plan import PoolPrePing

__all__ = ["PoolPrePing"]
