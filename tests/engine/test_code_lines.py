"""Which edits change comments, blank lines and the numbers of lines, and nothing else."""

from __future__ import annotations

import pytest

from awaken.engine.remembering.known_texts import moved_lines

BEFORE = b"""\
import os  # of the system


def f(x):
    # why
    return g(
        x,
        '''# no comment

        ''',
    )
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"  # of the system", b""),
        (b"    # why\n", b"# at the margin\n\n"),
        (b"x,\n", b"x,  # first\n\n        # second\n"),
        (b"\n\n\ndef", b"\ndef"),
        (b"    )\n", b"    )"),
    ],
)
def test_comments_and_blank_lines_are_no_code(old, new):
    assert old in BEFORE
    assert moved_lines(BEFORE, BEFORE.replace(old, new)) is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"g(", b"h("),
        (b"    return", b"        return"),
        (b"g(\n        x", b"g(x"),
        (b"(x)", b"( x)"),
        (b"# no comment", b"# another"),
        (b"comment\n\n", b"comment\n"),
        (b"import os  #", b"import os;  #"),
        (b"import os  # of", b"import os\\\n  # of"),
        (b"    )\n", b"    "),
    ],
)
def test_everything_else_is_code(old, new):
    assert old in BEFORE
    assert moved_lines(BEFORE, BEFORE.replace(old, new)) is None


def test_what_has_no_tokens_is_never_the_same():
    assert moved_lines(b"f(", b"f(") is None
