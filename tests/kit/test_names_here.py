"""How one function writes what the other one knows, and by which name a library is reached."""

from __future__ import annotations

import ast

import pytest
from kit_programs import program

from awaken.kit.names_here import (
    Written,
    is_dotted,
    name_here,
    written_by_called,
    written_by_caller,
)
from awaken.project.graph.call_edges import CallEdges

HOMES = ("lib", "lib.inner")


def edge_of(files):
    """The project, and the one edge into the function ``_f`` of ``m.py``."""
    project = program(files)
    module = project.module("m.py")
    edges = CallEdges(project.calls, project.module, module)
    function = next(one for one in module.walk() if getattr(one, "name", None) == "_f")
    (edge,) = edges.calls_of(edges.context_around(module, function.body[0]))
    return project, edge


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("def _f(s): ...\ndef _g(db): _f(db.session)", "s", "db.session"),
        ("def _f(s): ...\ndef _g(db): _f(db)", "s.session", "db.session"),
        ("def _f(s): ...\ndef _g(db): _f(made())", "s", None),
        ("def _f():\n    s = 1\ndef _g(db): _f()", "s", None),
        ("top = 1\ndef _f(): ...\ndef _g(): _f()", "top", "top"),
        ("top = 1\ndef _f(): ...\ndef _g(top): _f()", "top", None),
    ],
)
def test_the_caller_writes_what_it_passes_or_what_stands_at_the_top(text, written, expected):
    project, edge = edge_of({"m.py": text})

    found = written_by_caller(project, edge, Written(written))
    assert (found.text if found else None) == expected


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("def _f(s): print(s)\ndef _g(db): _f(db.session)", "db.session", "s"),
        ("def _f(d): print(d)\ndef _g(db): _f(db)", "db.session", "d.session"),
        ("def _f(s): print(s)\ndef _g(db): _f(1)", "db.session", None),
        ("top = 1\ndef _f(s): print(s)\ndef _g(): _f(1)", "top", "top"),
        ("top = 1\ndef _f(s): print(s)\ndef _g(top): _f(1)", "top", None),
    ],
)
def test_the_called_function_writes_its_parameter_or_what_stands_at_the_top(
    text, written, expected
):
    project, edge = edge_of({"m.py": text})
    site = edge.into.function.body[0].value

    found = written_by_called(project, edge, Written(written), site)
    assert (found.text if found else None) == expected


def test_a_variable_of_another_file_is_imported_where_it_has_no_name():
    files = {
        "a.py": "session = object()\nclass Model: ...\n",
        "m.py": "from a import Model\ndef _f(given):\n    return Model.x\n",
        "n.py": "from a import session\nfrom m import _f\ndef _g():\n    _f(session.one)\n",
    }
    project, edge = edge_of(files)
    site = edge.into.function.body[0].value

    found = written_by_called(project, edge, Written("session"), site.value)
    assert found == Written("session", ("a", "session", None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from lib import thing\nx = 1", Written("thing")),
        ("from lib.inner import thing as t\nx = 1", Written("t")),
        ("import lib as l\nx = 1", Written("l.thing")),
        ("x = 1", Written("thing", ("lib", "thing", None))),
        ("thing = 2\nx = 1", Written("lib_thing", ("lib", "thing", "lib_thing"))),
        (
            "if a:\n    from lib import thing\nx = 1",
            Written("lib_thing", ("lib", "thing", "lib_thing")),
        ),
    ],
)
def test_a_name_is_written_as_the_file_does(text, expected):
    module = program({"m.py": text}).module("m.py")

    assert name_here(module, module.tree.body[-1], "thing", HOMES, "lib_") == expected


def test_a_name_that_is_local_at_the_place_is_not_imported_over():
    module = program({"m.py": "def f(thing):\n    x = 1\n"}).module("m.py")
    site = module.tree.body[0].body[0]

    assert name_here(module, site, "thing", HOMES, "lib_").text == "lib_thing"


@pytest.mark.parametrize(("text", "expected"), [("a", True), ("a.b.c", True), ("a().b", False)])
def test_a_dotted_name_is_made_of_names_alone(text, expected):
    assert is_dotted(ast.parse(text, mode="eval").body) is expected
