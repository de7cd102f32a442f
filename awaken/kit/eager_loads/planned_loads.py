"""Planned loads: how each read is served by the statement that loads its object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from awaken.contract import Edit, Place
from awaken.kit.sites import Refused
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Trace


class AddedLoad(Struct, frozen=True):
    """A loader option, or a refresh, that is written at ``place`` for the sake of ``traces``.

    ``text`` is the code from the loaded class on: ``selectinload(User.posts)``.
    """

    place: Place
    text: str
    traces: tuple[Trace, ...]


class PlannedLoads(Struct, frozen=True):
    """The edits that load the relationships of some reads, and the fate of each path to a read.

    ``present`` are those that an option, or the mapping, serves already; ``refused`` says of the
    others why nothing can be written for them.
    """

    edits: tuple[Edit, ...]
    added: tuple[AddedLoad, ...]
    present: frozenset[Trace]
    refused: Mapping[Trace, Refused]

    @classmethod
    def union(cls, plans: Iterable[PlannedLoads]) -> PlannedLoads:
        """Return several plans as one, each edit once."""
        each = tuple(plans)
        return cls(
            tuple(dict.fromkeys(edit for plan in each for edit in plan.edits)),
            tuple(load for plan in each for load in plan.added),
            frozenset(trace for plan in each for trace in plan.present),
            {trace: why for plan in each for trace, why in plan.refused.items()},
        )
