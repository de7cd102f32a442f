"""A run that makes chosen changes of another run, and no others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from awaken.contract import ChangeId, SiteId, UserError
from awaken.engine.report import ChangeSummary, Report

ChangeKey = tuple[Path, ChangeId]
"""A change, with the root that it is made in."""
Sites = Mapping[Path, frozenset[SiteId]]
"""Sites by root."""

_ROUNDS = 20
"""Runs in which sites come up only because others are left out; foreign code may go on for ever."""


def run_chosen(
    report: Report, chosen: Collection[ChangeKey], run_without: Callable[[Sites], Report]
) -> Report:
    """Return a run that makes the ``chosen`` changes of ``report``, and no other.

    ``run_without`` plans a run that leaves sites as they are. A site that comes up only then was
    not chosen either and is left out as well. What a rule cannot change without the others is not
    in the result. Raises KeyError for a change that ``report`` does not have, and UserError where
    new sites come up without end.
    """
    changes = {(root.root, change.id): change for root in report.roots for change in root.changes}
    kept = _sites((root, changes[root, change]) for root, change in chosen)
    left_out = _sites_without(_sites((root, change) for (root, _), change in changes.items()), kept)
    for _ in range(_ROUNDS):
        result = run_without(left_out)
        made = _sites((root.root, change) for root in result.roots for change in root.changes)
        others = _sites_without(made, kept)
        if not others:
            return result
        left_out = joined_sites(left_out, others)
    raise UserError("each change that you leave out reveals new sites; choose all or none")


def joined_sites(first: Sites, then: Sites) -> Sites:
    """Return the sites of both."""
    none: frozenset[SiteId] = frozenset()
    return {root: first.get(root, none) | then.get(root, none) for root in {*first, *then}}


def _sites(changes: Iterable[tuple[Path, ChangeSummary]]) -> Sites:
    by_root: dict[Path, set[SiteId]] = {}
    for root, change in changes:
        by_root.setdefault(root, set()).update(change.sites)
    return {root: frozenset(sites) for root, sites in by_root.items()}


def _sites_without(sites: Sites, others: Sites) -> Sites:
    left = {root: own - others.get(root, frozenset()) for root, own in sites.items()}
    return {root: own for root, own in left.items() if own}
