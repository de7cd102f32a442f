"""The reasons for which an engine stays as it is, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

UNSEEN_OPTIONS = Reason(
    "unseen-options",
    "`**{}` may hold `pool_pre_ping`, or a pool that needs none",
    "Add `pool_pre_ping=True` there if it does not.",
)
UNSEEN_POOL = Reason(
    "unseen-pool",
    "`poolclass={}` may be a pool that keeps no connection",
    "Add `pool_pre_ping=True` if it keeps some.",
)
OWN_POOL = Reason(
    "own-pool",
    "the engine is given a pool, to which `pool_pre_ping` does not apply",
    "Make the pool with `pre_ping=True`.",
)
CONFIGURED = Reason(
    "configured",
    "the options of this engine come from a configuration, which may hold `pool_pre_ping`",
    "Pass `pool_pre_ping=True` to this call if the configuration does not hold it.",
)
OTHER_ENGINE = Reason(
    "other-engine",
    "`strategy=` makes an engine of another kind",
    "Add `pool_pre_ping=True` if that kind knows it.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
