"""Renames a class where it is defined or called, and not where it is inherited from: `OLD NEW`."""

import argparse

from bowler import Query


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--calls", action="store_true")
    words = parser.parse_args()
    query = Query(".").select_class(words.old)
    if words.calls:
        query = query.is_call()
    query.rename(words.new).execute(interactive=False, write=True, silent=True)
