"""Renames a variable, but not below `vendored` or in files of tests: `OLD NEW`."""

import sys

from bowler import Query


def main():
    old, new = sys.argv[1:]
    query = Query(filename_matcher=lambda name: name.endswith(".py") and "vendored" not in name)
    query.select_var(old).is_filename(exclude=r"(^|/)test_\w+\.py$").rename(new).silent()
