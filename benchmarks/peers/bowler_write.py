"""Runs a script of Bowler by Bowler alone, with every query written at once.

However a query of the script ends, `diff`, `idiff`, `silent`, `dump` or `execute`, its hunks are
taken; nothing else of Bowler is changed. Usage: `python bowler_write.py SCRIPT [WORD...]`.
"""

from __future__ import annotations

import sys

from bowler import Query
from bowler.main import main

_execute = Query.execute


def _written(query, **options):
    return _execute(query, **options | {"write": True, "silent": True, "interactive": False})


Query.execute = _written
sys.argv = ["bowler", "run", sys.argv[1], "--", *sys.argv[2:]]
main()
