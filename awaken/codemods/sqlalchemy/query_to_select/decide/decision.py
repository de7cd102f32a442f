"""Decides how a query is executed as a select, and what may change by that."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.get import caveats_of, settings_of
from awaken.codemods.sqlalchemy.query_to_select.decide.laziness import runs_later
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import has_call, join_operands
from awaken.codemods.sqlalchemy.query_to_select.decide.row_keys import (
    doubled_keys,
    first_unlabelled,
    key_caveats,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.verdict import Verdict, written
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    LinkEdit,
    QueryRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, Link
from awaken.codemods.sqlalchemy.query_to_select.reading.eager import (
    Sources,
    is_loader,
    loads_collection,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.entities import classify_all, refuse_unknown
from awaken.codemods.sqlalchemy.query_to_select.reading.items import Item, Kind, What, kind_of
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import translate
from awaken.codemods.sqlalchemy.query_to_select.statements.comments import refuse_comment
from awaken.codemods.sqlalchemy.query_to_select.statements.flushing import (
    flushes_first,
    is_buffered,
)
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import Statement

SessionFrom = Literal["receiver", "argument"] | int
_ONE_BY_ONE = frozenset({"for", "yield from", "enumerate", "iter", "zip", "map", "filter"})
"""Uses between the rows of which other statements may run."""
_COUNT_SETTINGS = frozenset({"autoflush", "execution_options"})


def judge(reader: Reader, chain: Chain) -> Verdict:
    """Decide the rewrite of ``chain``; raises Refused."""
    if chain.end == "get":
        settings = settings_of(reader, chain)
        return Verdict(settings, caveats=list(caveats_of(reader, chain)))
    embeds = chain.ending in {"embedded", "argument", "read"}
    loads = chain.ending in {"executed", "iterated", "read"} and chain.end != "count"
    statement = translate(reader, chain, loads)
    if not statement.items and not statement.changed_items:
        raise Refused(reasons.RAISES_TODAY, "query() asks for nothing")
    check_distinct(statement)
    verdict = _judge_embedded(statement) if embeds else judge_executed(statement)
    verdict.needs += statement.needs
    join_operands(statement, verdict)
    return verdict


# -------------------------------------------------------------------------------------- embedded
def _judge_embedded(statement: Statement) -> Verdict:
    chain = statement.chain
    verdict = Verdict(None)
    select = written(statement, verdict, "select")
    if chain.receiver is not None and has_call(chain.receiver):
        verdict.caveats.append(f"`{ast.unparse(chain.receiver)}` is no longer called")
    if chain.end == "exists":
        verdict.data = _exists(statement, verdict, select)
        return verdict
    last = {"as_scalar": "scalar_subquery"}.get(chain.end, chain.end)
    terminator = chain.terminator
    if terminator is not None and chain.end == "subquery":
        _check_subquery(terminator)
    if chain.end == "statement":
        _check_read_statement(statement, verdict)
    ended: Literal["call", "attribute", "not"] = "call" if terminator else "not"
    if chain.ending == "read":
        ended = "attribute"
    verdict.data = QueryRewrite(
        select=select,
        links=tuple(statement.edits),
        last=None if last == "statement" or ended == "not" else last,
        ended=ended,
    )
    return verdict


def _check_subquery(terminator: ast.Call) -> None:
    for keyword in terminator.keywords:
        if keyword.arg != "name":
            raise Refused(reasons.LEGACY_ARGUMENT, f"subquery({keyword.arg or '**'}=...)")
    if len(terminator.args) > 1:
        raise Refused(reasons.LEGACY_ARGUMENT, "subquery() with these arguments")


def _check_read_statement(statement: Statement, verdict: Verdict) -> None:
    """The rows of ``execute(query.statement)`` have the legacy keys, those of a select its own."""
    if doubled_keys(statement.items) or first_unlabelled(statement.items):
        verdict.caveats.append("rows of the statement get keys for every column")


def _exists(statement: Statement, verdict: Verdict, select: str) -> QueryRewrite:
    chain = statement.chain
    if statement.from_statement:
        raise Refused(reasons.RAISES_TODAY, "exists() comes after from_statement()")
    terminator = chain.terminator
    if terminator is None or terminator.args or terminator.keywords:
        raise Refused(reasons.RAISES_TODAY, "exists() takes no arguments")
    if statement.changed_items:
        raise Refused(reasons.LEGACY_ARGUMENT, "exists() after the columns were changed")
    source = None
    if not statement.selects_from:
        source = _exists_source(statement)
    _refuse_comment_in(statement.reader, chain.root)
    return QueryRewrite(
        select=select,
        links=tuple(statement.edits),
        shape="one",
        source=source,
        wrap="exists",
        exists=written(statement, verdict, "exists"),
    )


def _exists_source(statement: Statement) -> str:
    first = statement.items[0]
    owner = None if first.mixed else first.owner
    if owner is not None and owner.endswith((".c", ".columns")):
        owner = owner.rpartition(".")[0]
    if owner is None or not owner.replace(".", "").isidentifier():
        cure = "Say what it asks: `.select_from(Model)`."
        raise Refused(reasons.UNKNOWN_ENTITY, ast.unparse(first.node), cure)
    return owner


def _refuse_comment_in(reader: Reader, root: ast.Call | ast.Attribute) -> None:
    module = reader.module
    first = root.func if isinstance(root, ast.Call) else root.value
    start, end = module.span(first).end, module.span(root).end
    refuse_comment(module.source.text[start:end])


# -------------------------------------------------------------------------------------- executed
def judge_executed(statement: Statement) -> Verdict:
    """Decide how ``statement`` is executed where its query is; raises Refused."""
    chain = statement.chain
    verdict = Verdict(None)
    select = written(statement, verdict, "select")
    session = session_of(statement)
    verdict.caveats += [item.unless for item in statement.items if item.unless]
    if chain.end == "count":
        verdict.data = _count(statement, verdict, select, session)
        return verdict
    if chain.end in {"value", "values"}:
        verdict.data = _values(statement, verdict, select, session)
        return verdict
    items = statement.items
    refuse_unknown(statement.reader, items)
    kind = kind_of(items)
    _check_autoflush(statement, verdict)
    if kind is not Kind.ENTITY or statement.as_rows:
        verdict.caveats += key_caveats(statement)
    _check_assumed(items, verdict)
    unique = _needs_unique(statement, kind, verdict)
    if chain.end == "scalar":
        verdict.data = _scalar(statement, kind, unique, select, session)
        return verdict
    extra: tuple[str, ...] = ()
    if chain.end == "first":
        unique = False
        if not statement.from_statement and not _ends_with_one(statement):
            extra = ("limit(1)",)
    if chain.ending == "iterated" and runs_later(statement.reader.module, chain.node):
        verdict.caveats.append("it runs where its iterator is made, not when a row is asked for")
    runs, then = _execution(statement, kind, unique)
    last = chain.end if chain.ending == "executed" else None
    if chain.end == "dict" or (chain.end in _ONE_BY_ONE and not is_buffered(statement)):
        then = (*then, "all")
    verdict.data = QueryRewrite(
        select=select,
        links=tuple(statement.edits),
        extra=extra,
        runs=runs,
        then=then,
        last=last,
        ended="call" if last else "not",
        session=session,
    )
    return verdict


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
        return QueryRewrite(select=select, links=edits, runs="scalar", last=None, session=session)
    then: tuple[str, ...] = ("unique",) if unique else ()
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
    if statement.from_statement or statement.grouped:
        return False
    if kind is Kind.ROWS and all(item.aggregate for item in statement.items):
        return True
    if statement.one_row_limit and kind is Kind.ROWS:
        return True
    if not all(item.constant for item in statement.items):
        return False
    return not (statement.joined or statement.selects_from) and all(
        _is_exists_criterion(node) for node in statement.criteria
    )


def _is_exists_criterion(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_exists_criterion(node.operand)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "exists"
    )


def _values(
    statement: Statement, verdict: Verdict, select: str, session: SessionFrom
) -> QueryRewrite:
    """``value(column)`` is the first value, ``values(...)`` iterates the rows."""
    chain = statement.chain
    terminator = chain.terminator
    if terminator is None or not terminator.args or terminator.keywords:
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() with these arguments")
    for name in ("from_statement", "options"):
        if any(link.name == name for link in chain.links):
            raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() after {name}()")
    statement.items = classify_all(statement.reader, terminator.args)
    refuse_unknown(statement.reader, statement.items)
    if kind_of(statement.items) is not Kind.ROWS:
        raise Refused(reasons.LEGACY_ARGUMENT, f"{chain.end}() of a mapped class")
    _check_autoflush(statement, verdict)
    verdict.caveats += key_caveats(statement)
    return QueryRewrite(
        select=select,
        links=(*statement.edits, LinkEdit("with_only_columns")),
        runs="scalar" if chain.end == "value" else "execute",
        last=None,
        ended="not",
        session=session,
    )


# ----------------------------------------------------------------------------------------- count
def check_counted(link: Link) -> None:
    """Raise Refused if ``link`` does something to a query that its subquery would not do."""
    changes = link.name == "options" and not all(map(is_loader, link.call.args))
    if changes or link.name in _COUNT_SETTINGS:
        raise Refused(reasons.COUNT_WITH_SETTINGS, link.name)


def _count(
    statement: Statement, verdict: Verdict, select: str, session: SessionFrom
) -> QueryRewrite:
    for link in statement.chain.links:
        check_counted(link)
    if statement.from_statement:
        raise Refused(reasons.RAISES_TODAY, "count() comes after from_statement()")
    func = written(statement, verdict, "func")
    edits = tuple(statement.edits)
    if _counts_shortly(statement):
        return QueryRewrite(
            select=select,
            links=tuple(_without_order(statement)),
            shape="count",
            func=func,
            runs="scalar",
            session=session,
        )
    _check_autoflush(statement, verdict)
    return QueryRewrite(
        select=select, links=edits, wrap="count", func=func, runs="scalar", session=session
    )


def _counts_shortly(statement: Statement) -> bool:
    """Whether the rows of one FROM are counted, so that no subquery is needed."""
    items = statement.items
    if not statement.is_plain or len(items) != 1 or items[0].what is not What.ENTITY:
        return False
    if statement.continued:
        return False
    if items[0].aliased and not isinstance(items[0].node, ast.Name):
        return False
    root = statement.chain.root
    if isinstance(root, ast.Call) and len(root.args) != 1:
        return False
    if isinstance(statement.chain.items[0], ast.Starred):
        return False
    try:
        _refuse_dropped_comments(statement)
    except Refused:
        return False
    return True


def _refuse_dropped_comments(statement: Statement) -> None:
    module = statement.reader.module
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
def _needs_unique(statement: Statement, kind: Kind, verdict: Verdict) -> bool:
    """Apply the unique() rule; raises Refused where rows can neither be unique nor do without."""
    if kind is Kind.ROWS or statement.yields or statement.chain.end == "first":
        return False
    needed = not is_surely_unique(statement, kind)
    if kind is Kind.ENTITY or not needed:
        return needed
    unhashable = [item for item in statement.items if item.hashable is False]
    if unhashable:
        if _may_load_collection(statement):
            raise Refused(reasons.UNHASHABLE_ROWS, ast.unparse(unhashable[0].node))
        # Query compares such values by identity: every None is the same.
        column = ast.unparse(unhashable[0].node)
        verdict.caveats.append(f"equal rows in which `{column}` is None are no longer left out")
        return False
    unknown = [
        item for item in statement.items if item.hashable is None and item.what is not What.ENTITY
    ]
    if unknown:
        verdict.caveats.append(
            f"unique() fails if `{ast.unparse(unknown[0].node)}` holds values without a hash"
        )
    computed = [item for item in statement.items if item.what is What.EXPRESSION]
    if computed and statement.reader.project.targets.admits("sqlalchemy", "<2.0"):
        # Query of 1.4 compares values of an unknown type by identity (loading.instances).
        verdict.caveats.append(
            f"rows with equal values of `{ast.unparse(computed[0].node)}` are repeated no longer "
            "on SQLAlchemy 1.4"
        )
    return True


def is_surely_unique(statement: Statement, kind: Kind) -> bool:
    """Whether no row of ``statement``, which has a mapped class among its items, may repeat."""
    if statement.unsure or statement.joined or statement.selects_from or statement.from_statement:
        return False
    if statement.changed_items:
        return False
    entity = next(item for item in statement.items if item.what is What.ENTITY)
    if statement.several:
        is_plain = not loads_collection(statement.reader, statement.options)
    else:
        is_plain = _is_plain(statement, entity, kind)
    # What came out of another function may have no name here: then no criterion is its own.
    sources = Sources(statement.reader, entity.owner or "?", entity.model)
    return is_plain and sources.only(statement.criteria)


def _is_plain(statement: Statement, entity: Item, kind: Kind) -> bool:
    """Whether ``entity`` is read from one table, with nothing but its own columns beside it."""
    if entity.model is None or _may_load_collection(statement):
        return False
    mapped = statement.reader.project.mapped_class(entity.model)
    if mapped is None or mapped.table != "plain":
        return False
    others = [item for item in statement.items if item is not entity]
    own = entity.owner, entity.model
    return kind is not Kind.ROWS_WITH_ENTITY or all(
        item.what is What.COLUMN and (item.owner, item.model) == own for item in others
    )


def _may_load_collection(statement: Statement) -> bool:
    entities = [item for item in statement.items if item.what is What.ENTITY]
    project = statement.reader.project
    if any(
        item.model is None or project.needs_unique(item.model) is not False for item in entities
    ):
        return True
    return loads_collection(statement.reader, statement.options)


# ------------------------------------------------------------------------------------- the rest
def _check_autoflush(statement: Statement, verdict: Verdict) -> None:
    if statement.unflushed or not flushes_first(statement):
        verdict.caveats.append(
            "pending changes may no longer be flushed first before SQLAlchemy 2.1"
        )


def _check_assumed(items: Sequence[Item], verdict: Verdict) -> None:
    for item in items:
        if item.assumed:
            verdict.caveats.append(
                f"`{ast.unparse(item.node)}` is taken for a mapped class by its name"
            )
