"""Reasons why no eager load can be written for a read."""

from __future__ import annotations

from awaken.contract import Reason
from awaken.kit.reasons import INSIDE_FSTRING

CHOSEN = Reason(
    "load-chosen",
    "`{}` already sets how it is loaded",
    "Remove that option, or change it to load what the reads need.",
)
CONFLICT = Reason(
    "other-load",
    "the statement may also get `{}`, and SQLAlchemy accepts only one loader option per "
    "relationship",
    "Use one option for both.",
)
CRITERIA = Reason(
    "own-criteria",
    "`{}` applies only to the statement, and would also apply to the relationships it loads",
    "Remove `propagate_to_loaders`, or add the loader option by hand.",
)
INNER_CODE = Reason(
    "inner-code",
    "`{}` is in a lambda, a decorator or an annotation",
    "Move it into a function first.",
)
KEPT_OPTIONS = Reason(
    "unknown-options", "`{}` may be any loader option", "Write the options where they are passed."
)
NESTED_REFRESH = Reason(
    "nested-refresh",
    "the object is made here, and a refresh loads only its own relationships, not `{}`",
    "Load it with a statement that has the options, after the commit.",
)
NO_KEY = Reason(
    "no-key",
    "`{}` loads nothing for an object in the session, and awaken does not know its key",
    "Replace it with a `select()` that has the option.",
)
NO_NAME = Reason(
    "no-name", "`{}` has no name in this file", "Import the class, and add the option."
)
NO_REFRESH = Reason(
    "no-refresh",
    "`{}` is made here, but this function does not refresh it",
    "Refresh it after the commit, with the names of the relationships.",
)
NOT_LOADED_AHEAD = Reason(
    "not-loaded-ahead",
    "`{}` is a separate query, and no loader option applies to it",
    "Run its query where it is needed.",
)
NOT_STATEMENT = Reason(
    "no-statement",
    "`{}` is not a statement, so it accepts no loader options",
    "Load the object with a `select()` that has the options.",
)
SHARED = Reason(
    "read-by-some",
    "other code gets objects of the same statement, and may not read their `{}`",
    "Pass the options to the function that has the statement, or write a separate statement.",
)
UNKNOWN_ENTITY = Reason(
    "unknown-entity", "the class that `{}` loads is unknown", "Write the class itself."
)
UNKNOWN_STRATEGY = Reason(
    "unknown-strategy", "the `lazy=` of `{}` is unknown", "Write `lazy=` as a string literal."
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
