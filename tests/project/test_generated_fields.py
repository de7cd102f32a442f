"""Fields of dataclasses that are annotated with no particular type: what all calls give."""

from __future__ import annotations

import pytest
from planned import program_of
from programs import last

from awaken.project.values.domain import InstanceOf, NoneValue

STORE = """
from dataclasses import dataclass, field, replace, KW_ONLY
from typing import Any, ClassVar

class Disk:
    def close(self): ...

class Cloud:
    def close(self): ...

{decorator}
class Shop:
    name: str
{fields}

    def show(self):
        self.store

    @classmethod
    def of(cls):
        return cls("a", Disk())
"""


def kept(fields, calls="", decorator="@dataclass", *, published=False):
    """Return the classes that ``self.store`` may be, and whether those are all."""
    texts = {
        "stores.py": STORE.format(fields=fields, decorator=decorator),
        "calls.py": f"from dataclasses import replace\nfrom stores import *\n{calls}\n",
    }
    project = program_of(texts, published=published)
    module = project.module("stores.py")
    found = project.values.of(module, last(module, "self.store"))
    names = {one.qualified for one in found.alternatives if isinstance(one, InstanceOf)}
    if NoneValue() in found.alternatives:
        names.add("None")
    return {one.removeprefix("stores.") for one in names}, found.is_known


@pytest.mark.parametrize("annotation", ["object", "Any", "object | None"])
def test_a_field_is_what_calls_of_its_class_pass(annotation):
    calls = "def open():\n    return Shop(store=Cloud(), name='b')"

    assert kept(f"    store: {annotation}", calls) == ({"Disk", "Cloud"}, True)


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("Cloud()", {"Disk", "Cloud"}),
        ("field(default_factory=Cloud)", {"Disk", "Cloud"}),
        ("field(default=None, repr=False)", {"Disk", "None"}),
        ("None", {"Disk", "None"}),
    ],
)
def test_a_default_is_among_what_a_field_may_be(default, expected):
    assert kept(f"    store: object = {default}", "Shop('b')") == (expected, True)


@pytest.mark.parametrize(
    "setting",
    [
        "    shop.store = Cloud()",
        "    replace(shop, store=Cloud())",
        "    object.__setattr__(shop, 'store', Cloud())",
    ],
)
def test_what_is_set_later_is_among_what_a_field_may_be(setting):
    assert kept("    store: object", f"def close(shop):\n{setting}") == ({"Disk", "Cloud"}, True)


@pytest.mark.parametrize(
    "calls",
    [
        "def open(given):\n    return Shop(*given)",
        "def open(given):\n    return Shop('b', **given)",
        "makers = [Shop]",
        "def close(shop):\n    shop.store, other = load()",
    ],
)
def test_a_field_is_not_known_where_something_else_may_be_given(calls):
    assert kept("    store: object", calls) == ({"Disk"}, False)


def test_others_may_make_objects_of_a_published_class():
    assert kept("    store: object", published=True) == ({"Disk"}, False)


@pytest.mark.parametrize(
    ("fields", "decorator"),
    [
        ("    store: object", "@dataclass(init=False)"),
        ("    store: object = field(init=False)", "@dataclass"),
        ("    store: ClassVar[object]", "@dataclass"),
        ("    store: object", "@made_by_something"),
    ],
)
def test_a_field_that_no_call_sets_is_not_known(fields, decorator):
    assert kept(fields, decorator=decorator) == (set(), False)


def test_a_class_below_may_be_made_of_something_else():
    below = "@dataclass\nclass Branch(Shop):\n    city: str = ''\nBranch('b', Cloud())"

    assert not kept("    store: object", f"from dataclasses import dataclass\n{below}")[1]


def test_fields_by_keyword_come_behind_the_others():
    fields = "    _: KW_ONLY\n    store: object\n    size: int = 1"
    calls = "Shop('b', store=Cloud())"

    assert kept(fields, calls)[0] >= {"Cloud"}
