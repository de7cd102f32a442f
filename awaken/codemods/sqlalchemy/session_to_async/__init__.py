"""Make a synchronous SQLAlchemy application asynchronous, from its engine to its tests.

## What

Engines, factories and sessions become asynchronous, and so does every function that waits for them,
over all files: methods with all that override them, dependencies, endpoints, context managers,
generators, fixtures and tests. All of it is one change.

A function becomes a coroutine function if it sends something to the database, or calls a function
that does. What waits for nothing stays as it is, endpoints among it.

Where a relationship is read that would be loaded then, the statement in sight loads it before. If
it is not known which one that is, the relationship is loaded with each object (`lazy="selectin"`);
what leads from a class to itself is awaited where it is read (`AsyncAttrs`). Where nothing can be
awaited, it is loaded as deep as it goes; of several from one class `levels = 3` says how deep they
are read. What the database
computes when a row changes is fetched with the change (`eager_defaults`), and what a subclass adds
with the objects of its base (`polymorphic_load`). Deferred columns are awaited where they are read,
and what an expression of SQL gives an attribute is loaded behind the flush. What an endpoint
returns is validated by `greenlet_spawn` if its response reads such a column.

A schema that a function makes of an object by hand (`UserRead.model_validate(user)`) reads it as
before, by `greenlet_spawn`, where statements in sight do not load all that it reads: new objects,
and those from afar. So do `getattr` and `setattr` with a computed name, and plain functions that
make such a schema. An object that is encoded with all that is loaded of it is encoded without what
is loaded with it now (`jsonable_encoder(user, exclude={"orders"})`).

A statement behind a commit reads its collections anew (`populate_existing`), what a rollback
expired is loaded in front of what reads or sets it (`inspect(user).expired`, or a function of a
file that reads much of it: `await load_expired(db, user, order)`), and so is a relationship that is
read behind a commit, of an object of before, or of one that a factory of factory_boy has made
(`refresh`). So is what is read of a new object behind the flush that writes it, and a relationship
that is first read after a write in the same transaction, if nothing was put into it by hand. An
object that its session may have lost, because it was deleted, expunged or rolled back, is refreshed
only where it is persistent (`inspect(user).persistent`). What nothing has loaded yet, of a new
object or of one that a key refers to now, is read once in a greenlet before: `await
db.run_sync(lambda _: order.user.orders)`. An endpoint without a response model answers without the
relationships that are loaded with its objects now. The generated `__repr__` and `__eq__` of a
mapped dataclass read relationships only if something runs them. Where a test shares its session
with requests, each of them begins with relationships that are reloaded. What a test holds of such
a session is loaded in the same way behind a request that may expire it, and behind a call that may
roll back and go on. An upsert that returns objects reloads them. What is loaded with the parts
of an object that is refreshed (`cascade="all"`) is loaded again behind that.

What is set to a number or a text and has a column of the other type is read anew behind the commit
in the same function. A statement whose objects a schema reads by `greenlet_spawn` reads them anew,
unless its session has something to write, or begins with the function or the request. Revisions of
Alembic load no more with their objects than before.

A request of a test that closes the session it shares detaches what a job holds. The job reads that
anew only if it is still there, and may add it again where its row was loaded with other objects
since. Jobs of a worker of arq that share the session of a test run one after the other.

What begins a process stays a plain function, and runs a coroutine function beside it, to which its
body moves: commands of click and Typer, console scripts, targets of `multiprocessing.Process` and
of `get_context().Process`, and consumers of RabbitMQ in such a process. `main()` under
`if __name__ == "__main__":` is run there, and so is what a `conftest.py` calls that nothing
imports. Statements that wait there, or in a script that nothing imports, become the body of one
coroutine function; names that others see stay global. What a function does with the database
before it calls `uvicorn.run()` is run in a loop of its own. Each run closes the connections of its
engine, if that is a variable of a module. A `BackgroundScheduler` that is started in the event
loop becomes an `AsyncIOScheduler`.

A task of Celery or RQ stays a plain function, which runs a coroutine function beside it, and closes
the connections before that loop ends. What sends it stays as it is; what calls it by its name in a
coroutine function awaits the other one. Hooks of a `celery.Task`, such as `on_failure`, are written
as tasks are.

A wrapper of a decorator that waits itself awaits what it wraps, if all that it decorates is in
sight. All that one call may reach becomes a coroutine function together.

If `__init__` waits, what comes before that stays in it, and a class method `create` makes objects
and awaits the rest: `Report(db)` becomes `await Report.create(db)`. Where classes below it call it
by `super()`, each `__init__` becomes a coroutine method, and one class method makes the objects of
all: also of a class that is chosen out of a dictionary and called there.

A property that waits becomes a method: `shop.total` becomes `await shop.total()`. A cached one
keeps what it gave under another name of its object. All that reads it has to be in sight.

The constructor of a mapped class that queries with a session it is given stays plain, and what it
calls with that: `Item(session=db, **data)` becomes
`await db.run_sync(lambda session: Item(session=session, **data))`. So do listeners of what a flush
calls, which is in a greenlet.

Factories of factory_boy get the synchronous session that an asynchronous one has, and are called
by `greenlet_spawn`, which `run_sync` is made of: there they may flush it by a plain call. It calls
what inspects the database of an engine as well.

Models of an installed package cannot be changed, and are not read. With
`foreign_models = ["package"]` what looks like a relationship of them is read in a greenlet
(`greenlet_spawn`), where it loads as it always did, collections that are queries as well; and so
are responses and other models of pydantic that are given such objects. What else loads when it is
read, such as an association proxy, is named beside it: `"package.models.User.title"`.

What something out of sight calls and does not await, such as the callback of a gauge, may stay a
plain function: `bridged = ["shop.gauges.count_orders"]`. Each call waits in a thread of its own,
with an event loop and connections that belong to it, so that it may be called in a thread or in
the loop of the application; it holds up its caller as before. Such a function opens its connections
and sessions by the name of one engine, and calls nothing else that waits. Its connections are made
as those of that engine, and not kept. The engine of SQLite in memory is used itself.

The engine of a database for which there is no asynchronous driver stays as it is, and what uses it
blocks, if none of its connections goes further than the function that opens it.

A block with a `ThreadPoolExecutor` whose workers call such functions runs in a thread of its own,
and each worker hands its coroutine to the event loop: as many run at once as before.

A lock of threads becomes an `asyncio.Lock` where something is awaited while it is held, if `with`
statements alone take it; all that takes it becomes a coroutine function. A lock that no coroutine
holds while it waits stays. `with closing(session)` becomes `async with session`, and an `ExitStack`
that enters or closes one an `AsyncExitStack`.

A plain function stays plain that hands out an object with `__enter__` where another one is a
manager, and so does what a protocol declares in its place. A thread that a test starts runs an
event loop of its own, where connections work in any. Fixtures that wait, and that a test asks for
by `request.getfixturevalue("name")`, are all made before it. `loop.run_until_complete(f())` is
`await f()` where nothing else is done with the loop.

What tests put in the place of such a function can be awaited afterwards: their own functions become
coroutine functions, other objects are called by an `AsyncMock`, and `patch` makes one by itself.
Engines that a test wrote by hand are entered asynchronously.
What a patch names may be put together of constants.

URLs get an asynchronous driver; for a URL that comes from outside, a function chooses it. The
option `drivers` names one where several may be meant: `drivers = { postgresql = "asyncpg" }`.
Drivers, the extra of SQLAlchemy and a plug-in for pytest are added to the requirements: beside the
driver before, SQLAlchemy and pytest, wherever these are listed. What awaken cannot write is left to
do, and listed. So are URLs in compose files, workflows and the like that the engine may get, where
no driver is known for them, or where the driver takes no such parameters.

psycopg2 sends a string without a type, and PostgreSQL takes it for what it is compared with; other
drivers send it as `VARCHAR`. So it is cast where it stands beside a column of numbers or dates, as
in `between` and `filter_by`, or among those of `in_`, or is a path for `func.jsonb_path_exists`:
`Order.id == cast(literal(number), Order.id.type)`. asyncpg takes no text for a number: `get` is
given `int(number)` for a key that is one. What is not known to be a string stays as it is. Numbers
have the type of their column, too: a number that the column cannot hold raises `DataError`, where
psycopg2 found no row.

psycopg2 sends the rows of an INSERT in one statement, other drivers one by one. Where a table
refers to itself, so that a row may refer to one behind it, engines keep sending them together.

Tests keep FastAPI's `TestClient` where the driver allows that, as aiosqlite and psycopg do. The
connections of asyncpg work in one event loop alone: with it, `httpx.AsyncClient` sends the requests
of tests in their own loop, and all tests share one. Context managers that are classes of the
program get `__aenter__` and `__aexit__`; those that `contextmanager(get_db)` makes of a generator
are made by `asynccontextmanager`.

The models of the examples:

```python models.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database import Base


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship()


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
```

## Why

An endpoint that waits for its database in a thread holds that thread. There are forty for all
requests; a coroutine that waits holds nothing but its connection.

## Before (unsafe)

```python database.py
from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


def get_db() -> Iterator[Session]:
    with SessionLocal() as db:
        yield db
```

```python repository.py
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer


class Customers:
    def __init__(self, db: Session) -> None:
        self.db = db

    def by_name(self, name: str) -> list[Customer]:
        return list(self.db.scalars(select(Customer).where(Customer.name == name)))

    def add(self, customer: Customer) -> Customer:
        self.db.add(customer)
        self.db.commit()
        return customer
```

```python main.py
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from database import Base, engine, get_db
from models import Customer
from repository import Customers

Base.metadata.create_all(engine)

app = FastAPI()


@app.post("/customers")
def add_customer(name: str, db: Session = Depends(get_db)) -> int:
    return Customers(db).add(Customer(name=name)).id


@app.get("/spent")
def spent(name: str, db: Session = Depends(get_db)) -> int:
    return sum(order.total for one in Customers(db).by_name(name) for order in one.orders)


@app.get("/health")
def health() -> str:
    return "ok"
```

## After (unsafe)

```python database.py
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

engine = create_async_engine("sqlite+aiosqlite:///shop.db")
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as db:
        yield db
```

```python repository.py
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from models import Customer


class Customers:
    def __init__(self, db: AsyncSession) -> None:
        self.db = db

    async def by_name(self, name: str) -> list[Customer]:
        return list(
            await self.db.scalars(
                select(Customer)
                .options(selectinload(Customer.orders))
                .where(Customer.name == name)
            )
        )

    async def add(self, customer: Customer) -> Customer:
        self.db.add(customer)
        await self.db.commit()
        return customer
```

```python main.py
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from database import Base, engine, get_db
from models import Customer
from repository import Customers


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/customers")
async def add_customer(name: str, db: AsyncSession = Depends(get_db)) -> int:
    return (await Customers(db).add(Customer(name=name))).id


@app.get("/spent")
async def spent(name: str, db: AsyncSession = Depends(get_db)) -> int:
    return sum(
        order.total for one in await Customers(db).by_name(name) for order in one.orders
    )


@app.get("/health")
def health() -> str:
    return "ok"
```

## Safety

Never safe. What is read of an object after a commit is what it was before: the sessions get
`expire_on_commit=False`, for nothing can be loaded again by reading it. Endpoints that become
coroutine functions leave the thread pool: what else blocks in them holds up the event loop. Where
a program writes what its session does not see, as raw SQL does, or names `DetachedInstanceError` or
`ObjectDeletedError`, the factory says so with the places.

After the change awaken looks at the program again: no coroutine is left that nothing awaits, no
synchronous session, and no `await` of something else. If there is one, nothing is changed.

## What it refuses

If one function cannot become asynchronous, none does, and each says because of which one. Such are

* methods that Python itself calls, and properties of which not all reads are in sight, such as
  those of mapped classes and of pydantic models; an `__init__` where objects of the class are made
  out of sight, or where not all that are below it call it; that of a mapped class that keeps its
  session, or takes one from elsewhere;
* functions that are decorated by, or handed to, what may call them without awaiting them, unless
  `bridged` names them, or what they call;
* what is taken out of an object or a dictionary into which a session is put, if that is not
  followed;
* code that runs when a file is imported, but for tables that are created;
* locks that are held over an `await`, and are reentrant or not taken by `with` alone; calls that
  wait for another function (`Event.wait`, `Queue.get`) or work in no event loop
  (`anyio.from_thread.run`); `threading.local` and `threading.get_ident`;
* methods that override one of a class of a library, which calls them and awaits nothing, unless
  `bridged` names them;
* parameters without an annotation that may be sessions, of functions that are used as values;
* methods of sessions that are passed on, and sessions of an `ExitStack` that is;
* registries (`scoped_session`) from which nothing removes the session of a request: each request is
  a task of its own;
* functions that run in threads of the application, unless `bridged` names them, or when its process
  ends, and functions that run an event loop themselves, as `uvicorn.run()` does;
* lambdas, `map` and generators that are kept: what takes their items at once becomes a loop;
* defaults of parameters, and f-strings that show their code;
* tests of `unittest`, and doubles in tests that stand in for functions of both kinds;
* clients of tests that are more than `TestClient`, or open websockets, where the driver needs
  another client;
* object factories that hold a session of another kind;
* sessions of a class of the program, and events of a factory: asynchronous ones have none;
* tasks that are called at once where they are sent, or that handle an exception of their worker;
* calls by the name of such a function of which it is not known what they call;
* objects of models that an installed package maps, for its relationships are not in sight, unless
  `foreign_models` names it;
* what an endpoint returns of which it is not known whether it is such an object;
* functions that `__all__` names in a project that others may import from: `awaken doctor` shows
  what says so, and the option `published` says it better;
* uses of `query`, which `query-to-select` rewrites first, and collections that are queries, those
  of installed packages where something that is no validator asks for `Query` and executes it;
* deferred columns that are read by a property or a template, or of an unknown object;
* objects that are encoded by `jsonable_encoder` where it may be that their relationships belong to
  it, for they are loaded with each object now;
* other URLs of databases for which no driver is known;
* several relationships from a class to itself that are read where nothing can be awaited, unless
  `levels` says how deep.

Files of Alembic are left alone, with the synchronous driver that they have. If the environment
enters an engine that a function of the program makes, a function with its body is run there by
`run_sync`, in an event loop; more than that is refused, and so is Alembic where it runs inside of a
loop already.

## On real programs

Applications that were written with it, and their own tests (`benchmarks/third_attack/suites.md`);
`benchmarks/yield.toml` has the places of 17 programs.

| application | tests before | after |
| --- | --- | --- |
| wearables | 1,988 passed | 1,988 passed |
| crossbill | 255 passed | 255 passed |
| movies | 176 passed | 176 passed |
| posts | 44 passed | 44 passed |
| bank | 27 passed, 3 failed | 27 passed, 3 failed |

## Sources

* SQLAlchemy 2.1, "Asynchronous I/O (asyncio)": "Preventing Implicit IO when Using AsyncSession",
  "Running Synchronous Methods and Functions under asyncio", "Using multiple asyncio event loops"
* Alembic 1.17, "Cookbook": "Using Asyncio with Alembic"
* SQLAlchemy 2.1, "Core Internals": `Dialect.use_insertmanyvalues_wo_returning`; PostgreSQL 18,
  "CREATE TABLE": constraints that are not deferrable are checked behind every command
* factory_boy 3.3, "SQLAlchemy" in "Using factory_boy with ORMs"
* SQLAlchemy 2.1, "Connection Pooling": `Pool.recreate()`
* Celery 5.6, "Tasks", "Calling Tasks", "Workers Guide"
* FastAPI, "Concurrency and async / await", "Dependencies with yield", "Async Tests"
* PEP 492, PEP 525, PEP 530
"""  # noqa: D405, D214, D411, D412, D413, D416  the example yields

from awaken.codemods.sqlalchemy.session_to_async.plan import SessionToAsync

__all__ = ["SessionToAsync"]
