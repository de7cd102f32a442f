from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import report, root_report

from awaken.contract import Place, Span
from awaken.engine.report import FileChange
from awaken.preview.diffs.source_lines import Region
from awaken.preview.markdown.remaining import places_after
from awaken.workspace.sources import SourceFile

ROOT = Path("/r")
BEFORE = b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"


def after_apply(before: bytes, after: bytes, span: Span) -> Region:
    file = SourceFile("a.py", before)
    root = root_report(ROOT, FileChange("a.py", file, SourceFile("a.py", after)), findings=())
    return places_after(report(root), "apply", ROOT).location_of(root, Place("a.py", span))[1]


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (BEFORE, 5),
        (b"new\n" + BEFORE, 6),
        (BEFORE.replace(b"a\nb\n", b""), 3),
        (BEFORE.replace(b"b\n", b"x\ny\nz\n").replace(b"d\n", b""), 6),
        (BEFORE.replace(b"f\n", b"x\ny\n"), 5),
        (BEFORE.replace(b"d\n", b"d\nx\n"), 6),
        (BEFORE.replace(b"f\n", b"new\nf\n"), 5),
    ],
)
def test_a_line_that_stayed_is_found_again(after: bytes, line: int) -> None:
    where = BEFORE.index(b"e")

    assert after_apply(BEFORE, after, Span(where, where + 1)) == Region(line, 1, line, 2)


def test_in_a_rewritten_line_only_the_line_is_known() -> None:
    before, after = b"a\nxx = one, two\nb\n", b"a\nxx = (\n  1, two)\nb\n"
    where = before.index(b"two")

    assert after_apply(before, after, Span(where, where + 3)) == Region(2, 0, 2, 0)


def test_a_line_that_is_gone_leads_to_where_it_was() -> None:
    assert after_apply(b"a\nb\nc\n", b"a\nc\n", Span(2, 3)) == Region(2, 0, 2, 0)


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("xyz")), st.integers(0, 9))
def test_a_line_of_its_own_is_always_found_again(
    above: list[str], instead: list[str], more: int
) -> None:
    below = ["q"] * more
    before = "\n".join([*above, "here", *below]).encode()
    after = "\n".join([*instead, "here", *below]).encode()
    where = before.index(b"here")

    region = after_apply(before, after, Span(where, where + 4))

    assert region == Region(len(instead) + 1, 1, len(instead) + 1, 5)
