"""What came of asking a rule for its plan."""

from __future__ import annotations

from msgspec import Struct

from awaken.contract import Plan
from awaken.engine.report import Diagnostic
from awaken.project.source.looked_at import LookedAt


class Planned(Struct, frozen=True):
    """A rule's plan, its problems, its evidence, and how many questions of values it asked.

    Without evidence of its own ``looked_at`` is None.
    """

    plan: Plan
    diagnostics: tuple[Diagnostic, ...] = ()
    looked_at: LookedAt | None = None
    questions: int = 0
