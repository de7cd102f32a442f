"""Comments that are lost between two texts."""

from __future__ import annotations

import pytest

from awaken.editing.comments import lost_comments


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("f(a)", "g(a)", []),
        ("f(  # one\n a)", "g(  # one\n a)", []),
        ("f(  # one\n a)", "g(a)", ["# one"]),
        ("f(  # one\n a  # one\n)", "g(a  # one\n)", ["# one"]),
        ("f(  # one\n a  # two\n)", "g(  # two\n a  # one\n)", []),
        ("f('# no')", "f('a')", []),
        ("f('''\n# no\n''')", "f()", []),
        ("f(f'{x}# no')", "f()", []),
        ("    x = 1  # one\n    # two\n", "    y\n", ["# one", "# two"]),
        ("\tif a:  # one\n\t\tb\n", "\tif a:\n\t\tb  # one\n", []),
        ("x  # one\r\ny  # two\r\n", "x  # one\ry\r", ["# two"]),
        ("@a  # one\ndef f(): 0\n", "@a\ndef f(): 0\n", ["# one"]),
        ("x = {  # one\n}\n)  # stray\n", "x = {}\n", ["# one", "# stray"]),
    ],
)
def test_lost_comments(before, after, lost):
    assert lost_comments(before, after) == lost
