"""Names that models of Pydantic are dumped with, as loops over them set attributes by."""

from __future__ import annotations

import re
from textwrap import dedent, indent

import pytest
from programs import program

MAPPED = """
    from sqlalchemy import Column, ForeignKey, Integer, String
    from sqlalchemy.orm import declarative_base, relationship

    Base = declarative_base()

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        posts = relationship("Post")

    class Post(Base):
        __tablename__ = "posts"
        id = Column(Integer, primary_key=True)
        user_id = Column(Integer, ForeignKey("users.id"))
"""
MODELS = """
    from typing import ClassVar, Generic, TypeVar
    from pydantic import BaseModel, ConfigDict, Field, computed_field, model_serializer
    T = TypeVar("T")
    settings = ConfigDict(extra="allow")

    class Plain(BaseModel):
        model_config = ConfigDict(extra="forbid")
        name: str = ""
        mail: str | None = None

    class Parent(BaseModel):
        name: str = ""

    class Child(Parent):
        posts: list = []

    class Typed(BaseModel, Generic[T]):
        name: T | None = None
        entries: list = Field([], alias="posts")

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    class OpenByKeyword(BaseModel, extra="allow"):
        name: str = ""

    class OpenElsewhere(BaseModel):
        model_config = settings

    class Computed(BaseModel):
        @computed_field
        @property
        def posts(self) -> list:
            return []

    class Serialized(BaseModel):
        @model_serializer
        def shown(self) -> dict:
            return {"posts": []}

    class Overriding(BaseModel):
        def model_dump(self, **_):
            return {"posts": []}

    class ByAlias(BaseModel):
        model_config = ConfigDict(serialize_by_alias=True)
        entries: list = Field([], alias="posts")
"""
UNKNOWN, NOTHING = ("dynamic",), ()
LOOPS = [
    ("Plain()", "for name in given.model_dump(exclude_unset=True): set(name)", NOTHING),
    ("Plain()", "for name, _ in given.dict().items(): set(name)", NOTHING),
    ("Plain()", "data = given.model_dump()\nfor name in data.keys(): set(name)", NOTHING),
    ("Plain()", "for name in {k: v for k, v in given.model_dump().items()}: set(name)", NOTHING),
    ("Plain()", "for name in {**given.model_dump(), 'id': 1}: set(name)", NOTHING),
    ("Plain()", "for name in {**given.model_dump(), 'posts': []}: set(name)", ("assigned",)),
    ("Plain()", "data = given.model_dump()\ndata['posts'] = []\nfor x in data: set(x)", UNKNOWN),
    ("Plain()", "for name in type(given).model_fields: set(name)", NOTHING),
    ("Plain()", "for name in Plain.model_fields: set(name)", NOTHING),
    ("Plain()", "for name in given.model_fields_set: set(name)", NOTHING),
    ("Child()", "for name in given.model_dump(): set(name)", ("assigned",)),
    ("Child()", "for name in given.model_dump(exclude={'posts'}): set(name)", NOTHING),
    ("Child()", "for name in given.model_dump(exclude={'posts': True}): set(name)", ("assigned",)),
    ("Parent()", "for name in given.model_dump(): set(name)", ("assigned",)),
    ("Typed()", "for name in given.model_dump(): set(name)", NOTHING),
    ("Typed()", "for name in given.model_dump(by_alias=True): set(name)", UNKNOWN),
    ("Open(posts=[])", "for name in given.model_dump(): set(name)", UNKNOWN),
    ("OpenByKeyword(posts=[])", "for name in given.model_dump(): set(name)", UNKNOWN),
    ("OpenElsewhere(posts=[])", "for name in given.model_dump(): set(name)", UNKNOWN),
    ("Computed()", "for name in given.model_dump(): set(name)", ("assigned",)),
    ("Serialized()", "for name in given.model_dump(): set(name)", UNKNOWN),
    ("Overriding()", "for name in given.model_dump(): set(name)", UNKNOWN),
    ("ByAlias()", "for name in given.model_dump(): set(name)", UNKNOWN),
]


def predicted(made, loop):
    """Return how ``loop`` sets the relationship of a user, as it is predicted."""
    model = made.partition("(")[0]
    body = indent(re.sub(r"set\((\w+)\)", r"setattr(user, \1, [])", loop), " " * 4)
    text = f"from mapped import User\nfrom models import {model}\n\n\n"
    text += f"def change(user: User, given: {model}):\n{body}\n"
    files = {"mapped.py": MAPPED, "models.py": MODELS, "main.py": text}
    return tuple({one.how for one in program(files).orm.reads.all()})


@pytest.mark.parametrize(("made", "loop", "expected"), LOOPS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_names_that_are_set_are_predicted(made, loop, expected):
    assert predicted(made, loop) == expected
    namespace: dict[str, object] = {}
    exec(dedent(MODELS), namespace)
    names: list[str] = []
    namespace |= {"set": names.append, "given": eval(made, namespace)}
    exec(loop, namespace)
    assert expected or "posts" not in names
