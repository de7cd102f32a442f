"""Every rule has the page that users look for, and ``docs`` holds what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixture_cases import CASES

from awaken import api
from awaken.preview.markdown.rule_page import levels
from awaken.testing import assert_page, assert_place, assert_reasons_shown
from awaken.testing.pages import COMMAND, documents

DOCS = Path(__file__).parent.parent / "docs"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
RULES = {rule.name: rule for rule in api.rules()}
SHOWN_BY_NO_CASE = {
    "lazy-raise/needs-raise-on-sql",
    "lazy-raise/out-of-sight",
    "on-event-to-lifespan/beside-left-out",
    "query-to-select/too-large",
    "session-to-async/out-of-sight",
}
"""Reasons that no case can show: of an option, of a site that the user leaves out, of files that
are none of the case, and of a limit that is larger than a case."""


@pytest.mark.parametrize("name", RULES)
def test_the_page_has_what_it_must_have(name):
    assert_page(RULES[name])


@pytest.mark.parametrize("name", RULES)
def test_the_fixtures_show_every_level_that_the_rule_declares(name):
    cases = [case.settings for case in CASES.values() if case.rule == name]
    shown = {one.level for one in cases}
    shown |= {finding.level for one in cases for finding in one.expect or ()}
    assert set(levels(RULES[name])) <= shown


@pytest.mark.parametrize("name", RULES)
def test_the_rule_stands_where_its_name_says(name):
    assert_place(RULES[name])


@pytest.mark.parametrize("name", RULES)
def test_the_fixtures_show_every_reason_that_the_rule_declares(name):
    cases = [case for case in CASES.values() if case.rule == name]
    assert_reasons_shown(RULES[name], cases, SHOWN_BY_NO_CASE)


def test_no_reason_is_called_unshown_that_a_case_shows():
    shown = {one.reason for case in CASES.values() for one in case.settings.expect or ()}
    assert SHOWN_BY_NO_CASE.isdisjoint(shown)


@pytest.mark.parametrize("name", documents())
def test_the_documentation_is_what_the_code_says(name):
    path = DOCS / name
    kept = path.read_text("utf-8") if path.exists() else ""
    assert kept == documents()[name], f"docs/{name} is stale; run: uv run {COMMAND}"


def test_no_page_is_left_of_a_rule_that_is_gone():
    kept = {f"rules/{path.name}" for path in (DOCS / "rules").iterdir()}
    assert kept <= documents().keys(), f"run: uv run {COMMAND}"


@pytest.mark.parametrize(
    "page", [*DOCS.glob("**/*.md"), DOCS.parent / "README.md"], ids=lambda path: path.name
)
def test_links_lead_to_files(page):
    links = _LINK.findall(page.read_text("utf-8"))
    paths = [link.partition("#")[0] for link in links if "://" not in link]
    assert not [path for path in paths if path and not (page.parent / path).exists()]


RECIPES = re.compile(r"```(?:yaml|sh|console)\n(.*?)```", re.DOTALL)
USED = re.compile(r"uses: ([\w/-]+)@(\S+)")
INDEX = re.compile(r"(?:install|uv add|--with|--from|uvx|pipx run)\s+'?awaken\b")


def test_recipes_agree_and_install_nothing_by_a_name_that_is_not_ours():
    """awaken is on no package index: who installs that name gets somebody else's program."""
    pages = [*DOCS.parent.glob("*.md"), *DOCS.glob("*.md")]
    versions = {}
    for page in pages:
        text = page.read_text("utf-8")
        assert not INDEX.search(text), page.name
        for recipe in RECIPES.findall(text):
            for action, version in USED.findall(recipe):
                versions.setdefault(action, set()).add(version)
            # What runs awaken in CI from its first step on installs it in one way.
            if "jobs:" in recipe and "run: awaken" in recipe:
                assert "pip install git+URL@COMMIT" in recipe, page.name
                assert "persist-credentials: false" in recipe, page.name
    assert versions
    assert not {action: several for action, several in versions.items() if len(several) > 1}
