"""The certainty that an item of a query is what it is taken for."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, auto

from msgspec import Struct
from msgspec.structs import replace


class Degree(IntEnum):
    """The degrees of certainty, the least first; each has the doubts of those above it as well."""

    ASSUMED = auto()
    """A class of a library is taken for a mapped one by the spelling of its name."""
    WEAK = auto()
    """It is some class: mapped if a query takes it, but its attributes are not known."""
    PRESUMED = auto()
    """Only the query says that it is mapped, so that it cannot prove that this is a query."""
    CERTAIN = auto()


class Certainty(Struct, frozen=True):
    """A degree; ``reason`` names a possible source of other values, if any."""

    degree: Degree = Degree.CERTAIN
    reason: str = ""

    @property
    def is_presumed(self) -> bool:
        """Whether nothing but the query says that it is mapped."""
        return self.degree <= Degree.PRESUMED

    @property
    def is_weak(self) -> bool:
        """Whether nothing is known of its attributes."""
        return self.degree <= Degree.WEAK

    @property
    def is_assumed(self) -> bool:
        """Whether it is taken for a mapped class by the spelling of its name."""
        return self.degree <= Degree.ASSUMED

    def because(self, reason: str) -> Certainty:
        """Return the same degree for ``reason``."""
        return replace(self, reason=reason)


CERTAIN = Certainty()
PRESUMED = Certainty(Degree.PRESUMED)
WEAK = Certainty(Degree.WEAK)
ASSUMED = Certainty(Degree.ASSUMED)


def least(found: Iterable[Certainty]) -> Certainty:
    """Return how sure it is that all of ``found`` hold: the least degree, and the first reason."""
    known = list(found)
    reason = next((certainty.reason for certainty in known if certainty.reason), "")
    return Certainty(min((certainty.degree for certainty in known), default=Degree.CERTAIN), reason)
