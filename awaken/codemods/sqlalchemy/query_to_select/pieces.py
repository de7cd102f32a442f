"""Why pieces that the rule writes are there, for ``awaken explain``."""

from __future__ import annotations

PIECES = {
    ".unique()": "Query leaves out rows that repeat an object, and here some may",
    ".limit(1)": "Query.first() asks the database for one row",
    ".scalar_one()": "a count or an aggregate always gives one row, and never None",
    ".scalar_one_or_none()": "Query.scalar() fails on a second row, which session.scalar() hides",
    ".scalars()": "rows of one mapped class become the objects, as Query gives them",
    "scalars(": "one mapped class is asked for, so objects come and not rows",
    "list(": "an annotation asks for a list, and a result promises a sequence",
    "cast(": "a type checker no longer knows that the result counts rows",
    ".rowcount": "the number of rows is read, which Query gave by itself",
    ".all()": "Query reads all rows at once where it is iterated",
    ".subquery()": "what is counted may change by builders, so it is counted as a whole",
    ".select_from(": "the class is only counted, or looked for, so it is not selected",
    ".correlate(": "the statement is inside another one",
    ".execution_options(": "`synchronize_session` is an option of the statement now",
    ".slice(": "a slice of a query is LIMIT and OFFSET",
    "lazyload(": "Query loads nothing with an embedded statement",
    "aliased(": "what a set operation gives is read by an alias of its class",
}
