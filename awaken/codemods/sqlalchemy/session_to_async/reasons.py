"""Why a part of a program stays synchronous."""

from __future__ import annotations

from operator import attrgetter

from awaken.contract import Reason

BESIDE_ANOTHER = Reason(
    "beside-another",
    "it stays synchronous because of {}",
    "Change that first. `awaken explain` shows how this function depends on it.",
)
OTHER_COMPONENT = Reason(
    "other-component",
    "it becomes asynchronous with functions that `component` does not name",
    "Leave out `component`, or set it to this function.",
    asks_nothing=True,
)
PUBLISHED = Reason(
    "published",
    "code outside the project may import {}",
    "If no other code imports it, set `published = false`, or use `--no-published`.",
)
OLD_TEST_TOOL = Reason(
    "old-test-tool",
    "{}",
    "Require pytest-asyncio 0.26 and pytest 8.2, then run awaken again.",
)
SHARED_LINE = Reason(
    "shared-line",
    "{} shares its line with other code, and the rewrite has to add lines there",
    "Put each statement on a line of its own.",
)
FOREIGN_SESSION = Reason(
    "foreign-session",
    "its session comes from {}, outside of the project",
    "Make the session in the project, with its own engine and `sessionmaker`.",
)
UNUSED_SESSION = Reason(
    "unused-session",
    "it does not use the session from {}",
    "Remove the parameter.",
    asks_nothing=True,
)
UNCALLED = Reason(
    "uncalled",
    "nothing in the program calls it, so no session comes from {}",
    "Remove the function, or annotate its session as an `AsyncSession`.",
    asks_nothing=True,
)
FOREIGN_MODEL = Reason(
    "foreign-model",
    "{}, whose files awaken does not read: reading their relationships may load objects",
    'Set the option `foreign_models = ["package"]` of this rule. Reads that look like '
    "relationships then go through `run_sync`. Name other attributes that load, such as an "
    'association proxy, as `"package.models.User.title"`.',
)
UNKNOWN_RESPONSE = Reason(
    "unknown-response",
    "`{}` may be an object of another package, whose relationships the response reads",
    "Annotate the function that returns it, or return an instance of the response model.",
)
LEGACY_QUERY = Reason(
    "legacy-query",
    "`{}` has no asynchronous counterpart",
    "Run `query-to-select` first: `awaken apply --select query-to-select`.",
    "query-to-select",
)
NO_TWIN = Reason(
    "no-twin",
    "asynchronous sessions have no `{}`",
    "Execute a statement instead, or call it with `await session.run_sync(...)`.",
)
HANDED_SESSION = Reason(
    "handed-session",
    "`{}` gets a session that becomes asynchronous, and may keep it for later",
    "Call it, and use its result, in one function that you pass to `await session.run_sync(...)`.",
)
STREAMED = Reason(
    "streamed",
    "the result of `{}` is read row by row, and not only by a loop",
    "Read it in a `for` loop, or leave out `yield_per` and `stream_results`.",
)
UNKNOWN_SESSION = Reason(
    "unknown-session",
    "this may be called on a session: {}",
    "Annotate the object: `session: Session`, or its own class.",
)
UNKNOWN_CALL = Reason(
    "unknown-call",
    "this may call {}",
    "Annotate the object with its class. Annotate JSON data with `dict[str, Any]` or `list[Any]`.",
)
FAILING_IMPORT = Reason(
    "failing-import",
    "this file cannot be imported, because {}",
    "Correct the import, and run awaken again.",
)
AT_IMPORT = Reason(
    "at-import",
    "{} runs when the file is imported, where nothing can be awaited",
    "Move it into a function that runs at startup, such as the lifespan.",
)
SYNC_PROTOCOL = Reason(
    "sync-protocol",
    "Python itself calls `{}`, and does not await it",
    "Move the database calls into another method, and await that.",
)
OVERRIDE = Reason(
    "override",
    "`{}`, which calls it and does not await it",
    "Move the database calls elsewhere, and await them. If the method opens its sessions with "
    "`Session(engine)`, you can name it in the option `bridged` instead.",
)
IN_CONSTRUCTOR = Reason(
    "in-constructor",
    "`{}` uses the database, but `await` is not possible where an instance is made",
    "Move the database calls into another method, and await that.",
)
DECORATED = Reason(
    "decorated",
    "its decorator `{}` may call it without awaiting it",
    "Await the function in the decorator's wrapper, and in no thread; or remove the decorator.",
)
HANDED_ON = Reason(
    "handed-on",
    "`{}` is passed to code that may call it without awaiting it",
    "Pass a function that does not use the database, or call this one here and pass its result.",
)
IN_THREAD = Reason(
    "in-thread",
    "`{}` may run in another thread than the event loop, which uses the same connections",
    "Make it a task of the event loop, or run it with `asyncio.run` and its own engine "
    "(`NullPool`).",
)
HELD_LOCK = Reason(
    "held-lock",
    "`{}` would block the event loop: it waits for a lock that is held during an `await`",
    "Use an `asyncio.Lock` with `async with`, or release the lock before the database call.",
)
WAITS_FOR_OTHERS = Reason(
    "waits-for-others",
    "`{}` waits for another function, and blocks the event loop that would run it",
    "Use its `asyncio` counterpart (`Event`, `Queue`, `wait_for`), or call it outside coroutines.",
)
OUTSIDE_OF_LOOP = Reason(
    "outside-of-loop",
    "`{}` cannot run in an event loop, and would be called inside one",
    "Await the coroutine function directly.",
)
OF_ONE_THREAD = Reason(
    "of-one-thread",
    "`{}` is thread-local, and all requests will share the thread of the event loop",
    "Use a `contextvars.ContextVar`, or pass the value as an argument.",
)
AT_EXIT = Reason(
    "at-exit",
    "`{}` is called at exit or by a signal, where nothing can be awaited",
    "Move the database calls to the shutdown part of the lifespan.",
)
RUNS_LOOP = Reason(
    "runs-loop",
    "`{}` would have to run an event loop, but is also called inside one",
    "Move its work into a coroutine function: await it inside the loop, and run it here.",
)
LOOP_INSIDE = Reason(
    "loop-inside",
    "{} runs an event loop, and would then be called inside another one",
    "Move the database calls into a function, and call it before the loop starts.",
)
IN_MIGRATIONS = Reason(
    "in-migrations",
    "`{}` becomes asynchronous, but Alembic uses it and does not await it",
    "Give the migrations their own engine: `engine_from_config(...)` with a synchronous driver.",
)
NO_ENGINE = Reason(
    "no-engine",
    "`{}` runs in one event loop after another, and awaken does not know where its engine is made",
    "Assign the engine to a module variable, so that each loop can dispose of it.",
)
NOT_ON_OWN_ENGINE = Reason(
    "not-on-own-engine",
    "`{}`, which the option `bridged` names, uses more than one engine variable",
    "Name a synchronous function that opens everything with one engine or factory: "
    "`Session(engine)`, `SessionLocal()`. Its calls must use only these sessions.",
)
TWO_ENGINES = Reason(
    "two-engines",
    "other code keeps `{}` synchronous, and a function in the option `bridged` uses it",
    "Change the code that keeps it synchronous, or remove the function from `bridged`.",
)
EAGER_TASK = Reason(
    "eager-task",
    "`{}` runs immediately when a task is sent, inside a running event loop",
    "Turn off `task_always_eager` there, or mock the call that sends the task.",
)
INTERRUPTED = Reason(
    "interrupted",
    "`{}` handles an exception that a signal may raise at any line",
    "Handle it in a calling function that does not use the database.",
)
OTHER_SCHEDULER = Reason(
    "other-scheduler",
    "jobs of {}, so they cannot run in the event loop",
    "Use an `AsyncIOScheduler`, and start it at startup, such as in the lifespan.",
)
IN_FACTORY = Reason(
    "in-factory",
    "an object factory calls `{}`, and does not await it",
    "Use only the factory's session there, and no other database call.",
)
FACTORY_SESSION = Reason(
    "factory-session",
    "`{}` may pass object factories the session of a test, or another object",
    "Assign the session of a fixture to `_meta.sqlalchemy_session`, and annotate it.",
)
NOT_AWAITABLE_HERE = Reason(
    "not-awaitable-here",
    "nothing can be awaited in {}",
    "Assign it to a variable in a separate statement before this one.",
)
ENTERED_LATE = Reason(
    "entered-late",
    "`{}` is started before this block, and `async with` can start it only once",
    "Open it in the `with` statement: `with engine.connect() as connection`. A session closes its "
    "own connection: use that without `with`.",
)
GENERATOR_USE = Reason(
    "generator-use",
    "`{}` becomes an asynchronous generator, but this code does not iterate over it in a loop",
    "Iterate over it in a `for` loop or a comprehension, or return a list.",
)
RETURNING_GENERATOR = Reason(
    "returning-generator",
    "a generator returns `{}`, and an asynchronous generator cannot return a value",
    "Yield it, or store it where the caller can read it.",
)
OWN_SESSION_CLASS = Reason(
    "own-session-class",
    "`{}` inherits from a class of synchronous sessions",
    "Derive a session from `AsyncSession` with this `sync_session_class`, a factory from "
    "`async_sessionmaker`.",
)
NEVER_REMOVED = Reason(
    "never-removed",
    "`{}` keeps one session per task, and nothing removes the session of this endpoint",
    "Call its `remove()` in a dependency with `yield`. A middleware runs in another task.",
)
INNER_SESSION = Reason(
    "inner-session",
    "`{}` returns the synchronous session of an object",
    "Call `sqlalchemy.orm.object_session(...)`, which has the counterpart `async_object_session`.",
)
FACTORY_EVENTS = Reason(
    "factory-events",
    "the program listens to events of `{}`, and asynchronous factories have no events",
    "Listen to `Session`, or to a `sessionmaker` that is the `sync_session_class` of the"
    " asynchronous factory.",
)
OWN_CLIENT = Reason(
    "own-client",
    "`{}` is a test client that `httpx.AsyncClient` cannot replace",
    "Make it with `TestClient(app)`, or use a driver whose connections work in any event loop.",
)
UNKNOWN_CLIENT = Reason(
    "unknown-client",
    "this may send a request with a test client: {}",
    "Annotate the client: `client: TestClient`.",
)
CHOOSE_DRIVER = Reason(
    "choose-driver",
    "you have to choose an asynchronous driver: {}",
    'Set the option `drivers = { postgresql = "psycopg" }` of this rule.',
)
NO_DRIVER = Reason(
    "no-driver",
    "SQLAlchemy itself has no asynchronous driver for `{}`",
    "Set the option `component` of this rule to a part of the program without this database.",
)
UNKNOWN_DRIVER = Reason(
    "unknown-driver",
    "the program does not say which database `{}` names, so its driver is unknown",
    'Set the option `drivers = { postgresql = "psycopg" }` of this rule.',
)
OLD_DRIVER = Reason(
    "old-driver",
    "{} with SQLAlchemy's asynchronous dialect",
    "Require a version of the driver that works.",
)
NO_BASE = Reason(
    "no-base",
    "awaken cannot add `AsyncAttrs` to the base class of `{}`",
    "Make it inherit from `sqlalchemy.ext.asyncio.AsyncAttrs`.",
)
READ_ELSEWHERE = Reason(
    "read-elsewhere",
    "`{}` relates a class to itself, and is read where nothing can be awaited",
    "Load it with the object, as deep as the program reads it. Or set the option `levels` of "
    "this rule to that depth.",
)
ENCODED_OBJECT = Reason(
    "encoded-object",
    "{} would become part of the encoded output, because each object then loads it eagerly",
    "Name the encoded fields with `include` or `exclude`, or use a schema that validates the "
    "object.",
)
LATE_COLUMN = Reason(
    "late-column",
    "`{}` loads when it is read, and nothing can be awaited there",
    "Load it with its object: use `undefer(...)`, or remove `deferred`. If this reads another "
    "object, assign that to an annotated variable.",
)
DYNAMIC_COLLECTION = Reason(
    "dynamic-collection",
    "`{}` runs its query when it is read, which cannot be awaited",
    'Declare `lazy="write_only"`, and run `session.scalars(user.posts.select())`.',
)
UNKNOWN_OWNER = Reason(
    "unknown-owner",
    "`{}` gives a relationship to a class, and its code does not show which class or which name",
    "Assign the relationship to an attribute in the class body, or name it in the `properties` of "
    "`map_imperatively(...)`.",
)
SUBCLASS_ATTRIBUTE = Reason(
    "subclass-attribute",
    "`{}` loads when it is read, if the object was loaded as its base class",
    'Add `"polymorphic_load": "selectin"` to the `__mapper_args__` of the class.',
)
DATABASE_VALUE = Reason(
    "database-value",
    "the database computes `{}` when a row changes, and the next read loads it",
    'Add `"eager_defaults": True` to the `__mapper_args__` of the class.',
)
UNITTEST = Reason(
    "unittest-case",
    "`{}` is a test of `unittest.TestCase`, which does not await tests",
    "Derive the class from `unittest.IsolatedAsyncioTestCase`, or write functions for pytest.",
)
CALLED_BY_PYTEST = Reason(
    "called-by-pytest",
    "pytest calls `{}` by its name, and does not await it",
    "Make it a fixture with `autouse=True`, or move the database calls into one.",
)
TEST_DOUBLE = Reason(
    "test-double",
    "{}",
    "Use a coroutine function or an `AsyncMock`, and a separate mock for each function.",
)

REPLACED_RESOURCE = Reason(
    "replaced-resource",
    "{}",
    "Replace the function of the program that makes the engine or factory, not the library's.",
)

ALL = tuple(
    sorted((var for var in vars().values() if isinstance(var, Reason)), key=attrgetter("code"))
)
