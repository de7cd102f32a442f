"""The reasons for which nothing is added for an engine, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

NO_LIFESPAN = Reason(
    "no-lifespan",
    "nothing disposes of this engine, and {} has no lifespan in sight",
    "Give the application a lifespan, and end it with `await {engine}.dispose()`.",
)
UNKNOWN_LIFESPAN = Reason(
    "unknown-lifespan",
    "nothing disposes of this engine, and which function the lifespan of {} is cannot be told",
    "End that lifespan with `await {engine}.dispose()`.",
)
HANDLERS = Reason(
    "handlers",
    "nothing disposes of this engine, and {} starts and stops with handlers",
    "Let on-event-to-lifespan move them into a lifespan, or add a shutdown handler that awaits "
    "`{engine}.dispose()`.",
)
SEVERAL_APPLICATIONS = Reason(
    "several-applications",
    "nothing disposes of this engine, and {} applications may use it",
    "End the lifespan of the one that is stopped last with `await {engine}.dispose()`.",
)
SHAPE = Reason(
    "lifespan-shape",
    "nothing disposes of this engine, and `{}` does not simply go on after its `yield`",
    "Await `{engine}.dispose()` where the lifespan ends.",
)
CIRCULAR = Reason(
    "circular-import",
    "nothing disposes of this engine, and its module imports {}, which would have to import it",
    "Import it inside the lifespan, and end that with `await {engine}.dispose()`.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "nothing disposes of this engine, and `{}` means something else in the lifespan's module",
    "Import it under another name, and await its `dispose()` where the lifespan ends.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
