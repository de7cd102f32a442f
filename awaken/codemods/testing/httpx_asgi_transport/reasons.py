"""The reasons for which a client keeps its `app=`, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

NO_APPLICATION = Reason(
    "no-application",
    "{} is None or may be None, which makes a network client today",
    "Create the network client separately, without `app=`.",
)
TWO_TRANSPORTS = Reason(
    "two-transports",
    "`transport=` is passed as well, so httpx ignores `app=` today",
    "Remove one of the two arguments.",
)
IN_MAPPING = Reason(
    "in-mapping",
    "`app` is an item of what `{}` unpacks",
    'Write `"transport": ASGITransport(app=...)` instead.',
)
OWN_CONSTRUCTOR = Reason(
    "own-constructor",
    "the class inherits from {}, which may receive `app` before httpx does",
    "If httpx receives it, write `transport=ASGITransport(app=app)` by hand.",
)
PARTIAL = Reason(
    "partial",
    "`partial` keeps `app=`, and its callers may pass another one",
    "Write a function that creates the client.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename it, or write `httpx.ASGITransport` by hand with `import httpx`.",
)
INSIDE_FSTRING = Reason(
    "inside-f-string", "the client is created inside an f-string", "Assign it to a variable first."
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
