"""The chain of a query that begins at a class, and its session."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.payload import ExtensionRewrite, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain, read_chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader


def chain_of(reader: Reader, recognised: Recognised) -> Chain:
    """Return the chain that starts at the recognised query; raises Refused."""
    module, begin = reader.module, recognised.begin
    written = None if begin is None else begin.session
    # No file has this expression: it represents the new code.
    session = None if written is None else ast.parse(written.text, mode="eval").body
    chain = read_chain(module, recognised.root, session)
    if begin is not None:
        return replace(chain, extension=begin.extension.text if begin.extension else None)
    return replace(chain, extension=extension_of(reader, chain.receiver))


def extension_of(reader: Reader, receiver: ast.expr | None) -> str | None:
    """Return ``db`` of the receiver ``db.session``, None of another session."""
    if not isinstance(receiver, ast.Attribute) or receiver.attr != "session":
        return None
    # Anything may have a `session`; only Flask-SQLAlchemy's object has `paginate()` as well.
    if not reader.project.orm.class_queries.is_extension(reader.module, receiver.value):
        return None
    return ast.unparse(receiver.value)


def written_at_class(recognised: Recognised, chain: Chain, decision: Decision) -> str | None:
    """Return the session as which the start of ``chain`` is to be read; None: as written.

    ``decision`` notes the import that the session needs. Raises Refused where it has no name here.
    """
    extended = isinstance(decision.data, ExtensionRewrite)
    begin = recognised.begin
    if begin is None:
        return chain.extension if extended else None
    if isinstance(decision.data, QueryRewrite) and decision.data.runs is None:
        return "session"  # which is not executed here, so that nothing of it is written
    if begin.session is None:
        raise begin.refused or Refused(reasons.NO_SESSION)
    decision.needs.append(begin.session)
    # The methods of Flask-SQLAlchemy belong to `db` itself, not to `db.session`.
    return chain.extension if extended else begin.session.text


def explained_refusal(recognised: Recognised, refused: Refused) -> Refused:
    """Return why the site stays: a class without a visible session has a reason of its own."""
    begin = recognised.begin
    is_cause = refused.reason is reasons.NO_SESSION or (
        refused.reason is reasons.EXTENSION_METHOD and begin is not None and begin.session is None
    )
    if is_cause and begin is not None and begin.refused is not None:
        return begin.refused
    return refused
