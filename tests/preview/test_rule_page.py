"""A rule's page as parts, as Markdown and as JSON."""

from __future__ import annotations

import json
import sys

import page_rules
import pytest

from awaken.contract import Level, Reason
from awaken.preview.documents.rule_document import document
from awaken.preview.markdown import rule_page
from awaken.preview.markdown.rule_markdown import index, markdown, message
from awaken.preview.markdown.rule_page import examples, levels, options, program, summary


@pytest.fixture
def old(monkeypatch):
    return page_rules.install(monkeypatch)[0]


@pytest.fixture
def odd(monkeypatch):
    return page_rules.install(monkeypatch)[1]


def test_the_summary_is_the_first_sentence(old, odd):
    assert summary(old) == "Rewrites `old()` to [new](x)."
    assert summary(odd) == "Advice in one line."


def test_headings_inside_code_are_code(old):
    titles = [part.title for part in rule_page.parts(old) if isinstance(part, rule_page.Section)]
    assert titles == ["", "What", "What it refuses", "Sources"]


def test_examples_are_files_before_and_after(old):
    first, second = examples(old)
    assert first.before == {"case.py": "from things import old\n\nx = old(List[str])\n"}
    assert first.after == {"case.py": "from things import new\n\nx = new(List[str])\n"}
    assert (first.title, first.unsafe) == ("", False)
    assert (second.title, second.unsafe) == ("in two files", True)
    assert second.after == {"case.py": "new()\n", "app/b.py": "new(1)\n"}


def test_named_code_of_other_sections_stands_beside_every_example(old):
    assert program(old) == {"things.py": "## Not a heading\ndef old(): ...\n"}


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("## After\n", "## Afterwards\n"),
        ("## After: in two files (unsafe)", "## After: in two files"),
        ("## After: in two files (unsafe)", "## After: in 2 files (unsafe)"),
    ],
)
def test_headings_that_do_not_fit_make_no_example(old, monkeypatch, was, becomes):
    module = sys.modules["things.old_to_new"]
    monkeypatch.setattr(module, "__doc__", page_rules.PAGE.replace(was, becomes))
    assert len(examples(old)) == 1
    assert becomes.strip() in markdown(old)


def test_options_are_those_of_the_type(old, odd):
    assert [(one.name, one.type, one.default, one.description) for one in options(old)] == [
        ("most-lines", "int", "3", "How many | at most."),
        ("style", "Literal['a', 'b']", '"a"', ""),
        ("names", "list[str]", '["x"]', ""),
        ("needed", "bool", None, ""),
        ("perhaps", "str | None", "none", ""),
    ]
    assert options(odd) == []


def test_advice_has_one_level(old, odd):
    assert levels(old) == (Level.SAFE, Level.UNSAFE)
    assert levels(odd) == (Level.ADVICE,)


def test_markdown_is_the_docstring_and_what_the_rule_declares(old):
    text = markdown(old)
    assert text.startswith("# old-to-new\n\nRewrites `old()`")
    assert "| levels | safe, unsafe |\n" in text
    assert "| status | default, since 1.2 |\n" in text
    assert "\n| `shadowed` | `…` is \\| shadowed | Rename it. |\n" in text
    assert "\n| `most-lines` | `int` | `3` | How many \\| at most. |\n" in text
    assert "\n| `needed` | `bool` | must be given |  |\n" in text
    assert "\n`things` >=2, in every version" in text
    assert "```python app/b.py\nold(1)\n```" in text
    own = [line for line in page_rules.PAGE.splitlines() if line]
    assert set(own) <= set(text.splitlines())


def test_the_first_example_and_how_to_run_the_rule_come_first(old, odd):
    titles = [line for line in markdown(old).splitlines() if line.startswith("## ")]
    assert titles[:5] == [
        "## Before",
        "## After",
        "## How to run it",
        "## What",
        "## Not a heading",
    ]
    assert "awaken apply --select old-to-new --unsafe-fixes\n```" in markdown(old)
    assert "awaken check --select odd-thing\n```" in markdown(odd)
    assert "apply" not in markdown(odd)


def test_a_rule_that_is_never_safe_is_run_with_unsafe_fixes(old, monkeypatch):
    monkeypatch.setattr(type(old), "levels", (Level.UNSAFE, Level.MANUAL))

    assert (
        "```console\n"
        "awaken diff --select old-to-new --unsafe-fixes\n"
        "awaken apply --select old-to-new --unsafe-fixes\n"
        "```"
    ) in markdown(old)


def test_a_reason_without_words_of_its_own_points_to_the_finding():
    assert message(Reason("shadowed", "{}", "Rename it.")) == "the finding names the code"
    assert message(Reason("shadowed", "`{}` is shadowed", "Rename it.")) == "`…` is shadowed"


def test_what_is_declared_follows_what_it_refuses(old):
    text = markdown(old)
    titles = ("What it refuses", "Options", "Needs", "Sources")
    places = [text.index(f"\n## {title}\n") for title in titles]
    assert places == sorted(places)


def test_a_page_without_sections_still_says_what_is_declared(odd):
    text = markdown(odd)
    assert "## What it refuses" not in text
    assert "## Options\n\nNone.\n\n## Needs\n\nAny version.\n\n## Facts\n" in text


def test_the_index_has_one_table_per_family(old, odd):
    text = index([odd, old], "{}.md")
    assert text.index("## others") < text.index("## things")
    row = "| [`old-to-new`](old-to-new.md) | Rewrites `old()` to [new](x). | rewrite | safe, unsafe"
    assert f"{row} | queries | default |" in text
    assert "| advice | advice | tidy | preview |" in text
    assert text.count("old-to-new.md") == 1


def test_the_document_says_everything_about_a_rule(old):
    (entry,) = json.loads(document([old]))["rules"]
    assert entry["levels"] == ["safe", "unsafe"]
    assert entry["needs"] == {"things": ">=2"}
    assert entry["options"][3] == {
        "name": "needed",
        "type": "bool",
        "default": None,
        "description": "",
    }
    assert entry["reasons"] == [
        {"reason": "old-to-new/shadowed", "message": "`…` is | shadowed", "cure": "Rename it."}
    ]
    assert [one["after"] for one in entry["examples"]][1]["app/b.py"] == "new(1)\n"
    assert entry["page"] == markdown(old)
    assert {"name", "family", "kind", "phase", "status", "since", "summary"} < entry.keys()
