"""SQLModel passes the depth of a relationship on only in ``sa_relationship_kwargs``."""

from __future__ import annotations

import ast

import libcst as cst
import pytest
import sqlmodel

from awaken.contract import Surroundings
from awaken.editing.relationships.relationship_loading import with_lazy_in_keywords

CALLS = {
    "Relationship()": 'Relationship(sa_relationship_kwargs={"lazy": "joined", "join_depth": 9})',
    "Relationship(back_populates='parent')": (
        "Relationship(back_populates='parent', "
        "sa_relationship_kwargs={'lazy': 'joined', 'join_depth': 9})"
    ),
    'Relationship(sa_relationship_kwargs={"lazy": "select", "uselist": True})': (
        'Relationship(sa_relationship_kwargs={"lazy": "joined", "uselist": True, "join_depth": 9})'
    ),
    'Relationship(sa_relationship_kwargs={"join_depth": 2})': (
        'Relationship(sa_relationship_kwargs={"join_depth": 2, "lazy": "joined"})'
    ),
}


def written(call, depth):
    node = cst.ensure_type(cst.parse_expression(call), cst.Call)
    changed = with_lazy_in_keywords(node, "joined", Surroundings(), depth)
    return ast.parse(cst.Module([]).code_for_node(changed), mode="eval")


@pytest.mark.parametrize("call", CALLS)
def test_the_depth_goes_next_to_the_loading(call):
    assert ast.unparse(written(call, 9)) == ast.unparse(ast.parse(CALLS[call], mode="eval"))


@pytest.mark.parametrize("call", CALLS)
def test_sqlmodel_takes_what_is_written(call):
    names = {"Relationship": sqlmodel.Relationship}
    made = eval(compile(written(call, 9), "written", "eval"), names)
    assert made.sa_relationship_kwargs["lazy"] == "joined"
    assert made.sa_relationship_kwargs["join_depth"] in {2, 9}


def test_without_a_depth_only_the_loading_is_written():
    assert ast.unparse(written("Relationship()", 0)) == (
        "Relationship(sa_relationship_kwargs={'lazy': 'joined'})"
    )
