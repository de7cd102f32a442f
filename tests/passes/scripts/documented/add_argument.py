"""Adds an argument by keyword to one function, and by position to another: `FIRST SECOND`."""

import sys

from bowler import START, Query


def main():
    first, second = sys.argv[1:]
    (
        Query()
        .select_function(first)
        .add_argument("strict", "False", type_annotation="bool")
        .select_function(second)
        .is_call()
        .add_argument("context", "None", positional=True, after=START)
        .write()
    )
