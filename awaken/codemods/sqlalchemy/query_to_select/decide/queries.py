"""The decision about a query in one expression, for every ending."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import decide_write
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import chain_of
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import decide_extension
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import decide_loading
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import first_root
from awaken.codemods.sqlalchemy.query_to_select.decide.slices import decide_slice
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import recognise_either

_DECIDERS: Mapping[str, Callable[[Reader, Chain], Decision]] = {
    "written": decide_write,
    "sliced": decide_slice,
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
    decision = (decide_slice if whole.ending == "sliced" else decide_loading)(reader, whole)
    _add_whole(reader, whole, decision)
    return decision
