from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from msgspec import structs
from report_builders import RULE, change_of, file_change, finding, report, root_report, source
from rich.console import Console

from awaken.contract import ChangeId, Level, Outline, OutlinePart, OutlineRow, Place, SiteId, Span
from awaken.engine.asking.answers import Answer, Question
from awaken.engine.report import LeftToDo
from awaken.preview.choices import Color, View
from awaken.preview.diffs.coloured import print_diff
from awaken.preview.markdown.remaining_work import markdown
from awaken.preview.show import show
from awaken.preview.streams.output import Asked
from awaken.preview.terminal.frames import print_findings
from awaken.preview.terminal.outline_page import print_outlines
from awaken.preview.terminal.question_screen import Screen

ROOT = Path("/home/me/shop")
FILE = source("app/a.py", b"one()\ntwo()\n")


def outline_of(*parts, change=None):
    return Outline(
        rule=RULE, title="two functions change", parts=parts, sites=(SiteId("one"),), change=change
    )


def printed(root, width=None):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=width is not None, color_system=None)
    print_outlines(report(root), console, ROOT)
    return file.getvalue()


def root_with(outline, **values):
    return root_report(ROOT, findings=(), outlines=(outline,), sources={"app/a.py": FILE}, **values)


def by_file(*paths):
    rows = tuple(OutlineRow("", 1, Place(path, Span(0, 0))) for path in paths)
    return OutlinePart("functions", "Functions", rows, len(rows))


def test_rows_stand_below_their_heading_with_number_and_place():
    rows = OutlineRow("engine", 1, Place("app/a.py", Span(6, 9))), OutlineRow("others", 12)
    outline = outline_of(OutlinePart("seeds", "Begins with", rows), by_file("app/a.py", "app/b.py"))

    assert printed(root_with(outline)) == (
        "query-to-select: two functions change\n"
        "  Begins with   1  engine  app/a.py:2\n"
        "               12  others\n"
        "  Functions     2  in 2 files\n"
        "                1  app/a.py\n"
        "                1  app/b.py\n"
        "\n"
    )


def test_a_thousand_files_are_a_few_folders_and_the_large_ones_are_told_apart():
    large = [f"src/shop/{folder}/f{number}.py" for folder in "abcde" for number in range(200)]
    outline = outline_of(by_file("main.py", "src/tools/x/y.py", *large))

    assert printed(root_with(outline)).splitlines()[1:] == [
        "  Functions  1,002  in 1,002 files",
        "                 1  main.py",
        *(f"               200  src/shop/{folder}/" for folder in "abcde"),
        "                 1  src/tools/x/y.py",
        "",
    ]


def test_of_many_rows_the_rest_is_counted():
    rows = tuple(OutlineRow(f"row {number}", 3) for number in range(20))
    lines = printed(root_with(outline_of(OutlinePart("stops", "Stopped by", rows)))).splitlines()

    assert len(lines) == 1 + 13 + 1
    assert lines[13].endswith("and 8 others")


def test_a_narrow_terminal_folds_rows_below_their_text():
    rows = (OutlineRow("objects keep their values after a commit", 2),)
    lines = printed(root_with(outline_of(OutlinePart("c", "May change", rows))), 40).splitlines()

    assert lines[2].startswith("  May change  2  objects keep their")
    assert lines[3].startswith(" " * 17 + "values")
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize("is_made", [True, False])
def test_a_change_that_waits_says_for_what_and_its_lines_of_settings_are_named(is_made):
    found = finding(FILE, "one()", Level.UNSAFE, change=ChangeId("c"))
    change = change_of(found, "app/a.py")
    left = (
        LeftToDo("pyproject.toml", 3, "aiosqlite", "[project]", "it is pinned", (ChangeId("c"),)),
        LeftToDo("pyproject.toml", 9, "other", "", "it is pinned", (ChangeId("d"),)),
    )
    root = root_with(outline_of(change=ChangeId("c")), left_to_do=left)
    kinds = {"changes": (change,)} if is_made else {"pending": (change,)}
    text = printed(structs.replace(root, **kinds))

    assert ("change with --unsafe-fixes" in text) is not is_made
    assert "Left to do    pyproject.toml:3: add `aiosqlite` to [project]: it is pinned\n" in text
    assert "other" not in text


PART = OutlinePart("seeds", "Begins with", (OutlineRow("engine"),))


def sample():
    change = file_change("app/a.py", b"one()\ntwo()\n", b"await one()\ntwo()\n")
    found = finding(FILE, "one()", change=ChangeId("c"))
    left = (LeftToDo("pyproject.toml", 3, "x = 1", "", "it is pinned", (ChangeId("c"),)),)
    root = root_report(
        ROOT,
        change,
        findings=(found,),
        outlines=(outline_of(PART, change=ChangeId("c")),),
        sources={"app/a.py": FILE},
        left_to_do=left,
    )
    return report(structs.replace(root, changes=(change_of(found, "app/a.py"),)))


def shown(capsys, monkeypatch, command, **view):
    monkeypatch.setattr(Path, "cwd", lambda: ROOT)
    show(sample(), command, View(**view), lambda *words: " ".join(["awaken", *words]))
    return capsys.readouterr()


def test_a_patch_stays_one_and_the_plan_stands_beside_it(capsys, monkeypatch):
    out, err = shown(capsys, monkeypatch, "diff")

    assert out.startswith("diff --git a/app/a.py b/app/a.py\n")
    assert "two functions" not in out
    assert err.startswith("query-to-select: two functions change\n  Begins with  1  engine\n")
    assert err.count("pyproject.toml:3: add `x = 1`: it is pinned") == 1


