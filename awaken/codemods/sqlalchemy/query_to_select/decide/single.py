"""The rewrite of a query in one expression: a component without variables."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import decide_write
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import (
    chain_of,
    explained_refusal,
    written_at_class,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import decide_extension
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import (
    decide_executed,
    decide_loading,
    gives_list,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import first_root, join_operands
from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Part, Rewrite, Root
from awaken.codemods.sqlalchemy.query_to_select.payload import (
    BulkRewrite,
    ExtensionRewrite,
    GetRewrite,
    QueryRewrite,
    SliceRewrite,
)
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import (
    Recognised,
    recognise_either,
)
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import translate
from awaken.codemods.sqlalchemy.query_to_select.statements.parents import caveats_of_parents
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment
from awaken.project.source.expressions.alternatives import alternatives


def _decide_slice(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of a ``chain`` that is sliced or indexed; raises Refused.

    Query takes the same rows by LIMIT and OFFSET (``orm/util.py``: ``_getitem``). Where nothing can
    be left it gives ``[]`` without asking the database, and negative numbers are its own. So the
    rewrite is unsafe with numbers that are computed.
    """
    if not isinstance(chain.node, ast.Subscript):
        raise Refused(reasons.SLICED_QUERY, "...")
    extra, subscript, known = _bounds(chain.node.slice)
    _check_comments(reader, chain.node)
    statement = translate(reader, chain, executed=True)
    if not statement.items and not statement.changed_items:
        raise Refused(reasons.RAISES_TODAY, "query() selects nothing")
    if statement.from_statement:
        raise Refused(reasons.RAISES_TODAY, "a slice follows from_statement()")
    check_distinct(statement)
    decision = decide_executed(statement)
    decision.needs += statement.needs
    if isinstance(decision.data, QueryRewrite):
        # Query gives a list as well, so `[i]` after the last row is still an IndexError.
        query = msgspec.structs.replace(
            decision.data,
            extra=extra,
            last="all",
            ended="call",
            given_to="list"
            if isinstance(chain.node.slice, ast.Slice) and gives_list(statement)
            else "",
        )
        decision.data = SliceRewrite(query=query, subscript=subscript)
    if not known:
        decision.caveats.append(
            "negative numbers no longer raise IndexError, and an empty range runs a query"
        )
    join_operands(statement, decision)
    return decision


def _bounds(node: ast.expr) -> tuple[tuple[str, ...], str | None, bool]:
    """Return the builder that limits the rows, and the index into their list.

    The last value says that the numbers are known, so that Query's own checks need no thought.
    """
    refused = Refused(reasons.SLICED_QUERY, ast.unparse(node))
    if not isinstance(node, ast.Slice):
        index = _number(node)
        # It is written twice, and only a plain name gives the same value twice.
        if index is None and isinstance(node, ast.Name):
            return (f"slice({node.id}, {node.id} + 1)",), "0", False
        if index is None:
            raise refused
        return (_limit(index, index + 1),), "0", True
    step = _number(node.step)
    # Python applies the step to the list; 0 would raise, and others are not known here.
    if node.step is not None and not step:
        raise refused
    subscript = f"::{step}" if step is not None else None
    start, stop = _number(node.lower), _number(node.upper)
    unread = (node.lower is not None and start is None) or (node.upper is not None and stop is None)
    if unread:
        if not (_is_computed(node.lower) and _is_computed(node.upper)):
            raise refused
        return (_computed_limit(node),), subscript, False
    # Query gives `[]` for these without asking the database.
    if start is not None and stop is not None and stop <= start:
        raise refused
    return ((_limit(start, stop),) if start or stop is not None else ()), subscript, True


def _limit(start: int | None, stop: int | None) -> str:
    """A ``slice`` adds its start to the offset; without a start it is a limit."""
    return f"slice({start}, {stop})" if start else f"limit({stop})"


def _computed_limit(node: ast.Slice) -> str:
    start, stop = (
        "None" if bound is None else ast.unparse(bound) for bound in (node.lower, node.upper)
    )
    return f"slice({start}, {stop})"


