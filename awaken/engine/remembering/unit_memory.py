"""The kept plans of a project, by stage of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from awaken.engine.remembering.results_cache import ResultsCache
from awaken.engine.remembering.units import KnownUnits, StageUnits
from awaken.project.source.looked_at import Search
from awaken.workspace.sources import Snapshot

FIRST_STAGE = "0"


class UnitMemory:
    """Gives the units of each stage of a run that is ``asked`` something, and keeps them.

    ``made_from`` is the digest of all inputs of plans but rules, their constraints and the files.
    """

    def __init__(self, cache: ResultsCache, asked: bytes, made_from: bytes) -> None:
        self._cache = cache
        self._asked = asked
        self._made_from = made_from
        self._stages: dict[bytes, StageUnits] = {}

    def stage(self, name: str, snapshot: Snapshot) -> StageUnits:
        """Return the units of the stage ``name``, planned on ``snapshot``."""
        key = hashlib.sha256(self._asked + name.encode()).digest()
        if key in self._stages and self._stages[key].is_of(snapshot):
            return self._stages[key]
        units = StageUnits(self._cache.get(KnownUnits, key), snapshot, self._made_from)
        self._stages[key] = units
        return units

    def searched(self, snapshot: Snapshot) -> Iterator[tuple[Search, Iterable[str]]]:
        """Yield the searches of the last run, with the files of ``snapshot`` in which they hold."""
        return self.stage(FIRST_STAGE, snapshot).searched()

    def keep(self) -> None:
        """Keep the units of all stages for the next run."""
        for key, units in self._stages.items():
            self._cache.put(key, units.known())
