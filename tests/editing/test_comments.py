"""Comments that are lost between two texts, and those that only suppress."""

from __future__ import annotations

import pytest

from awaken.editing.comments import lost_comments, only_suppresses


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


@pytest.mark.parametrize(
    "comment",
    [
        "# type: ignore",
        "#type:ignore[deprecated, attr-defined]",
        "# pyright: ignore[reportDeprecated]",
        "# noqa",
        "# NOQA: E501,F401",
        "# noqa: E501 F401",
        "# pylint: disable=unused-argument, no-member",
        "# nosec B101",
        "# fmt: skip",
        "# type: ignore[misc]  # noqa: E501",
    ],
)
def test_a_comment_that_only_suppresses(comment):
    assert only_suppresses(comment)


@pytest.mark.parametrize(
    "comment",
    [
        "# starts the workers",
        "# type: ignore  # FastAPI calls it",
        "# noqa: E501 until it is short",
        "# type: (int) -> None",
        "# pylint: enable=no-member",
        "# pragma: no cover",
        "# no more of this",
        "# nosecret",
        "# awaken: ignore[on-event-to-lifespan]",
    ],
)
def test_a_comment_that_says_more(comment):
    assert not only_suppresses(comment)
