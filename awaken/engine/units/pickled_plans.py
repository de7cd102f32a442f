"""Plans as bytes. The payloads of rewriters have types that only their rule knows: pickle has them.

The results cache reads only bytes that the user's key has signed. In addition, awaken makes nothing
from them but its own data.
"""

from __future__ import annotations

import io
import pickle
from enum import Enum
from typing import Any

from msgspec import Struct

from awaken.engine.planning.rule_planning import Planned

_OWN = "awaken."


class _AnyStruct(Struct, kw_only=True):
    """A Struct that pickle makes by keyword."""

    field: None = None


_REBUILD: Any = _AnyStruct().__reduce__()[0]
_PLAIN = {(kind.__module__, kind.__qualname__) for kind in (frozenset, set, _REBUILD)}
"""What else a pickle may name: plain collections, and what makes a Struct in this msgspec."""


def plan_to_bytes(planned: Planned) -> bytes | None:
    """Return a plan as bytes, without its evidence; None for a payload that has no bytes."""
    bare = Planned(planned.plan, planned.diagnostics)
    try:
        data = pickle.dumps(bare, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001  a payload may be anything
        return None
    return data if plan_from_bytes(data) == bare else None


def plan_from_bytes(data: bytes) -> Planned | None:
    """Return the plan of these bytes; None for bytes that hold anything else."""
    try:
        planned = _Reader(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001  bytes may be anything
        return None
    return planned if isinstance(planned, Planned) else None


class _Reader(pickle.Unpickler):
    """Reads pickles that hold awaken's own data and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        kind = super().find_class(module, name) if module.startswith(_OWN) else None
        if isinstance(kind, type) and issubclass(kind, Struct | tuple | Enum):
            return kind
        raise pickle.UnpicklingError(f"{module}.{name} is no data of awaken")
