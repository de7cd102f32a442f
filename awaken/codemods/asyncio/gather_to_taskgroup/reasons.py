"""Why a gather stays."""

from __future__ import annotations

from awaken.contract import Reason

ANYIO_TRIO = Reason(
    "anyio-trio",
    "the file imports `{}`, whose event loop runs no asyncio task group",
    "Open a nursery, or a task group of anyio.",
)
AWAIT_IN_ARGUMENT = Reason(
    "await-in-arg",
    "`{}` lets tasks run before all of them are created",
    "Assign it to a variable before the gather.",
)
CREATED_EARLIER = Reason(
    "created-earlier",
    "`{}` contains running tasks, and a task group accepts only tasks that it starts",
    "Start the tasks in the task group, or keep the gather.",
    asks_nothing=True,
)
DUPLICATE = Reason(
    "dup-awaitable", "`{}` is passed twice, and gather runs it once", "Pass it once."
)
LOOP_KEYWORD = Reason(
    "loop-kw", "`{}` is passed, which is unknown or an error since Python 3.10", "Remove it."
)
NOT_A_COROUTINE = Reason(
    "not-a-coroutine",
    "`{}` may not be a coroutine, and a task group starts only coroutines",
    "If it is one, write the task group by hand. Otherwise keep the gather.",
)
NOT_AWAITED = Reason(
    "not-awaited",
    "the result of the gather is not awaited here",
    "Await it in the coroutine that calls it.",
)
NO_ARGUMENTS = Reason(
    "no-arguments", "the gather has no arguments", "Replace it with an empty list."
)
POSITION = Reason(
    "position",
    "{}",
    "Move the `await` to a separate statement, such as `results = await asyncio.gather(...)`.",
)
TIME_LIMIT = Reason(
    "time-limit",
    "`{}` is not a literal time limit, and would be evaluated before the arguments",
    "Assign it to a variable.",
)
RETURN_EXCEPTIONS = Reason(
    "return-exceptions",
    "exceptions are returned as results, which a task group cannot do",
    "Keep the gather, or catch the exceptions in the coroutines.",
    asks_nothing=True,
)
SHARED_SESSION = Reason(
    "shared-session",
    "several tasks use `{}` at the same time, and a session does not allow that",
    "Await the coroutines one after the other, or give each task its own session.",
)
SHIELD = Reason(
    "shield",
    "`asyncio.shield()` keeps the gather running when the caller is cancelled, but cancellation "
    "ends a task group",
    "Move the task group into a separate coroutine, and shield that coroutine.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
