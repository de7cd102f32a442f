"""The reasons for which a client keeps its `app=`, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

NO_APPLICATION = Reason(
    "no-application",
    "{} is None, or may be: that makes a client of the network today",
    "Make the client of the network where there is no application, without `app=`.",
)
TWO_TRANSPORTS = Reason(
    "two-transports",
    "`transport=` is given as well, so httpx ignores `app=` today",
    "Remove the one that is not meant.",
)
IN_MAPPING = Reason(
    "in-mapping",
    "`app` is an item of what `{}` unpacks",
    'Write `"transport": ASGITransport(app=...)` in its place.',
)
OWN_CONSTRUCTOR = Reason(
    "own-constructor",
    "the class inherits from {}, which may be given `app` before httpx is",
    "Write `transport=ASGITransport(app=app)` by hand if httpx is what gets it.",
)
PARTIAL = Reason(
    "partial",
    "`partial` keeps `app=`, and who calls it may pass another one",
    "Write a function that makes the client.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "`{}` already means something else here",
    "Rename that, or write `httpx.ASGITransport` by hand with `import httpx`.",
)
INSIDE_FSTRING = Reason(
    "inside-f-string",
    "the client is made inside an f-string",
    "Put it in a variable first.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
