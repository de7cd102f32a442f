from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import RULE, file_change, finding, report, root_report, source
from rich.cells import cell_len
from rich.console import Console

from awaken.contract import ChangeId, Level
from awaken.engine.report import FileChange, Report
from awaken.preview.choices import Color, View
from awaken.preview.console.console import make_console
from awaken.preview.diffs.coloured import print_diff
from awaken.preview.terminal.frames import print_findings

USUAL = View()
ROOT = Path("/home/me/project")
MANUAL_CURE = "Name the class in the call."

BEFORE = b"""\
import models


def first(session, key):
    return session.query(models.A).filter(models.A.id == key).first()


def every(session):
    return session.query(models.A).all()


def some(session, *what):
    return session.query(*what).all()


def number(session):
    return session.query(models.A).count()
"""
FIRST = "session.scalars(select(models.A).where(models.A.id == key).limit(1)).first()"
AFTER = BEFORE.replace(
    b"session.query(models.A).filter(models.A.id == key).first()", FIRST.encode()
).replace(b"query(models.A).all()", b"scalars(select(models.A)).all()")


def sample() -> Report:
    file = source("app/a.py", BEFORE)
    first = finding(
        file, "session.query(models.A).filter(models.A.id == key).first()", scope="first"
    )
    every = finding(
        file,
        "session.query(models.A).all()",
        Level.UNSAFE,
        scope="every",
        message="rows that came twice come once",
    )
    some = finding(
        file,
        "session.query(*what).all()",
        Level.MANUAL,
        scope="some",
        message="`what` is a parameter",
        help=MANUAL_CURE,
    )
    number = finding(
        file,
        "session.query(models.A).count()",
        Level.UNSAFE,
        scope="number",
        message="the SQL text changes",
    )
    change = FileChange("app/a.py", file, file.with_text(AFTER), (first, every))
    return report(root_report(ROOT, change, findings=(first, every, some, number)))


def terminal(stream: io.StringIO, width: int) -> Console:
    console = make_console(stream, Color.ALWAYS)
    console.width = width
    return console


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def printed(of: Report, width: int | None = None, current: Path = ROOT, view: View = USUAL) -> str:
    """Return what a terminal of ``width`` shows, without colours; None is a pipe."""
    stream = io.StringIO()
    console = make_console(stream, Color.NEVER)
    if width is not None:
        console = terminal(stream, width)
    print_diff(of, console, current, view)
    return plain(stream.getvalue())


def test_the_whole_page() -> None:
    assert printed(sample()).splitlines() == [
        "── app/a.py ──",
        f"   {RULE}  1 safe, 2 unsafe, 1 manual",
        "      ⋯ in first",
        " 2  2 │  ",
        " 3  3 │  ",
        " 4  4 │  def first(session, key):",
        " 5    │-     return session.query(models.A).filter(models.A.id == key).first()",
        f"    5 │+     return {FIRST}",
        " 6  6 │  ",
        " 7  7 │  ",
        " 8  8 │  def every(session):",
        " 9    │-     return session.query(models.A).all()",
        "    9 │+     return session.scalars(select(models.A)).all()",
        "      │  ▲ unsafe rows that came twice come once",
        "10 10 │  ",
        "11 11 │  ",
        "12 12 │  def some(session, *what):",
        "",
        f"   manual {RULE}/unknown-entity",
        "     13:12  `what` is a parameter",
        "     what to do  Name the class in the call.",
        f"   unsafe {RULE}, not rewritten without --unsafe-fixes",
        "     17:12  the SQL text changes",
        "",
    ]


def test_a_site_that_stays_is_marked_where_it_is_in_sight() -> None:
    file = source("a.py", b"x = q(A)\ny = q(*b)\n")
    done, stays = finding(file, "q(A)"), finding(file, "q(*b)", Level.MANUAL)
    change = FileChange("a.py", file, file.with_text(b"x = s(A)\ny = q(*b)\n"), (done,))

    text = printed(report(root_report(ROOT, change, findings=(done, stays))))

    assert f" 2  2 │  y = q(*b)\n      │  ▲ manual {RULE}/unknown-entity, see below\n" in text