def _number(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def _is_computed(node: ast.expr | None) -> bool:
    """Whether ``node`` is read, or computed from a value that is, and is no negative constant."""
    match node:
        case None | ast.Name():
            return True
        case ast.Constant():
            return _number(node) is not None
        case ast.Attribute(value=value):
            return _is_computed(value)
        case ast.BinOp(left=left, right=right):
            return _is_computed(left) and _is_computed(right)
    return False


def _check_comments(reader: Reader, node: ast.Subscript) -> None:
    module = reader.module
    start, end = module.span(node.value).end, module.span(node).end
    refuse_comment(module.source.text[start:end])


_DECIDERS: Mapping[str, Callable[[Reader, Chain], Decision]] = {
    "written": decide_write,
    "sliced": _decide_slice,
    "extended": decide_extension,
}


def decide_query(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of ``chain``; raises Refused.

    An operand of a set operation is rewritten only with the query that the operation is called on.
    So the caveats of that query apply to the operand too.
    """
    decision = _DECIDERS.get(chain.ending, decide_loading)(reader, chain)
    _add_whole(reader, chain, decision)
    return decision


def _add_whole(reader: Reader, chain: Chain, decision: Decision) -> None:
    """Add to ``decision`` what holds for the query whose operand ``chain`` is."""
    first = first_root(reader, chain)
    if first is None:
        return
    caveats = _decide_whole(reader, chain, first).caveats
    decision.requires.append(first)
    decision.caveats += [caveat for caveat in caveats if caveat not in decision.caveats]


def _decide_whole(reader: Reader, chain: Chain, root: ast.Call | ast.Attribute) -> Decision:
    """Decide the rewrite of the query that begins at ``root``, as one that loads."""
    recognised = recognise_either(reader, root)
    if recognised is None:
        raise Refused(reasons.SET_OPERATION, f"{chain.end}() of this query")
    recognised.raise_if_refused(reader.module)
    whole = chain_of(reader, recognised)
    decision = (_decide_slice if whole.ending == "sliced" else decide_loading)(reader, whole)
    _add_whole(reader, whole, decision)
    return decision


_WIDTH = 30
"""Characters: ``self.context.database.session`` fits into the line of a message, and no more."""


def rewrite_single(reader: Reader, recognised: Recognised) -> Rewrite:
    """Return the rewrite of the query ``recognised``; raises Refused."""
    try:
        return _rewrite(reader, recognised)
    except Refused as refused:
        raise explained_refusal(recognised, refused) from None


def _rewrite(reader: Reader, recognised: Recognised) -> Rewrite:
    module = reader.module
    recognised.raise_if_refused(module)
    chain = chain_of(reader, recognised)
    # Listeners to bulk writes block this end only.
    if chain.ending == "written":
        recognised.raise_if_write_refused()
    decision = decide_query(reader, chain)
    session = written_at_class(recognised, chain, decision)
    caveats = [*decision.caveats, *caveats_of_parents(reader, chain.links)]
    caveats += [recognised.caveat] if recognised.caveat else []
    made_by = chain.receiver or chain.session_argument
    root = Root(module, recognised.root, chain.node, _sentence(chain, decision), (), made_by)
    data = decision.data
    return Rewrite(
        roots=[root],
        parts=[] if data is None else [Part(module, chain.node, data, session or None)],
        caveats=caveats,
        needs=[(module.path, need) for need in decision.needs],
        requires=[(module, other) for other in decision.requires],
    )


def _sentence(chain: Chain, decision: Decision) -> str:
    if decision.data is None or isinstance(decision.data, GetRewrite):
        return f"`query(...).get(...)` becomes `{_session(chain)}.get(...)`"
    return f"{_old(chain)} becomes {_new(chain, decision.data)}"


def _old(chain: Chain) -> str:
    if chain.ending == "sliced":
        return f"`query(...){chain.end}`"
    return f"`query(...).{chain.end}()`" if chain.terminator else "`query(...)`"


def _new(chain: Chain, data: QueryRewrite | BulkRewrite | SliceRewrite | ExtensionRewrite) -> str:
    if isinstance(data, ExtensionRewrite):
        return f"`{chain.extension}.{data.method}(...)`"
    if isinstance(data, BulkRewrite):
        tail = ".rowcount" if data.rowcount else ""
        return f"`{_session(chain)}.execute({chain.end}(...)){tail}`"
    query = data.query if isinstance(data, SliceRewrite) else data
    if query.given_to:
        inner = _new(chain, msgspec.structs.replace(query, given_to=""))
        return f"`{query.given_to}({inner.strip('`')})`"
    calls = [*query.then, *([query.last] if query.last else [])]
    tail = "".join(f".{name}()" for name in calls)
    if not query.runs:
        return f"`select(...){tail}`"
    return f"`{_session(chain)}.{query.runs}(select(...)){tail}`"


def _session(chain: Chain) -> str:
    """Return the session as a message names it: by its own text where that is short."""
    node = chain.receiver or chain.session_argument
    text = "" if node is None else ast.unparse(node)
    # An attribute of `a or b` needs parentheses.
    if node is not None and alternatives(node):
        text = f"({text})"
    # with_session() replaces the session that made the query.
    given = any(link.name == "with_session" for link in chain.links)
    return text if 0 < len(text) <= _WIDTH and not given else "session"
