from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.contract import Span
from awaken.preview.diffs.source_lines import Region, SourceLines


@pytest.mark.parametrize(
    ("text", "lines", "ends"),
    [
        pytest.param(b"", [], [], id="empty"),
        pytest.param(b"a", ["a"], [""], id="no final newline"),
        pytest.param(b"a\n", ["a"], ["\n"], id="final newline"),
        pytest.param(b"a\r\nb\rc\nd", ["a", "b", "c", "d"], ["\r\n", "\r", "\n", ""], id="mixed"),
        pytest.param(b"\n\n", ["", ""], ["\n", "\n"], id="blank lines"),
        pytest.param(b"a\x0cb\x0b\x1cc\n", ["a\x0cb\x0b\x1cc"], ["\n"], id="form feed is text"),
        pytest.param("a\u2028b\n".encode(), ["a\u2028b"], ["\n"], id="line separator is text"),
    ],
)
def test_lines_end_where_python_says(text: bytes, lines: list[str], ends: list[str]) -> None:
    found = SourceLines(text)

    assert (found.lines, found.ends) == (lines, ends)


def test_columns_count_characters() -> None:
    lines = SourceLines("é = '日本'.query()\n".encode())
    start = "é = '日本'.query()\n".encode().index(b"query")

    assert lines.region(Span(start, start + 5)) == Region(1, 10, 1, 15)


def test_a_position_at_a_line_end_belongs_to_its_line() -> None:
    lines = SourceLines(b"ab\r\ncd\n")

    assert [lines.position(offset) for offset in (0, 2, 4, 6)] == [(1, 1), (1, 3), (2, 1), (2, 3)]


def test_the_end_of_an_empty_text_is_the_first_line() -> None:
    assert SourceLines(b"").position(0) == (1, 1)


@given(st.text(alphabet="ab é日\t\r\n"))
def test_lines_and_ends_make_up_the_text(text: str) -> None:
    assert "".join(SourceLines(text.encode()).whole) == text
