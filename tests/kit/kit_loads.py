"""Models whose relationships the tests of eager loads read, and the traces of these reads."""

from __future__ import annotations

import ast

from awaken.project.frameworks.sqlalchemy.reads.read_facts import Load, Trace
from awaken.project.source.trees import last_name

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()

post_tag = Table(
    "post_tag",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    boss_id = Column(ForeignKey("users.id"))
    posts = relationship("Post", back_populates="author")
    carts = relationship("Cart")
    boss = relationship("User", remote_side=[id])
    logins = relationship("Login", lazy="dynamic")


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
    author = relationship("User", back_populates="posts")
    tags = relationship("Tag", secondary=post_tag)


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    name = Column(String)


class Cart(Base):
    __tablename__ = "carts"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
    user = relationship("User", viewonly=True)
    items = relationship("Item", lazy="selectin")


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    cart_id = Column(ForeignKey("carts.id"))
    tag_id = Column(ForeignKey("tags.id"))
    tag = relationship("Tag")


class Login(Base):
    __tablename__ = "logins"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))


class Employee(Base):
    __tablename__ = "employees"
    id = Column(Integer, primary_key=True)
    kind = Column(String)
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "employee"}


class Engineer(Employee):
    __tablename__ = "engineers"
    id = Column(ForeignKey("employees.id"), primary_key=True)
    tag_id = Column(ForeignKey("tags.id"))
    skill = relationship("Tag")
    __mapper_args__ = {"polymorphic_identity": "engineer"}


def seed(session):
    tags = [Tag(id=number, name=f"t{number}") for number in range(1, 4)]
    users = [User(id=number, name=f"u{number}") for number in range(1, 5)]
    users[0].boss, users[1].boss, users[2].boss = users[1], users[2], users[3]
    session.add_all([*tags, *users])
    for number in range(1, 9):
        post = Post(id=number, author=users[number % 4], tags=tags[: number % 3 + 1])
        session.add(post)
        item = Item(id=number, tag=tags[number % 3])
        session.add(Cart(id=number, user_id=number % 4 + 1, items=[item]))
    session.add_all([Engineer(id=1, skill=tags[0]), Employee(id=2), Engineer(id=3, skill=tags[2])])
    session.add(Login(user_id=1))
"""

HEAD = """
from sqlalchemy import select
from sqlalchemy.orm import Session, {orm}
from models import {models}
"""


def traces_of(project, more=()):
    """Return the traces of all reads, and one for each path of ``more`` from the first query."""
    module = project.module("case.py")
    begins = [
        module.place(one)
        for one in module.walk()
        if isinstance(one, ast.Call) and last_name(one.func) == "query"
    ]
    wanted = [Trace(Load("query", begins[0]), path) for path in more]
    reads = project.orm.reads.all()
    return [*wanted, *(trace for read in reads for trace in read.traces)]
