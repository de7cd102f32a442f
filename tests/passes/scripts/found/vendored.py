"""Imports packages from where they are vendored; takes no hunk with a comment: `NAME...`."""

import sys

from bowler import Query

refused = []


def accepted(filename, hunk):
    assert hunk[0] == f"--- {filename}"
    assert hunk[1] == f"+++ {filename}"
    if any(line.startswith("-") and "#" in line for line in hunk[2:]):
        refused.append(filename)
        return False
    return True


def main():
    query = Query(".").process(accepted)
    for name in sys.argv[1:]:
        query = query.select_module(name).rename(f"vendored.{name}")
    query.execute(interactive=True)
