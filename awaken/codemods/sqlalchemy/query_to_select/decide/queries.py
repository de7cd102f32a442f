"""The decision about one query that stands in one expression, whatever it ends in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.bulk import judge_write
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import chain_of
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import judge
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import judge_extended
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import first_root
from awaken.codemods.sqlalchemy.query_to_select.decide.slices import judge_slice
from awaken.codemods.sqlalchemy.query_to_select.decide.verdict import Verdict
from awaken.codemods.sqlalchemy.query_to_select.names import Reader
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.sessions import recognise_either

_JUDGES: Mapping[str, Callable[[Reader, Chain], Verdict]] = {
    "written": judge_write,
    "sliced": judge_slice,
    "extended": judge_extended,
}


def judge_query(reader: Reader, chain: Chain) -> Verdict:
    """Decide the rewrite of ``chain``; raises Refused.

    An operand of a set operation is rewritten only with the query that the operation is called on,
    so that what may change for that one may change for the operand.
    """
    verdict = _JUDGES.get(chain.ending, judge)(reader, chain)
    _add_whole(reader, chain, verdict)
    return verdict


def _add_whole(reader: Reader, chain: Chain, verdict: Verdict) -> None:
    """Add to ``verdict`` what holds for the query whose operand ``chain`` is."""
    first = first_root(reader, chain)
    if first is None:
        return
    caveats = _judge_whole(reader, chain, first).caveats
    verdict.requires.append(first)
    verdict.caveats += [one for one in caveats if one not in verdict.caveats]


def _judge_whole(reader: Reader, chain: Chain, root: ast.Call | ast.Attribute) -> Verdict:
    """Decide the rewrite of the query that begins at ``root``, as one that loads."""
    recognised = recognise_either(reader, root)
    if recognised is None:
        raise Refused(reasons.SET_OPERATION, f"{chain.end}() of this query")
    recognised.raise_if_refused(reader.module)
    whole = chain_of(reader, recognised)
    verdict = (judge_slice if whole.ending == "sliced" else judge)(reader, whole)
    _add_whole(reader, whole, verdict)
    return verdict
