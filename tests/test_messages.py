"""The reasons of all rules: one sentence each, in words of the field, with what to do."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import awaken
from awaken import api
from awaken.engine.planning.engine_reasons import ENGINE_REASONS
from awaken.preview.markdown.rule_page import options
from awaken.testing.pages import reference

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
    **{one.full_code(rule.name): one for rule in api.rules() for one in rule.reasons},
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


BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
OPTIONS = {
    f"{rule.name}.{option.name}": option.description
    for rule in api.rules()
    for option in options(rule)
}
LONG = {"more than 20 words"}
"""What a help text may be; a message and a cure may not."""


@pytest.fixture
def words(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("words")


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_has_no_banned_pattern_and_no_long_sentence(words, code):
    reason = REASONS[code]

    assert list(words.hits(reason.message.replace("{}", "`x`"))) == []
    assert list(words.hits(reason.help)) == []
    assert not re.match(r"(It|This|That|There)\b", reason.help), "a cure is an imperative"


def test_no_piece_option_or_help_text_has_a_banned_pattern(words):
    pieces = [why for rule in api.rules() for why in rule.pieces.values()]
    texts = [*pieces, *OPTIONS.values(), *(text for _, text in words.blocks(reference()))]

    assert [hit for text in texts for hit in words.hits(text) if hit[0] not in LONG] == []


def test_banned_patterns_are_found_in_words_and_not_in_code(words):
    assert [name for name, _ in words.hits("It stands here. What `f` gives is a list.")] == [
        "stands",
        "what-clause as subject",
    ]
    assert list(words.hits("Call `stands()` or `beside`. Is this behind?")) == [
        ("behind", "Is this behind?")
    ]
    assert [name for name, _ in words.hits(" ".join(["word"] * 21) + ".")] == [*LONG]


def test_docstrings_are_read_by_paragraph_and_comments_by_block(words, tmp_path, monkeypatch):
    monkeypatch.setattr(words, "ROOT", tmp_path)
    file = tmp_path / "a.py"
    file.write_text(
        '"""A module stands."""\nclass A:\n    """A class stands."""\n'
        '    def f(self):\n        """Return what stands.\n\n        It is\n'
        '        beside.\n        """\n'
        "        # Here it\n        # stands.  # noqa: E501\n\n        # Again.\n"
    )

    found = list(words.docstrings(file))

    assert [(text.kind, text.place, text.words) for text in found] == [
        ("docstrings of classes and modules", "a.py:1", "A module stands."),
        ("docstrings of classes and modules", "a.py:2", "A class stands."),
        ("docstrings of functions", "a.py:4", "Return what stands."),
        ("docstrings of functions", "a.py:4", "It is beside."),
        ("comments", "a.py:11", "Here it stands."),
        ("comments", "a.py:13", "Again."),
    ]


def test_a_page_is_read_by_paragraph_item_and_cell(words):
    code = "```python\nin code\n```\n"
    page = f"# Title\n\none two\nthree\n\n{code}- an item\n- another\n\n| a b c | d |\n"

    assert [text for _, text in words.blocks(page)] == [
        "one two three",
        "an item",
        "another",
        "a b c",
    ]
