"""The plan of a rule, with its diagnostics and its evidence."""

from __future__ import annotations

from msgspec import Struct

from awaken.contract import Plan
from awaken.engine.report import Diagnostic
from awaken.project.source.looked_at import LookedAt


class Planned(Struct, frozen=True):
    """A rule's plan with its diagnostics.

    looked_at: its evidence; None if it has none of its own
    questions: how many questions of values it asked
    """

    plan: Plan
    diagnostics: tuple[Diagnostic, ...] = ()
    looked_at: LookedAt | None = None
    questions: int = 0
