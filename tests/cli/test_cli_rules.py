from __future__ import annotations

import json

import page_rules
import pytest

from awaken import api


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = page_rules.install(monkeypatch)
    monkeypatch.setattr(api, "rules", lambda: rules)


def test_the_list_says_what_each_rule_is(awaken):
    code, out, err = awaken("rules")

    assert (code, err) == (0, "")
    assert "  old-to-new  rewrite  safe unsafe  default  queries\n" in out
    assert "  odd-thing   advice   advice       preview  tidy\n" in out


def test_a_family_lists_its_rules(awaken):
    _, out, _ = awaken("rules", "things")

    assert out.startswith("things\n")
    assert "odd-thing" not in out


def test_a_family_lists_its_rules_in_preview_too(awaken):
    assert "odd-thing" in awaken("rules", "others")[1]


def test_a_piped_page_is_markdown(awaken):
    code, out, _ = awaken("rules", "old-to-new")

    assert code == 0
    assert out.startswith("# old-to-new\n")
    assert "## Before\n\n```python\nfrom things import old\n" in out
    assert "| `shadowed` | `…` is \\| shadowed | Rename it. |\n" in out


@pytest.mark.parametrize("options", [("--color", "always"), ("--output-format", "full")])
def test_on_a_terminal_the_page_is_set_as_text(awaken, options):
    _, out, _ = awaken("rules", "old-to-new", *options)

    assert "## Before" not in out
    assert "Before and after" in out
    assert "List" in out
    assert "```" not in out


def test_markdown_can_be_asked_for(awaken):
    _, out, _ = awaken("rules", "old-to-new", "--color", "always", "--output-format", "markdown")
    assert out.startswith("# old-to-new\n")
    assert awaken("rules", "--output-format", "markdown")[1].count("## others\n\n| rule |")


def test_json_is_one_document(awaken):
    whole = json.loads(awaken("rules", "--output-format", "json")[1])
    assert [rule["name"] for rule in whole["rules"]] == ["old-to-new", "odd-thing"]
    (one,) = json.loads(awaken("rules", "old-to-new", "--output-format", "json")[1])["rules"]
    assert one == whole["rules"][0]
    family = json.loads(awaken("rules", "others", "--output-format", "json")[1])
    assert [rule["name"] for rule in family["rules"]] == ["odd-thing"]


def test_a_rule_in_preview_has_its_page(awaken):
    assert "Advice in one line." in awaken("rules", "odd-thing")[1]


@pytest.mark.parametrize("command", [["rules"], ["check", "--ignore"]])
def test_advice_of_awaken_itself_is_said_to_be_no_rule(awaken, command):
    code, out, err = awaken(*command, "unused-suppression")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "unused-suppression is no rule but advice on comments" in err
    assert "`# awaken: ignore[..., unused-suppression]`" in err


def test_an_unknown_name_is_one_sentence_with_the_nearest(awaken):
    code, out, err = awaken("rules", "old-to-knew")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "'old-to-knew'" in err
    assert "'old-to-new'" in err
