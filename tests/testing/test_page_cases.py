"""Examples of pages as cases, and what is said about a page that lacks something."""

from __future__ import annotations

import sys

import page_rules
import pytest
from msgspec.structs import replace

from awaken.contract import Level, Reason, Status
from awaken.testing import (
    ExpectedFinding,
    assert_page,
    assert_place,
    assert_reasons_shown,
    page_cases,
)
from awaken.testing.pages import main, pages, write

GOOD = page_rules.PAGE.replace(
    "## Sources",
    """\
## Why

Because.

## Safety

None.

## On real programs

| program | sites |
| --- | ---: |
| bookshop | 3 |

## Sources""",
)


@pytest.fixture
def old(monkeypatch):
    return page_rules.install(monkeypatch)[0]


@pytest.fixture
def odd(monkeypatch):
    return page_rules.install(monkeypatch)[1]


def written(monkeypatch, text):
    monkeypatch.setattr(sys.modules["things.old_to_new"], "__doc__", text)


def test_every_example_is_a_case(old):
    safe, unsafe = page_cases([old])
    assert safe.identifier == "old-to-new/page-1"
    assert safe.before["case.py"].endswith(b"x = old(List[str])\n")
    assert safe.after["case.py"].endswith(b"x = new(List[str])\n")
    assert safe.settings.level is Level.SAFE
    assert not safe.settings.unsafe
    assert unsafe.settings.level is Level.UNSAFE
    assert unsafe.settings.unsafe
    assert unsafe.after["app/b.py"] == b"new(1)\n"
    for case in (safe, unsafe):
        assert case.program == {"things.py": b"## Not a heading\ndef old(): ...\n"}
        assert case.before["things.py"] == case.after["things.py"] == case.program["things.py"]
        assert not case.executes


def test_safe_examples_run_on_a_database_where_the_page_shows_models(old, monkeypatch):
    written(monkeypatch, page_rules.PAGE.replace("python things.py", "python models.py"))
    assert [case.executes for case in page_cases([old])] == [True, False]


def test_advice_changes_nothing_and_is_silent_afterwards(old, monkeypatch):
    monkeypatch.setattr(page_rules.Old, "kind", "advice")
    before, after, *_ = page_cases([old])
    assert before.settings.level is Level.ADVICE
    assert before.before == before.after
    assert after.settings.level is None
    assert after.before == after.after
    assert after.before["case.py"].endswith(b"x = new(List[str])\n")


def test_a_good_page_is_one(old, monkeypatch):
    written(monkeypatch, GOOD)
    assert_page(old)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("Because.", "", "no section ['Why']"),
        ("Because.", "TODO: why.\n\nTODO: more.", "is not written yet: TODO: why."),
        ("Rewrites `old()`", "Rewrites\n`old()`", "one line first"),
        ("## After\n", "## Aftermath\n", "belong to no example"),
        ("What is shadowed.\n\n```python\nold = None\n```", "", "what it refuses"),
        ("| --- | ---: |\n", "", "on real programs"),
    ],
)
def test_what_is_missing_is_named(old, monkeypatch, was, becomes, said):
    written(monkeypatch, GOOD.replace(was, becomes))
    with pytest.raises(AssertionError) as error:
        assert_page(old)
    assert said in str(error.value)


def test_a_rule_says_since_when_it_is_there(old, monkeypatch):
    written(monkeypatch, GOOD)
    monkeypatch.setattr(page_rules.Old, "since", "")
    with pytest.raises(AssertionError, match="which version brought it"):
        assert_page(old)


def test_the_help_of_a_reason_is_a_sentence(old, monkeypatch):
    written(monkeypatch, GOOD)
    monkeypatch.setattr(page_rules.Old, "reasons", (Reason("shadowed", "it is", "Rename it"),))
    with pytest.raises(AssertionError, match="help of old-to-new/shadowed ends without a full"):
        assert_page(old)


@pytest.mark.parametrize(("attribute", "value"), [("name", "new-to-old"), ("family", "others")])
def test_a_rule_stands_where_its_name_says(attribute, value, old, monkeypatch):
    assert_place(old)
    monkeypatch.setattr(page_rules.Old, attribute, value)
    with pytest.raises(AssertionError, match=r"is in things\.old_to_new\.plan, and belongs"):
        assert_place(old)


def test_a_reason_that_no_case_shows_is_named(old):
    (safe, unsafe) = page_cases([old])
    expect = (ExpectedFinding(1, Level.MANUAL, reason="old-to-new/shadowed"),)
    shown = replace(safe, settings=replace(safe.settings, expect=expect))

    assert_reasons_shown(old, [shown, unsafe])
    assert_reasons_shown(old, [unsafe], {"old-to-new/shadowed"})
    with pytest.raises(AssertionError, match="is manual for old-to-new/shadowed"):
        assert_reasons_shown(old, [safe, unsafe])


def test_a_page_needs_an_example(odd):
    with pytest.raises(AssertionError, match="no section"):
        assert_page(odd)


def test_in_preview_a_rule_needs_no_table(old, monkeypatch):
    written(monkeypatch, GOOD.replace("| --- | ---: |\n", ""))
    monkeypatch.setattr(page_rules.Old, "status", Status.PREVIEW)
    assert_page(old)


def test_pages_are_files_that_say_where_they_come_from(old, odd):
    files = pages([old, odd])
    assert files.keys() == {"README.md", "old-to-new.md", "odd-thing.md"}
    title, _, mark, *_ = files["old-to-new.md"].splitlines()
    assert title == "# old-to-new"
    assert "python -m awaken.testing.pages docs" in mark
    assert "`things.old_to_new`" in mark
    assert "(old-to-new.md)" in files["README.md"]


def test_writing_removes_pages_of_rules_that_are_gone(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "gone.md").write_text("old")
    write(tmp_path)
    names = {path.name for path in (tmp_path / "rules").iterdir()}
    assert {"README.md", "query-to-select.md"} <= names
    assert "gone.md" not in names
    assert "`--select RULES`" in (tmp_path / "commands.md").read_text("utf-8")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["docs", "more"]], ids=str)
def test_what_is_no_directory_ends_in_the_usage(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match="usage: python"):
        main(words)

    assert list(tmp_path.iterdir()) == []
