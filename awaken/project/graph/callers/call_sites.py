"""The callers of a function: call sites, and obstacles that may hide more of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from awaken.contract import Place

Why = Literal[
    "outside", "value", "framework", "named", "dynamic", "unresolved", "inherited", "many"
]


class CallSite(Struct, frozen=True):
    """One visible call: its place, and how many parameters it gives by itself.

    ``bound`` is 1 where the receiver is the first argument: ``self`` or ``cls``.
    """

    place: Place
    bound: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An obstacle that may hide a call; ``why`` is one clause, ``place`` its place.

    ``outside``: the name is public and the project published, so others may call it; ``value``: it
    is passed on as a value; ``framework``: something that is no code of the project calls it;
    ``named``: a string holds its name; ``dynamic``: names are put together near it;
    ``unresolved``: a call that may be meant; ``inherited``: a base outside the project may call
    it; ``many``: too much to search.
    ``others`` are further places of which the same is to be said.
    """

    kind: Why
    why: str
    place: Place
    others: tuple[Place, ...] = field(default=(), compare=False)


class Callers(Struct, frozen=True):
    """The calls of one function in the order of their paths and places, and what may hide more."""

    sites: tuple[CallSite, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def complete(self) -> bool:
        """Whether ``sites`` are all calls that there are."""
        return not self.obstacles
