"""Renames modules, one query for each: `OLD=NEW...`; a new name may be longer or shorter."""

import sys

from bowler import Query

for pair in sys.argv[1:]:
    before, after = pair.split("=")
    Query(["."]).select_module(before).rename(after).write()
