"""By which methods a query is asked: ``filter``, ``all`` before, and ``scalars``, ``all`` after."""

from __future__ import annotations

from msgspec import Struct

from awaken.codemods.sqlalchemy.query_to_select.grouped_rewrites import Rewrite
from awaken.codemods.sqlalchemy.query_to_select.payload import GetRewrite, QueryRewrite
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import read_chain
from awaken.codemods.sqlalchemy.query_to_select.recognise.session_queries import Recognised
from awaken.project.source.modules import Module


class Asked(Struct, frozen=True):
    """The methods that are called of ``query(...)`` today, and those of the session afterwards.

    ``items`` is how much is asked for.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    items: int


def asked_methods(module: Module, recognised: Recognised, rewrite: Rewrite) -> Asked | None:
    """Return how a query is asked, before and after; None where that is more than methods."""
    if recognised.begin is not None or len(rewrite.parts) != 1 or len(rewrite.roots) != 1:
        return None
    chain = read_chain(module, recognised.root)
    if chain.receiver is None or chain.ending not in {"executed", "iterated"}:
        return None
    end = chain.end if chain.ending == "executed" else "__iter__"
    before = (*(link.name for link in chain.links), end)
    match rewrite.parts[0].data:
        case GetRewrite(settings=()):
            after: tuple[str, ...] = ("get",)
        case QueryRewrite(session="receiver", runs=str() as runs, then=then, last=last):
            last = end if last is None and chain.ending == "iterated" else last
            after = (runs, *then, *([last] if last else []))
        case _:
            return None
    return Asked(before, after, len(chain.items))