def test_a_quiet_patch_is_all_there_is(capsys, monkeypatch):
    out, err = shown(capsys, monkeypatch, "diff", quiet=True)

    assert (out[:10], err) == ("diff --git", "")


@pytest.mark.parametrize("command", ["check", "diff"])
def test_what_a_terminal_shows_begins_with_the_plan(capsys, monkeypatch, command):
    out, err = shown(capsys, monkeypatch, command, color=Color.ALWAYS, pager=False)
    plain = re.sub(r"\x1b\[[\d;]*m", "", out)

    assert plain.startswith("query-to-select: two functions change\n  Begins with  1  engine\n")
    assert "it is pinned" in plain
    assert "it is pinned" not in err


def test_apply_says_what_is_left_to_do_and_no_plan(capsys, monkeypatch):
    out, err = shown(capsys, monkeypatch, "apply")

    assert "two functions" not in out + err
    assert "left to do: pyproject.toml:3: add `x = 1`: it is pinned\n" in err


def test_a_question_about_a_whole_program_shows_its_plan():
    (root,) = sample().roots
    file = io.StringIO()
    screen = Screen(Console(file=file), ROOT, lambda: "y\n", lambda *_: None, View())
    answer = screen.ask(Question(root, root.changes[0], root.findings, root.files, 1, 1))
    text = file.getvalue()

    assert answer is Answer.YES
    assert "query-to-select: two functions change\n  Begins with" in text
    assert "`awaken diff` shows the changes of 1 file." in text
    assert "await one()" not in text


def test_a_tracker_gets_the_plan_and_no_task_for_what_stays_with_others():
    text = markdown(refused_report(), Asked("check", ROOT, 3))

    assert (
        "`query-to-select`: two functions change. 6 places not listed here stay with these" in text
    )
    assert text.count("- [ ]") == 1


def refused_report():
    """Return a report of one place that stops a program, and of six others in two files."""
    other = source("app/b.py", b"three()\n")
    stops = finding(FILE, "one()", Level.MANUAL, message="it stops all", reason="r/stops")
    beside = {"message": "it stays because of `one`", "reason": "r/beside-another"}
    stays = [
        finding(file, text, Level.MANUAL, site=SiteId(f"{text} {number}"), **beside)
        for file, text in ((FILE, "two()"), (other, "three()"))
        for number in range(3)
    ]
    outline = structs.replace(outline_of(PART), sites=tuple(one.site for one in (stops, *stays)))
    return report(
        root_report(
            ROOT,
            findings=(stops, *stays),
            outlines=(outline,),
            sources={"app/a.py": FILE, "app/b.py": other},
        )
    )


def test_what_stays_for_the_sake_of_others_is_one_line():
    file = io.StringIO()
    print_findings(refused_report(), Console(file=file), ROOT)
    text = file.getvalue()

    assert text.count(" --> ") == 1
    assert "it stops all" in text
    assert "6 places in 2 files stay as they are with these" in text


def test_a_change_that_the_engine_rejects_says_why_once():
    why = "the change would also edit pytest.ini, which is outside the selected paths"
    values = {"message": why, "reason": "engine/outside-selected-paths", "help": "Name it."}
    stays = [finding(FILE, "one()", Level.MANUAL, site=SiteId(str(n)), **values) for n in range(6)]
    file = io.StringIO()

    whole = root_report(ROOT, findings=tuple(stays), sources={"app/a.py": FILE})
    print_findings(report(whole), Console(file=file, width=300), ROOT)

    assert file.getvalue() == f"query-to-select manual: 6 places in 1 file: {why}. Name it.\n\n"


def test_a_diff_says_it_in_the_plan_alone():
    file = io.StringIO()
    print_diff(refused_report(), Console(file=file), ROOT)
    text = file.getvalue()

    assert "it stops all" in text
    assert "it stays because of" not in text
    assert "app/b.py" not in text


def changed(number, *, is_outlined=False, message="it changes", title="it changes", every=False):
    """Return what is printed of one change with ``number`` of sites in each of two files."""
    other = source("app/b.py", b"three()\n")
    members = [
        finding(file, text, Level.UNSAFE, site=SiteId(f"{text} {n}"), message=message, change="c")
        for file, text in ((FILE, "two()"), (other, "three()"))
        for n in range(number)
    ]
    change = structs.replace(change_of(members[0], "app/a.py", "app/b.py"), title=title)
    made = root_report(
        ROOT,
        findings=tuple(members),
        pending=(change,),
        outlines=(outline_of(change=change.id),) if is_outlined else (),
        sources={"app/a.py": FILE, "app/b.py": other},
    )
    file = io.StringIO()
    print_findings(report(made), Console(file=file, width=200), ROOT, every=every)
    return file.getvalue()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"is_outlined": True}, "6 places in 2 files are one change: two functions change (`-v`"),
        ({"is_outlined": True, "message": "it changes; rows differ"}, ": two functions change (`"),
        ({"title": "it changes; rows differ", "message": "b; rows differ"}, "; rows differ (`-v`"),
    ],
)
def test_members_of_one_change_are_one_line(values, line):
    text = changed(3, **values)

    assert line in text
    assert " --> " not in text
    assert "about 1 unsafe change at 6 sites" in text
    assert changed(3, every=True, **values).count(" --> ") == 6


@pytest.mark.parametrize("values", [{"number": 2}, {"number": 3, "message": "it may; rows differ"}])
def test_a_few_members_and_those_that_say_more_than_their_change_are_shown(values):
    text = changed(**values)

    assert "one change" not in text
    assert text.count(" --> ") == 2 * values["number"]