def test_a_file_without_a_change_has_its_list_only() -> None:
    file = source("a.py", b"q(*b)\n")
    stays = finding(file, "q(*b)", Level.MANUAL, message="no")

    text = printed(report(root_report(ROOT, findings=(stays,), sources={"a.py": file})))

    assert text.splitlines()[:4] == [
        "── a.py ──",
        f"   {RULE}  1 manual",
        f"   manual {RULE}/unknown-entity",
        "     1:1  no",
    ]


def test_sites_with_the_same_reason_are_listed_together() -> None:
    file = source("a.py", b"q(a)\nq(b)\nq(c)\n")
    levels = zip("abc", (Level.MANUAL, Level.UNSAFE, Level.MANUAL), strict=True)
    found = tuple(finding(file, f"q({name})", level, message=name) for name, level in levels)

    text = printed(report(root_report(ROOT, findings=found, sources={"a.py": file})))

    assert text.splitlines()[2:] == [
        f"   manual {RULE}/unknown-entity",
        "     1:1  a",
        "     3:1  c",
        "     what to do  name the class in the call",
        f"   unsafe {RULE}, not rewritten without --unsafe-fixes",
        "     2:1  b",
        "",
    ]


def test_a_file_that_another_files_site_changes_says_so() -> None:
    file = source("a.py", b"q(A)\n")
    found = finding(file, "q(A)")
    other = file_change("b.py", b"x\n", b"y\n", (found,))
    text = printed(
        report(
            root_report(
                ROOT,
                FileChange("a.py", file, file.with_text(b"s(A)\n"), (found,)),
                other,
                findings=(found,),
            )
        )
    )

    assert f"── b.py ──\n   {RULE}  changed with other files\n" in text


def test_a_new_file_is_all_added() -> None:
    text = printed(report(root_report(ROOT, file_change("new.py", None, b"a = 1\nb = 2"))))

    assert text.splitlines()[0] == "── new.py (new file) ──"
    assert text.splitlines()[1:4] == [
        "    1 │+ a = 1",
        "    2 │+ b = 2",
        "      │  no newline at the end of the file",
    ]


def test_line_ends_are_shown_where_they_alone_differ() -> None:
    text = printed(report(root_report(ROOT, file_change("a.py", b"a\r\nb\r\n", b"a\nb\r\n"))))

    assert " 1    │- a\\r\\n\n    1 │+ a\\n\n 2  2 │  b\n" in text


def test_paths_are_relative_to_where_the_user_stands() -> None:
    assert printed(sample(), current=ROOT / "app").startswith("── a.py ──\n")
    assert printed(sample(), current=ROOT / "docs").startswith("── ../app/a.py ──\n")


def test_a_path_and_a_message_are_never_markup() -> None:
    file = source("app/[red]/:smile:.py", b"q(A)\n")
    found = finding(file, "q(A)", Level.MANUAL, message="List[str] a[/b]", help="use [x]")
    text = printed(report(root_report(ROOT, findings=(found,), sources={file.path: file})), 80)

    assert "── app/[red]/:smile:.py ──" in text
    assert "List[str] a[/b]\n" in text
    assert "use [x]\n" in text


@pytest.mark.parametrize("width", [40, 80, 160])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    text = printed(sample(), width)

    assert max(map(cell_len, text.splitlines())) <= width
    together = re.sub(r"\n *[│|]?[┊:]? *", "", text).replace(" ", "")
    assert "session.scalars(select(models.A).where(models.A.id==key).limit(1)).first()" in together


def test_folded_rows_of_a_change_carry_a_sign() -> None:
    of = report(
        root_report(ROOT, file_change("a.py", b"x = old(a, b, c, d, e, f, g, h, i)\n", b""))
    )

    assert printed(of, 40).splitlines()[1:3] == [
        " 1    │- x = old(a, b, c, d, e, f, g, h,",
        "      │┊      i)",
    ]


def test_a_folded_line_of_context_carries_none() -> None:
    long = b"x = same(a, b, c, d, e, f, g, h, i)\n"
    of = report(root_report(ROOT, file_change("a.py", long, long + b"y\n")))

    assert printed(of, 40).splitlines()[1:3] == [
        " 1  1 │  x = same(a, b, c, d, e, f, g, ",
        "      │      h, i)",
    ]


