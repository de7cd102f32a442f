"""Where a rule looks for sites, and what a call passes."""

from __future__ import annotations

import ast

import pytest
from kit_programs import Waits, program

from awaken.kit.search import (
    argument,
    callers_of,
    calls_of,
    importers,
    modules_with,
    site_modules,
    uses_of,
)

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
    narrowed = program(FILES).with_site_scope(frozenset({"b.py"}))

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


def test_calls_that_are_decided_are_no_sites():
    project = program(FILES)
    first, *others = (item.place for item in calls_of(project, Waits(), {"things.wait"}))
    again = calls_of(project.without_sites(frozenset({first})), Waits(), {"things.wait"})

    assert [item.place for item in again] == others


@pytest.mark.parametrize("search", [calls_of, lambda project, _, names: uses_of(project, names)])
def test_a_name_that_can_never_match_is_refused(search):
    with pytest.raises(TypeError, match="can never match `sqlalchemy"):
        list(search(program(FILES), Waits(), {"sqlalchemy.sql.text"}))


def test_uses_of_a_library_and_of_the_program_are_found_under_all_their_names():
    files = {
        "a.py": "import things\nfrom things import wait as hold\nwaits = [things.wait, hold]\n",
        "b.py": "from a import hold as h, waits\nmap(h, waits)\nh = 1\n",
        "c.py": "from a import hold\n\ndef wait(waits):\n    return hold, waits\n\nwait.waits\n",
        "test_a.py": "from a import waits\nwaits\n",
    }
    project = program(files)

    of_library = [(m.path, m.text_of(node)) for m, node in uses_of(project, {"things.wait"})]
    of_program = [m.path for m, _ in uses_of(project, {"a.waits"}, lambda path: "test" in path)]

    hold = [("a.py", "hold"), ("a.py", "things.wait"), ("b.py", "h"), ("c.py", "hold")]
    assert of_library == hold
    assert of_program == ["b.py"]


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


def test_callers_are_sites_in_all_files():
    project = program(
        {"_a.py": "def wait(): ...\nwait()\n", "b.py": "import _a\n_a.wait(), _a.wait()\n"}
    )
    module = project.module("_a.py")
    function = module.tree.body[0]

    sites, obstacles = callers_of(project, Waits(), module, function)

    assert obstacles == ()
    assert [(one.module.path, one.place.span.start) for one in sites] == [
        ("_a.py", 16),
        ("b.py", 10),
        ("b.py", 21),
    ]
    assert {one.rule for one in sites} == {"waits"}


def test_what_may_hide_calls_is_said():
    project = program({"a.py": "def wait(): ...\n"})
    module = project.module("a.py")

    sites, obstacles = callers_of(project, Waits(), module, module.tree.body[0])

    assert sites == []
    assert [one.kind for one in obstacles] == ["outside"]


@pytest.mark.parametrize("line", ["import shop.models", "from shop import models"])
def test_an_import_executes_the_packages_around_a_file(line):
    files = {"shop/__init__.py": "", "shop/models.py": "", "app.py": f"{line}\n"}
    project = program(files)

    imported = {one for one in files if any(importers(project, project.module(one)))}
    assert imported == {"shop/__init__.py", "shop/models.py"}
