"""Strings as code: marks every call of a function that has more than two arguments: `NAME`."""

import sys

from bowler import Query


def main():
    (
        Query(".", python_version=3)
        .select_function(sys.argv[1])
        .is_call()
        .filter("len(list(capture['function_arguments'][0].children)) > 3")
        .modify("capture['function_name'].value += '_of_many'; capture['function_name'].changed()")
        .write()
    )
