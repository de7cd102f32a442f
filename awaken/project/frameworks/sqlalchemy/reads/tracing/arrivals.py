"""Arrivals at a parameter: where its objects come from, and why these may not be all."""

from __future__ import annotations

from msgspec import Struct, field

from awaken.contract import Place
from awaken.project.values.domain import External, InstanceOf, NotRelevant, Origin, Unknown, Values


class Arrivals(Struct):
    """Where the objects come from that arrive at one parameter, and what is unknown of them.

    Objects of libraries are left out: they have no relationships.
    """

    origins: dict[Origin, None] = field(default_factory=dict)
    unknown: dict[Unknown, None] = field(default_factory=dict)

    def add(self, values: Values, place: Place) -> None:
        """Add what is given at ``place``."""
        for value in values:
            match value:
                case Unknown():
                    self.unknown[value] = None
                case InstanceOf(origins=None, parameters=parts) if parts:
                    # The objects in a list are traced as its items.
                    self.add(tuple(item for part in parts for item in part), place)
                case InstanceOf(qualified=name, origins=None):
                    if not name.startswith("builtins.") or name == "builtins.object":
                        self.stop("the statement that loaded it is unknown", place)
                case InstanceOf():
                    self.origins.update(dict.fromkeys(value.origins or ()))
                case External() | NotRelevant(mock=False):
                    self.stop("it may be something else", place)

    def stop(self, why: str, place: Place) -> None:
        """Add why not all objects are known."""
        self.unknown[Unknown(why, place)] = None
