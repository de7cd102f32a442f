"""Which kept plans hold for the files of a later run."""

from __future__ import annotations

from msgspec import structs

from awaken import api
from awaken.contract import Constraints, Plan
from awaken.engine.planning.planning import Planned
from awaken.engine.units.known_units import StageUnits, Unit
from awaken.project.source.looked_at import LookedAt
from awaken.workspace.sources import Snapshot, decode

UNIT = Unit(api.rules()[0], Constraints())
ON_DISK = decode("a.py", b"x = 1\n")


def stage(known, text):
    """Return the units of a stage in which an earlier phase wrote ``text``."""
    edited = structs.replace(ON_DISK, text=text)
    return StageUnits(known, Snapshot({"a.py": edited}), b"", {"a.py": ON_DISK})


def test_a_plan_holds_only_for_what_an_earlier_phase_wrote():
    """The edited file keeps the digest of the bytes on disk."""
    units = stage(None, b"x = 2\n")
    units.keep(UNIT, Planned(Plan(), looked_at=LookedAt(read={"a.py"})))
    known = units.to_keep()
    assert stage(known, b"x = 2\n").recall(UNIT) is not None
    assert stage(known, b"x = 3\n").recall(UNIT) is None
