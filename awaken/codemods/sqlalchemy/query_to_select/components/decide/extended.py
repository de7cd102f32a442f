"""Held queries that end in a method of Flask-SQLAlchemy: ``db.paginate(query, page=1)``."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import msgspec

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.components.component import ChainFragment, Component
from awaken.codemods.sqlalchemy.query_to_select.components.states import States
from awaken.codemods.sqlalchemy.query_to_select.decide.class_sessions import extension_of
from awaken.codemods.sqlalchemy.query_to_select.decide.decision import Decision
from awaken.codemods.sqlalchemy.query_to_select.decide.extensions import (
    check_arguments,
    check_extension_version,
    decide_extension_call,
    read_as_executed,
    refuse_comments_of_end,
)
from awaken.codemods.sqlalchemy.query_to_select.payload import ExtensionRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Link
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.kit.names_here import Written

_SESSION = ".session"


def decide_held_extension(
    component: Component, use: ChainFragment, states: States, session: Written
) -> Decision:
    """Decide the rewrite of ``use``, which ``session`` would execute; raises Refused.

    The object that holds the session executes it: ``db`` of ``db.session``.
    """
    chain, call, reader = use.chain(None), use.node, component.reader(use.context)
    check_extension_version(reader, use.end)
    # It takes a class and a key, not the statement that a variable holds.
    if use.end == "get_or_404" or not isinstance(call, ast.Call):
        raise reasons.kept_builder(use.end, (use.place(),))
    if not _is_of_extension(component) or not session.text.endswith(_SESSION):
        what = f"no known Query class has the method `.{use.end}()`"
        raise Refused(reasons.EXTENSION_METHOD, what)
    check_arguments(chain, call)
    refuse_comments_of_end(reader, call)
    read = read_as_executed(chain)
    as_executed = ChainFragment(
        use.context, use.start, use.links, call, read.ending, read.end, use.recognised
    )
    statement = states.required_statement(as_executed, executed=True)
    decision = decide_extension_call(statement, chain, call, _links(component.fragments))
    data = decision.data
    if isinstance(data, ExtensionRewrite) and data.statement is not None:
        given = session.text.removesuffix(_SESSION)
        held = msgspec.structs.replace(data.statement, shape="held", given=given)
        decision.data = msgspec.structs.replace(data, statement=held)
    return decision


def _links(fragments: Iterable[ChainFragment]) -> Iterable[Link]:
    return (link for fragment in fragments for link in fragment.links)


def _is_of_extension(component: Component) -> bool:
    """Whether all queries are those of Flask-SQLAlchemy's session, or of its models."""
    for root in component.roots:
        begin = None if root.recognised is None else root.recognised.begin
        if begin is not None and begin.extension is None:
            return False
        if begin is None and extension_of(component.reader(root.context), root.receiver) is None:
            return False
    return True
