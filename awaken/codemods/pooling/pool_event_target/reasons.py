"""Why a listener keeps its target: one stable code each, one sentence, one cure."""

from __future__ import annotations

from awaken.contract import Reason

ASYNC_LISTENER = Reason(
    "async-listener",
    "`{}` is a coroutine function, which events call and never await",
    "Write it as a plain function; the connection that it gets can be used as a blocking one.",
)
CLASS_TARGET = Reason(
    "class-target",
    "`{}` is a class, and events of it do not exist",
    "Listen to its counterpart, `sqlalchemy.Engine` or `sqlalchemy.orm.Session`, which hears of "
    "every one, or to what `sync_engine` or `sync_session` is of one.",
)
EXPECTED_FAILURE = Reason(
    "expected-failure",
    "the code around expects that listening fails",
    "Remove what expects it.",
)
INSIDE_FSTRING = Reason(
    "inside-f-string",
    "the target stands inside an f-string",
    "Put it in a variable first.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
