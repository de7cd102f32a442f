from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import file_change, finding, report, root_report, source
from rich.cells import cell_len

from awaken.contract import Level
from awaken.engine.report import FileChange, Report
from awaken.preview.choices import Color, View
from awaken.preview.console.console import make_console
from awaken.preview.diffs.coloured import print_diff

ROOT = Path("/home/me/project")


def printed(of: Report, width: int | None = None, **view: object) -> list[str]:
    """Return the rows of two columns on a terminal of ``width``, without colours; None: a pipe."""
    stream = io.StringIO()
    console = make_console(stream, Color.NEVER if width is None else Color.ALWAYS)
    if width is not None:
        console.width = width
    print_diff(of, console, ROOT, View(side_by_side=True, **view))
    return re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()


def changed(before: str, after: str, path: str = "a.py") -> Report:
    return report(root_report(ROOT, file_change(path, before.encode(), after.encode())))


def columns(rows: list[str]) -> list[tuple[str, str]]:
    halves = (row.split(" │", 1) for row in rows if " │" in row)
    return [(left.rstrip(), right.removeprefix(" ").rstrip()) for left, right in halves]


def test_lines_stand_beside_what_they_became() -> None:
    rows = printed(changed("a = 1\nb = old(1)\nc = 3\n", "a = 1\nb = new(1)\nd()\nc = 3\n"), 80)

    assert rows[0].startswith("── a.py ──")
    assert columns(rows) == [
        (" 1   a = 1", " 1   a = 1"),
        (" 2 - b = old(1)", " 2 + b = new(1)"),
        ("", " 3 + d()"),
        (" 3   c = 3", " 4   c = 3"),
    ]


def test_lines_with_common_words_share_a_row() -> None:
    before = "x = (\n    s.query(A)\n    .filter(A.id == 1)\n    .all()\n)\n"
    after = "x = (\n    s.scalars(\n        select(A)\n        .where(A.id == 1)\n    ).all()\n)\n"

    assert columns(printed(changed(before, after), 80))[1:-1] == [
        (" 2 -     s.query(A)", " 2 +     s.scalars("),
        ("", " 3 +         select(A)"),
        (" 3 -     .filter(A.id == 1)", " 4 +         .where(A.id == 1)"),
        (" 4 -     .all()", " 5 +     ).all()"),
    ]


def test_a_folded_row_keeps_to_its_column_and_its_sign() -> None:
    before, after = f"x = old({'a, ' * 20})\n", f"x = new({'a, ' * 20})\n"

    assert columns(printed(changed(before, after), 80)) == [
        (" 1 - x = old(a, a, a, a, a, a, a, a,", " 1 + x = new(a, a, a, a, a, a, a, a,"),
        ("   ┊   a, a, a, a, a, a, a, a, a, a,", "   ┊   a, a, a, a, a, a, a, a, a, a,"),
        ("   ┊   a, a, )", "   ┊   a, a, )"),
    ]


def test_the_next_line_stands_beside_folded_rows() -> None:
    before, after = f"x = old({'a, ' * 11})\n", "x = new(\n    a\n)\n"

    assert columns(printed(changed(before, after), 80)) == [
        (" 1 - x = old(a, a, a, a, a, a, a, a,", " 1 + x = new("),
        ("   ┊   a, a, a, )", " 2 +     a"),
        ("", " 3 + )"),
    ]


def test_a_file_without_a_last_line_end_says_so_on_its_side() -> None:
    rows = columns(printed(changed("a = 1", "a = 2\n"), 80))

    assert rows == [
        (" 1 - a = 1", " 1 + a = 2\\n"),
        ("     no newline at the end of the file", ""),
    ]


def test_sites_that_stay_are_listed_below() -> None:
    file = source("a.py", b"x = q(A)\ny = q(*b)\n")
    done, stays = finding(file, "q(A)"), finding(file, "q(*b)", Level.MANUAL)
    change = FileChange("a.py", file, file.with_text(b"x = s(A)\ny = q(*b)\n"), (done,))

    rows = printed(report(root_report(ROOT, change, findings=(done, stays))), 80)

    assert "     ▲ manual query-to-select/unknown-entity, see below" in rows
    assert "     2:5  write this query as select()" in rows


def test_a_narrow_terminal_gets_one_column_and_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    rows = printed(changed("a = 1\n", "a = 2\n"), 79)

    assert rows[1:3] == [" 1    │- a = 1", "    1 │+ a = 2"]
    assert capsys.readouterr().err == (
        "note: --side-by-side needs 80 columns, and this terminal has 79; "
        "the diff is shown in one.\n"
    )


def test_a_quiet_run_does_not_note_it(capsys: pytest.CaptureFixture[str]) -> None:
    printed(changed("a = 1\n", "a = 2\n"), 79, quiet=True)

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("given", "width"), [(None, 160), ("100", 100), ("0", 160), ("x", 160)])
def test_a_pipe_is_as_wide_as_columns_says(
    given: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if given is not None:
        monkeypatch.setenv("COLUMNS", given)

    rows = printed(changed(f"x = old('{'a' * 200}')\n", "x = 1\n"))

    assert {row.index(" │") for row in rows if "│" in row} == {(width - 3) // 2}


def test_context_lines_are_as_many_as_asked_for() -> None:
    before = "".join(f"line{number}\n" for number in range(9))

    rows = columns(printed(changed(before, before.replace("line4", "other")), 80, context=1))

    assert rows == [
        (" 4   line3", " 4   line3"),
        (" 5 - line4", " 5 + other"),
        (" 6   line5", " 6   line5"),
    ]


line = st.text(alphabet="ab ()[]/:\t日é\u0301\u200d\ufe0f👩❤\x1b", max_size=60)
program = st.lists(line, max_size=8).map("\n".join)


@given(before=program, after=program, width=st.integers(80, 130))
def test_columns_are_straight_whatever_is_in_them(before: str, after: str, width: int) -> None:
    rows = [row for row in printed(changed(before, after, "a.txt"), width) if " │" in row]

    assert all(cell_len(row) <= width for row in rows)
    assert {cell_len(row.split(" │")[0]) for row in rows} <= {(width - 3) // 2}


@given(before=program, after=program)
def test_nothing_is_lost(before: str, after: str) -> None:
    rows = columns(printed(changed(before, after, "a.txt"), 80, context=99))
    gutters = re.compile(r"(?m)^.{1,5}|\s|\\[nr]")
    texts = [gutters.sub("", "\n".join(side)) for side in zip(*rows, strict=True)]

    def bare(text: str) -> str:
        shown = text.replace("\x1b", r"\x1b").replace("\u200d", r"\u200d")
        return re.sub(r"\s", "", shown)

    if before != after and rows:
        said = "nonewlineattheendofthefile"
        assert [text.replace(said, "") for text in texts] == [bare(before), bare(after)]
