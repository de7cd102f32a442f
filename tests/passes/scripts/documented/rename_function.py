"""Renames a function, its calls and its imports: `OLD NEW [PATH...]`."""

import sys

from bowler import Query


def main():
    old, new, *paths = sys.argv[1:]
    Query(*paths).select_function(old).rename(new).idiff()
