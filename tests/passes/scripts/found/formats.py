"""Turns `"%s and %s" % (a, b)` into a literal with fields, where all are plain names."""

import re

from bowler import TOKEN, Query
from fissix.pytree import Leaf

PLAIN = re.compile(r"(?<!%)%[sd]")


def names_of(operand):
    if isinstance(operand, Leaf):
        return [operand.value] if operand.type == TOKEN.NAME else []
    inner = operand.children[1]
    leaves = [inner] if isinstance(inner, Leaf) else inner.children
    if any(one.type not in (TOKEN.NAME, TOKEN.COMMA) for one in leaves):
        return []
    return [one.value for one in leaves if one.type == TOKEN.NAME]


def formatted(node, capture, filename):
    text, _, operand = node.children
    names = names_of(operand)
    said = text.value
    if not names or said[0] not in "'\"" or re.search(r"[{}\\]|%[^sd]|%%", said):
        return
    if len(PLAIN.findall(said)) != len(names):
        return
    fields = iter(names)
    text.value = "f" + PLAIN.sub(lambda _: "{%s}" % next(fields), said)
    text.changed()
    operand.remove()
    node.children[1].remove()
    return


def main():
    pattern = "term< STRING '%' (NAME | atom< '(' any ')' >) >"
    Query().select(pattern).modify(formatted).execute(interactive=False, write=True, silent=True)
