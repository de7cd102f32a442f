"""The decision about a query that loads, or is embedded in another statement."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import (
    Decision,
    note_sqlalchemy_name,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.get import caveats_of, settings_of
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import has_call, join_operands
from awaken.codemods.sqlalchemy.query_to_select.decide.taken import caveats_of_taken
from awaken.codemods.sqlalchemy.query_to_select.payload import LinkEdit, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import (
    OF_SESSION,
    ONE_BY_ONE,
    TAKEN,
    Chain,
    Link,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.help import refuse_unknown
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.results.given import (
    caveats_of_given,
    flushes_first,
    is_buffered,
    is_surely_unique,
    may_load_collection,
)
from awaken.codemods.sqlalchemy.query_to_select.results.laziness import runs_later
from awaken.codemods.sqlalchemy.query_to_select.results.row_keys import (
    caveats_of_statement,
    key_caveats,
)
from awaken.codemods.sqlalchemy.query_to_select.results.typed import asks_list, is_typed
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import translate
from awaken.codemods.sqlalchemy.query_to_select.statements.labels import label_caveats
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement
from awaken.knowledge import knowledge
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.loads.embedded import exists_in
from awaken.project.frameworks.loads.entities import classify_all
from awaken.project.frameworks.loads.query_items import Item, Kind, What, doubts_of, kind_of
from awaken.project.frameworks.loads.repeats import is_loader

SessionFrom = Literal["receiver", "argument"] | int
_ONE_BY_ONE = frozenset({"for", "yield from"}) | ONE_BY_ONE
_NOT_COMPARED = frozenset({"one", "one_or_none", "scalar"})
_PICKLED = "PickleType"
"""Uses between the rows of which other statements may run."""
# They hold for the statement that is executed, which would be the count around this one.
_COUNT_SETTINGS = frozenset({"autoflush", "execution_options"})


def decide_loading(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of ``chain``; raises Refused."""
    if chain.end == "get":
        settings = settings_of(reader, chain)
        return Decision(settings, caveats=list(caveats_of(reader, chain)))
    if chain.end == TAKEN:
        return _decide_taken(reader, chain)
    embeds = chain.ending in {"embedded", "argument", "read"}
    # An embedded or counted query makes no objects, so nothing is loaded with them.
    loads = chain.ending in {"executed", "iterated", "read"} and chain.end != "count"
    is_given = chain.ending == "argument" and chain.end in OF_SESSION
    statement = translate(reader, chain, loads or is_given)
    # `query().add_columns(...)` is fine: it asks for something in the end.
    if not statement.items and not statement.changed_items:
        raise Refused(reasons.RAISES_TODAY, "query() selects nothing")
    check_distinct(statement)
    decision = _decide_embedded(statement) if embeds else decide_executed(statement)
    decision.caveats += caveats_of_given(statement, chain.links) if is_given else []
    decision.needs += statement.needs
    join_operands(statement, decision)
    return decision