@pytest.mark.parametrize(
    ("context", "numbers"),
    [(0, [2, 4, 9]), (1, [1, 2, 3, 4, 5, 8, 9, 10]), (2, [*range(1, 11)])],
)
def test_as_many_lines_around_as_asked_for(context: int, numbers: list[int]) -> None:
    before = "".join(f"line{number}\n" for number in range(1, 11))
    after = before.replace("line2", "x").replace("line4", "y").replace("line9", "z")
    of = report(root_report(ROOT, file_change("a.py", before.encode(), after.encode())))

    rows = printed(of, view=View(context=context)).splitlines()
    old = [int(row[:2]) for row in rows if "│" in row and row[:2].strip()]

    assert old == numbers
    assert sum("⋯" in row for row in rows) == {0: 2, 1: 1, 2: 0}[context]


def test_a_hunk_without_context_names_its_function() -> None:
    rows = printed(sample(), view=View(context=0)).splitlines()

    assert [row for row in rows if "⋯" in row] == ["      ⋯ in first", "      ⋯ in every"]


def test_nothing_is_said_to_be_left_out_above_the_first_line() -> None:
    rows = printed(sample(), view=View(context=99)).splitlines()

    assert rows[2] == " 1  1 │  import models"
    assert not [row for row in rows if "⋯" in row]


line = st.text(alphabet="ab ()[]/:\t日é\x1b", max_size=12)
program = st.lists(line, max_size=12).map("\n".join)


@given(before=program, after=program)
def test_the_rows_give_both_texts_back(before: str, after: str) -> None:
    text = printed(report(root_report(ROOT, file_change("a.txt", before.encode(), after.encode()))))
    numbered = re.findall(r"^ *(\d*) +(\d*) *│([-+ ]) ", text, re.MULTILINE)
    removed = sum(sign == "-" for _, _, sign in numbered)
    added = sum(sign == "+" for _, _, sign in numbered)

    assert len(after.encode().splitlines()) - len(before.encode().splitlines()) == added - removed


def framed(of: Report, width: int | None = None) -> str:
    stream = io.StringIO()
    console = make_console(stream, Color.NEVER)
    if width is not None:
        console = terminal(stream, width)
    print_findings(of, console, ROOT)
    return plain(stream.getvalue())


def test_a_finding_is_framed_and_underlined() -> None:
    assert framed(sample()).split("\n\n")[2].splitlines() == [
        f"{RULE} manual: `what` is a parameter",
        "  --> app/a.py:13:12",
        "12 │ def some(session, *what):",
        "13 │     return session.query(*what).all()",
        "   │            ^^^^^^^^^^^^^^^^^^^^^^^^^^",
        f"   = reason: {RULE}/unknown-entity",
        "   = what to do: Name the class in the call.",
    ]


def test_a_caveat_is_shown_in_full_at_its_first_site_only() -> None:
    file = source("a.py", b"f(1)\ng(2)\n")
    messages = ("`f` goes; `x; y` is read; it is slow", "`g` goes; it is slow; it is big")
    sites = tuple(
        finding(file, site, Level.UNSAFE, message=message)
        for site, message in zip(("f(1)", "g(2)"), messages, strict=True)
    )

    change = FileChange("a.py", file, file.with_text(b"a\nb\n"), sites)

    first, second, *_ = framed(report(root_report(ROOT, change, findings=sites))).split("\n\n")

    assert first.splitlines()[0] == f"{RULE} unsafe: `f` goes"
    assert [row.strip() for row in first.splitlines() if "may change" in row] == [
        "= may change: `x; y` is read",
        "= may change: it is slow",
    ]
    assert [row.strip() for row in second.splitlines() if "may change" in row] == [
        "= may change: it is big",
        "= may change: as at a.py:1:1",
    ]


def test_the_new_text_of_a_rewritten_site_follows_its_lines() -> None:
    first, every, *_ = framed(sample()).split("\n\n")

    assert first.splitlines()[2:] == [
        "4 │ def first(session, key):",
        "5 │     return session.query(models.A).filter(models.A.id == key).first()",
        "  │            " + "^" * 58,
        f"+ │     return {FIRST}",
    ]
    assert every.splitlines()[-1] == " + │     return session.scalars(select(models.A)).all()"


def rewritten(before: str, after: str, *sites: str, level: Level = Level.SAFE) -> list[str]:
    """Return the frames of ``sites``, all of which were rewritten, each without its head."""
    file = source("a.py", before.encode())
    found = tuple(finding(file, site, level) for site in sites)
    change = FileChange("a.py", file, file.with_text(after.encode()), found)
    text = framed(report(root_report(ROOT, change, findings=found)))
    return ["\n".join(frame.split("\n")[2:]) for frame in text.strip("\n").split("\n\n")]


