"""A script of Bowler: `bowler run scripts/rename.py -- OLD NEW` renames a function."""

import sys

from bowler import Query


def main():
    old, new = sys.argv[1:]
    Query("shop").select_function(old).rename(new).write()
