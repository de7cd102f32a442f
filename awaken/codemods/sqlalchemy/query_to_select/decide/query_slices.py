"""The decision about ``query[a:b]`` and ``query[i]``.

Query takes the same rows by LIMIT and OFFSET (``orm/util.py``: ``_getitem``), but gives ``[]``
without asking the database where nothing can be left, and has its own view of negative numbers:
with numbers that are computed, the rewrite is unsafe.
"""

from __future__ import annotations

import ast

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.decide.distinct import check_distinct
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import decide_executed, gives_list
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import join_operands
from awaken.codemods.sqlalchemy.query_to_select.payload import QueryRewrite, SliceRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.builders import translate
from awaken.codemods.sqlalchemy.query_to_select.statements.query_comments import refuse_comment


def decide_slice(reader: Reader, chain: Chain) -> Decision:
    """Decide the rewrite of a ``chain`` that is sliced or indexed; raises Refused."""
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
