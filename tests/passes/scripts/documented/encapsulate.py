"""Puts a property before an attribute of a class: `CLASS ATTRIBUTE`."""

import sys

from bowler import Query


def main():
    owner, name = sys.argv[1:]
    Query().select_attribute(name).in_class(owner, include_subclasses=False).encapsulate().write()
