"""Why pieces that the rule writes are there, for ``awaken explain``."""

from __future__ import annotations

PIECES = {
    ".unique()": "Query removes rows that repeat an object, and these rows may repeat one",
    ".limit(1)": "Query.first() limits the query to one row",
    ".scalar_one()": "a count or an aggregate always returns one row, never None",
    ".scalar_one_or_none()": "Query.scalar() fails on a second row, which session.scalar() hides",
    ".scalars()": "the rows of one mapped class become its objects, as in Query",
    "scalars(": "the query selects one mapped class, so the result has objects, not rows",
    "list(": "the annotation requires a list, and a result returns a sequence",
    "cast(": "without it, a type checker does not know that the result has a row count",
    ".rowcount": "the program reads the number of rows, which Query returned directly",
    ".all()": "Query reads all rows before its iteration begins",
    ".subquery()": "the builders may change the rows, so the count wraps the whole statement",
    ".select_from(": "the class is only counted or searched in, so it is not selected",
    ".correlate(": "the statement is inside another statement",
    ".execution_options(": "`synchronize_session` becomes an option of the statement",
    ".slice(": "a slice of a query becomes LIMIT and OFFSET",
    "lazyload(": "Query loads no relationships in an embedded statement",
    "aliased(": "the result of a set operation is read through an alias of its class",
}