def test_the_new_text_comes_before_the_lines_behind() -> None:
    before = "x = (\n    q(A)\n    .all()\n)\ny = 1\n"
    after = "x = (\n    s(\n        select(A)\n    ).all()\n)\ny = 1\n"

    assert rewritten(before, after, "q(A)\n    .all()")[0].splitlines() == [
        "1 │   x = (",
        "2 │ ┃     q(A)",
        "3 │ ┃     .all()",
        "+ │       s(",
        "+ │           select(A)",
        "+ │       ).all()",
        "4 │   )",
    ]


def test_lines_of_a_site_that_stay_belong_to_its_new_text() -> None:
    (frame,) = rewritten(
        "q(A)\n    .b()\n    .d()\n", "q(A)\n    .c()\n    .d()\n", "q(A)\n    .b()"
    )

    assert [line for line in frame.splitlines() if "+" in line] == ["+ │   q(A)", "+ │       .c()"]


def test_what_is_inserted_behind_a_site_belongs_to_it() -> None:
    before = "x = (\n    q(A)\n    .all()\n)\n"
    after = "x = (\n    s(A)\n    .all()\n    .more()\n)\n"

    (frame,) = rewritten(before, after, "q(A)\n    .all()")

    assert frame.splitlines()[3:6] == ["+ │       s(A)", "+ │       .all()", "+ │       .more()"]


def test_only_what_is_added_follows_lines_that_stay() -> None:
    before = "def f():\n    g()"

    shown = "\n".join(rewritten(before, f"{before}\n\n\nF = f\n", before))

    assert [line.strip() for line in shown.splitlines()] == [
        "1 │ ┃ def f():",
        "2 │ ┃     g()",
        "+ │",
        "+ │",
        "+ │   F = f",
    ]


def test_a_new_text_ends_with_its_last_bracket() -> None:
    (frame,) = rewritten("x = q(A)\nb.c.d\n", "x = s(\n    b.c.d\n)\n", "q(A)")

    assert frame.splitlines()[-3:] == ["+ │ x = s(", "+ │     b.c.d", "+ │ )"]


def test_neighbours_are_told_apart() -> None:
    before = "x = q(A).all()\ny = q(B).all()\n"
    after = "x = s(\n    A\n).all()\ny = s(\n    B\n).all()\n"

    one, two = rewritten(before, after, "q(A).all()", "q(B).all()")

    assert one.splitlines()[2:] == [
        "+ │ x = s(",
        "+ │     A",
        "+ │ ).all()",
        "2 │ y = q(B).all()",
    ]
    assert two.splitlines()[-3:] == ["+ │ y = s(", "+ │     B", "+ │ ).all()"]


def test_sites_on_the_same_lines_show_their_new_text_once() -> None:
    one, two = rewritten("x = q(A), q(B)\n", "x = s(A), s(B)\n", "q(A)", "q(B)")

    assert "+ │ x = s(A), s(B)" in one
    assert "+ │" not in two
    assert two.endswith("= rewrite: shown above")


@pytest.mark.parametrize("name", ["a", "f", "k"])
def test_a_rewrite_among_too_many_others_is_not_guessed(name: str) -> None:
    names = "abcdefghijk"
    before = "".join(f"q({one})\n" for one in names)
    after = "".join(f"{one.upper()}{number}\n" for number, one in enumerate(names * 2))

    (frame,) = rewritten(before, after, f"q({name})")

    assert "+" not in frame


def test_a_long_new_text_is_cut() -> None:
    added = "".join(f"    line{number},\n" for number in range(20))

    (frame,) = rewritten("x = q(A)\n", f"x = q(\n{added})\n", "q(A)")

    assert frame.splitlines()[2:] == [
        "+ │ x = q(",
        "+ │     line0,",
        "+ │     line1,",
        "+ │     line2,",
        "⋯ 17 more lines",
        "+ │ )",
    ]


def test_an_import_above_is_no_part_of_a_rewrite() -> None:
    after = "import select\nimport a\nx = s(A)\n"

    (frame,) = rewritten("import a\nx = q(A)\n", after, "q(A)")

    assert frame.splitlines()[-1] == "+ │ x = s(A)"
    assert frame.count("+") == 1


