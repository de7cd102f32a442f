"""The reasons for which a query stays as it is: one stable code each, one sentence, one help."""

from __future__ import annotations

from awaken.contract import Place, Reason
from awaken.kit.sites import Refused as Refused  # noqa: PLC0414  raised by the whole rule

UNPROVEN_SESSION = Reason(
    "unproven-session",
    "nothing proves that `{}` is a session",
    "If it is one, annotate where it comes from, for example `session: Session`.",
)
UNPROVEN_CLASS_QUERY = Reason(
    "unproven-class-query",
    "nothing shows which session `{}` asks",
    "Write it as a query of the session: `session.query(Model)`.",
)
SESSION_OUT_OF_SIGHT = Reason(
    "session-out-of-sight",
    "the session behind the class's `query` has no name here: {}",
    "Import the session, or the Flask-SQLAlchemy object, into this file.",
)
QUERY_OF_INSTANCE = Reason(
    "query-of-instance",
    "`self.query` asks for the class of an instance",
    "Write `type(self).query`.",
)
STAND_IN = Reason(
    "session-stand-in",
    "{}, which has a `query` of its own and need not execute statements",
    "Give it the methods `execute`, `scalars` and `scalar` and rewrite by hand, or pass a session.",
)
UNKNOWN_ENTITY = Reason(
    "unknown-entity",
    "`{}` may be a mapped class (objects come back) or a column (rows come back)",
    "Annotate a class, `model: type[Base]`; label a column, `column.label(...)`.",
)
QUERY_HOOKS = Reason(
    "query-hooks",
    "{}, which select() would bypass",
    "Move it to the `do_orm_execute` event with `with_loader_criteria` first.",
)
KEPT_QUERY = Reason(
    "kept-query",
    "the query is kept {}",
    "Finish it in this expression.",
)
KEPT_BUILDER = Reason(
    "kept-builder",
    "`{}` of a query that is kept in a variable is not followed over statements",
    "Write the whole query as one expression.",
)
DIFFERENT_QUERIES = Reason(
    "different-queries",
    "what the query asks for differs by branch or caller: {}",
    "Give each query a variable of its own.",
)
SESSION_CHANGES = Reason(
    "session-changes",
    "the query would be executed by {}, which need not be the session that it was made with",
    "Keep the session in a variable that is set once, and make the query with that.",
)
SESSION_NOT_PASSED = Reason(
    "session-not-passed",
    "the query would be executed where its session has no name: {}",
    "Pass the session to the function that executes the query, or the result instead of the query.",
)
QUERY_ANNOTATION = Reason(
    "query-annotation",
    "`{}` is annotated as a Query",
    "Remove the annotation, or write `Select[tuple[Model]]`.",
)
TOO_LARGE = Reason(
    "too-large",
    "the queries that share variables and functions with it are too many to follow ({})",
    "Finish some of them where they are made, or split the functions up that share them.",
)
BESIDE_LEFT_OUT = Reason(
    "beside-left-out",
    "the query shares a variable with one that is left alone",
    "Allow that one as well.",
)
TEST_DOUBLE = Reason(
    "test-double",
    "a test answers this query by `{}`, which would not be asked any more",
    "Rewrite the query and the mock together, or give the test a real session, "
    "for example on SQLite in memory.",
)
DOUBLE_OF_QUERY = Reason(
    "double-of-query",
    "this mock of Query keeps {} from being rewritten",
    "Rewrite it together with the queries, so that it answers `execute` and `scalars`, or use a "
    "real session, for example on SQLite in memory.",
)
UNSEEN_DOUBLE = Reason(
    "unseen-double",
    "`{}` is a mock of Query that no code in sight is given",
    "If the function that gets it is rewritten, let it answer `execute` and `scalars`.",
)
PASSED_QUERY = Reason(
    "passed-query",
    "the query is passed on to `{}`, which may rely on Query",
    "Finish it in this expression, or rewrite the function that takes it as well.",
)
RETURNED_QUERY = Reason(
    "returned-query",
    "the query is returned, and its callers may rely on Query",
    "Finish it in this expression, or rewrite its callers as well.",
)
UNSEEN_CALLERS = Reason(
    "unseen-callers",
    "the query goes through {}",
    "Call that function by its name alone; else rewrite it by hand, with all that calls it.",
)
NOT_EXECUTED = Reason(
    "not-executed", "the query is built here but never executed", "Remove it, or call `.all()`."
)
TRUTH_OF_QUERY = Reason(
    "truth-of-query",
    "a Query is always true, whatever the database holds; the truth of select() is an error",
    "Write what is meant: `.first() is not None`, or `exists()`.",
)
TEXT_OF_QUERY = Reason(
    "text-of-query",
    "the SQL text of a Query names its columns otherwise than that of select()",
    "Print `select(...).compile(session.get_bind())` if the labels do not matter.",
)
SLICED_QUERY = Reason(
    "sliced-query",
    "the query is indexed or sliced with `[{}]`, where Query looks at the numbers before it asks",
    "Use numbers that are not negative, or `.limit()` and `.offset()` with `.all()`.",
)
SET_OPERATION = Reason(
    "set-operation",
    "{}: what Query reads off the subquery of the whole cannot be named here",
    "Write `select(aliased(Model, union(...).subquery()))` by hand.",
)
BULK_WRITE = Reason(
    "bulk-write",
    "{} cannot be read here as a bulk write of one mapped class",
    "Write `session.execute(update(Model)...)` or `delete(Model)` by hand.",
)
BULK_WITH_SETTINGS = Reason(
    "bulk-with-settings",
    "`.{}()` has no effect on a bulk update() or delete() today, which is easily overlooked",
    "Remove it, or write what it was meant to do.",
)
BULK_EVENTS = Reason(
    "bulk-events",
    "{}, an event that only bulk writes of Query send",
    "Move it to the `do_orm_execute` event first.",
)
GET_WITH_SETTINGS = Reason(
    "get-with-settings",
    "`.get()` ignores `.{}()` today, which is easily overlooked",
    "Remove it, or pass what is meant to `session.get(Model, key, options=[...])`.",
)
COUNT_WITH_SETTINGS = Reason(
    "count-with-settings",
    "`.count()` follows `.{}()`, which would be lost inside the counted subquery",
    "Build the count by hand and put the setting on the outer statement.",
)
RAISES_TODAY = Reason(
    "raises-today",
    "{}, so this query raises today and its rewrite would not",
    "Repair the query first.",
)
UNCALLED_METHOD = Reason(
    "uncalled-method",
    "`.{}` is read but not called",
    "Call it; if the method itself is wanted, call it through a lambda.",
)
UNKNOWN_METHOD = Reason(
    "unknown-method",
    "`.{}` is not a method of Query that has a counterpart on select()",
    "Rewrite this query by hand.",
)
REMOVED_METHOD = Reason(
    "removed-method",
    "{} is gone in SQLAlchemy 2.0",
    "Repair it by the SQLAlchemy 2.0 migration guide first.",
)
EXTENSION_METHOD = Reason(
    "extension-method",
    "{}",
    "Use the extension's select-based form, for example `db.paginate(select(...))`.",
)
FILTER_BY_TARGET = Reason(
    "filter-by-target",
    "filter_by() here means {}, which cannot be named in this file",
    "Write `.filter(Model.column == value)`, or import the class.",
)
WITH_PARENT = Reason(
    "with-parent",
    "with_parent() without an attribute searches for the relationship itself",
    "Name the relationship: `.with_parent(parent, Model.relationship)`.",
)
TRANSFORMATION = Reason(
    "transformation",
    "with_transformation() hands the Query to a function",
    "Apply the function's criteria here.",
)
LABEL_IN_TEXT = Reason(
    "label-in-text",
    "`{}` is the label that Query gives a column; select() gives it none",
    "Name the column: `.order_by(Model.column)`.",
)
DISTINCT_ORDER_BY = Reason(
    "distinct-order-by",
    "SQLAlchemy 1.4 also selects the ORDER BY columns of a DISTINCT Query; select() does not",
    "Order by selected columns only, or require SQLAlchemy 2.0.",
)
EQUAL_NAMES = Reason(
    "equal-names",
    "two columns are named `{}`: a row of Query gives the last, a row of select() the first",
    "Label one of the columns.",
)
UNLABELLED_KEYS = Reason(
    "unlabelled-keys",
    "the keys of the rows are read, and with select() `{}`, which has no label, has one too",
    "Label the expression: `.label(...)`.",
)
UNHASHABLE_ROWS = Reason(
    "unhashable-rows",
    "`{}` cannot be hashed, and rows with a joined collection must be made unique",
    "Load the collection with selectinload().",
)
NO_SESSION = Reason(
    "no-session",
    "the query is executed without a session in sight",
    "Pass the session: `Query(Model, session)`.",
)
LEGACY_ARGUMENT = Reason(
    "legacy-argument",
    "{} has no counterpart on select()",
    "Rewrite this query by hand.",
)
COMMENT_LOST = Reason(
    "comment-lost",
    "the comment `{}` is in a part that the rewrite leaves out",
    "Move the comment above the statement.",
)
INSIDE_FSTRING = Reason(
    "inside-f-string",
    "the query is inside an f-string",
    "Put its result in a variable first.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))


def kept_builder(end: str, because: tuple[Place, ...] = ()) -> Refused:
    """Return the refusal of a kept query that goes on with the method ``end``, or with ``[i]``."""
    shown = f".{end}()" if end.isidentifier() else end
    return Refused(KEPT_BUILDER, shown, because=because)
