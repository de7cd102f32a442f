"""The shape of a small rule: find the calls of some functions, judge each, replace it."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from awaken.contract import Constraints, Plan
from awaken.kit.changes import decide, plan_of
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import Rule
from awaken.kit.search import calls_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.f_strings import can_be_edited

if TYPE_CHECKING:
    from awaken.project import Project


class CallRule(Rule):
    """A rule whose sites are the calls of ``functions``, each a change of its own.

    ``functions`` are qualified names, ``asyncio.sleep``; ``triggers`` must find all their files.
    Calls in an f-string that shows their code, or where their place is not certain, are refused:
    ``reasons`` has INSIDE_FSTRING, and what ``rewrite`` raises.
    """

    functions: ClassVar[Collection[str]]

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per call, and its change."""
        del constraints  # no change needs another site
        sites = calls_of(project, self, self.functions)
        return plan_of(decide(site, self._rewrite, project) for site in sites)

    def _rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        if not can_be_edited(site.module, site.node):
            raise Refused(INSIDE_FSTRING, site.module.excerpt(site.node))
        return self.rewrite(site, project)

    def rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        """Return the rewrite of one call. Raises Refused where it stays."""
        raise NotImplementedError
