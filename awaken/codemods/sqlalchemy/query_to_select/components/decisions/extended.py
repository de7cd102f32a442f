"""Kept queries that end in a method of Flask-SQLAlchemy: ``db.paginate(query, page=1)``."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import Segment, Web
from awaken.codemods.sqlalchemy.query_to_select.components.states import States
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import extension_of
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import (
    check_arguments,
    check_extension_version,
    extended,
    read_as_executed,
    refuse_comments_of_end,
)
from awaken.codemods.sqlalchemy.query_to_select.decide.verdict import Verdict
from awaken.codemods.sqlalchemy.query_to_select.names import Written
from awaken.codemods.sqlalchemy.query_to_select.payload import ExtensionRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused

_SESSION = ".session"


def judge_kept_extended(web: Web, use: Segment, states: States, session: Written) -> Verdict:
    """Decide the rewrite of ``use``, which ``session`` would execute; raises Refused.

    What executes it is the object that the session belongs to: ``db`` of ``db.session``.
    """
    chain, call, reader = use.chain(None), use.node, use.frame.reader
    check_extension_version(reader, use.end)
    if use.end == "get_or_404" or not isinstance(call, ast.Call):
        raise Refused(reasons.KEPT_BUILDER, use.end, because=(use.place(),))
    if not _is_of_extension(web.roots) or not session.text.endswith(_SESSION):
        what = f"`.{use.end}()` is a method of no Query that is known here"
        raise Refused(reasons.EXTENSION_METHOD, what)
    check_arguments(chain, call)
    refuse_comments_of_end(reader, call)
    read = read_as_executed(chain)
    as_executed = Segment(
        use.frame, use.start, use.links, call, read.ending, read.end, use.recognised
    )
    statement = states.reached(as_executed, executed=True)
    verdict = extended(statement, chain, call, _links(web.segments))
    data = verdict.data
    if isinstance(data, ExtensionRewrite) and data.statement is not None:
        given = session.text.removesuffix(_SESSION)
        kept = msgspec.structs.replace(data.statement, shape="kept", given=given)
        verdict.data = msgspec.structs.replace(data, statement=kept)
    return verdict


def _links(segments: Iterable[Segment]) -> Iterable[Link]:
    return (link for segment in segments for link in segment.links)


def _is_of_extension(roots: Iterable[Segment]) -> bool:
    """Whether all queries are those of Flask-SQLAlchemy's session, or of its models."""
    for root in roots:
        begin = None if root.recognised is None else root.recognised.begin
        if begin is not None and begin.extension is None:
            return False
        if begin is None and extension_of(root.frame.reader, root.receiver) is None:
            return False
    return True
