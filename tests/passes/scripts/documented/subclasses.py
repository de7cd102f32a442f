"""Adds an attribute to each class that inherits from a given one: `CLASS LINE`."""

import sys

from bowler import SYMBOL, TOKEN, Query
from fissix.fixer_util import Name, Newline
from fissix.pytree import Leaf, Node


def main():
    ancestor, line = sys.argv[1:]

    def insert(node, capture, filename):
        for child in node.children:
            if child.type == SYMBOL.suite:
                statement = Node(SYMBOL.simple_stmt, [Name(line), Newline()])
                child.insert_child(2, statement)
                indent = next(one.value for one in child.children if one.type == TOKEN.INDENT)
                child.children[3].prefix = indent + child.children[3].prefix
        assert isinstance(capture["class_ancestor"], Leaf)
        return node

    Query().select_subclass(ancestor).is_def().modify(insert).write()
