"""Each list and table of names is asked for, and by a name that it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.util import Properties

import awaken
from awaken.knowledge.library_names import library_names, name_list, word_list
from awaken.knowledge.typed_tables import read_table

ASKING = re.compile(r"\b(?:name|word)_(list|table)\(\s*\"(\w+)\"\s*\)")


@pytest.mark.parametrize("kind", ["list", "table"])
def test_each_is_asked_for_and_each_that_is_asked_for_is_there(kind):
    texts = [path.read_text() for path in Path(awaken.__file__).parent.rglob("*.py")]
    questions = {name for text in texts for form, name in ASKING.findall(text) if form == kind}
    known = read_table("awaken.knowledge.library_names", f"name_{kind}s.toml", dict[str, Any])
    assert questions == known.keys()


def test_words_come_in_one_order():
    words = word_list("starting_tasks")
    assert list(words) == sorted(words)
    assert {word.decode() for word in words} == name_list("starting_tasks")


def test_a_class_of_automap_may_have_any_name_but_those_of_the_methods_around_it():
    methods = {name for name in dir(Properties) if not name.startswith("_")}
    assert library_names().methods_of_properties == methods
