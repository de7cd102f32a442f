"""The list of rules and a rule's page as a terminal shows them."""

from __future__ import annotations

import io
import sys

import page_rules
import pytest
from rich.cells import cell_len
from rich.text import Text

from awaken import api
from awaken.contract import Phase
from awaken.preview.choices import Color
from awaken.preview.console.console import make_console
from awaken.preview.terminal.catalogue import print_catalogue, print_page


@pytest.fixture
def rules(monkeypatch):
    return page_rules.install(monkeypatch)


@pytest.fixture
def show(monkeypatch):
    """Return a function that prints as a terminal of some width would show it."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def shown(function, what, width=80, color=Color.ALWAYS):
        monkeypatch.setenv("COLUMNS", str(width))
        stream = io.StringIO()
        function(what, make_console(stream, color))
        return stream.getvalue()

    return shown


def plain(text):
    return [line.rstrip() for line in Text.from_ansi(text).plain.splitlines()]


def test_the_list_is_a_table_per_family(rules, show):
    assert show(print_catalogue, rules, color=Color.NEVER).splitlines() == [
        "others",
        "  rule        kind     levels       status   phase",
        "  odd-thing   advice   advice       preview  tidy",
        "    Advice in one line.",
        "",
        "things",
        "  rule        kind     levels       status   phase",
        "  old-to-new  rewrite  safe unsafe  default  queries",
        "    Rewrites `old()` to [new](x).",
        "",
        "default  runs by itself",
        "opt-in   is finished, and runs if you select its name, family or recipe",
        "preview  is unfinished: select its name, or its family with `--preview`",
    ]


@pytest.mark.parametrize("phase", list(Phase), ids=lambda phase: phase.name.lower())
def test_the_list_of_what_is_there_fits_80_columns_in_every_phase(phase, show, monkeypatch):
    monkeypatch.setattr(type(api.rules()[0]), "phase", phase)
    lines = plain(show(print_catalogue, api.rules()))
    assert [line for line in lines if cell_len(line) > 80] == []
    assert any("query-to-select" in line for line in lines)


def test_the_list_says_the_same_in_colour(rules, show):
    coloured = show(print_catalogue, rules)
    assert plain(coloured) == show(print_catalogue, rules, color=Color.NEVER).splitlines()
    assert "\x1b[" in coloured


def test_the_page_shows_each_example_as_a_diff(rules, show):
    lines = plain(show(print_page, rules[0]))
    start = lines.index("Before and after")
    changed = [line[line.index("│") + 1 :] for line in lines[start:] if "│" in line]
    assert changed[:5] == [
        "- from things import old",
        "+ from things import new",
        "",
        "- x = old(List[str])",
        "+ x = new(List[str])",
    ]
    assert "Before and after: in two files, with --unsafe-fixes" in lines
    assert lines.index("case.py") < lines.index("app/b.py")
    assert "+ new(1)" in changed


def test_all_lines_of_an_example_are_shown(rules, show, monkeypatch):
    many = "".join(f"same_{number}()\n" for number in range(40))
    changed = page_rules.PAGE.replace("x = ", f"{many}x = ")
    monkeypatch.setattr(sys.modules["things.old_to_new"], "__doc__", changed)
    assert sum("same_" in line for line in plain(show(print_page, rules[0]))) == 40


def test_two_columns_where_there_is_room(rules, show):
    lines = plain(show(print_page, rules[0], width=160))
    (row,) = [line for line in lines if "old(List[str])" in line]
    assert row.index("old(List[str])") < row.index("│") < row.index("new(List[str])")


def test_prose_has_lines_that_can_be_read(rules, show, monkeypatch):
    long = page_rules.PAGE.replace("What is shadowed.", "word " * 60)
    monkeypatch.setattr(sys.modules["things.old_to_new"], "__doc__", long)
    lines = [line for line in plain(show(print_page, rules[0], width=200)) if "word" in line]
    assert 90 < max(map(len, lines)) <= 100


def test_the_page_has_code_in_colour_and_no_fences(rules, show):
    lines = plain(show(print_page, rules[0]))
    assert "def old(): ..." in "\n".join(lines)
    assert not [line for line in lines if "```" in line]


def test_the_page_lists_reasons_options_and_needs(rules, show):
    lines = plain(show(print_page, rules[0]))
    at = lines.index("old-to-new/shadowed")
    assert lines[at + 1 : at + 3] == ["    `…` is | shadowed", "    Rename it."]
    text = "\n".join(lines)
    assert "most-lines" in text
    assert "things >=2" in text
    assert "   levels  safe, unsafe" in lines


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("name", [rule.name for rule in api.rules()])
@pytest.mark.sampled(4)
def test_pages_fit_the_terminal(name, width, show):
    (rule,) = [rule for rule in api.rules() if rule.name == name]
    assert max(map(cell_len, plain(show(print_page, rule, width=width)))) <= width
