"""The reasons for which a query stays as it is: one stable code each, one sentence, one help."""

from __future__ import annotations

from awaken.contract import Place, Reason
from awaken.kit.sites import Refused as Refused  # noqa: PLC0414  raised by the whole rule

UNPROVEN_SESSION = Reason(
    "unproven-session",
    "nothing proves that `{}` is a session",
    "If it is one, annotate its definition, for example `session: Session`.",
)
UNPROVEN_CLASS_QUERY = Reason(
    "unproven-class-query",
    "nothing shows which session `{}` uses",
    "Start the query from the session: `session.query(Model)`.",
)
SESSION_OUT_OF_SIGHT = Reason(
    "session-out-of-sight",
    "the session that the class's `query` uses has no name here: {}",
    "Import the session, or the Flask-SQLAlchemy object, into this file.",
)
QUERY_OF_INSTANCE = Reason(
    "query-of-instance",
    "`self.query` is read on an instance, not on its class",
    "Write `type(self).query`.",
)
STAND_IN = Reason(
    "session-stand-in",
    "{}, which has its own `query` method and may not execute statements",
    "Add the methods `execute`, `scalars` and `scalar` and rewrite by hand, or pass a session.",
)
UNKNOWN_ENTITY = Reason(
    "unknown-entity",
    "`{}` may be a mapped class, which returns objects, or a column, which returns rows",
    "Annotate a class with `model: type[Base]`, or label a column with `column.label(...)`.",
)
QUERY_HOOKS = Reason(
    "query-hooks",
    "{}, which select() would bypass",
    "First move it to the `do_orm_execute` event with `with_loader_criteria`.",
)
MOCKS_BY_HAND = "rules.query-to-select.mocks_by_hand = true"
"""The answer that has mocks of queries left to the user."""
KEPT_QUERY = Reason(
    "kept-query",
    "awaken can't follow the query: {}",
    "Execute the query in the same expression.",
)
KEPT_BUILDER = Reason(
    "kept-builder",
    "awaken does not follow `{}` of a query in a variable across statements",
    "Write the whole query as one expression.",
)
DIFFERENT_QUERIES = Reason(
    "different-queries",
    "the query selects different things by branch or caller: {}",
    "Give each query its own variable.",
)
SESSION_CHANGES = Reason(
    "session-changes",
    "the query would be executed by {}, which may not be the session that made it",
    "Keep the session in a variable that is assigned once, and make the query with that variable.",
)
SESSION_NOT_PASSED = Reason(
    "session-not-passed",
    "the query would be executed where its session has no name: {}",
    "Pass the session to the function that executes the query, or pass the result.",
)
QUERY_ANNOTATION = Reason(
    "query-annotation",
    "`{}` is annotated as a Query",
    "Remove the annotation, or write `Select[tuple[Model]]`.",
)
TOO_LARGE = Reason(
    "too-large",
    "it shares variables and functions with too many other queries ({})",
    "Execute some of them where they are made, or split the functions that share them.",
)
BESIDE_LEFT_OUT = Reason(
    "beside-left-out",
    "the query shares a variable with a query that is left alone",
    "Allow the other query as well.",
)
TEST_DOUBLE = Reason(
    "test-double",
    "a test mocks this query with `{}`, which the rewritten code would no longer call",
    "Rewrite the query and the mock together, or give the test a real session, such as "
    "in-memory SQLite.",
)
DOUBLE_OF_QUERY = Reason(
    "double-of-query",
    "this mock of Query keeps {} from being rewritten",
    "Rewrite it together with the queries, so that it mocks `execute` and `scalars`. Or "
    "use a real session, such as in-memory SQLite.",
)
UNSEEN_DOUBLE = Reason(
    "unseen-double",
    "`{}` is a mock of Query, and awaken sees no code that gets it",
    "If the function that gets it is rewritten, mock `execute` and `scalars`.",
)
PASSED_QUERY = Reason(
    "passed-query",
    "the query is passed on to `{}`, which may rely on Query",
    "Execute it in the same expression, or rewrite the function that takes it.",
)
RETURNED_QUERY = Reason(
    "returned-query",
    "the query is returned, and its callers may rely on Query",
    "Execute it in the same expression, or rewrite its callers.",
)
NOT_ALWAYS_RETURNED = Reason(
    "not-always-returned",
    "the query is returned by {}",
    "Execute the query in the function. Or return it on every path, after any `with` block.",
)
UNSEEN_CALLERS = Reason(
    "unseen-callers",
    "the query goes through {}",
    "Call that function only by its name, or rewrite it and its callers by hand.",
)
NOT_EXECUTED = Reason(
    "not-executed", "the query is built here but never executed", "Remove it, or call `.all()`."
)
TRUTH_OF_QUERY = Reason(
    "truth-of-query",
    "a Query is always true, even without rows, but `bool(select(...))` raises",
    "Write the intended test: `.first() is not None`, or `exists()`.",
)
TEXT_OF_QUERY = Reason(
    "text-of-query",
    "the SQL text of a Query has other column names than the text of a select()",
    "Print `select(...).compile(session.get_bind())` if the labels do not matter.",
)
SLICED_QUERY = Reason(
    "sliced-query",
    "the query is indexed or sliced with `[{}]`, and Query checks the numbers before it executes",
    "Use non-negative numbers, or `.limit()` and `.offset()` with `.all()`.",
)
SET_OPERATION = Reason(
    "set-operation",
    "{}: awaken cannot name the columns that Query reads from the subquery",
    "Write `select(aliased(Model, union(...).subquery()))` by hand.",
)
BULK_WRITE = Reason(
    "bulk-write",
    "{} is not recognized as a bulk write of one mapped class",
    "Write `session.execute(update(Model)...)` or `delete(Model)` by hand.",
)
BULK_WITH_SETTINGS = Reason(
    "bulk-with-settings",
    "`.{}()` has no effect on a bulk update() or delete() today, which looks like a mistake",
    "Remove it, or write the intended filter.",
)
BULK_EVENTS = Reason(
    "bulk-events",
    "{}, an event that only bulk writes of Query fire",
    "First move it to the `do_orm_execute` event.",
)
GET_WITH_SETTINGS = Reason(
    "get-with-settings",
    "`.get()` ignores `.{}()` today, which looks like a mistake",
    "Remove it, or pass the options: `session.get(Model, key, options=[...])`.",
)
COUNT_WITH_SETTINGS = Reason(
    "count-with-settings",
    "`.count()` follows `.{}()`, and the counted subquery would lose that setting",
    "Write the count by hand, with the setting on the outer statement.",
)
RAISES_TODAY = Reason(
    "raises-today",
    "{}, so this query raises today, but its rewrite would not",
    "Fix the query first.",
)
UNCALLED_METHOD = Reason(
    "uncalled-method",
    "`.{}` is read but not called",
    "Call it. If you need the method itself, wrap the call in a lambda.",
)
UNKNOWN_METHOD = Reason(
    "unknown-method", "`.{}` has no counterpart on select()", "Rewrite this query by hand."
)
REMOVED_METHOD = Reason(
    "removed-method",
    "SQLAlchemy 2.0 removed {}",
    "First replace it as the SQLAlchemy 2.0 migration guide says.",
)
EXTENSION_METHOD = Reason(
    "extension-method",
    "{}",
    "Use the extension's select-based form, for example `db.paginate(select(...))`.",
)
FILTER_BY_TARGET = Reason(
    "filter-by-target",
    "filter_by() here filters {}, which has no name in this file",
    "Write `.filter(Model.column == value)`, or import the class.",
)
WITH_PARENT = Reason(
    "with-parent",
    "with_parent() without an attribute chooses the relationship itself",
    "Name the relationship: `.with_parent(parent, Model.relationship)`.",
)
TRANSFORMATION = Reason(
    "transformation",
    "with_transformation() passes the Query to a function",
    "Apply the function's criteria here.",
)
LABEL_IN_TEXT = Reason(
    "label-in-text",
    "`{}` is a label that Query adds to a column, and select() adds none",
    "Name the column: `.order_by(Model.column)`.",
)
DISTINCT_ORDER_BY = Reason(
    "distinct-order-by",
    "SQLAlchemy 1.4 also selects the ORDER BY columns of a DISTINCT Query; select() does not",
    "Order by selected columns only, or require SQLAlchemy 2.0.",
)
EQUAL_NAMES = Reason(
    "equal-names",
    "two columns are named `{}`: rows of Query return the last, rows of select() the first",
    "Label one of the columns.",
)
UNLABELLED_KEYS = Reason(
    "unlabelled-keys",
    "the program reads the keys of the rows, and with select() the unlabelled `{}` has a key too",
    "Label the expression: `.label(...)`.",
)
UNHASHABLE_ROWS = Reason(
    "unhashable-rows",
    "`{}` is not hashable, and rows with a joined collection need `unique()`",
    "Load the collection with selectinload().",
)
NO_SESSION = Reason(
    "no-session",
    "the query is executed, but no session is visible",
    "Pass the session: `Query(Model, session)`.",
)
LEGACY_ARGUMENT = Reason(
    "legacy-argument", "{} has no counterpart on select()", "Rewrite this query by hand."
)
COMMENT_LOST = Reason(
    "comment-lost",
    "the rewrite would remove the comment `{}`",
    "Move the comment above the statement.",
)
INSIDE_FSTRING = Reason(
    "inside-f-string", "the query is inside an f-string", "Assign its result to a variable first."
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))


def kept_builder(end: str, because: tuple[Place, ...] = ()) -> Refused:
    """Return the refusal of a kept query that goes on with the method ``end``, or with ``[i]``."""
    shown = f".{end}()" if end.isidentifier() else end
    return Refused(KEPT_BUILDER, shown, because=because)
