"""Set `expire_on_commit=False` on asynchronous sessions.

## What

`expire_on_commit=False` is added wherever asynchronous sessions are made: to `async_sessionmaker`,
`sessionmaker(class_=AsyncSession)`, `AsyncSession`, also that of SQLModel and subclasses in the
program, to `partial(AsyncSession, ...)`, and to the session configuration of Advanced Alchemy. The
message names what is read after a commit, over all functions that the commit leads back to, for
that keeps the values it had before. A `select` or `get` after a commit gets
`populate_existing=True`, so that it reads anew what does not expire any more. With the option
`sync = true`, synchronous sessions and factories get the argument as well. What is read after a
rollback or `expire_all()` is named, too: that expires it as before.

## Why

After a commit a session expires all that it loaded, and loads an attribute again when it is read.
An asynchronous session cannot do that: the read raises `MissingGreenlet`. The documentation of
SQLAlchemy asks for `expire_on_commit=False` there.

## Before

```python
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///shop.db")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


async def place(number: int) -> None:
    async with AsyncSession(engine) as session:
        session.add(Order(id=number))
        await session.commit()
```

## After

```python
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///shop.db")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


async def place(number: int) -> None:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        session.add(Order(id=number))
        await session.commit()
```

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

*Safe* means here that no object of the sessions is read after a commit: not in the functions that
commit, not in those that call them, and not by a further load; objects that `refresh` reads anew
aside. A session that one function makes for itself is proved by that function alone.

*Unsafe* is everything else. What is read after a commit keeps the values it had before: what the
database computed, or others changed meanwhile, is missed. Today such a read fails in most cases.
The message names these places, or what cannot be told.

## What it refuses

`expire_on_commit=True` that is written out, or another value; options that are not in sight;
session classes with an `__init__` of their own. Setting `session.expire_on_commit` of an
`AsyncSession` is reported, for it has no effect. Factories that `configure(expire_on_commit=False)`
decides are no sites.

## On real programs

Their sessions are synchronous, or keep what they loaded already. It runs with `session-to-async`.

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 0 | 0 | 0 | 0 |

## Sources

* SQLAlchemy 2.0, "Asynchronous I/O (asyncio)": "Preventing Implicit IO when Using AsyncSession"
* SQLAlchemy 2.0, "ORM Querying Guide": "Populate Existing"; run with 2.0.57 and 2.1.9
* Advanced Alchemy, `advanced_alchemy.config`
"""

from awaken.codemods.sqlalchemy.expire_on_commit.plan import ExpireOnCommit

__all__ = ["ExpireOnCommit"]
