"""One site of a rule: its identity, its finding, and the change that belongs to it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from awaken.contract import (
    Change,
    ChangeId,
    Edit,
    Finding,
    Level,
    Place,
    Plan,
    Reason,
)
from awaken.project.source.modules import Module, site_id


class Refused(Exception):
    """An outcome, raised deep below and caught once: this site cannot be rewritten.

    ``detail`` fills the ``{}`` of the reason's message; ``cure`` is what helps here, where the
    site says more than the reason knows; ``because`` are the places that it comes from.
    """

    def __init__(
        self, reason: Reason, detail: str = "", cure: str = "", because: tuple[Place, ...] = ()
    ) -> None:
        super().__init__(reason.message.format(detail))
        self.reason = reason
        self.message = reason.message.format(detail)
        self.cure = cure or reason.cure
        self.because = because


class Site:
    """The place ``node`` of ``module``, at which ``rule`` says something."""

    def __init__(self, rule: str, module: Module, node: ast.AST) -> None:
        self.rule = rule
        self.module = module
        self.node = node
        self.id = site_id(rule, module, node)

    @property
    def place(self) -> Place:
        """Where the site stands."""
        return Place(self.module.path, self.module.span(self.node))

    def refused(self, refused: Refused) -> Finding:
        """Return the finding of a site that is left alone."""
        return Finding(
            site=self.id,
            rule=self.rule,
            level=Level.MANUAL,
            place=self.place,
            scope=self.module.scope_name(self.node),
            message=refused.message,
            reason=f"{self.rule}/{refused.reason.code}",
            cure=refused.cure,
            chain=refused.because,
        )

    def advised(self, message: str, cure: str, chain: tuple[Place, ...] = ()) -> Finding:
        """Return the finding of a site of an advice rule; ``chain`` are the places that say why."""
        return Finding(
            site=self.id,
            rule=self.rule,
            level=Level.ADVICE,
            place=self.place,
            scope=self.module.scope_name(self.node),
            message=message,
            cure=cure,
            chain=chain,
        )

    def rewritten(
        self,
        message: str,
        edits: Sequence[Edit],
        caveats: Sequence[str] = (),
        chain: tuple[Place, ...] = (),
    ) -> tuple[Finding, Change]:
        """Return finding and change of a site that is rewritten: unsafe if there are ``caveats``.

        ``chain`` are other places of the change.
        """
        level = Level.UNSAFE if caveats else Level.SAFE
        said = with_caveats(message, caveats)
        change = ChangeId(f"{self.rule}:{self.id}")
        finding = Finding(
            site=self.id,
            rule=self.rule,
            level=level,
            place=self.place,
            scope=self.module.scope_name(self.node),
            message=said,
            chain=chain,
            change=change,
        )
        return finding, Change(
            id=change,
            rule=self.rule,
            title=said,
            level=level,
            sites=(self.id,),
            edits=tuple(edits),
        )


def planned(decided: Sequence[tuple[Finding, Change | None]]) -> Plan:
    """Return the plan of a rule that decides every site by itself."""
    changes = tuple(change for _, change in decided if change is not None)
    return Plan(tuple(finding for finding, _ in decided), changes)


def with_caveats(message: str, caveats: Iterable[str]) -> str:
    """Return ``message`` with what may change, a clause each, behind it on the same line."""
    return "; ".join([message, *caveats])
