"""The reasons for which a plain string stays, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

COLON = Reason(
    "colon",
    "`text()` takes `:{}` for a parameter, and none of that name is passed",
    "Pass it, or write `text()` with a backslash in front of the colon.",
)
PLACEHOLDERS = Reason(
    "placeholders",
    "`{}` is the driver's own way to pass parameters",
    "Name the parameters, as in `:name`, and pass a dictionary; or call `exec_driver_sql`.",
)
PERCENT = Reason(
    "percent",
    "the driver reads the `%` in this SQL, which `text()` does not",
    "Write each `%` once where it is meant for the database, and wrap it in `text()`.",
)
BACKSLASH = Reason(
    "backslash",
    "`text()` removes the backslash in front of a colon",
    "Write it twice, and wrap it in `text()`.",
)
KEYWORDS = Reason(
    "keywords",
    "`{}` is passed as a keyword argument",
    "Pass the parameters as one dictionary.",
)
DRIVER_SQL = Reason(
    "driver-sql",
    "a connection of SQLAlchemy 1.x hands this SQL to the driver as it is, whatever it holds",
    "Call `exec_driver_sql`, or wrap it in `text()` where it has no `:`, `%` and `?`.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
