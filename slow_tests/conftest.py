"""Tests that take minutes: `pytest slow_tests`. They share the helpers of the quick ones."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("engine", "cli", "preview", "hostile"):
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / folder))
