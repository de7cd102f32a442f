"""The variables of the environment that no test sees unless it sets them."""

from __future__ import annotations

CLEARED = (
    "AWAKEN_PAGER",
    "AWAKEN_STATE_DIR",
    "CI",
    "COLORTERM",
    "COLUMNS",
    "EDITOR",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LESS",
    "LINES",
    "LV",
    "PAGER",
    "PY_COLORS",
    "TERM",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "VISUAL",
    "_AWAKEN_COMPLETE",
)
"""Variables that awaken, Rich or Typer read: a test that is about one sets it."""