def test_a_site_that_stays_has_no_new_text() -> None:
    file = source("a.py", b"x = q(A), q(B)\n")
    done, stays = finding(file, "q(A)"), finding(file, "q(B)", Level.UNSAFE)
    change = FileChange("a.py", file, file.with_text(b"x = s(A), q(B)\n"), (done,))

    text = framed(report(root_report(ROOT, change, findings=(done, stays))))

    assert text.count("+ │") == 1
    assert "shown above" not in text


def test_what_to_do_about_unsafe_sites_is_said_once() -> None:
    file = source("a.py", b"x = q(A), q(B), q(C)\n")
    found = [finding(file, f"q({name})", Level.UNSAFE) for name in "AB"]
    own = finding(file, "q(C)", Level.UNSAFE, help="Ask the callers.")

    change = FileChange("a.py", file, file.with_text(b"x = s(A), q(B), q(C)\n"), ())
    text = framed(report(root_report(ROOT, change, findings=(*found, own))))

    said = "what to do about 2 unsafe sites: check whether the program relies on the old behaviour"
    assert text.count(said) == 1
    assert text.index(said) > text.index("Ask the callers.")
    assert "about" not in framed(report(root_report(ROOT, change, findings=(own,))))


def test_a_span_up_to_a_line_end_stays_on_its_line() -> None:
    (frame,) = rewritten("a\nq(A)\nb\nc\n", "a\nq(A)\nb\nc\n", "q(A)\n")

    assert frame.splitlines() == ["1 │ a", "2 │ q(A)", "  │ ^^^^", "3 │ b"]


def test_the_underline_is_right_below_wide_characters() -> None:
    (frame,) = rewritten("\t\u65e5\u672c e\u0301 q(A)\n", "\t\u65e5\u672c e\u0301 q(A)\n", "q(A)")
    code, marks = frame.splitlines()

    assert cell_len(code[: code.index("q(")]) == marks.index("^")
    assert marks.count("^") == 4


def test_the_underline_folds_with_its_line() -> None:
    lines = framed(sample(), 40).splitlines()
    start = next(index for index, text in enumerate(lines) if text.startswith("5 │"))

    assert lines[start : start + 6] == [
        "5 │     return session.query(models.A)",
        "  │            ^^^^^^^^^^^^^^^^^^^^^^^",
        "  │         .filter(models.A.id == key)",
        "  │         ^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "  │         .first()",
        "  │         ^^^^^^^^",
    ]


def test_a_long_span_shows_its_head_and_its_end() -> None:
    body = "(\n" + "".join(f"    line{number},\n" for number in range(20)) + ")"
    file = source("a.py", f"x = {body}\ny = 1\n".encode())
    found = finding(file, body)

    text = framed(report(root_report(ROOT, findings=(found,), sources={"a.py": file})))

    assert text.splitlines()[2:] == [
        " 1 │ ┃ x = (",
        " 2 │ ┃     line0,",
        " 3 │ ┃     line1,",
        " 4 │ ┃     line2,",
        " ⋯ 17 more lines",
        "22 │ ┃ )",
        "23 │   y = 1",
        "",
    ]


def test_a_chain_says_why() -> None:
    file = source("a.py", b"x = 1\nq(x)\n")
    where = finding(file, "x = 1").place
    found = finding(file, "q(x)", related=(type(where)(where.path, where.span, "assigned here"),))

    text = framed(report(root_report(ROOT, findings=(found,), sources={"a.py": file})))

    assert "  = because: a.py:1:1 assigned here\n" in text


def test_two_expressions_that_begin_in_one_place_are_one_line() -> None:
    file = source("a.py", b"x.y = 1\nq(x)\n")
    places = (finding(file, "x").place, finding(file, "x.y").place)
    found = finding(file, "q(x)", related=places)

    text = framed(report(root_report(ROOT, findings=(found,), sources={"a.py": file})))

    assert text.count("because: a.py:1:1") == 1


def test_sites_of_one_change_are_decided_on_once() -> None:
    file = source("a.py", b"x = q(A), q(B), q(C)\n")
    found = [finding(file, f"q({name})", Level.UNSAFE, change=ChangeId("c")) for name in "ABC"]
    change = FileChange("a.py", file, file.with_text(b"x = s(A), q(B), q(C)\n"), ())

    text = framed(report(root_report(ROOT, change, findings=tuple(found))))

    assert "what to do about 1 unsafe change at 3 sites: check whether" in text
