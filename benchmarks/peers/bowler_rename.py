"""The Bowler query that speed.py compares with: one rename, shown as a diff, nothing written.

Started with Bowler's own Python: `python bowler_rename.py DIRECTORY FUNCTION`.
"""

from __future__ import annotations

import sys

from bowler import Query

directory, function = sys.argv[1:]
Query([directory]).select_function(function).rename(f"{function}_renamed").diff()
