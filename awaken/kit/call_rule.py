"""The shape of a small rule: find the calls of some functions, judge each, replace it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, ClassVar

from awaken.kit.changes import Decided, decide
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import SiteRule
from awaken.kit.search import calls_of
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.source.f_strings import can_be_edited

if TYPE_CHECKING:
    from awaken.project import Project


class CallRule(SiteRule):
    """A rule whose sites are the calls of ``functions``, each a change of its own.

    ``functions`` are qualified names, ``asyncio.sleep``; ``triggers`` must find all their files.
    Calls in an f-string that shows their code, or where their place is not certain, are refused:
    ``reasons`` has INSIDE_FSTRING, and what ``rewrite`` raises.
    """

    functions: ClassVar[Collection[str]]

    def decisions(self, project: Project) -> Iterator[Decided]:
        """Yield what is decided of each call."""
        for site in calls_of(project, self, self.functions):
            yield decide(site, self._rewrite, project)

    def _rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        if not can_be_edited(site.module, site.node):
            raise Refused(INSIDE_FSTRING, site.module.excerpt(site.node))
        return self.rewrite(site, project)

    def rewrite(self, site: Site[ast.Call], project: Project) -> Rewrite:
        """Return the rewrite of one call. Raises Refused where it stays."""
        raise NotImplementedError
