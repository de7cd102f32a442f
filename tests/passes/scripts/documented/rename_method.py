"""Renames a method and annotates its parameter: `OLD NEW PARAMETER ANNOTATION`."""

import sys

from bowler import Query


def main():
    old, new, parameter, annotation = sys.argv[1:]
    (
        Query()
        .select_method(old)
        .rename(new)
        .modify_argument(parameter, type_annotation=annotation)
        .diff()
    )
