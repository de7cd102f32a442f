"""Turns `self.assertEqual(a, b)` and its like into plain statements; a query for each name."""

from bowler import SYMBOL, Query
from fissix.fixer_util import Name
from fissix.pytree import Leaf, Node

OPERATORS = {
    "assertEqual": "==",
    "assertNotEqual": "!=",
    "assertIs": "is",
    "assertIn": "in",
    "assertGreater": ">",
}


def main():
    for name, operator in OPERATORS.items():

        def plain(node, capture, filename):
            arguments = capture["function_arguments"]
            if not arguments or arguments[0].type != SYMBOL.arglist:
                return None
            parts = arguments[0].children
            if len(parts) != 3 or any(one.type == SYMBOL.argument for one in parts):
                return None
            left, right = parts[0].clone(), parts[2].clone()
            left.prefix, right.prefix = " ", " "
            if any("\n" in str(one) or isinstance(one, Leaf) is False for one in (left, right)):
                return None
            children = [Name("assert"), left, Name(operator, prefix=" "), right]
            return Node(SYMBOL.assert_stmt, children, prefix=node.prefix)

        Query().select_method(name).is_call().modify(plain).write()
