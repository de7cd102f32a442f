"""The reasons for which a side of a relationship keeps its loading."""

from __future__ import annotations

from awaken.contract import Reason
from awaken.kit.eager_loads.reasons import SHARED
from awaken.kit.reasons import OUT_OF_SIGHT

PUBLISHED = Reason(
    "published",
    "the project is published: other programs may read `{}`",
    "Say `published = false` in the settings if nobody imports from it.",
)
LAZY_NOT_TOLD = Reason(
    "lazy-not-told",
    "the `lazy=` of `{}` is computed, or comes out of `**` arguments",
    "Write `lazy=` with a plain string.",
)
OWNER_NOT_TOLD = Reason(
    "owner-not-told",
    "awaken cannot tell which class has this relationship, or what it is called there",
    "Assign it to a name in the body of the mapped class.",
)
NOT_MAPPED = Reason(
    "not-mapped",
    "nothing in sight proves that `{}` is mapped, so that its reads cannot be found",
    "Have its base made in one way, without conditions, in a file that awaken sees.",
)
TARGET_NOT_TOLD = Reason(
    "target-not-told",
    "awaken cannot tell to which class `{}` leads",
    "Give `relationship()` the class, or a name that only one mapped class has.",
)
DECLARED_AGAIN = Reason(
    "declared-again",
    "`{}` is declared more than once, here or in a class that inherits it",
    "Declare it once.",
)
GENERATED = Reason(
    "generated-reads",
    "the `repr()` and `==` that are generated for the class read `{}`",
    "Add `repr=False` and `compare=False`.",
)
READ_BY_FLUSH = Reason(
    "read-by-flush",
    "deleting an object reads `{}`: tables that refer to each other in a circle are sorted by it",
    "Leave it: the flush needs it.",
    asks_nothing=True,
)
DELETED_ALONG = Reason(
    "deleted-along",
    "before SQLAlchemy 2.0, a delete reads `{}` as any code does, and would raise",
    "Require SQLAlchemy 2.0 first: say so where the requirements are declared.",
)
AWAITED = Reason(
    "awaited-read",
    "{}, which `raise` and `raise_on_sql` forbid",
    "Have its statement load it, and read it directly.",
)
UNKNOWN_OBJECT = Reason(
    "unknown-object",
    "{}",
    "Annotate the object with its class where it is read, or set `lazy` by hand.",
)
UNKNOWN_LOAD = Reason(
    "unknown-load",
    "{}",
    "Load it where the objects come from, with `selectinload()` or `joinedload()`, and set `lazy`"
    " by hand.",
)
NOT_LOADED = Reason(
    "not-loaded",
    "{}",
    "Load it there by hand, with `selectinload()`, `joinedload()` or `refresh()`, then set `lazy`.",
)
LOADED_BY_GET = Reason(
    "loaded-by-get",
    "{}",
    "Write `select()` with the option in place of `get()` there, then set `lazy`.",
)
EXPIRED_BY_NAME = Reason(
    "expired-by-name",
    "{}",
    "Call `refresh()` with its name before it is read, then set `lazy`.",
)
WRITTEN_BEFORE = Reason(
    "written-before-read",
    "{}: loaded with the object, it would be the one from before",
    "Call `refresh()` with its name after the write, or commit there, then set `lazy`.",
)
NEEDS_SQL = Reason(
    "needs-raise-on-sql",
    "`raise` would break {}",
    "Allow `raise_on_sql` with the option `mode`.",
)

ALL = (
    PUBLISHED,
    OUT_OF_SIGHT,
    LAZY_NOT_TOLD,
    OWNER_NOT_TOLD,
    NOT_MAPPED,
    TARGET_NOT_TOLD,
    DECLARED_AGAIN,
    GENERATED,
    READ_BY_FLUSH,
    DELETED_ALONG,
    AWAITED,
    UNKNOWN_OBJECT,
    UNKNOWN_LOAD,
    NOT_LOADED,
    SHARED,
    LOADED_BY_GET,
    EXPIRED_BY_NAME,
    WRITTEN_BEFORE,
    NEEDS_SQL,
)
