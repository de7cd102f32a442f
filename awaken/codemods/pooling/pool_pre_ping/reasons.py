"""The reasons for which an engine stays as it is, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

UNSEEN_OPTIONS = Reason(
    "unseen-options",
    "`**{}` may contain `pool_pre_ping`, or a pool that needs none",
    "If it does not, add `pool_pre_ping=True`.",
)
UNSEEN_POOL = Reason(
    "unseen-pool",
    "`poolclass={}` may be a pool that keeps no connections",
    "If it keeps connections, add `pool_pre_ping=True`.",
)
OWN_POOL = Reason(
    "own-pool",
    "the engine gets a pool object, and `pool_pre_ping` does not apply to it",
    "Make the pool with `pre_ping=True`.",
)
CONFIGURED = Reason(
    "configured",
    "the options of this engine come from a configuration, which may contain `pool_pre_ping`",
    "If the configuration does not contain it, pass `pool_pre_ping=True` to this call.",
)
OTHER_ENGINE = Reason(
    "other-engine",
    "`strategy=` creates another kind of engine",
    "If that kind supports it, add `pool_pre_ping=True`.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
