"""What may change is listed whole; sentences that differ in one name are one row."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec import structs
from report_builders import change_of, file_change, finding, report, root_report, source

from awaken.contract import ChangeId, Level, Outline, OutlinePart, OutlineRow, Place, Span
from awaken.engine.recipe_run import StepRun
from awaken.engine.report import LeftToDo
from awaken.preview.after_apply import commands_after
from awaken.preview.console.plain_console import PlainConsole
from awaken.preview.counts import grouped_rows, rewritten
from awaken.preview.recipes.commit_message import commit_message
from awaken.preview.terminal.outline_page import print_outlines
from awaken.settings.model import RecipeStep

ROOT = Path("/home/me/shop")
SENTENCES = [
    ("reading `A.b` from a closed session works", 1),
    ("objects keep their values", 2),
    ("reading `A.c` from a closed session works", 3),
    ("`x` and `y` change", 1),
    ("`x` and `z` change", 1),
    ("`all()` becomes `scalars()`; rows repeat; order differs", 2),
    ("`first()` becomes `scalars()`; rows repeat; order differs", 3),
    ("`one()` becomes `scalars()`; rows repeat", 1),
]


def test_sentences_that_say_the_same_of_several_places_are_one_row_and_none_is_lost():
    assert [(row.text, row.count) for row in grouped_rows(SENTENCES)] == [
        ("reading `A.b` from a closed session works (also `A.c`)", 4),
        ("objects keep their values", 2),
        ("`x` and `y` change", 1),
        ("`x` and `z` change", 1),
        ("rows repeat; order differs (5 times, first where `all()` becomes `scalars()`)", 5),
        ("`one()` becomes `scalars()`; rows repeat", 1),
    ]


def step_with(sentences, *files):
    file = source("app/a.py", b"one()\ntwo()\n")
    found = finding(file, "one()", Level.UNSAFE, change=ChangeId("c"))
    rows = tuple(OutlineRow(text, 1, Place("app/a.py", Span(0, 3))) for text in sentences)
    outline = Outline(
        rule="query-to-select",
        title="one function changes",
        parts=(OutlinePart("caveats", "What may change", rows),),
        sites=(found.site,),
        change=ChangeId("c"),
    )
    made = file_change("app/a.py", b"one()\ntwo()\n", b"await one()\ntwo()\n", (found,))
    others = [file_change(path, None, b"x\n") for path in files]
    root = root_report(ROOT, made, *others, outlines=(outline,))
    root = structs.replace(root, changes=(change_of(found, "app/a.py"),))
    return StepRun(
        2, RecipeStep(summary="Rewrite queries.", rules={"query-to-select": "unsafe"}), report(root)
    )


MANY = [f"the {number}th thing may change" for number in range(20)]


def test_a_commit_lists_all_that_may_change():
    lines = commit_message("all", step_with(MANY)).splitlines()

    assert [line for line in lines if line.endswith("thing may change")] == [
        f"- {sentence}" for sentence in MANY
    ]


def test_a_plan_lists_all_that_may_change(capsys):
    print_outlines(step_with(MANY).report, PlainConsole(sys.stdout), ROOT)

    text = capsys.readouterr().out
    assert all(sentence in text for sentence in MANY)
    assert "others" not in text


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ((), "1 site rewritten in 1 file"),
        (("pytest.ini",), "1 site rewritten in 1 file, plus pytest.ini"),
        (("a.ini", "b.txt"), "1 site rewritten in 1 file, plus a.ini and b.txt"),
        (("a", "b", "c"), "1 site rewritten in 1 file, plus 3 other files"),
        (("a" * 81,), "1 site rewritten in 1 file, plus 1 other file"),
        (("a\x1b[1m",), "1 site rewritten in 1 file, plus a\\x1b[1m"),
    ],
)
def test_files_with_sites_are_counted_and_the_others_are_named(others, words):
    assert rewritten(step_with([], *others).report).words("rewritten") == words


def test_the_files_of_tools_are_updated_in_order_before_requirements_are_installed(tmp_path):
    (tmp_path / "uv.lock").write_text("x")
    export = "uv export -o requirements.txt"
    left = (
        LeftToDo("requirements.txt", 0, "", "", "old", (), export),
        LeftToDo("uv.lock", 0, "", "", "old", (), "uv lock"),
        LeftToDo("other.txt", 0, "", "", "generate it again", ()),
    )
    changed = file_change("pyproject.toml", b"", b"x")
    root = root_report(tmp_path, changed, left_to_do=left)

    commands = [command for _, command in commands_after(report(root))]
    assert [command.partition("&& ")[2] for command in commands] == ["uv lock", export, "uv sync"]


def test_a_row_that_says_its_number_is_not_numbered_again():
    rows = grouped_rows(SENTENCES)

    assert [row.equal_sentences for row in rows] == [1, 2, 1, 1, 1, 1]
    assert [row.count for row in rows] == [4, 2, 1, 1, 5, 1]
