"""The reasons for which a side of a relationship keeps its loading."""

from __future__ import annotations

from awaken.contract import Reason
from awaken.kit.reasons import OUT_OF_SIGHT, reasons_of

PUBLISHED = Reason(
    "published",
    "the project is published, so other programs may read `{}`",
    "Set `published = false` if no other program imports from it.",
)
LAZY_NOT_TOLD = Reason(
    "lazy-not-told",
    "the `lazy=` of `{}` is computed, or comes from `**` arguments",
    "Write `lazy=` with a string literal.",
)
OWNER_NOT_TOLD = Reason(
    "owner-not-told",
    "the class or the name of this relationship is unknown",
    "Assign it to a name in the body of the mapped class.",
)
NOT_MAPPED = Reason(
    "not-mapped",
    "nothing proves that `{}` is mapped, so awaken cannot find its reads",
    "Define its base class once, without conditions, in a file of the project.",
)
TARGET_NOT_TOLD = Reason(
    "target-not-told",
    "the target class of `{}` is unknown",
    "Pass `relationship()` the class, or a name that only one mapped class has.",
)
DECLARED_AGAIN = Reason(
    "declared-again",
    "`{}` is declared more than once, here or in a class that inherits it",
    "Declare it once.",
)
GENERATED = Reason(
    "generated-reads",
    "the generated `repr()` and `==` of the class read `{}`",
    "Add `repr=False` and `compare=False`.",
)
READ_BY_FLUSH = Reason(
    "read-by-flush",
    "deleting an object reads `{}`, because SQLAlchemy uses it to order tables in a cycle",
    "Leave it, because the flush needs it.",
    asks_nothing=True,
)
DELETED_ALONG = Reason(
    "deleted-along",
    "before SQLAlchemy 2.0, a delete reads `{}` like any other code, and would raise",
    "First require SQLAlchemy 2.0 in the project's dependencies.",
)
AWAITED = Reason(
    "awaited-read",
    "{}, and `raise` and `raise_on_sql` forbid that",
    "Load it in the statement, and read it directly.",
)
UNKNOWN_OBJECT = Reason(
    "unknown-object", "{}", "Annotate the object with its class at the read, or set `lazy` by hand."
)
UNKNOWN_LOAD = Reason(
    "unknown-load",
    "{}",
    "Load it in the objects' statement with `selectinload()` or `joinedload()`, then set "
    "`lazy` by hand.",
)
NOT_LOADED = Reason(
    "not-loaded",
    "{}",
    "Load it there by hand, with `selectinload()`, `joinedload()` or `refresh()`, then set `lazy`.",
)
EXPIRED_BY_NAME = Reason(
    "expired-by-name", "{}", "Call `refresh()` with its name before the read, then set `lazy`."
)
WRITTEN_BEFORE = Reason(
    "written-before-read",
    "{}: if it is loaded with the object, the read gets the old value",
    "Call `refresh()` with its name after the write, or commit there. Then set `lazy`.",
)
NEEDS_SQL = Reason(
    "needs-raise-on-sql", "`raise` would break {}", "Allow `raise_on_sql` with the option `mode`."
)

ALL = reasons_of(globals(), OUT_OF_SIGHT)
