"""Sessions that object factories hold: they stay synchronous, and are those of the others."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.codemods.sqlalchemy.session_to_async import reasons
from awaken.codemods.sqlalchemy.session_to_async.program import SynchronousPart
from awaken.kit.changes import Member, member
from awaken.kit.search import modules_with
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.trees import is_none
from awaken.project.values.domain import Unknown


def held_sessions(part: SynchronousPart, rule: str) -> Iterator[Member]:
    """Yield what becomes of the sessions that factories are given, and where these are handed on.

    A factory adds to its session and flushes it by plain calls. So it is given the synchronous
    session that an asynchronous one has, and is called in a greenlet, where that may wait.
    """
    factories = part.project.object_factories
    for module in modules_with(part.project, (*factories.words, b"sqlalchemy_session")):
        for node in factories.given_sessions(module):
            if not is_none(node):
                site: Site[ast.AST] = Site(rule, module, node)
                yield member(site, f"`{module.excerpt(node)}`", _given, part)
        for node in factories.handed_on(module):
            why = Refused(reasons.HANDED_ON, module.excerpt(node))
            yield Member(Site(rule, module, node), why, f"`{module.excerpt(node)}`")


def _given(site: Site[ast.AST], part: SynchronousPart) -> Rewrite:
    module, node = site.module, site.node
    shown = module.excerpt(node)
    proof = part.project.orm.session_of(module, node) if isinstance(node, ast.expr) else None
    if isinstance(proof, Unknown):
        raise Refused(reasons.FACTORY_SESSION, shown, because=(proof.place,))
    if not isinstance(proof, SessionProof) or proof.kind != "session" or proof.unless:
        raise Refused(reasons.FACTORY_SESSION, shown)
    edits = [site.insert_behind(node, ".sync_session")]
    return Rewrite(f"factories get the synchronous session of `{shown}`", edits)
