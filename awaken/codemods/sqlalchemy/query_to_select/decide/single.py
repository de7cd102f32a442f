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
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import decide_extension
from awaken.codemods.sqlalchemy.query_to_select.decide.loading import decide_loading
from awaken.codemods.sqlalchemy.query_to_select.decide.operands import first_root
from awaken.codemods.sqlalchemy.query_to_select.decide.query_slices import decide_slice
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
from awaken.codemods.sqlalchemy.query_to_select.statements.parents import caveats_of_parents
from awaken.project.source.expressions.alternatives import alternatives

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


_LONGEST_RECEIVER = 30
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
    return text if 0 < len(text) <= _LONGEST_RECEIVER and not given else "session"
