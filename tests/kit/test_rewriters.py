"""The rewriters of the kit, and the edits that name them."""

from __future__ import annotations

import libcst as cst
import pytest
from kit_programs import Waits, sites

from awaken.contract import Place, Surroundings
from awaken.kit.payloads import Keyword, Statements


def written(edit, node):
    """Return the code that the rewriter of ``edit`` writes."""
    made = Waits().rewriters()[edit.rewriter](node, edit.data, Surroundings())
    nodes = made if isinstance(made, list | tuple) else [cst.SimpleStatementLine([cst.Expr(made)])]
    return cst.Module(nodes).code


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("wait()", "wait(timeout=3)"),
        ("wait(1,)", "wait(1, timeout=3,)"),
        # The comment stays with the argument that it is about.
        ("wait(\n    1,\n    2  # two\n)", "wait(\n    1,\n    2,  # two\n    timeout=3\n)"),
    ],
)
def test_a_keyword_is_added(before, after):
    site = sites({"a.py": f"{before}\n"})[0]

    edit = site.add_keyword(site.node, "timeout", "3")

    assert (edit.node, edit.data) == ("Call", Keyword("timeout", "3"))
    assert written(edit, cst.parse_expression(before)) == f"{after}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("wait(1)", "wait()"),
        ("wait(\n    1,\n)", "wait()"),
        ("wait(1, *more)", "wait(*more)"),
        ("wait(first, 1)", "wait(first)"),
        ("wait(first, **more, last=1)", "wait(first, **more)"),
        ("wait(\n    first,\n    last=1,\n)", "wait(\n    first,\n)"),
        ("wait(last=1, *first)", "wait(*first)"),
    ],
)
def test_an_argument_is_removed_with_its_comma(before, after):
    site = sites({"a.py": f"{before}\n"})[0]
    arguments = [*site.node.args, *site.node.keywords]
    gone = next(one for one in arguments if site.module.text_of(one).removeprefix("last=") == "1")

    edit = site.remove_argument(site.node, gone)

    assert written(edit, cst.parse_expression(before)) == f"{after}\n"


def test_statements_are_inserted_beside_another():
    site = sites({"a.py": "wait()\n"})[0]

    edit = site.insert_statements(Place("b.py", site.place.span), "after", "one()\ntwo()")

    assert (edit.path, edit.where, edit.site) == ("b.py", "after", site.id)
    assert edit.data == Statements("one()\ntwo()")
    assert written(edit, None) == "one()\ntwo()\n"
