"""What is known of a query where two ways meet: no field is forgotten, and no doubt."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awaken.codemods.sqlalchemy.query_to_select.components.states import join
from awaken.codemods.sqlalchemy.query_to_select.reading.chain import Chain
from awaken.codemods.sqlalchemy.query_to_select.reasons import Refused
from awaken.codemods.sqlalchemy.query_to_select.sqlalchemy_names import Reader
from awaken.codemods.sqlalchemy.query_to_select.statements.join_targets import Target
from awaken.codemods.sqlalchemy.query_to_select.statements.statement import (
    EACH_WAY,
    NAME,
    NODES,
    SOME_WAY,
    TARGET,
    Statement,
    join_of,
    looks,
)
from awaken.project import Project, Snapshot
from awaken.project.frameworks.loads.query_items import Certainty, Degree, Item, What, least
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

PROGRAM = """
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase): pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)

class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)

def users(session: Session): return session.query(User).all()
"""
PROJECT = Project(Snapshot({"case.py": decode("case.py", PROGRAM.encode())}), Targets())
MODULE = PROJECT.module("case.py")
ROOT = next(
    node
    for node in ast.walk(MODULE.tree)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "session.query"
)
CHAIN = Chain(ROOT, None, None, tuple(ROOT.args), (), ROOT, "argument", "list")
FIELDS = [one for one in fields(Statement) if one.init]


def parsed(text):
    return ast.parse(text, mode="eval").body


EXPRESSIONS = [parsed(text) for text in ("User.id == 1", "Post.id > User.id", "other", "text('1')")]
TARGETS = [None, Target("User", "User", "case.User"), Target("Post", "Post"), Target(None, "one")]
CERTAINTIES = [Certainty(degree, reason) for degree in Degree for reason in ("", "others may")]


def class_item(name, certainty=CERTAINTIES[-2]):
    return Item(
        parsed(name), What.ENTITY, model=f"case.{name}", owner=name, key=name, certainty=certainty
    )


def column_item(name, key):
    return Item(parsed(name), What.COLUMN, owner=name.partition(".")[0], key=key, hashable=None)


ITEMS = [
    (class_item("User"),),
    (class_item("Post"),),
    (class_item("User", CERTAINTIES[0]),),
    (Item(parsed("model"), What.UNKNOWN),),
    (column_item("User.id", "id"),),
    (column_item("Post.id", "id"), column_item("User.id", "other")),
]
STRATEGIES = {
    SOME_WAY: st.booleans(),
    EACH_WAY: st.booleans(),
    NODES: st.lists(st.sampled_from(EXPRESSIONS), unique_by=id),
    TARGET: st.sampled_from(TARGETS),
}
VALUES = {
    one.name: STRATEGIES[join_of(one)]
    for one in FIELDS
    if join_of(one) in STRATEGIES and one.name != "several"
}


@st.composite
def statements(draw):
    items = draw(st.sampled_from(ITEMS))
    values = draw(st.fixed_dictionaries(VALUES))
    return Statement(Reader(PROJECT, MODULE), CHAIN, items, orm_items=items, **values)


def known(statement):
    """What is known of a statement, but for which of several items a message names, and quotes."""
    key = dict(zip([one.name for one in FIELDS], statement.key, strict=True))
    return {**key, "items": Counter(look[1:] for look in looks(statement.items))}


def outcome(one, other):
    try:
        return known(join(one, other))
    except Refused as refused:
        return refused.reason


@pytest.mark.parametrize("declared", FIELDS, ids=lambda one: one.name)
def test_every_field_says_how_it_is_joined(declared):
    assert callable(join_of(declared).either)


def test_a_field_that_does_not_say_it_is_an_error():
    @dataclass
    class Other:
        doubt: bool = field(default=False)

    with pytest.raises(KeyError):
        join_of(fields(Other)[0])


@pytest.mark.parametrize("declared", [SOME_WAY, EACH_WAY, NODES, TARGET])
@given(data=st.data())
def test_values_are_joined_in_any_order_and_any_number_of_times(declared, data):
    one, other = data.draw(STRATEGIES[declared]), data.draw(STRATEGIES[declared])
    joined = declared.either(one, other)

    assert declared.key(joined) == declared.key(declared.either(other, one))
    assert declared.key(declared.either(one, one)) == declared.key(one)
    assert declared.key(declared.either(joined, one)) == declared.key(joined)


@pytest.mark.parametrize("declared", [SOME_WAY, EACH_WAY, NODES, NAME])
@given(data=st.data())
def test_what_holds_of_either_and_of_both_absorb_each_other(declared, data):
    strategy = STRATEGIES.get(declared, st.sampled_from(["", "name"]))
    one, other = data.draw(strategy), data.draw(strategy)
    key = declared.key

    assert key(declared.either(one, declared.both(one, other))) == key(one)
    assert key(declared.both(one, declared.either(one, other))) == key(one)


@pytest.mark.parametrize(("one", "other"), [("", "name"), ("name", ""), ("name", "other")])
def test_a_name_on_some_way_is_a_name(one, other):
    assert NAME.either(one, other)
    assert bool(NAME.both(one, other)) is bool(one and other)


@given(statements(), statements())
def test_the_order_of_two_ways_does_not_matter(one, other):
    assert outcome(one, other) == outcome(other, one)


@given(statements())
def test_one_way_that_is_joined_with_itself_is_the_same(one):
    assert outcome(one, one) == known(one)


@given(statements(), statements())
def test_no_doubt_is_forgotten(one, other):
    try:
        joined = join(one, other)
    except Refused:
        return  # which is left alone

    for each in (one, other):
        for name, declared in ((one.name, join_of(one)) for one in FIELDS):
            before, after = getattr(each, name), getattr(joined, name)
            if declared is SOME_WAY:
                assert after or not before, name
            elif declared is EACH_WAY and name != "several":
                assert before or not after, name
        assert set(map(id, each.ordered)) <= set(map(id, joined.ordered))
        # Criteria are forgotten only where they were judged, each way for itself.
        assert joined.several or set(map(id, each.criteria)) <= set(map(id, joined.criteria))


def test_what_may_repeat_on_one_way_may_repeat_where_both_classes_come():
    user, post = (
        Statement(Reader(PROJECT, MODULE), CHAIN, items, orm_items=items) for items in ITEMS[:2]
    )
    repeating = replace(user, joined=True, multiplies=True)

    assert not join(user, post).unsure
    assert join(repeating, post).unsure
    assert join(post, repeating).unsure


@given(st.lists(st.sampled_from(CERTAINTIES), min_size=1))
def test_several_items_are_as_certain_as_the_least_certain(found):
    joined = least(found)

    assert all(joined.degree <= one.degree for one in found)
    assert joined.degree in {one.degree for one in found}
    assert bool(joined.reason) == any(one.reason for one in found)
