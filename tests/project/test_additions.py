"""Containers whose items are looked for wherever the container goes."""

from __future__ import annotations

import pytest
from programs import last, module_of, program

from awaken.project.values.domain import Unknown


@pytest.mark.parametrize(
    "text",
    [
        "node = {}\nfor key in keys:\n    node = node[key]\n    node['x'] = 1\nnode\n",
        "node = []\nwhile keys:\n    for node in node:\n        node.append(1)\nnode\n",
        (
            "class A:\n    _at = {}\n    def down(self, key):\n"
            "        self._at = self._at[key]\n        self._at\n"
        ),
    ],
)
def test_a_container_that_is_replaced_by_an_item_of_itself_comes_to_an_end(text):
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    asked = "self._at" if "_at" in text else "node"

    assert isinstance(project.instance_of(module, last(module, asked)), tuple)


@pytest.mark.parametrize(
    ("use", "is_known"),
    [
        # Iterating a mapping gives its keys.
        ("order = sorted([key for key in rows if key])", True),
        ("names = [one for one in rows]", True),
        ("for one in rows.values():\n    fill(one)", False),
        # What iterating a list gives is in it.
        ("for one in rows['x']:\n    fill(one)", True),
    ],
)
def test_what_is_done_with_the_keys_of_a_mapping_puts_nothing_into_its_lists(use, is_known):
    inside = "".join(f"    {line}\n" for line in use.splitlines())
    text = (
        "class Row: ...\n\n"
        "def asked(fill):\n    rows = {}\n    rows['x'] = [Row()]\n"
        f"{inside}    return rows['x'][0]\n"
    )
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    values = project.values.of(module, last(module, "rows['x'][0]"))

    assert values.is_known is is_known


@pytest.mark.parametrize(
    ("model", "is_known"),
    [
        ("class Page(BaseModel):\n    rows: list[Row]\n", True),
        ("class Base(BaseModel):\n    rows: list[Row] | None\nclass Page(Base): ...\n", True),
        # Such a field keeps the list itself.
        ("class Page(BaseModel):\n    rows: Any\n", False),
        ("class Page(BaseModel):\n    rows: list[Row]\n    def __init__(self, rows): ...\n", False),
        ("class Page(Unseen):\n    rows: list[Row]\n", False),
    ],
)
def test_a_model_of_pydantic_copies_the_list_that_it_is_given(model, is_known):
    text = (
        "from typing import Any\nfrom pydantic import BaseModel\nfrom elsewhere import Unseen\n\n"
        f"class Row: ...\n{model}\n"
        "def asked():\n    rows = []\n    rows.append(Row())\n    page = Page(rows=rows)\n"
        "    return rows[0]\n"
    )
    project = program({"m.py": text})
    module = module_of(project, "m.py")

    assert project.values.of(module, last(module, "rows[0]")).is_known is is_known


ROWS = """
class Row: ...
class Rows:
    def __init__(self): self._rows = []
    def all(self):
        self._rows.append(Row())
        for it in self._rows: it
"""
PUT = "\n    def put(self): self._rows.append(Other())\n"
INIT = "\n    def __init__(self): self._rows = []"


@pytest.mark.parametrize(
    ("other", "may_be_in_it"),
    [
        (f"class B:{INIT}{PUT}", False),
        (f"class A:\n    _rows = []\nclass B(A):{PUT}", False),
        (f"from m import Rows\nclass B(Rows):{PUT}", True),
        (f"from m import Rows\nclass B:{INIT}{PUT}class Both(Rows, B): ...", True),
        (f"from m import unseen\nclass B(unseen):{INIT}{PUT}", True),
        (f"class B:{PUT}", True),
        (f"class B:{INIT}{PUT}def share(b, rows): b._rows = rows._rows", True),
        (f"class B:{INIT}\ndef put(rows): rows._rows.append(Other())", True),
    ],
)
def test_what_an_object_calls_by_the_same_name_is_its_own(other, may_be_in_it):
    project = program({"m.py": ROWS, "n.py": f"class Other: ...\n{other}\n"})
    module = module_of(project, "m.py")

    assert ("n.Other" in str(project.values.of(module, last(module, "it")))) is may_be_in_it


@pytest.mark.parametrize(("init", "may_be_in_it"), [(INIT, False), ("", True)])
def test_what_an_object_has_is_not_of_a_module(init, may_be_in_it):
    text = "class Row: ...\n_rows = [Row()]\nfor it in _rows: it\n"
    project = program({"m.py": text, "n.py": f"class Other: ...\nclass B:{init}{PUT}"})
    module = module_of(project, "m.py")

    assert ("n.Other" in str(project.values.of(module, last(module, "it")))) is may_be_in_it


@pytest.mark.parametrize(
    ("added", "is_known"),
    [
        ("made.append(Row())", True),
        # Deep inside, it is filled by what nobody sees.
        ("made.append(Row())\n    unseen(made)", False),
    ],
)
def test_a_function_that_calls_itself_adds_the_same_each_time(added, is_known):
    text = (
        "class Row: ...\n\n"
        f"def fill(made, number, unseen):\n    {added}\n"
        "    if number:\n        fill(made, number - 1, unseen)\n        fill(made, 0, unseen)\n\n"
        "def asked(unseen):\n    made = []\n    fill(made, 3, unseen)\n    return made[0]\n"
    )
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    values = project.values.of(module, last(module, "made[0]"))

    assert values.is_known is is_known
    assert {value.qualified for value in values.alternatives if not isinstance(value, Unknown)} == {
        "m.Row"
    }
