"""What a statement loads, told of any expression of a program."""

from __future__ import annotations

import pytest
from programs import MODELS, last, module_of, program

from awaken.project.frameworks.loads.entities import classify, classify_all
from awaken.project.frameworks.loads.mapped_classes import entity_of
from awaken.project.frameworks.loads.module_reader import ModuleReader
from awaken.project.frameworks.loads.query_items import (
    Certainty,
    Degree,
    Kind,
    What,
    doubts_of,
    kind_of,
)
from awaken.project.frameworks.loads.repeats import Sources, loads_collection

POST = """
    class Post(Base):
        __tablename__ = "posts"
        id = Column(Integer, primary_key=True)
"""
PROGRAM = """
    from sqlalchemy import func, text
    from sqlalchemy.orm import aliased, joinedload, selectinload
    from models import Post, User
    from library import Other

    MODELS = {"user": User}
    alias = aliased(User)

    def use(model: type[User], found, key):
        return [
            User, alias, model, found, Other, MODELS[key], User.id, func.count(User.id),
            User.id == 1, User.id == Post.id, [User.id, User.id],
        ]
"""


def read(text):
    project = program({"models.py": MODELS + POST, "m.py": PROGRAM})
    module = module_of(project, "m.py")
    return ModuleReader(project, module), last(module, text)


@pytest.mark.parametrize(
    ("text", "what", "degree"),
    [
        ("User", What.ENTITY, Degree.CERTAIN),
        ("alias", What.ENTITY, Degree.CERTAIN),
        ("Other", What.ENTITY, Degree.ASSUMED),
        ("MODELS[key]", What.ENTITY, Degree.PRESUMED),
        ("found", What.UNKNOWN, Degree.CERTAIN),
        ("User.id", What.COLUMN, Degree.CERTAIN),
        ("func.count(User.id)", What.EXPRESSION, Degree.CERTAIN),
    ],
)
def test_expressions_are_classified_with_their_certainty(text, what, degree):
    item = classify(*read(text))

    assert (item.what, item.certainty.degree) == (what, degree)


def test_an_alias_is_no_class_by_its_own_name():
    assert entity_of(*read("alias")).aliased
    assert not entity_of(*read("User")).aliased
    assert entity_of(*read("User")).model == "models.User"


def test_a_dictionary_that_others_may_fill_gives_the_reason_of_the_doubt():
    item = classify(*read("MODELS[key]"))

    assert doubts_of([item]) == [item.certainty.reason]
    assert "`MODELS`" in item.certainty.reason


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["User"], Kind.ENTITY),
        (["User", "User.id"], Kind.ROWS_WITH_ENTITY),
        (["User.id"], Kind.ROWS),
        (["User", "found"], Kind.UNKNOWN),
    ],
)
def test_the_kind_of_a_query_follows_from_its_items(texts, kind):
    reader, _ = read("User")
    nodes = [last(reader.module, text) for text in texts]

    assert kind_of(classify_all(reader, nodes)) is kind


def test_a_criterion_of_another_class_may_repeat_rows():
    reader, own = read("User.id == 1")
    sources = Sources(reader, "User", "models.User")

    assert sources.only([own])
    assert not sources.only([last(reader.module, "User.id == Post.id")])


@pytest.mark.parametrize(
    ("option", "expected"),
    [("selectinload(User.notes)", False), ("joinedload(User.notes)", True), ("unknown()", True)],
)
def test_an_option_that_joins_may_load_a_collection(option, expected):
    head = "from models import User\nfrom sqlalchemy.orm import joinedload, selectinload\n"
    project = program({"models.py": MODELS, "m.py": f"{head}x = {option}\n"})
    module = module_of(project, "m.py")

    assert loads_collection(ModuleReader(project, module), [last(module, option)]) is expected


def test_each_degree_has_the_doubts_of_those_above_it():
    for degree in Degree:
        certainty = Certainty(degree)
        assert certainty.is_assumed <= certainty.is_weak <= certainty.is_presumed
    assert not Certainty().is_presumed
