"""The values of dictionaries in sight."""

from __future__ import annotations

import ast

import pytest
from programs import last, module_of, program

from awaken.project.frameworks.loads.dictionaries import dictionary_values

MADE = "models = {'a': A, 'b': B}\n"


def values_of(text):
    """Return the sources of the values of what is called ``models`` at the end of a file."""
    module = module_of(program({"a.py": text}), "a.py")
    name = last(module, "models")
    assert isinstance(name, ast.Name)
    return [ast.unparse(value) for value in dictionary_values(module, name)]


def test_a_display_has_the_values_it_is_written_with():
    assert values_of(MADE + "found = models['a']") == ["A", "B"]


def test_a_comprehension_has_one_value_for_all():
    text = "models = {name: made(name) for name in names}\nfound = models['a']"
    assert values_of(text) == ["made(name)"]


@pytest.mark.parametrize(
    "reading",
    [
        "for name in models: print(name)",
        "for name, model in models.items(): print(name)",
        "number = len(models)",
        "known = 'a' in models",
        "model = models.get('a')",
        "del models['b']",
        "take(*models)",
        "take(**models)",
        "models['a'].attribute = 1",
        "names = [name for name in models]",
    ],
)
def test_reading_leaves_it_as_it_is(reading):
    assert values_of(f"{MADE}{reading}\nfound = models['a']") == ["A", "B"]


@pytest.mark.parametrize(
    "change",
    [
        "models['c'] = C",
        "models.update(c=C)",
        "models.setdefault('c', C)",
        "models |= {'c': C}",
        "models = {'c': C}",
        "other = models",
        "take(models)",
        "made = [models]",
        "def given(): return models",
        "def set_globally():\n    global models\n    models = {}",
        "def len(one): one['c'] = C\nlen(models)",
    ],
)
def test_nothing_is_known_of_one_that_may_change(change):
    assert values_of(f"{MADE}{change}\nfound = models['a']") == []


def test_nothing_is_known_of_one_that_takes_in_another():
    assert values_of("models = {'a': A, **others}\nfound = models['a']") == []
