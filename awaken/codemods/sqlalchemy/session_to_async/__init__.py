"""Make a synchronous SQLAlchemy application asynchronous, from its engine to its tests.

## Before (unsafe)

```python
from fastapi import FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

from models import Customer

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite:///shop.db"))


@app.get("/names")
def names() -> list[str]:
    with SessionLocal() as session:
        return list(session.scalars(select(Customer.name)))
```

## After (unsafe)

```python
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from models import Customer

app = FastAPI()
SessionLocal = async_sessionmaker(
    create_async_engine("sqlite+aiosqlite:///shop.db"), expire_on_commit=False
)


@app.get("/names")
async def names() -> list[str]:
    async with SessionLocal() as session:
        return list(await session.scalars(select(Customer.name)))
```

## What

The rule rewrites engines, session factories, sessions and every function that sends something to
the database. It follows calls over all files: methods and their overrides, dependencies, endpoints,
context managers, generators, fixtures and tests. A function that sends nothing stays as it is, even
an endpoint.

Functions that depend on each other change together, or none of them does. Begin with the plan:
`awaken check --select session-to-async --unsafe-fixes`. It says how many functions change, what may
change, and what stops the rest. `awaken explain FILE:LINE` shows how a function depends on the
database. The guide "Going asynchronous" lists the steps of a migration.

## Why

A synchronous endpoint holds a thread during each statement, and all requests share forty threads. A
coroutine that waits only holds its connection.

## What becomes what

| you write | awaken writes |
| --- | --- |
| `create_engine()`, `sessionmaker()`, `Session` | `create_async_engine()`, `async_sessionmaker()`, `AsyncSession`; sessions get `expire_on_commit=False` |
| a class that only inherits from `sessionmaker` | inherits from `async_sessionmaker`, and its calls get `expire_on_commit=False` |
| a function that sends a statement, or calls a function that does | a coroutine function, with `await` at every call |
| a generator that waits | an asynchronous generator |
| a context manager class that waits | the class gets `__aenter__` and `__aexit__` |
| `contextmanager(get_db)` | `asynccontextmanager(get_db)` |
| `with closing(session)` | `async with session` |
| an `ExitStack` that enters or closes a session | an `AsyncExitStack` |
| an `__init__` that waits | a class method: `Report(db)` becomes `await Report.create(db)`; the statements before the first wait stay in `__init__` |
| an `__init__` that subclasses call by `super()` | each `__init__` becomes a coroutine method, and one class method makes the objects of all these classes |
| a class chosen from a dictionary, and called there | the same class method |
| a property that waits | a method: `shop.total` becomes `await shop.total()`; a cached property stores its value in another attribute |
| a decorator whose wrapper waits | the wrapper awaits the function, if everything that it decorates is visible |
| several functions that one call may reach | all of them become coroutine functions |
| a mapped class whose constructor queries with the session that it gets | the constructor and the functions that it calls stay plain: `await db.run_sync(lambda session: Item(session=session, **data))` |
| listeners that a flush calls | plain functions: a flush runs in a greenlet |
| code that inspects the database of an engine, or reads and writes frames over one | a call by `greenlet_spawn`, on which `run_sync` is built |
| a function with the raw connection of a passed engine, if connections work in any loop | it stays plain: `await greenlet_spawn(rebuild, engine.sync_engine)` |
| `create_all(engine)` at import | a `run_sync` call in the lifespan, or in a startup event where the file has some |
| clients of tests that do not start the application then | a fixture that starts it |
| other statements at import, in the file of the application or its factory | the lifespan runs them, in `prepare_database()` where they are no plain calls |
| statements at import in another file that one application imports | the same, in `prepare_models()` for `models.py` |
| a call at import that the lifespan cannot run, such as `init_db()` in the entry file of a host | a thread runs it there: `ThreadPoolExecutor().submit(lambda: asyncio.run(init_db())).result()` |
| a probe at import: `try`, `create_engine()` and `connect()`, with a handler | the engine becomes asynchronous, and `sync_engine` next to it connects |
| a plain function that returns an object with `__enter__`, where another one is a context manager | a plain function; so is the method that a protocol declares for both |

These rows concern threads and event loops:

| you write | awaken writes |
| --- | --- |
| `await run_in_threadpool(session.commit)` | `await session.commit()` |
| a block with a `ThreadPoolExecutor` whose workers call such functions | the block runs in a thread, and each worker passes its coroutine to the event loop. As many run at once as before |
| a thread lock that is held during an `await`, and that only `with` takes | an `asyncio.Lock`; every function that takes it becomes a coroutine function |
| a thread lock that no coroutine holds during an `await` | no change |
| a `BackgroundScheduler` that is started in the event loop | an `AsyncIOScheduler` |
| `loop.run_until_complete(f())`, if the loop has no other use | `await f()`; what makes, sets and closes the loop is removed |

## Where a process starts

Functions that start a process stay plain. Each runs a coroutine function next to it, which gets its
body. Every run closes the connections of its engine, if the engine is a module variable.

| you write | awaken writes |
| --- | --- |
| commands of click and Typer, console scripts | plain functions that run a coroutine function |
| targets of `multiprocessing.Process` or `get_context().Process`, consumers of RabbitMQ in such a process | the same |
| `main()` under `if __name__ == "__main__":` | that call runs the event loop |
| a call in a `conftest.py` that nothing imports | that call runs the event loop |
| statements that wait there, or in a script that nothing imports | the body of one coroutine function; names that other code reads stay global |
| database calls before `uvicorn.run()` in one function | these calls run in an event loop of their own |
| a task of Celery, a job that RQ or rq-scheduler is given, or a hook of `celery.Task` such as `on_failure` | a plain function that runs a coroutine function, and closes the connections before that loop ends |
| code that sends a task | no change |
| a coroutine function that calls a task by its name | it awaits the coroutine function of the task |
| an Alembic environment that enters an engine made by a function of the program | `run_sync` runs its body in an event loop |
| the same, where Alembic may run in an event loop | it gets a synchronous engine of its own, with the URL of the other one |
| `engine.url` in Alembic's files, or in `set_main_option()` | `sync_url(engine.url)`, which names the synchronous driver |
| other files of Alembic | no change: they keep their synchronous driver |

## Attributes that load when they are read

An `AsyncSession` cannot load an attribute when plain code reads it. So awaken loads it earlier, or
awaits the read.

| the program reads | awaken writes |
| --- | --- |
| a relationship of objects whose statement is known | the statement loads it, such as by `selectinload()` |
| a relationship of objects whose statement is unknown | `lazy="selectin"` in the mapping |
| a relationship from a class to itself | an `await` of the read (`AsyncAttrs`) |
| the same, where nothing can be awaited | it is loaded at every depth; for two collections, or two references, the option `levels` sets the depth |
| a relationship that the mapping loads, read where it leads back to the first class | it gets a `join_depth` |
| a value that the database computes when a row changes | `eager_defaults` fetches it with the change |
| an attribute of a subclass | `polymorphic_load` loads it with objects of the base class |
| a deferred column | an `await` of the read |
| the same, in a response | `greenlet_spawn` validates the response |
| an attribute that was set to an SQL expression | a load after the flush |
| a schema made from an object, such as `UserRead.model_validate(user)` | a call by `greenlet_spawn`, if no visible statement loads all that the schema reads |
| `getattr` and `setattr` with a computed name, and plain functions that make such a schema | the same |
| `jsonable_encoder(user)` | `exclude={"orders"}` leaves out relationships that were not loaded before |
| an object that an endpoint returns without a response model | relationships that were not loaded before are left out |
| a relationship in the generated `__repr__` or `__eq__` of a mapped dataclass | a read only if something runs the method |
| a relationship in a revision of Alembic | the statements of revisions load no more than before |
| an attribute of a model of an installed package | see the option `foreign_models` |

With `foreign_models = ["package"]`, reads that look like relationships of its models run in a
greenlet, where they load as before. That includes collections that are queries. Responses and
pydantic models that get such objects are validated in a greenlet too. Name other attributes that
load, such as an association proxy: `"package.models.User.title"`.

## Reads after a commit, a flush or a rollback

A synchronous session expires its objects at a commit, and reloads them when they are read. The
asynchronous sessions keep the old values, so awaken adds a reload where the program relies on one.

| the program | awaken adds |
| --- | --- |
| runs a statement after a commit and reads its collections | `populate_existing` |
| deletes an object, and the database deletes or changes others with it (`ondelete`) | `populate_existing` where these are loaded after the commit |
| reads or sets an attribute that a rollback expired | a load before it, if `inspect(user).expired`; a file with many such reads gets a helper: `await load_expired(db, user, order)` |
| reads a relationship after a commit, of an object from before it | `refresh` before the read |
| reads a relationship of an object that a factory of factory_boy made | `refresh` before the read |
| reads a new object after the flush that writes it | `refresh` before the read |
| first reads a relationship after a write in the same transaction | `refresh`, unless code already put something into it |
| may have deleted, expunged or rolled back the object | `refresh` only if `inspect(user).persistent` |
| reads what nothing has loaded yet, of a new object or of one that a key now refers to | one read in a greenlet: `await db.run_sync(lambda _: order.user.orders)` |
| adds an owner again after it deleted items of a collection that is loaded ahead | `if user not in db:` before `db.add(user)` |
| executes an upsert that returns objects | a reload of these objects |
| refreshes an object whose parts have `cascade="all"` | `expire` of the parts before, so that they load as a whole |
| reads after a commit what its column converts, such as a text that a date column got | `refresh` before the read, or `populate_existing` |
| reads a `column_property` after a commit, which computes its value from other rows | `refresh` before the read, or `populate_existing` |
| refreshes an object whose class has a table of its own below that of its base | one read in a greenlet: after `populate_existing` a refresh leaves what the base has |
| lets a schema read objects of a statement by `greenlet_spawn` | the statement reloads them, unless its session has pending changes, or begins with the function or request |

## URLs, drivers and SQL types

URLs get an asynchronous driver. For a URL from outside the program, a function chooses the driver
at run time. If several drivers are possible, the option `drivers` names one. Requirements get the
driver, the `asyncio` extra of SQLAlchemy and a pytest plugin. Each goes next to the old driver,
SQLAlchemy or pytest, wherever a file lists these.

The run ends with a list of what is left to do. It has every line that awaken could not write. It
also has URLs for the engine in compose files, workflows and similar files. They are listed if their
driver is unknown, or rejects a parameter. Examples of doctest that pytest runs are listed if they
name a function that becomes asynchronous. So are files of tests that request the fixtures of
pytest-playwright, whose event loop lets no asynchronous test run.

| the program | awaken writes |
| --- | --- |
| compares a string with a number or date column, as in `between`, `filter_by` or `in_` | a cast: `Order.id == cast(literal(number), Order.id.type)` |
| passes a string as a path to `func.jsonb_path_exists` | a cast |
| passes a string to `get` for a number key | `int(number)`, because asyncpg rejects text for a number |
| inserts rows into a table that refers to itself | an engine that sends the rows together: a row may refer to a later one |
| uses a database without an asynchronous driver | no change: these calls block, if no connection leaves the function that opens it |

Psycopg2 sends strings without a type, and PostgreSQL gives them the type of the other operand.
Other drivers send `VARCHAR`. A value that is not known to be a string stays as it is. Psycopg2
also sends the rows of an INSERT in one statement; other drivers send one statement for each row.

## Tests

| your tests have | awaken writes |
| --- | --- |
| a `TestClient`, with a driver that works in any event loop (aiosqlite, psycopg) | no change |
| its `websocket_connect`, for an endpoint that awaited only its websocket | the endpoint handles all messages before the client cancels it |
| a `TestClient`, with asyncpg | `httpx.AsyncClient`, and one event loop for all tests |
| a session that a test shares with requests | each request reloads relationships first, and what its rollback expires; a lambda that gives the session becomes a function. Objects of the test are reloaded after a request that may expire them. The same holds after a call that may roll back and continue |
| a commit after a request to another session, and then a call of the program that loads | the objects of the test's session are reloaded after the commit |
| a request that closes the shared session while a job holds objects of it | the job refreshes them only if they are still in the session. It may add them again, even if other objects have loaded their rows |
| arq jobs that share the session of a test | the jobs run one after the other |
| functions that replace a function of the program | coroutine functions |
| other objects that replace it | an `AsyncMock` calls them; `patch` makes one by itself, also if constants build the name |
| engines written by hand | fakes that are entered with `async with` |
| fixtures requested by `request.getfixturevalue("name")` | all of them are set up before the test |
| a thread that the test starts | it runs its own event loop, if the driver works in any |
| factories of factory_boy | they get the synchronous session of the asynchronous one; `greenlet_spawn` calls them, so they may flush |

## Functions that stay synchronous

Other code may call a function without an await, such as the callback of a gauge. The option
`bridged` keeps such a function plain: `bridged = ["shop.gauges.count_orders"]`. Each call waits in
a thread of its own, with its own event loop and connections. So it works in a thread, and in the
event loop of the application. It blocks its caller, as before.

The function must name one engine for its connections and sessions, or one factory of sessions. Its
calls may use the sessions that they are passed, and must not wait for anything else. An object that
it makes may keep the session: `Runner(session).run()`. Its
connections have the settings of that engine, and are not kept. For SQLite in memory, it uses the engine itself.

A `bridged` function may get a session as an argument. Then `run_sync` calls it with that session.
So it may keep code without an asynchronous counterpart, such as a list of queries.

## Before: an application with a dependency and a repository (unsafe)

```python database.py
from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


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

from database import engine, get_db
from models import Base, Customer
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

## After: an application with a dependency and a repository (unsafe)

```python database.py
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///shop.db")
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


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

from database import engine, get_db
from models import Base, Customer
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

## The models of the examples

```python models.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


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

## Safety

Never safe. After the rewrite, awaken checks the program again. It must have no coroutine that
nothing awaits, no synchronous session, and no `await` of anything else. Otherwise nothing changes.

| what may change | details |
| --- | --- |
| attributes after a commit | they keep their values, because a read cannot reload them |
| writes that the session does not see, such as raw SQL | objects keep the old values; the message on the factory lists the places |
| code that names `DetachedInstanceError` or `ObjectDeletedError` | fewer reads raise; the message on the factory lists the places |
| the output of an endpoint without a response model | it may include attributes that a commit expired, or relationships where awaken can't tell the object |
| code that reads `__dict__` or `vars()` of an object, the `_mapping` of a row, or the `identity_map` of a session | it finds eagerly loaded attributes and objects |
| objects in a variable of a module | they can be read after their session is closed |
| an endpoint whose dependency sets a `ContextVar` | the endpoint sees the value |
| other blocking calls in an endpoint | the endpoint leaves the thread pool, so they block the event loop |
| order of tasks | other tasks run during each `await` |
| a number that its column cannot hold | it raises `DataError`; with psycopg2, the statement found no row |
| tables created, or rows written, at import | the application does it when it starts |
| a program that migrates in parts | the asynchronous engine has its own pool; for SQLite in memory, its own database |
| names that only the synchronous part used | code outside the project can no longer import them |
| a `bridged` function with an engine of its own | events of that engine do not fire for its connections |

## What it refuses

If one function cannot become asynchronous, no function that depends on it does. Each finding names
the place that stops it. These rules have exceptions:

| what stops the migration | unless |
| --- | --- |
| a property | all its reads are visible, which is never so for mapped classes and pydantic models |
| an `__init__` | every place that makes objects is visible, and every subclass calls it |
| the constructor of a mapped class | it does not keep its session, and gets it as an argument |
| a function that is decorated by, or passed to, code that may not await it | `bridged` names it, or a function that it calls |
| a method that a library calls and does not await | `bridged` names it |
| `session.query()`, and other methods that asynchronous sessions lack | `bridged` names the function, which gets its session as an argument |
| a function that runs in a thread of the application | `bridged` names it, or a `Thread` passes it plain values: then it stays as it is |
| a function that runs an event loop, such as by `uvicorn.run()` | its database calls come before the loop |
| code that runs at import | it is in the file that makes the only application, and nothing reads what it binds |
| a value from an object or dictionary that holds a session | awaken can follow the value |
| a function that is used as a value, and has a parameter that may be a session | the parameter is annotated |
| a method of a session | it is called here, not passed on |
| a session in an `ExitStack` | the stack is not passed on |
| a `scoped_session` | something removes the session of each request, because each request is its own task |
| a lock that is held during an `await` | it is not reentrant, and only `with` takes it |
| `Event.wait`, `Queue.get`, `anyio.from_thread.run`, `threading.local`, `threading.get_ident` | no asynchronous function calls them, or only functions of threads can end the `wait` |
| a lambda, `map` or generator | its items are read immediately: awaken writes a loop |
| a mock that replaces several functions | all of them become coroutine functions, or none does |
| a test client that is more than a `TestClient`, or opens a websocket | the driver works in any event loop, or those of all test engines do |
| models of an installed package | `foreign_models` names the package |
| a collection of an installed package that is a query | only a validator checks it for `Query` and executes it |
| two collections, or two references, from a class to itself | the option `levels` sets the depth |
| a function in `__all__`, if other projects may import it | the setting `published` is false; `awaken doctor` shows what awaken assumes |
| an Alembic environment that uses an asynchronous engine | it enters the engine, and does not run inside an event loop |

The next table has every reason, and its cure.

## On real programs

Tests of applications that awaken was developed with (`benchmarks/third_attack/suites.md`).
`benchmarks/yield.toml` lists the places of 17 programs.

| application | tests before | after |
| --- | --- | --- |
| wearables | 1,988 passed | 1,988 passed |
| crossbill | 255 passed | 255 passed |
| movies | 176 passed | 176 passed |
| posts | 44 passed | 44 passed |
| bank | 27 passed, 3 failed | 27 passed, 3 failed |

## Sources

* SQLAlchemy 2.1, "Asynchronous I/O (asyncio)": "Preventing Implicit IO when Using AsyncSession"
* SQLAlchemy 2.1, "Asynchronous I/O (asyncio)": "Running Synchronous Methods and Functions under
  asyncio", "Using multiple asyncio event loops"
* Alembic 1.17, "Cookbook": "Using Asyncio with Alembic"
* SQLAlchemy 2.1, "Core Internals": `Dialect.use_insertmanyvalues_wo_returning`; PostgreSQL 18,
  "CREATE TABLE": constraints that are not deferrable are checked after every command
* factory_boy 3.3, "SQLAlchemy" in "Using factory_boy with ORMs"
* SQLAlchemy 2.1, "Connection Pooling": `Pool.recreate()`
* Celery 5.6, "Tasks", "Calling Tasks", "Workers Guide"
* FastAPI, "Concurrency and async / await", "Dependencies with yield", "Async Tests"
* PEP 492, PEP 525, PEP 530
"""  # noqa: D405, D214, D411, D412, D413, D416, E501  the example yields; rows of tables

from awaken.codemods.sqlalchemy.session_to_async.plan import SessionToAsync

__all__ = ["SessionToAsync"]
