"""Why a gather stays."""

from __future__ import annotations

from awaken.contract import Reason

ANYIO_TRIO = Reason(
    "anyio-trio",
    "the file imports `{}`, under which no task group of asyncio runs",
    "Open a nursery, or a task group of anyio.",
)
AWAIT_IN_ARGUMENT = Reason(
    "await-in-arg",
    "`{}` lets tasks run before all of them are made",
    "Give it a variable in front of the gather.",
)
CREATED_EARLIER = Reason(
    "created-earlier",
    "`{}` holds tasks that run already, and a task group only holds those that it starts",
    "Start them in the task group, or keep the gather.",
    asks_nothing=True,
)
DUPLICATE = Reason(
    "dup-awaitable",
    "`{}` is passed twice, which gather runs once",
    "Pass it once.",
)
LOOP_KEYWORD = Reason(
    "loop-kw",
    "`{}` is passed, which is an error since Python 3.10 or cannot be told",
    "Remove it.",
)
NOT_A_COROUTINE = Reason(
    "not-a-coroutine",
    "`{}` is not proven to be a coroutine, and a task group starts nothing else",
    "If it is one, write the task group by hand; else keep the gather.",
)
NOT_AWAITED = Reason(
    "not-awaited",
    "what it gives is not awaited here",
    "Await it in the coroutine that calls it.",
)
NO_ARGUMENTS = Reason(
    "no-arguments",
    "it is given nothing to run",
    "Remove it; it gives an empty list.",
)
POSITION = Reason(
    "position",
    "{}",
    "Give the `await` a statement of its own, such as `results = await asyncio.gather(...)`.",
)
TIME_LIMIT = Reason(
    "time-limit",
    "`{}` is no plain time limit, and would be evaluated before the arguments",
    "Give it a variable.",
)
RETURN_EXCEPTIONS = Reason(
    "return-exceptions",
    "exceptions are returned as results, which a task group cannot do",
    "Keep the gather, or catch the exceptions in the coroutines.",
    asks_nothing=True,
)
SHARED_SESSION = Reason(
    "shared-session",
    "`{}` is used by several tasks at once, which a session does not allow",
    "Await them one after the other, or give each a session of its own.",
)
SHIELD = Reason(
    "shield",
    "`asyncio.shield()` keeps it running when the caller is cancelled, which ends a task group",
    "Put the task group into a coroutine of its own, and shield that.",
)

ALL = (
    ANYIO_TRIO,
    AWAIT_IN_ARGUMENT,
    CREATED_EARLIER,
    DUPLICATE,
    LOOP_KEYWORD,
    NOT_A_COROUTINE,
    NOT_AWAITED,
    NO_ARGUMENTS,
    POSITION,
    TIME_LIMIT,
    RETURN_EXCEPTIONS,
    SHARED_SESSION,
    SHIELD,
)
