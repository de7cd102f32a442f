"""The reasons for which nothing is added for an engine, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

NO_LIFESPAN = Reason(
    "no-lifespan",
    "nothing disposes of this engine, and {} has no visible lifespan",
    "Give the application a lifespan, and end it with `await engine.dispose()`.",
)
UNKNOWN_LIFESPAN = Reason(
    "unknown-lifespan",
    "nothing disposes of this engine, and the lifespan function of {} is unknown",
    "End that lifespan with `await engine.dispose()`.",
)
HANDLERS = Reason(
    "handlers",
    "nothing disposes of this engine, and {} starts and stops with handlers",
    "Let on-event-to-lifespan move them into a lifespan, or add a shutdown handler that awaits "
    "`engine.dispose()`.",
)
SEVERAL_APPLICATIONS = Reason(
    "several-applications",
    "nothing disposes of this engine, and {} applications may use it",
    "End the lifespan of the last application to stop with `await engine.dispose()`.",
)
SHAPE = Reason(
    "lifespan-shape",
    "nothing disposes of this engine, and `{}` has no plain code after its `yield`",
    "Await `engine.dispose()` where the lifespan ends.",
)
CIRCULAR = Reason(
    "circular-import",
    "nothing disposes of this engine, and a new import would be circular: its module imports {}",
    "Import the engine inside the lifespan, and end the lifespan with `await engine.dispose()`.",
)
NAME_TAKEN = Reason(
    "name-taken",
    "nothing disposes of this engine, and `{}` means something else in the lifespan's module",
    "Import it under another name, and await its `dispose()` where the lifespan ends.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
