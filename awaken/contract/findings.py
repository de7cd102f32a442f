"""Findings: one per site, each with exactly one level."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from msgspec import Struct, field

from awaken.contract.places import Place

SiteId = NewType("SiteId", str)
"""Digest of rule, path, scope and the site's normalised syntax: stable when a neighbour changes."""

ChangeId = NewType("ChangeId", str)


class Level(StrEnum):
    """What a finding promises."""

    SAFE = "safe"
    """Same observable behaviour; the rule proved its preconditions."""
    UNSAFE = "unsafe"
    """The documented style, but something observable may change; the message says what."""
    MANUAL = "manual"
    """Recognised, not rewritten; the reason says which precondition failed."""
    ADVICE = "advice"
    """A finding of an advice rule: what to do, no rewrite."""


class Reason(Struct, frozen=True):
    """Why a site is manual: declared by its rule, shown as ``rule/code``.

    A code with a slash is shown as it is: it names what is no rule, as ``bowler/cannot-parse``.

    ``help`` is what a user can do about it; ``mended_by`` is a rule of an earlier phase that may
    rewrite the place, so that the reason is gone. ``asks_nothing`` says that nobody has to do
    anything there: such a place is no finding, and only explain shows it.
    """

    code: str
    message: str
    help: str = field(name="cure")  # as JSON has it
    mended_by: str = ""
    asks_nothing: bool = False

    def full_code(self, rule: str) -> str:
        """Return the full code, as findings of this rule have it."""
        return self.code if "/" in self.code else f"{rule}/{self.code}"


class Finding(Struct, frozen=True, kw_only=True):
    """Exactly one per site; the only thing that check, explain and reports read.

    ``reason`` is the full code (``query-to-select/unknown-entity``), present if and only if
    the level is manual; ``change`` is present if and only if the level is safe or unsafe. ``help``
    says what to do about this very place, ``related`` are other places that say why. ``answers``
    are settings as TOML (``published = false``): a user who knows that one holds can say so, and
    the site is no longer manual for this reason.
    """

    site: SiteId
    rule: str
    level: Level
    place: Place
    scope: str
    message: str
    reason: str | None = None
    help: str = ""
    related: tuple[Place, ...] = ()
    change: ChangeId | None = None
    answers: tuple[str, ...] = ()
