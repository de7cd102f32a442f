"""The statements among which a statement stands."""

from __future__ import annotations

import ast

import pytest
from programs import program

TEXT = """
try:
    a = 1
    b = 2
except ValueError:
    c = 3
else:
    d = 4
finally:
    e = 5
    f = 6
match g:
    case 1:
        h = 7
i = 8
"""


@pytest.mark.parametrize(
    ("name", "block"),
    [("a", "ab"), ("c", "c"), ("d", "d"), ("f", "ef"), ("h", "h")],
)
def test_the_block_of_a_statement(name, block):
    module = program({"a.py": TEXT}).module("a.py")
    assignments = {one.targets[0].id: one for one in module.walk() if isinstance(one, ast.Assign)}

    assert module.block_of(assignments[name]) == [assignments[one] for one in block]
