"""The reasons for which a session goes on to expire its objects, and what helps."""

from __future__ import annotations

from awaken.contract import Reason

ON_PURPOSE = Reason(
    "on-purpose",
    "the program sets `expire_on_commit=True` here",
    "Use `False` if objects are read after a commit. An asynchronous session cannot "
    "reload expired attributes.",
)
CHOSEN = Reason(
    "chosen",
    "the value of `{}` decides whether objects expire",
    "Make sure that it is `False` for asynchronous sessions.",
)
UNSEEN_OPTIONS = Reason(
    "unseen-options",
    "`**{}` may contain `expire_on_commit`",
    "If it does not, add `expire_on_commit=False`.",
)
OWN_CLASS = Reason(
    "own-class",
    "`{}` has its own `__init__` or `__call__`, which may set `expire_on_commit`",
    "Pass `expire_on_commit=False` to `super()` in it.",
)
NO_EFFECT = Reason(
    "no-effect",
    "setting `expire_on_commit` of an AsyncSession has no effect",
    "Pass `expire_on_commit=False` to the session, or set it on `sync_session`.",
)
EXTENSION = Reason(
    "extension",
    "`{}` makes sessions that expire their objects",
    "Pass `session_config=AsyncSessionConfig(expire_on_commit=False)`.",
)

ALL = tuple(value for value in globals().values() if isinstance(value, Reason))
