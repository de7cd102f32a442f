"""Files of which no tree is kept are parsed again only for who needs their code."""

from __future__ import annotations

from unittest import mock

from programs import last, module_of, program

from awaken.project.source.programs import module_store
from awaken.workspace.work import WORK

NUMBERS = range(8)


def parses(files: dict[str, str], name: str) -> int:
    """Return how often files are parsed for the values of the last ``name`` in each ``m0.py``…"""
    # One byte drops every tree as soon as the next is read.
    with mock.patch.object(module_store, "KEPT_SOURCE_BYTES", 1):
        project = program(files)
        before = WORK.parses
        for number in NUMBERS:
            module = module_of(project, f"m{number}.py")
            assert project.values.of(module, last(module, name)).alternatives
        return WORK.parses - before


def test_a_file_that_puts_nothing_into_an_attribute_is_parsed_once_for_all_classes():
    holding = {
        f"m{number}.py": f"class H{number}:\n    def __init__(self):\n        self.items = [1]\n"
        "    def first(self):\n        item = self.items[0]\n        return item\n"
        for number in NUMBERS
    }
    looking_on = {f"l{number}.py": "def f(x):\n    return len(x.items)\n" for number in range(30)}

    more = parses(holding | looking_on, "item") - parses(holding, "item")

    assert more <= 2 * len(looking_on)


def test_a_file_that_looks_up_no_name_of_a_module_is_parsed_once_for_all_modules():
    functions = {
        f"m{number}.py": f"def run{number}(x):\n    return x\nrun{number}(1)\n"
        for number in NUMBERS
    }
    names = ", ".join(f"m{number}" for number in NUMBERS)
    using = f"import {names}\nused = [{names}]\nclass C:\n    pass\nc = C()\n"
    asking = {
        f"l{number}.py": f"{using}def ask(name):\n    return getattr(c, name)\n"
        for number in range(30)
    }

    more = parses(functions | asking, "x") - parses(functions, "x")

    assert more <= 4 * len(asking)
