"""How a rewrite names what a library defines, and which import that takes."""

from __future__ import annotations

import libcst as cst
import pytest
from kit_programs import STAYS, sites

from awaken.contract import NeedImport, ReleaseImport, Surroundings, TextEdit
from awaken.kit.imports import imports_here, move_import, name_from_same_module, replace_name
from awaken.kit.rule import Rule
from awaken.kit.sites import Refused
from awaken.project import Project

TAKEN = Refused(STAYS, "pause")


def beside(text):
    """Return how ``things.pause`` is written beside the last call of a file, and the edits."""
    site = sites({"a.py": text})[-1]
    project = Project({"a.py": site.module.source}, None)
    return name_from_same_module(project, site, site.node.func, "things.pause", STAYS)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("import things\nthings.wait()\n", "things.pause"),
        ("import things as t\nt.wait()\n", "t.pause"),
        ("from things import pause, wait\nwait()\n", "pause"),
        ("from things import pause as p, wait\nwait()\n", "p"),
    ],
)
def test_what_is_imported_already_needs_no_edit(text, written):
    assert beside(text) == (written, [])


def test_a_name_is_imported_beside_the_known_one():
    written, (edit,) = beside("from things import wait\nwait()\n")

    assert written == "pause"
    assert isinstance(edit, NeedImport)
    assert (edit.module, edit.name) == ("things", "pause")


def test_an_import_inside_a_function_is_extended_there():
    written, (edit,) = beside("def f():\n    from things import wait\n    wait()\n")

    assert written == "pause"
    assert isinstance(edit, TextEdit)
    assert edit.text == "from things import pause, wait"


@pytest.mark.parametrize(
    "text",
    [
        "from things import wait\ndef pause(): ...\nwait()\n",
        "from things import pause, wait\ndef f(pause):\n    wait()\n",
    ],
)
def test_a_name_that_means_something_else_is_refused(text):
    with pytest.raises(Refused) as caught:
        beside(text)

    assert caught.value.message == "`pause` stays"


def test_statements_that_import_a_name():
    site = sites({"a.py": "from things import pause\nwait()\n"})[0]
    module, node = site.module, site.node

    (statement,) = imports_here(module, node, "pause", {"things"}, TAKEN)
    assert module.text_of(statement) == "from things import pause"
    assert imports_here(module, node, "free", {"things"}, TAKEN) == []
    with pytest.raises(Refused):
        imports_here(module, node, "pause", {"others"}, TAKEN)


def test_a_name_is_replaced_with_its_import():
    site = sites({"a.py": "from things import wait\nwait()\n"})[0]

    written, (replaced, needed, released) = replace_name(
        Project({"a.py": site.module.source}, None), site, site.node.func, "things.pause"
    )

    assert (written, replaced.text) == ("pause", "pause")
    assert isinstance(needed, NeedImport)
    assert isinstance(released, ReleaseImport)
    assert (needed.name, released.name) == ("pause", "wait")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from old import x", "from new import x"),
        ("from old import x as y", "from new import x as y"),
        ("from old import w, x, y", "from old import w, y\nfrom new import x"),
        (
            "from old import (\r\n    w,\r\n    x,\r\n)",
            "from old import (\n    w,\n)\nfrom new import x",
        ),
        ("from old import v, x", "from new import v, x"),
        ("from old import v, w, x as y", "from old import w\nfrom new import v, x as y"),
        ("from old import (\n    x,  # why\n    z,\n)", None),
        ("from old import (\n    v,\n    x,  # why\n)", None),
    ],
)
def test_an_import_moves_to_another_module(before, after):
    site = sites({"a.py": f"{before}\nwait()\n"})[0]

    edit = move_import(site, site.module.tree.body[0], {"x", "v"}, "new")

    if edit is None:
        assert after is None
    else:
        statements = Rule().rewriters()[edit.rewriter](None, edit.data, Surroundings())
        assert cst.Module(statements).code == f"{after}\n"
