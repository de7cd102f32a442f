"""The refusal of queries with uses that awaken can't see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from awaken.codemods.sqlalchemy.query_to_select import reasons
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.contract import Reason
from awaken.project.graph.call_edges import Unseen

Found = TypeVar("Found")

_REASONS: Mapping[str, Reason] = {
    "callers": reasons.UNSEEN_CALLERS,
    "returned": reasons.RETURNED_QUERY,
    "passed": reasons.PASSED_QUERY,
    "held": reasons.KEPT_QUERY,
}


def in_sight(found: Found | Unseen) -> Found:
    """Return ``found``; raises Refused if not all of it is visible."""
    if isinstance(found, Unseen):
        raise refused_for(found)
    return found


def refused_for(unseen: Unseen) -> Refused:
    """Return why a query stays as it is of which something is ``unseen``."""
    return Refused(_REASONS[unseen.kind], unseen.what, because=unseen.places)
