"""Removes what `super()` finds out by itself, and `object` as the only base of a class."""

from bowler import SYMBOL, TOKEN, Query

WITH_ARGUMENTS = """
    power<
        "super"
        trailer< "(" arglist=arglist< owner=NAME "," "self" > ")" >
        any*
    >
"""
WITH_OBJECT = """
    classdef< "class" NAME lpar="(" base="object" rpar=")" ":" suite >
"""


def is_within(node, capture, filename):
    around = node
    while around is not None and around.type != SYMBOL.classdef:
        around = around.parent
    return around is not None and around.children[1].value == capture["owner"].value


def shorter(node, capture, filename):
    capture["arglist"].remove()


def without_object(node, capture, filename):
    assert capture["base"].type == TOKEN.NAME
    for name in ("lpar", "base", "rpar"):
        capture[name].remove()


def main():
    (
        Query()
        .select(WITH_ARGUMENTS)
        .filter(is_within)
        .modify(shorter)
        .select(WITH_OBJECT)
        .modify(without_object)
        .write()
    )
