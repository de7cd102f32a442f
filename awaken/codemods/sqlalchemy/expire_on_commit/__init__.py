"""Set `expire_on_commit=False` on asynchronous sessions.

## Before

```python
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///shop.db")


async def clear() -> None:
    async with AsyncSession(engine) as session:
        await session.execute(text("DELETE FROM orders"))
        await session.commit()
```

## After

```python
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///shop.db")


async def clear() -> None:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        await session.execute(text("DELETE FROM orders"))
        await session.commit()
```

## What

| you write | awaken writes |
| --- | --- |
| `async_sessionmaker(...)`, `sessionmaker(class_=AsyncSession)` | the same with `expire_on_commit=False` |
| `AsyncSession(...)`, also of SQLModel, subclasses in the program, `partial(AsyncSession, ...)` | the same with `expire_on_commit=False` |
| the session configuration of Advanced Alchemy | the same with `expire_on_commit=False` |
| a `select` or `get` after a commit | `populate_existing=True`, so that it still refreshes objects |
| synchronous sessions and factories | no change, unless the option `sync` is set |

The message names each read after a commit: it gets the values from before the commit. awaken
follows the commit through all its callers. The message also names reads after a rollback or
`expire_all()`, which still expire the objects.

## Why

After a commit, a session expires everything that it loaded, and reloads an attribute when it is
read. An asynchronous session cannot do that: the read raises `MissingGreenlet`. The SQLAlchemy docs
recommend `expire_on_commit=False` there.

## Before: objects are read after a commit (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///shop.db"))


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


async def get_db():
    async with sessions() as session:
        yield session


@app.post("/orders/{number}")
async def place(number: int, db: AsyncSession = Depends(get_db)):
    db.add(Order(id=number))
    await db.commit()
    return (await db.scalars(select(Order))).all()
```

## After: objects are read after a commit (unsafe)

```python
from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
sessions = async_sessionmaker(
    create_async_engine("sqlite+aiosqlite:///shop.db"), expire_on_commit=False
)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


async def get_db():
    async with sessions() as session:
        yield session


@app.post("/orders/{number}")
async def place(number: int, db: AsyncSession = Depends(get_db)):
    db.add(Order(id=number))
    await db.commit()
    return (
        await db.scalars(select(Order).execution_options(populate_existing=True))
    ).all()
```

## Safety

A rewrite is *safe* if no object of the sessions is read or set after a commit. awaken looks at the
functions that commit, at those that call them, and at later loads. Objects that `refresh` reloads
do not count. For a session that one function makes for itself, that function is enough.

Every other rewrite is *unsafe*. A read after a commit gets the values from before it. It misses
what the database or other transactions changed. Today such a read fails in most cases. A set
attribute is written only if it differs from the value from before the commit. Today it is always
written. The message names these places, or says what is unknown. A load with `populate_existing=True` discards changes
that were not flushed, if the session has `autoflush=False`.

## What it refuses

The table has a cure for each reason. A factory that `configure(expire_on_commit=False)` sets is not
reported.

## On real programs

Their sessions are synchronous, or already keep their values. The rule runs with `session-to-async`.

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 0 | 0 | 0 |

## Sources

* SQLAlchemy 2.0, "Asynchronous I/O (asyncio)": "Preventing Implicit IO when Using AsyncSession"
* SQLAlchemy 2.0, "ORM Querying Guide": "Populate Existing"; run with 2.0.57 and 2.1.9
* Advanced Alchemy, `advanced_alchemy.config`
"""  # noqa: E501  rows of tables

from awaken.codemods.sqlalchemy.expire_on_commit.plan import ExpireOnCommit

__all__ = ["ExpireOnCommit"]
