"""The reasons for which a plain string stays, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

COLON = Reason(
    "colon",
    "`text()` reads `:{}` as a parameter, and the call passes no parameter of that name",
    "Pass it, or write `text()` with a backslash before the colon.",
)
PLACEHOLDERS = Reason(
    "placeholders",
    "`{}` is the driver's own parameter style",
    "Name the parameters, as in `:name`, and pass a dictionary. Or call `exec_driver_sql`.",
)
PERCENT = Reason(
    "percent",
    "the driver interprets the `%` in this SQL, and `text()` does not",
    "Write each `%` for the database once, and wrap the SQL in `text()`.",
)
BACKSLASH = Reason(
    "backslash",
    "`text()` removes the backslash before a colon",
    "Write the backslash twice, and wrap the SQL in `text()`.",
)
KEYWORDS = Reason(
    "keywords", "`{}` is passed as a keyword argument", "Pass the parameters as one dictionary."
)
DRIVER_SQL = Reason(
    "driver-sql",
    "a SQLAlchemy 1.x connection passes this SQL to the driver unchanged",
    "Call `exec_driver_sql`, or wrap it in `text()` if it has no `:`, `%` or `?`.",
)
EXPECTED_FAILURE = Reason(
    "expected-failure",
    "the surrounding code expects that executing a string fails",
    "Expect the error of another statement, or remove that expectation.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
