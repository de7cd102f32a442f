"""Reasons why no eager load can be written for a read."""

from __future__ import annotations

from awaken.contract import Reason
from awaken.kit.reasons import INSIDE_FSTRING

CHOSEN = Reason(
    "load-chosen",
    "`{}` says how it is loaded",
    "Take that away, or write there what the reads need.",
)
CONFLICT = Reason(
    "other-load",
    "the statement may also get `{}`, and SQLAlchemy takes one way only to load a relationship",
    "Write one option for both.",
)
CRITERIA = Reason(
    "own-criteria",
    "`{}` holds for the statement alone, and would hold for what is loaded with it",
    "Leave out `propagate_to_loaders`, or write the load there.",
)
INNER_CODE = Reason(
    "inner-code",
    "`{}` is in a lambda, a decorator or an annotation",
    "Move it into a function first.",
)
KEPT_OPTIONS = Reason(
    "unknown-options",
    "`{}` may be any loader option",
    "Write the options where they are given.",
)
NESTED_REFRESH = Reason(
    "nested-refresh",
    "the object is made here, and a refresh loads no more than its own relationships, not `{}`",
    "Load it by a statement with the options after the commit.",
)
NO_NAME = Reason(
    "no-name",
    "`{}` cannot be named here",
    "Import the class, and add the option.",
)
NO_REFRESH = Reason(
    "no-refresh",
    "`{}` is made here, and is not refreshed in this function",
    "Refresh it after the commit, with the names of the relationships.",
)
NOT_LOADED_AHEAD = Reason(
    "not-loaded-ahead",
    "`{}` is a query of its own, which nothing loads ahead",
    "Run its query where it is needed.",
)
NOT_STATEMENT = Reason(
    "no-statement",
    "`{}` is no statement, and takes no loader options",
    "Load the object by a `select()` with the options.",
)
SHARED = Reason(
    "read-by-some",
    "others get objects of the same statement, and may not read `{}` of them",
    "Pass the options to the function that has the statement, or write one where they are read.",
)
UNKNOWN_ENTITY = Reason(
    "unknown-entity",
    "it is not certain which class `{}` loads",
    "Write the class itself there.",
)
UNKNOWN_STRATEGY = Reason(
    "unknown-strategy",
    "how `{}` is loaded is not in sight",
    "Write `lazy=` as a plain string.",
)

REASONS = (
    CHOSEN,
    CONFLICT,
    CRITERIA,
    INNER_CODE,
    INSIDE_FSTRING,
    KEPT_OPTIONS,
    NESTED_REFRESH,
    NOT_LOADED_AHEAD,
    NOT_STATEMENT,
    NO_NAME,
    NO_REFRESH,
    UNKNOWN_ENTITY,
    UNKNOWN_STRATEGY,
)
"""All of them: each message has the same place for what it is about."""
