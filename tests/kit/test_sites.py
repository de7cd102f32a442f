"""What a finding says of a site that is rewritten, and the edits that a site makes."""

from __future__ import annotations

import ast

import pytest

from awaken.contract import Span
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.sites import Refused, Site, with_caveats
from awaken.project import Module
from awaken.workspace.sources import decode


@pytest.mark.parametrize(
    ("caveats", "said"),
    [
        ([], "it goes"),
        (["this may change"], "it goes; this may change"),
        (["one may, too", "so may two", "three"], "it goes; one may, too; so may two; three"),
    ],
)
def test_each_caveat_is_a_clause(caveats, said):
    assert with_caveats("it goes", caveats) == said


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Session", ""),
        ("größe.db.Session", "größe.db."),
        ("get(a.b)[c]. Größe", "get(a.b)[c]. "),
        ("(db\n  .Session)", "(db\n  ."),
    ],
)
def test_a_rename_writes_the_last_word(text, kept):
    module = Module(decode("case.py", text.encode()), ast.parse(text), "case")
    site = Site("renaming", module, module.tree.body[0].value)

    edit = site.rename(site.node, "Other")

    start, end = len(kept.encode()), len(text.rstrip(")").encode())
    assert (edit.anchor, edit.text, edit.path) == (Span(start, end), "Other", "case.py")


def test_a_name_that_is_taken_may_be_defined_or_imported():
    assert Refused(NAME_TAKEN, "start").message == "`start` already means something else here"
