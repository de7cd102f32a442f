"""Why a part of a program stays synchronous."""

from __future__ import annotations

from operator import attrgetter

from awaken.contract import Reason

BESIDE_ANOTHER = Reason(
    "beside-another",
    "it stays synchronous because of {}",
    "Change that first: `awaken explain` shows how this function depends on it.",
)
OTHER_COMPONENT = Reason(
    "other-component",
    "it becomes asynchronous with functions that `component` does not name",
    "Leave out `component`, or set it to this function.",
    asks_nothing=True,
)
PUBLISHED = Reason(
    "published",
    "code outside of the project may import {}",
    "If none does, set `published = false` in the settings, or use `--no-published`.",
)
OLD_TEST_TOOL = Reason(
    "old-test-tool",
    "{}",
    "Require pytest-asyncio 0.26, and pytest 8.2 with it; then run awaken again.",
)
SHARED_LINE = Reason(
    "shared-line",
    "{} shares its line with other code, and new lines have to be written there",
    "Put each statement on a line of its own.",
)
FOREIGN_SESSION = Reason(
    "foreign-session",
    "its session comes from {}, which no file of the project makes",
    "Make the session in the project, with its own engine and `sessionmaker`.",
)
FOREIGN_MODEL = Reason(
    "foreign-model",
    "{}, whose files are not read: reading their relationships may load objects",
    'Set the option `foreign_models = ["package"]` of this rule: what looks like a relationship is'
    " then read by `run_sync`. Add what loads and does not look like one, such as an association"
    ' proxy, as `"package.models.User.title"`.',
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
    "Replace it by a statement that you execute, or call it by `await session.run_sync(...)`.",
)
HANDED_SESSION = Reason(
    "handed-session",
    "`{}` gets a session that becomes asynchronous, and may keep it for later",
    "Call it, and what uses its result, in one function passed to `await session.run_sync(...)`.",
)
STREAMED = Reason(
    "streamed",
    "the result of `{}` is read row by row, and not by a loop alone",
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
    "Annotate the object with its class; data from JSON with `dict[str, Any]` or `list[Any]`.",
)
AT_IMPORT = Reason(
    "at-import",
    "{} runs when the file is imported, where nothing can be awaited",
    "Move it into a function that runs when the application starts, such as its lifespan.",
)
SYNC_PROTOCOL = Reason(
    "sync-protocol",
    "`{}` is called by Python itself, which does not await it",
    "Move the database calls into a method of their own, and await that.",
)
OVERRIDE = Reason(
    "override",
    "`{}`, which calls it and does not await it",
    "Call what uses the database elsewhere, and await it; or name this method in the option"
    " `bridged`, if it opens its sessions by `Session(engine)`.",
)
IN_CONSTRUCTOR = Reason(
    "in-constructor",
    "`{}` uses the database, and code that makes objects of its class cannot await that",
    "Move the database calls into a method of their own, and await that.",
)
DECORATED = Reason(
    "decorated",
    "its decorator `{}` may call it without awaiting it",
    "Make the wrapper of the decorator a coroutine function, or take the decorator off.",
)
HANDED_ON = Reason(
    "handed-on",
    "`{}` is passed to code that may call it without awaiting it",
    "Pass a function that uses no database, or call this one here and pass its result.",
)
IN_THREAD = Reason(
    "in-thread",
    "`{}` may run in a thread beside the event loop, which uses the same connections",
    "Make it a task of the loop, or run it by `asyncio.run` on an engine of its own (`NullPool`).",
)
HELD_LOCK = Reason(
    "held-lock",
    "`{}` would stop the event loop: it waits for a lock that is held while something is awaited",
    "Take an `asyncio.Lock` there, by `async with`, or release the lock before the database call.",
)
WAITS_FOR_OTHERS = Reason(
    "waits-for-others",
    "`{}` waits for what another function does, and holds up the event loop that would run that",
    "Use what `asyncio` has for it (`Event`, `Queue`, `wait_for`), or call it where no coroutine"
    " does.",
)
OUTSIDE_OF_LOOP = Reason(
    "outside-of-loop",
    "`{}` runs in no event loop, and is called inside of one then",
    "Await the coroutine function itself.",
)
OF_ONE_THREAD = Reason(
    "of-one-thread",
    "`{}` is of one thread, and all requests will run in the thread of the event loop",
    "Use a `contextvars.ContextVar`, or pass the value as an argument.",
)
AT_EXIT = Reason(
    "at-exit",
    "`{}` is called at exit or by a signal, where nothing can be awaited",
    "Move the database calls to where the application ends, such as its lifespan.",
)
RUNS_LOOP = Reason(
    "runs-loop",
    "`{}` would have to run an event loop, and is called inside of one as well",
    "Move its work into a second function: await that inside the loop, and run it here.",
)
LOOP_INSIDE = Reason(
    "loop-inside",
    "{} runs an event loop, which would then be called inside of another one",
    "Move the database calls into a function, and call that before the loop is run.",
)
IN_MIGRATIONS = Reason(
    "in-migrations",
    "`{}` becomes asynchronous, and Alembic, which uses it, does not await it",
    "Give the migrations their own engine: `engine_from_config(...)` with a synchronous driver.",
)
NO_ENGINE = Reason(
    "no-engine",
    "`{}` runs in one event loop after another, and where its engine is made is not known",
    "Make the engine in a variable of a module, so that it can be disposed of after each loop.",
)
NOT_ON_OWN_ENGINE = Reason(
    "not-on-own-engine",
    "`{}`, which the option `bridged` names, does more than use one engine of a variable",
    "Name a plain function that calls none that waits, and opens all its connections and sessions"
    " by the name of one engine: `engine.connect()`, `Session(engine)`.",
)
TWO_ENGINES = Reason(
    "two-engines",
    "others keep `{}` synchronous, and a function that the option `bridged` names uses it",
    "Change what keeps it synchronous, or leave that function out of `bridged`.",
)
EAGER_TASK = Reason(
    "eager-task",
    "`{}` runs at once where a task is sent or applied, inside of a running event loop",
    "Turn `task_always_eager` off there, or mock the call that sends or applies it.",
)
INTERRUPTED = Reason(
    "interrupted",
    "`{}` handles an exception that a signal may raise at any line",
    "Handle it in a function around this one, which uses no database.",
)
OTHER_SCHEDULER = Reason(
    "other-scheduler",
    "jobs of {}, and cannot run in the event loop",
    "Make an `AsyncIOScheduler`, and start it where the application starts, such as its lifespan.",
)
IN_FACTORY = Reason(
    "in-factory",
    "`{}` is in an object factory, which does not await it",
    "Use the session of the factory there, and no other database call.",
)
FACTORY_SESSION = Reason(
    "factory-session",
    "`{}` may give object factories the session of a test, or another object",
    "Assign the session of a fixture to `_meta.sqlalchemy_session`, and annotate it.",
)
NOT_AWAITABLE_HERE = Reason(
    "not-awaitable-here",
    "nothing can be awaited in {}",
    "Assign it to a variable in a statement of its own, before this one.",
)
GENERATOR_USE = Reason(
    "generator-use",
    "`{}` becomes an asynchronous generator, and is not read by a loop here",
    "Read it in a `for` loop or a comprehension, or return a list.",
)
RETURNING_GENERATOR = Reason(
    "returning-generator",
    "`{}` is returned by a generator, which an asynchronous one cannot do",
    "Yield it, or store it where the caller can read it.",
)
OWN_SESSION_CLASS = Reason(
    "own-session-class",
    "`{}` inherits from a class of synchronous sessions",
    "Derive a class from `AsyncSession`, and set its `sync_session_class` to this one.",
)
NEVER_REMOVED = Reason(
    "never-removed",
    "`{}` keeps the session of each task, and nothing removes that of this endpoint",
    "Call its `remove()` in a dependency with `yield`; a middleware runs in another task.",
)
INNER_SESSION = Reason(
    "inner-session",
    "`{}` gives the synchronous session of an object",
    "Call `sqlalchemy.orm.object_session(...)`, for which there is `async_object_session`.",
)
FACTORY_EVENTS = Reason(
    "factory-events",
    "`{}` is listened to, and asynchronous factories have no events",
    "Listen to `Session`, or to a `sessionmaker` that is the `sync_session_class` of the"
    " asynchronous factory.",
)
OWN_CLIENT = Reason(
    "own-client",
    "`{}` is a test client that `httpx.AsyncClient` cannot replace",
    "Make it by `TestClient(app)`, or use a driver whose connections work in any event loop.",
)
UNKNOWN_CLIENT = Reason(
    "unknown-client",
    "this may send a request by a test client: {}",
    "Annotate the client: `client: TestClient`.",
)
CHOOSE_DRIVER = Reason(
    "choose-driver",
    "an asynchronous driver has to be chosen: {}",
    'Set the option `drivers = { postgresql = "psycopg" }` of this rule.',
)
NO_DRIVER = Reason(
    "no-driver",
    "SQLAlchemy itself has no asynchronous driver for `{}`",
    "Set the option `component` of this rule to a part of the program that does not use it.",
)
UNKNOWN_DRIVER = Reason(
    "unknown-driver",
    "the program does not say which database `{}` names, so its driver is not known",
    'Set the option `drivers = { postgresql = "psycopg" }` of this rule.',
)
OLD_DRIVER = Reason(
    "old-driver",
    "{} with SQLAlchemy's asynchronous dialect",
    "Require a version of the driver that works.",
)
NO_BASE = Reason(
    "no-base",
    "the base of `{}` cannot be given `AsyncAttrs`",
    "Have it inherit from `sqlalchemy.ext.asyncio.AsyncAttrs`.",
)
READ_ELSEWHERE = Reason(
    "read-elsewhere",
    "`{}` leads from a class to itself, and is read where nothing can be awaited",
    "Load it where the object is loaded, as deep as it is read; or set the option `levels` of this"
    " rule to the number of relationships from the first object to the last that is read.",
)
ENCODED_OBJECT = Reason(
    "encoded-object",
    "{} would be encoded as well, which each object loads with it then",
    "Name what is encoded by `include` or `exclude`, or by a schema that validates the object.",
)
LATE_COLUMN = Reason(
    "late-column",
    "`{}` is loaded when it is read, and that is where nothing can be awaited",
    "Load it with its object, by `undefer(...)` or without `deferred`; if it is read of something "
    "else, put that into a variable and annotate it.",
)
DYNAMIC_COLLECTION = Reason(
    "dynamic-collection",
    "`{}` runs its query when it is read, which cannot be awaited",
    'Declare `lazy="write_only"`, and run `session.scalars(user.posts.select())`.',
)
SUBCLASS_ATTRIBUTE = Reason(
    "subclass-attribute",
    "`{}` is loaded when it is read of an object that was loaded as one of its base class",
    'Add `"polymorphic_load": "selectin"` to the `__mapper_args__` of the class.',
)
DATABASE_VALUE = Reason(
    "database-value",
    "`{}` is computed by the database when a row changes, and loaded when it is read then",
    'Add `"eager_defaults": True` to the `__mapper_args__` of the class.',
)
UNITTEST = Reason(
    "unittest-case",
    "`{}` is a test of `unittest.TestCase`, which does not await it",
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
    "Use a coroutine function or an `AsyncMock` there, and one mock for each function.",
)

REPLACED_RESOURCE = Reason(
    "replaced-resource",
    "{}",
    "Replace the function of the program that makes the engine or factory, not the library's.",
)

ALL = tuple(
    sorted((one for one in vars().values() if isinstance(one, Reason)), key=attrgetter("code"))
)
