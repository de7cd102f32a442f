"""The reasons of all rules: one sentence each, in words of the field, with what to do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import awaken
from awaken import api
from awaken.engine.planning.engine_reasons import ENGINE_REASONS

IN_HOUSE = re.compile(
    r"\bis no site\b|\bholds? back\b|\bheld back\b|\bdoubles? of Query\b|\bthe marker\b"
    r"|\bthe way to where\b|\bis none\b|\bwait for the rule\b|\bstands? in \d+ files\b"
    r"|\bout of sight of the rule\b|\bof the house\b|\bcontext manager of ours\b|\bTODO\b"
    r"|\bthe doubles? (of|`)|\bstand-ins? for\b|\bwaits? for the database\b|\bawaits nothing\b"
    r"|\bstands? in(side)?\b(?! (front|for|its place))|\bwhat stands in for\b|\bcomponent than\b"
)
"""Words that say something to who wrote awaken, and nothing to who reads a message."""
REASONS = {
    **{one.code: one for one in ENGINE_REASONS},
    **{one.of(rule.name): one for rule in api.rules() for one in rule.reasons},
}


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_said_in_words_of_the_field(code):
    reason = REASONS[code]

    assert not IN_HOUSE.search(reason.message)
    assert not IN_HOUSE.search(reason.help)


SAYING = [
    path
    for folder in ("codemods", "kit", "passes", "project", "engine/explaining", "engine/planning")
    for path in sorted((Path(awaken.__file__).parent / folder).rglob("*.py"))
]


@pytest.mark.slow
def test_what_rules_say_where_they_say_it_is_in_words_of_the_field():
    """Most messages are made where something is found: all strings but docstrings are read."""
    found = [
        f"{path.name}:{node.lineno}: {node.value}"
        for path in SAYING
        for node in _strings(ast.parse(path.read_text()))
        if " " in node.value and IN_HOUSE.search(node.value)
    ]

    assert found == []


def _strings(tree):
    """Yield the strings of a file that are no docstrings, parts of f-strings among them."""
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_one_clause_and_says_what_to_do(code):
    reason = REASONS[code]

    assert not reason.message.rstrip("`").endswith(".")
    assert reason.help.endswith((".", "!", "?"))


@pytest.mark.parametrize(
    "rule", [rule for rule in api.rules() if rule.pieces], ids=lambda r: r.name
)
def test_the_reason_of_a_piece_is_one_clause(rule):
    for text, why in rule.pieces.items():
        assert text
        assert not why.endswith(".")
        assert not IN_HOUSE.search(why)
