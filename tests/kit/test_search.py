"""Where a rule looks for sites, and what a call passes."""

from __future__ import annotations

import ast

import pytest
from kit_programs import Waits, program

from awaken.kit.search import argument, calls_of, modules_with, site_modules

FILES = {
    "a.py": "import things\nfrom things import wait as hold\nthings.wait(1)\nhold(2)\nwait(3)\n",
    "b.py": "from a import hold\nhold(4)  # wait\n",
    "c.py": "from a import hold\nhold(5)\n",
    "d.py": "wait(\n",
}


def paths(modules):
    return [one.path for one in modules]


def test_files_with_a_word_that_parse():
    assert paths(site_modules(program(FILES), [b"wait"])) == ["a.py", "b.py"]
    assert paths(modules_with(program(FILES), [b"wait", b"(5)"])) == ["a.py", "b.py", "c.py"]


def test_sites_are_looked_for_in_their_scope_and_facts_everywhere():
    narrowed = program(FILES).narrowed(frozenset({"b.py"}))

    assert paths(site_modules(narrowed, [b"wait"])) == ["b.py"]
    assert paths(modules_with(narrowed, [b"wait"])) == ["a.py", "b.py"]


def test_files_that_are_left_out_are_not_parsed():
    project = program(FILES)

    assert paths(modules_with(project, [b"wait"], lambda path: path == "d.py")) == ["a.py", "b.py"]
    assert project.parse_failures == {}


def test_calls_are_found_whatever_the_file_calls_them():
    found = calls_of(program(FILES), Waits(), {"things.wait"})

    assert [one.module.text_of(one.node) for one in found] == [
        "things.wait(1)",
        "hold(2)",
        "hold(4)",
    ]


@pytest.mark.parametrize(
    ("call", "passed"),
    [
        ("f(0, 1)", "1"),
        ("f(0, second=2)", "2"),
        ("f(*x, second=2)", "2"),
        ("f(0)", None),
        ("f(0, *x)", None),
        ("f(*x, 1)", None),
        ("f(0, **x)", None),
    ],
)
def test_what_a_call_passes_to_its_second_parameter(call, passed):
    found = argument(ast.parse(call, mode="eval").body, 1, "second")

    assert (found and ast.unparse(found)) == passed
