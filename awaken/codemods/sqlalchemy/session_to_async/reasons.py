"""Why a part of a program stays synchronous."""

from __future__ import annotations

from operator import attrgetter

from awaken.contract import Reason

BESIDE_ANOTHER = Reason(
    "beside-another",
    "it is part of what stays synchronous because of {}",
    "Mend that first; `awaken explain` shows the way to it.",
)
OTHER_COMPONENT = Reason(
    "other-component",
    "it belongs to another component than the one that was asked for",
    "Leave the option `component` out, or name this function by it.",
)
PUBLISHED = Reason(
    "published",
    "others may import {}",
    "Say `published = false` in the settings, or `--no-published`, if nobody imports from it.",
)
FOREIGN_SESSION = Reason(
    "foreign-session",
    "its session is given by {}, and nothing in sight makes that asynchronous",
    "Make the session by an engine and a factory of this program.",
)
FOREIGN_MODEL = Reason(
    "foreign-model",
    "relationships of {}, which is not read: what they give may load when it is read",
    'Say `foreign_models = ["package"]` of this rule: what looks like a relationship is read in a'
    " greenlet then. Name what loads and does not look so, such as an association proxy, as"
    ' `"package.models.User.title"` beside it.',
)
UNKNOWN_RESPONSE = Reason(
    "unknown-response",
    "`{}` may be an object of another package, of which the response reads relationships",
    "Annotate what gives it, or return a model of the response that is made of it.",
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
    "`{}` is given a session that becomes asynchronous, and may use it later",
    "Call it by `await session.run_sync(...)`, with all that uses what it gives.",
)
STREAMED = Reason(
    "streamed",
    "what `{}` gives comes row by row, and not all of it is used by a loop",
    "Loop over it, or leave out `yield_per` and `stream_results`.",
)
UNKNOWN_SESSION = Reason(
    "unknown-session",
    "this may be called on a session: {}",
    "Annotate it, so that it is known whether this is a session.",
)
UNKNOWN_CALL = Reason(
    "unknown-call",
    "this may call {}",
    "Annotate the object, so that it is known which function is called.",
)
AT_IMPORT = Reason(
    "at-import",
    "{} runs when the file is imported, where nothing can be awaited",
    "Move it into a function that runs when the application starts, such as its lifespan.",
)
SYNC_PROTOCOL = Reason(
    "sync-protocol",
    "`{}` is called by Python itself, which awaits nothing",
    "Do what waits for the database in a method, and call that.",
)
IN_CONSTRUCTOR = Reason(
    "in-constructor",
    "`{}` waits for the database, and what makes objects of its class may not await that",
    "Do what waits for the database in a method, and call that.",
)
DECORATED = Reason(
    "decorated",
    "it is decorated by `{}`, which may not await it",
    "Have the decorator await what it calls, or leave it out here.",
)
HANDED_ON = Reason(
    "handed-on",
    "`{}` is handed to something that may call it without awaiting it",
    "Hand on a function that needs no database, or call this one yourself.",
)
IN_THREAD = Reason(
    "in-thread",
    "`{}` may run in a thread beside the event loop, which uses the same connections",
    "Make it a task of the loop, or run it by `asyncio.run` on an engine of its own (`NullPool`).",
)
AT_EXIT = Reason(
    "at-exit",
    "`{}` is called when the process ends or is told something, where nothing can be awaited",
    "Do what waits for the database when the application ends, such as in its lifespan.",
)
RUNS_LOOP = Reason(
    "runs-loop",
    "`{}` has to run an event loop, and is called inside of one as well",
    "Have a function of its own do the work, call that in the loop, and run it here.",
)
LOOP_INSIDE = Reason(
    "loop-inside",
    "{} runs an event loop, which would then be called inside of another one",
    "Do what waits for the database in a function, and call that before.",
)
IN_MIGRATIONS = Reason(
    "in-migrations",
    "Alembic uses `{}`, which becomes asynchronous, and awaits nothing",
    "Make an engine of its own there, by `engine_from_config(...)` with a synchronous driver.",
)
NO_ENGINE = Reason(
    "no-engine",
    "`{}` runs in many event loops, one after the other, and its engine is not in sight",
    "Make the engine a variable of a module, so that its connections are closed after each.",
)
EAGER_TASK = Reason(
    "eager-task",
    "`{}` is called at once where it is sent, inside of an event loop that runs already",
    "Have tests call its function, or replace what sends it.",
)
INTERRUPTED = Reason(
    "interrupted",
    "`{}` handles an exception that is raised wherever its process just stands",
    "Handle it in a function that needs no database, around this one.",
)
OTHER_SCHEDULER = Reason(
    "other-scheduler",
    "jobs of {}, and they cannot run in the event loop",
    "Make an `AsyncIOScheduler`, and start it where the application starts, such as its lifespan.",
)
IN_FACTORY = Reason(
    "in-factory",
    "`{}` stands in an object factory, which awaits nothing",
    "Use the session that the factory holds there, and make nothing else wait.",
)
FACTORY_SESSION = Reason(
    "factory-session",
    "whether object factories get the session of a test by `{}` is not known",
    "Assign the session of a fixture to `_meta.sqlalchemy_session`, and annotate it.",
)
NOT_AWAITABLE_HERE = Reason(
    "not-awaitable-here",
    "nothing can be awaited in {}",
    "Write it as a statement of the function.",
)
GENERATOR_USE = Reason(
    "generator-use",
    "`{}` becomes an asynchronous generator, and here it is not iterated by a loop",
    "Iterate it by a `for` loop or a comprehension, or make a list of it.",
)
RETURNING_GENERATOR = Reason(
    "returning-generator",
    "a generator returns `{}`, which no asynchronous generator can do",
    "Yield it, or have the generator keep it where its caller finds it.",
)
OWN_SESSION_CLASS = Reason(
    "own-session-class",
    "`{}` inherits from a class of synchronous sessions",
    "Derive it from `AsyncSession`, and give that `sync_session_class`.",
)
INNER_SESSION = Reason(
    "inner-session",
    "`{}` gives the synchronous session of an object",
    "Call `object_session` of `sqlalchemy.orm`, which has an asynchronous counterpart.",
)
FACTORY_EVENTS = Reason(
    "factory-events",
    "`{}` is listened to, and asynchronous factories have no events",
    "Listen to `Session`. A factory of its own can be listened to, by `sync_session_class` of an"
    " asynchronous one.",
)
OWN_CLIENT = Reason(
    "own-client",
    "`{}` is a client of tests for which `httpx.AsyncClient` cannot stand",
    "Make it by `TestClient(app)`, or use a driver whose connections work in any event loop.",
)
UNKNOWN_CLIENT = Reason(
    "unknown-client",
    "this may send a request by a client of tests: {}",
    "Annotate the client: `client: TestClient`.",
)
UNKNOWN_DRIVER = Reason(
    "unknown-driver",
    "which database `{}` names is not known, and so no asynchronous driver",
    'Say the driver in the settings: `drivers = { postgresql = "asyncpg" }` of this rule.',
)
NO_BASE = Reason(
    "no-base",
    "the base of `{}` cannot be given `AsyncAttrs`",
    "Have it inherit from `sqlalchemy.ext.asyncio.AsyncAttrs`.",
)
READ_ELSEWHERE = Reason(
    "read-elsewhere",
    "`{}` leads from a class to itself, and is read where nothing can be awaited",
    "Load it where the object is loaded, as deep as it is read; or say how many relationships lie"
    " between the first object of a statement and the last that is read: `levels` of this rule.",
)
ENCODED_OBJECT = Reason(
    "encoded-object",
    "it takes all that is loaded of an object, and {} is loaded with each object now",
    "Name what is encoded: by `include` or `exclude`, or by a schema that validates the object.",
)
LATE_COLUMN = Reason(
    "late-column",
    "`{}` is loaded when it is read, here where nothing can be awaited, or of an unknown object",
    "Load it with its object, by `undefer(...)` or without `deferred`, or annotate what reads it.",
)
DYNAMIC_COLLECTION = Reason(
    "dynamic-collection",
    "`{}` sends a query by itself, of which nothing can be awaited",
    'Declare `lazy="write_only"`, and run `session.scalars(user.posts.select())`.',
)
SUBCLASS_ATTRIBUTE = Reason(
    "subclass-attribute",
    "`{}` is loaded when it is read of an object that was loaded as one of its base class",
    'Add `"polymorphic_load": "selectin"` to the `__mapper_args__` of the class.',
)
DATABASE_VALUE = Reason(
    "database-value",
    "the database computes `{}` when a row changes, and reading it then would load it",
    'Add `"eager_defaults": True` to the `__mapper_args__` of the class.',
)
UNITTEST = Reason(
    "unittest-case",
    "`{}` is a test of `unittest.TestCase`, which awaits nothing",
    "Derive the class from `unittest.IsolatedAsyncioTestCase`, or write functions for pytest.",
)
TEST_DOUBLE = Reason(
    "test-double",
    "{}",
    "Put a coroutine function or an `AsyncMock` there, or one object for each of them.",
)

ALL = tuple(
    sorted((one for one in vars().values() if isinstance(one, Reason)), key=attrgetter("code"))
)
