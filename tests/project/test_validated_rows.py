"""What models read of rows where their class is kept in an object, against what Pydantic does."""

from __future__ import annotations

import pytest
from programs import module_of, program
from recorded_reads import MAPPED, parsed, running

from awaken.project.frameworks.sqlalchemy.reads.read_facts import ANY, Read
from awaken.project.source.trees import Function
from awaken.project.values.domain import InstanceOf

RELATIONSHIPS = {"posts", "author", "tags", "parent", "children"}
DECLARED = MAPPED.replace(
    "declarative_base, relationship", "DeclarativeBase, relationship"
).replace("Base = declarative_base(cls=Recording)", "class Base(DeclarativeBase):\n        pass")
REPOSITORIES = """
    from typing import Generic, TypeVar
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session
    from mapped import LOG, Base, Post, User, user

    class Model(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        id: int

    class TagOut(Model):
        pass

    class PostOut(Model):
        tags: list[TagOut]

    class UserOut(Model):
        posts: list[Model]

    S = TypeVar("S", bound=Model)
    M = TypeVar("M", bound=Base)

    class Repository(Generic[S, M]):
        def __init__(self, session: Session, model: type[M], schema: type[S]) -> None:
            self.session, self.key = session, 1
            self.model = model
            self.schema = schema

        def _query(self):
            return select(self.model)

        def first(self) -> S:
            row = self.session.execute(self._query()).scalars().first()
            return self.schema.model_validate(row)

        def all(self) -> list[S]:
            rows = self.session.execute(self._query()).scalars().all()
            return [self.schema.model_validate(one) for one in rows]

    class Users(Repository[UserOut, User]):
        def named(self):
            row = self.session.execute(select(User)).scalars().one()
            return self.schema.model_validate(row)

    class Wider(Users):
        pass

    class Plain:
        schema: type[Model]

        def of(self, row):
            return self.schema.model_validate(row)

        @classmethod
        def made(cls, row: Base):
            return cls.schema.model_validate(row)

    class PlainPosts(Plain):
        schema = PostOut

    class PlainUsers(Plain):
        schema = UserOut

    class All:
        def __init__(self, session: Session) -> None:
            self.session = session

        @property
        def users(self) -> Users:
            return Users(self.session, User, UserOut)

        @property
        def posts(self) -> Repository[PostOut, Post]:
            return Repository(self.session, Post, PostOut)

    def run():
        engine = create_engine("sqlite://")
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(user())
            session.commit()
            every = All(session)
            LOG.clear()
            every.users.first(), every.users.all(), every.users.named()
            every.posts.first(), every.posts.all()
            return list(LOG)
"""


def by_function(project) -> dict[str, set[tuple[str, str]]]:
    """Return the relationships that schemas read, for each function that the objects come from."""
    module = module_of(project, "app.py")
    found: dict[str, set[tuple[str, str]]] = {}
    names = RELATIONSHIPS | {ANY}
    for sight in project.orm.schemas.reading(RELATIONSHIPS):
        function = module.enclosing_function(sight.node)
        if isinstance(function, Function):
            read = found.setdefault(function.name, set())
            for value in project.values._evaluator.values(module, sight.node, sight.known):
                if isinstance(value, InstanceOf):
                    owner = value.qualified.rpartition(".")[2]
                    read |= {(owner, one) for one in sight.path[:1] if one in names}
    return found


def schema_reads(text: str) -> list[Read]:
    reads = program({"mapped.py": DECLARED, "app.py": text}).orm.reads.all()
    return [one for one in reads if one.how == "schema"]


def test_a_generic_repository_reads_what_the_schema_of_each_instance_does():
    app, _ = running(REPOSITORIES)
    fired = {one for one in app.run() if one[1] in RELATIONSHIPS}
    found = {
        (one.owner.rpartition(".")[2], one.attribute)
        for one in schema_reads(REPOSITORIES)
        if one.owner
    }

    assert fired == {("User", "posts"), ("Post", "tags")}
    assert fired <= found


def test_model_and_schema_go_together_by_the_instance():
    found = by_function(parsed(REPOSITORIES))

    both = {("User", "posts"), ("Post", "tags")}
    assert found["first"] == both
    assert found["all"] == both
    assert found["named"] == {("User", "posts")}


def test_what_an_instance_says_of_a_row_is_no_load_that_can_be_told():
    reads = [one for one in schema_reads(REPOSITORIES) if one.owner == "mapped.Post"]

    assert reads
    assert not any(one.is_traced for one in reads)


UNTOLD = """
    from pydantic import BaseModel, ConfigDict
    from mapped import Base, User, user

    class Model(BaseModel):
        model_config = ConfigDict(from_attributes=True)

    class UserOut(Model):
        posts: list[Model]

    class PostOut(BaseModel):
        author: int

    def {name}:
        return {value}
"""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("of(schema, row)", "schema.model_validate(row)", {("", "posts")}),
        ("of(schema)", "schema.model_validate(user())", {("mapped.User", ANY)}),
        ("of(schema: type[Model])", "schema.model_validate(user())", {("mapped.User", ANY)}),
        ("of(row: Base)", "UserOut.model_validate(row)", {("mapped.User", "posts")}),
        ("of(row)", "UserOut.model_validate(row)", {("", "posts")}),
        ("of(schema)", "schema.model_validate({'posts': 1})", set()),
        ("of(row)", "PostOut.model_validate(row)", set()),
        (
            "of(schema, row)",
            "schema.model_validate(row, from_attributes=True)",
            {("", "author"), ("", "posts")},
        ),
    ],
)
def test_what_cannot_be_told_is_held_by_the_fields_that_models_have(name, value, expected):
    reads = schema_reads(UNTOLD.format(name=name, value=value))

    assert {(one.owner, one.attribute) for one in reads} == expected
    assert all(one.unknown for one in reads)


def test_an_attribute_of_an_object_may_be_one_of_a_class_below_its_own():
    text = """
        from mapped import Base, Node

        class Leaf(Node):
            pass

        def of(row: Base, node: Node, number: int):
            return row.posts, node.posts, number.posts
    """
    reads = program({"mapped.py": DECLARED, "app.py": text}).orm.reads.all()

    (read,) = [one for one in reads if one.place.path == "app.py"]
    assert (read.owner, read.attribute, read.is_traced) == ("mapped.User", "posts", False)
