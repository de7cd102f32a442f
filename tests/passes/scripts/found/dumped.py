"""Prints what a pattern captures, changes nothing: `NAME`."""

import sys

from bowler import Query

if __name__ == "__main__":
    raise SystemExit("run this with `bowler run`")


def main():
    Query().select_function(sys.argv[1]).is_def().dump()
