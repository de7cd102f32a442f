"""How long a line is whose comment speaks to a tool."""

from __future__ import annotations

import pytest

from awaken.editing.pragmas import width_behind


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        (")", 1),
        (")  # type: ignore[misc]", 1),
        (",  # noqa: E712", 1),
        (",  #noqa", 1),
        ("  # pyright: ignore", 0),
        (" # pylint : disable=x", 0),
        ("  # why  # noqa", 7),
        ("  # type of it", 14),
        ("  # nosecret", 12),
    ],
)
def test_a_pragma_adds_nothing_to_its_line(text, width):
    assert width_behind(text) == width
