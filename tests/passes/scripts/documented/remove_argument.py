"""Removes arguments whose places it takes from the functions themselves: `NAME...`."""

import sys

from bowler import Query


def sub(pattern, repl, string, count=0, flags=0): ...


def open(file, mode="r", buffering=-1, encoding=None): ...


FUNCTIONS = {"flags": sub, "mode": open}


def main():
    query = Query()
    for name in sys.argv[1:]:
        query = query.select_function(FUNCTIONS[name]).remove_argument(name)
    sys.exit(query.write().retcode)