def _decide_taken(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of what a library executes."""
    statement = translate(reader, chain, executed=True)
    check_distinct(statement)
    decision = Decision(None, caveats=caveats_of_taken(statement, chain.links))
    select = note_sqlalchemy_name(statement, decision, "select")
    decision.needs += statement.needs
    links = tuple(statement.edits)
    decision.data = QueryRewrite(select=select, links=links, last=None, ended="not")
    return decision


# -------------------------------------------------------------------------------------- embedded
def _decide_embedded(statement: Statement) -> Decision:
    chain = statement.chain
    decision = Decision(None)
    select = note_sqlalchemy_name(statement, decision, "select")
    # An embedded select() needs no session, and whatever made one is not asked.
    if chain.receiver is not None and has_call(chain.receiver):
        decision.caveats.append(f"`{ast.unparse(chain.receiver)}` is no longer called")
    if chain.end == "exists":
        decision.data = _exists(statement, decision, select)
        return decision
    # `as_scalar()` is the deprecated name of the same method.
    last = {"as_scalar": "scalar_subquery"}.get(chain.end, chain.end)
    terminator = chain.terminator
    if terminator is not None and chain.end == "subquery":
        _check_subquery(terminator)
    if chain.end == "statement":
        decision.caveats += caveats_of_statement(statement)
    ended: Literal["call", "attribute", "not"] = "call" if terminator else "not"
    if chain.ending == "read":
        ended = "attribute"
    decision.data = QueryRewrite(
        select=select,
        links=tuple(statement.edits),
        last=None if last == "statement" or ended == "not" else last,
        ended=ended,
    )
    return decision


def _check_subquery(terminator: ast.Call) -> None:
    for keyword in terminator.keywords:
        # `with_labels` and `reduce_columns` are arguments of Query.subquery() alone.
        if keyword.arg != "name":
            raise Refused(reasons.LEGACY_ARGUMENT, f"subquery({keyword.arg or '**'}=...)")
    if len(terminator.args) > 1:
        raise Refused(reasons.LEGACY_ARGUMENT, "subquery() with these arguments")


def _exists(statement: Statement, decision: Decision, select: str) -> QueryRewrite:
    chain = statement.chain
    if statement.from_statement:
        raise Refused(reasons.RAISES_TODAY, "exists() follows from_statement()")
    terminator = chain.terminator
    if terminator is None or terminator.args or terminator.keywords:
        raise Refused(reasons.RAISES_TODAY, "exists() takes no arguments")
    if statement.changed_items:
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() follows a change of the columns")
    source = _exists_source(statement)
    _refuse_comment_in(statement.reader, chain.root)
    return QueryRewrite(
        select=select,
        links=tuple(statement.edits),
        # Query selects 1 as well: with an aggregate in its place, EXISTS would always be true.
        shape="one",
        source=source,
        wrap="exists",
        exists=note_sqlalchemy_name(statement, decision, "exists"),
    )


def _exists_source(statement: Statement) -> str | None:
    """Return what ``Query.exists()`` adds to FROM, which ``select(1)`` does not name.

    This is the mapped class in the first item. A text, a literal or a Table has none.
    """
    first = statement.items[0]
    owner = None if first.mixed else first.owner
    if statement.selects_from:
        sources = {ast.unparse(node) for node in statement.sources}
        is_added = not statement.joined and first.what is What.ENTITY and owner not in sources
        return owner if is_added else None
    of_table = first.is_of_table or (first.what is What.SELECTABLE and first.orm is False)
    if not statement.joined and (of_table or _names_no_class(statement.reader, first.node)):
        return None
    # Columns of a Table or subquery are found in `.c`; a join starts at the whole.
    if owner is not None and first.is_of_table:
        owner = owner.rpartition(".")[0]
    is_subquery = first.what is What.SELECTABLE and first.orm is not False
    if is_subquery or owner is None or not owner.replace(".", "").isidentifier():
        help_text = "Name the table to select from: `.select_from(Model)`."
        raise Refused(reasons.UNKNOWN_ENTITY, ast.unparse(first.node), help_text)
    return owner


def _names_no_class(reader: Reader, node: ast.expr) -> bool:
    """Whether ``node`` is a text, a value, or a function of these."""
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Constant)
    if reader.library_name(node.func) in sql_names().of_no_class:
        return True
    is_function = reader.function_name(node.func) is not None
    return is_function and all(_names_no_class(reader, argument) for argument in node.args)


def _refuse_comment_in(reader: Reader, root: ast.Call | ast.Attribute) -> None:
    module = reader.module
    first = root.func if isinstance(root, ast.Call) else root.value
    start, end = module.span(first).end, module.span(root).end
    refuse_comment(module.source.text[start:end])


# -------------------------------------------------------------------------------------- executed
def decide_executed(statement: Statement) -> Decision:
    """Decide how ``statement`` is executed where its query is; raises Refused."""
    chain = statement.chain
    decision = Decision(None)
    select = note_sqlalchemy_name(statement, decision, "select")
    session = session_of(statement)
    decision.caveats += (*doubts_of(statement.items), *label_caveats(statement))
    if chain.end == "count":
        decision.data = _count(statement, decision, select, session)
        return decision
    if chain.end in {"value", "values"}:
        decision.data = _values(statement, decision, select, session)
        return decision
    items = statement.items
    refuse_unknown(statement.reader, items)
    kind = kind_of(items)
    _check_autoflush(statement, decision)
    # The legacy keys matter to rows only: an object has none.
    if kind is not Kind.ENTITY or statement.as_rows:
        decision.caveats += key_caveats(statement)
    _check_assumed(items, decision)
    if kind is not Kind.ROWS and chain.end != "first":
        _check_portions(statement, decision)
    unique = _needs_unique(statement, kind, decision)
    if chain.end == "scalar":
        decision.data = _scalar(statement, kind, unique, select, session)
        return decision
    extra: tuple[str, ...] = ()
    if chain.end == "first":
        # After LIMIT 1 nothing repeats, and a joined collection is loaded in full all the same.
        unique = False
        # Query.first() sets LIMIT 1, but leaves a statement of from_statement() as it is.
        if not statement.from_statement and not _ends_with_one(statement):
            extra = ("limit(1)",)
    if chain.ending == "iterated" and runs_later(statement.reader.module, chain.node):
        decision.caveats.append(
            "the statement runs when its iterator is made, not when the first row is read"
        )
    runs, then = _execution(statement, kind, unique)
    last = chain.end if chain.ending == "executed" else None
    # dict() takes a Result, which has `keys()`, for a mapping; Query reads all rows first.
    if chain.end == "dict" or (chain.end in _ONE_BY_ONE and not is_buffered(statement)):
        then = (*then, "all")
    decision.data = QueryRewrite(
        select=select,
        links=tuple(statement.edits),
        extra=extra,
        runs=runs,
        then=then,
        last=last,
        ended="call" if last else "not",
        session=session,
        given_to="list" if last == "all" and gives_list(statement) else "",
    )
    return decision


def gives_list(statement: Statement) -> bool:
    """Whether what is executed has to be made a list for a type checker."""
    chain, reader = statement.chain, statement.reader
    return _is_typed(statement) and asks_list(reader, chain.node)


def _is_typed(statement: Statement) -> bool:
    """Whether a type checker knows what the query, and what it becomes, gives here."""
    chain = statement.chain
    return is_typed(statement.reader, chain.node, chain.receiver or chain.session_argument)


def session_of(statement: Statement) -> SessionFrom:
    """Return where the session that executes ``statement`` is written; raises Refused."""
    if statement.session is not None:
        return statement.session
    if statement.chain.receiver is not None:
        return "receiver"
    if statement.chain.session_argument is None:
        raise Refused(reasons.NO_SESSION)
    return "argument"


def _ends_with_one(statement: Statement) -> bool:
    links = statement.chain.links
    return statement.one_row_limit and bool(links) and links[-1].name == "limit"


def _execution(statement: Statement, kind: Kind, unique: bool) -> tuple[str, tuple[str, ...]]:
    """Return the session's method, and the calls on its result before the terminator."""
    uniquely = ("unique",) if unique else ()
    if kind is not Kind.ENTITY or statement.as_rows:
        # Query gives rows here, of which `scalars()` would keep the first column only.
        return "execute", uniquely
    # Session.scalars came with 1.4.24.
    if statement.reader.project.targets.admits("sqlalchemy", "<1.4.24"):
        return "execute", ("scalars", *uniquely)
    return "scalars", uniquely


def _scalar(
    statement: Statement, kind: Kind, unique: bool, select: str, session: SessionFrom
) -> QueryRewrite:
    edits = tuple(statement.edits)
    if _gives_one_row(statement, kind):
        if _is_typed(statement) and _surely_gives_a_row(statement):
            return QueryRewrite(
                select=select, links=edits, runs="execute", last="scalar_one", session=session
            )
        return QueryRewrite(select=select, links=edits, runs="scalar", last=None, session=session)
    then: tuple[str, ...] = ("unique",) if unique else ()
    # Query.scalar() raises for a second row, which `session.scalar()` would hide.
    last = "scalar_one_or_none"
    # unique().scalar_one_or_none() fails on an object before 1.4.10.
    old = statement.reader.project.targets.admits("sqlalchemy", "<1.4.10")
    if unique and kind is Kind.ENTITY and old:
        then, last = ("scalars", "unique"), "one_or_none"
    return QueryRewrite(
        select=select, links=edits, runs="execute", then=then, last=last, session=session
    )


def _gives_one_row(statement: Statement, kind: Kind) -> bool:
    """Whether at most one row can come back, so that ``session.scalar`` hides nothing."""
    # A text may give any number of rows, and GROUP BY gives one for each group.
    if statement.from_statement or statement.grouped:
        return False
    # Without GROUP BY, aggregates come to one row.
    if kind is Kind.ROWS and all(item.aggregate for item in statement.items):
        return True
    if statement.one_row_limit and kind is Kind.ROWS:
        return True
    if not all(item.constant for item in statement.items):
        return False
    # Constants give one row, unless a FROM multiplies it; EXISTS brings none into FROM.
    return not (statement.joined or statement.selects_from) and all(
        exists_in(statement.reader, node) is not None for node in statement.criteria
    )


def _surely_gives_a_row(statement: Statement) -> bool:
    """Whether a row comes back whatever is stored: nothing but criteria in front of aggregates."""
    if not statement.is_plain:
        return False
    is_bare = not statement.chain.links and not statement.continued
    return is_bare or all(item.aggregate for item in statement.items)


def _values(
    statement: Statement, decision: Decision, select: str, session: SessionFrom
) -> QueryRewrite:
    """``value(column)`` is the first value, ``values(...)`` iterates the rows."""
    chain = statement.chain
    terminator = chain.terminator
    if terminator is None or not terminator.args or terminator.keywords:
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() with these arguments")
    for name in ("from_statement", "options"):
        if any(link.name == name for link in chain.links):
            raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() after {name}()")
    # The arguments take the place of all that query() was asked for.
    statement.items = classify_all(statement.reader, terminator.args)
    refuse_unknown(statement.reader, statement.items)
    if kind_of(statement.items) is not Kind.ROWS:
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() of a mapped class")
    _check_autoflush(statement, decision)
    decision.caveats += key_caveats(statement)
    return QueryRewrite(
        select=select,
        links=(*statement.edits, LinkEdit("with_only_columns")),
        runs="scalar" if chain.end == "value" else "execute",
        last=None,
        ended="not",
        session=session,
    )


# ----------------------------------------------------------------------------------------- count
def check_counted(reader: Reader, link: Link) -> None:
    """Raise Refused if ``link`` does something to a query that its subquery would not do."""
    changes = link.name == "options" and not all(is_loader(reader, node) for node in link.call.args)
    if changes or link.name in _COUNT_SETTINGS:
        raise Refused(reasons.COUNT_WITH_SETTINGS, link.name)


def _count(
    statement: Statement, decision: Decision, select: str, session: SessionFrom
) -> QueryRewrite:
    for link in statement.chain.links:
        check_counted(statement.reader, link)
    if statement.from_statement:
        raise Refused(reasons.RAISES_TODAY, "count() follows from_statement()")
    func = note_sqlalchemy_name(statement, decision, "func")
    edits = tuple(statement.edits)
    # `session.scalar()` may be None for a type checker; there is always one count.
    runs, last = ("execute", "scalar_one") if _is_typed(statement) else ("scalar", None)
    if _counts_shortly(statement):
        return QueryRewrite(
            select=select,
            # Loader options raise where no class is selected, and a count needs no order.
            links=tuple(_without_order(statement)),
            shape="count",
            source=_class_of_key(statement),
            func=func,
            runs=runs,
            last=last,
            session=session,
        )
    _check_autoflush(statement, decision)
    return QueryRewrite(
        select=select, links=edits, wrap="count", func=func, runs=runs, last=last, session=session
    )


def _counts_shortly(statement: Statement) -> bool:
    """Whether the rows of one FROM are counted, so that no subquery is needed."""
    items = statement.items
    if not statement.is_plain or len(items) != 1:
        return False
    if items[0].what is not What.ENTITY and _class_of_key(statement) is None:
        return False
    # The variable holds a select of its items already, not of a count.
    if statement.continued:
        return False
    if items[0].aliased and not isinstance(items[0].node, ast.Name):
        return False
    root = statement.chain.root
    # They become the arguments of `select_from()`, which `Query(User, session)` does not fit.
    if isinstance(root, ast.Call) and len(root.args) != 1:
        return False
    if isinstance(statement.chain.items[0], ast.Starred):
        return False
    try:
        # The count of a subquery drops no builder, and so no comment: it is written instead.
        _refuse_dropped_comments(statement)
    except Refused:
        return False
    return True


def _class_of_key(statement: Statement) -> str | None:
    """Return the class of whose rows the key alone is asked for; None for any other item."""
    (item,) = statement.items
    node, model = item.node, item.model
    if item.what is not What.COLUMN or item.aliased or not isinstance(node, ast.Attribute):
        return None
    mapped = statement.reader.project.orm.mapped_class(model) if model else None
    column = None if mapped is None else mapped.columns.get(node.attr)
    # Other names may refer to values from elsewhere, as a column property does.
    is_key = column is not None and column.primary_key and ast.unparse(node.value) == item.owner
    return item.owner if is_key else None


def _refuse_dropped_comments(statement: Statement) -> None:
    module = statement.reader.module
    if _class_of_key(statement) is not None:
        _refuse_comment_in(statement.reader, statement.chain.root)
    before: ast.expr = statement.chain.root
    for link in statement.chain.links:
        if link.name in {"order_by", "options"}:
            text = module.source.text[module.span(before).end : module.span(link.call).end]
            refuse_comment(text)
        before = link.call


def _without_order(statement: Statement) -> list[LinkEdit]:
    return [
        LinkEdit(None) if link.name in {"order_by", "options"} else edit
        for link, edit in zip(statement.chain.links, statement.edits, strict=True)
    ]


# ---------------------------------------------------------------------------------------- unique
def _needs_unique(statement: Statement, kind: Kind, decision: Decision) -> bool:
    """Apply the unique() rule; raises Refused where rows can neither be unique nor do without."""
    # Query leaves out repeated rows only where a class is asked for, and not with yield_per().
    if kind is Kind.ROWS or statement.yields or statement.chain.end == "first":
        return False
    needed = not is_surely_unique(statement, kind)
    own = [item for item in statement.items if _has_own_type(statement, item)]
    if not needed and own and statement.chain.end not in _NOT_COMPARED:
        # Query compares rows with an object by hash, and select() compares none.
        decision.caveats.append(
            f"Query raises if `{ast.unparse(own[0].node)}` has unhashable values, but "
            "select() returns them"
        )
    if kind is Kind.ENTITY or not needed:
        return needed
    unhashable = [item for item in statement.items if item.hashable is False]
    if unhashable:
        # SQLAlchemy demands `unique()` for a joined collection, which needs values with a hash.
        if may_load_collection(statement):
            raise Refused(reasons.UNHASHABLE_ROWS, ast.unparse(unhashable[0].node))
        # Query compares such values by identity: every None is the same.
        column = ast.unparse(unhashable[0].node)
        decision.caveats.append(f"equal rows with `{column}` None are no longer removed")
        return False
    unknown = [
        item for item in statement.items if item.hashable is None and item.what is not What.ENTITY
    ]
    if unknown:
        decision.caveats.append(
            f"unique() raises if `{ast.unparse(unknown[0].node)}` has unhashable values"
        )
    computed = [item for item in statement.items if item.what is What.EXPRESSION]
    if computed and statement.reader.project.targets.admits("sqlalchemy", "<2.0"):
        # Query of 1.4 compares values of an unknown type by identity (loading.instances).
        decision.caveats.append(
            "on SQLAlchemy 1.4, rows with equal values of "
            f"`{ast.unparse(computed[0].node)}` no longer repeat"
        )
    return True


def _has_own_type(statement: Statement, item: Item) -> bool:
    """Whether a column has a type that SQLAlchemy does not have: its values may be of any class."""
    mapped = statement.reader.project.orm.mapped_class(item.model) if item.model else None
    column = mapped.columns.get(item.key or "") if mapped is not None else None
    if item.what is not What.COLUMN or column is None or column.type is None:
        return False
    name = column.type
    is_plain = name.isupper() or knowledge().has("sqlalchemy", name)
    return name == _PICKLED or not is_plain


# ------------------------------------------------------------------------------------- the rest
def _check_autoflush(statement: Statement, decision: Decision) -> None:
    if statement.unflushed or not flushes_first(statement):
        decision.caveats.append(
            "before SQLAlchemy 2.1, the statement may no longer flush pending changes first"
        )


def _check_portions(statement: Statement, decision: Decision) -> None:
    """Query leaves out repeated objects, which it cannot do in portions, unless told by its method.

    It looks at ``yield_per()`` alone, and raises if the execution option has the same name.
    """
    if statement.yields:
        return
    if statement.portioned:
        raise Refused(reasons.RAISES_TODAY, "Query rejects the execution option `yield_per`")
    if statement.unknown_settings:
        decision.caveats.append(
            "the unpacked execution options may include `yield_per`, which Query rejects"
        )


def _check_assumed(items: Sequence[Item], decision: Decision) -> None:
    for item in items:
        if item.certainty.is_assumed:
            decision.caveats.append(
                f"awaken assumes from its name that `{ast.unparse(item.node)}` is a mapped class"
            )
