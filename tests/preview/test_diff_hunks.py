"""The comparison of lines, of long files as well."""

from __future__ import annotations

import pytest

from awaken.preview.diffs import hunks as module
from awaken.preview.diffs.hunks import hunks


def numbered(count, changed):
    for number in range(count):
        yield f"def f{number}():"
        yield "    return new()" if number in changed else "    return old()"
        yield ""


@pytest.mark.parametrize("changed", [{5}, {0, 9, 19}, {*range(20)}, {3, 4}])
def test_a_long_file_has_the_hunks_of_a_short_one(monkeypatch, changed):
    before = ["import a", *numbered(20, ())]
    after = ["import a", "import b", *numbered(20, changed)]
    expected = hunks(before, after)

    monkeypatch.setattr(module, "_LONG", 0)

    assert hunks(before, after) == expected


def test_lines_that_moved_are_still_compared(monkeypatch):
    monkeypatch.setattr(module, "_LONG", 0)
    before, after = ["a", "b", "c", "d"], ["d", "a", "x", "c"]

    whole = hunks(before, after, 100)

    lines = [
        line
        for block in whole[0]
        for line in (
            before[block.start : block.stop]
            if block.equal
            else after[block.new_start : block.new_stop]
        )
    ]
    assert lines == after
