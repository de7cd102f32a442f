"""Where mapped objects come from: the statement, the call or the parameter, and the way from it."""

from __future__ import annotations

import ast

import pytest
from described import described, values_of
from programs import module_of, program

from awaken.project.values.domain import InstanceOf, Origin, Values, values_inside

MODELS = """
from sqlalchemy import ForeignKey
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, attribute_mapped_collection, mapped_column, relationship,
)
class Base(DeclarativeBase): pass
class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    notes: Mapped[list["Note"]] = relationship(back_populates="user")
    many = relationship("Note", collection_class=set)
    keyed = relationship("Note", collection_class=attribute_mapped_collection("id"))
    odd = relationship("Note", collection_class=make_collection)
    flowing = relationship("Note", lazy="dynamic")
    tags = association_proxy("notes", "tag")
    @property
    def last(self): return self.notes[-1]
    def first(self): return self.notes[0]
class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id = mapped_column(ForeignKey("user.id"))
    user: Mapped["User"] = relationship(back_populates="notes")
    tag: Mapped["Tag"] = relationship()
"""
HEAD = """
import heapq, itertools
from typing import Annotated, Generic, Iterator, Optional, TypeVar, cast
import sqlmodel
from fastapi import Depends, Request
from flask import g
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Query, Session, joinedload
from models import Base, Note, Tag, User
T = TypeVar("T")
"""


def told(values: Values, text: str) -> tuple[str, list[str]]:
    """Return what values are, and where the objects in them come from, each in a line."""
    waiting, found = [*values], list[str]()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, InstanceOf):
            found += [line_of(each, text) for each in one.origins or ()]
        waiting += values_inside(one)
    return described(values), list(dict.fromkeys(found))


def line_of(origin: Origin, text: str) -> str:
    whole = {"m.py": text, "models.py": MODELS}[origin.place.path].encode()
    begun = whole[origin.place.span.start : origin.place.span.end].decode()
    way = "".join(f" .{step.rpartition('.')[2]}" for step in origin.way)
    return f"{origin.kind} {begun}{way}" if origin.kind == "parameter" else f"{begun}{way}"


def asked(body: str) -> tuple[str, list[str]]:
    text = HEAD + body
    return told(values_of(text, files={"models.py": MODELS}), text)


@pytest.mark.parametrize(
    ("line", "expected", "origin"),
    [
        # Statements of several entities, and of other entities than they began with.
        ("x = [u for u, n in s.query(User, Note)]", "list[User]", "s.query(User, Note)"),
        ("x = s.execute(select(User)).first().User", "User", "select(User)"),
        ("x = s.query(User, Note).first().Note.user", "User", "s.query(User, Note) .user"),
        (
            "x = s.query(Note).with_entities(User).all()",
            "list[User]",
            "s.query(Note).with_entities(User)",
        ),
        ("x = s.query(User, Note).scalar()", "User | None", "s.query(User, Note)"),
        (
            "x = s.scalars(select(Note.id).with_only_columns(User)).first()",
            "User | None",
            "select(Note.id).with_only_columns(User)",
        ),
        ("x = s.exec(sqlmodel.select(User)).all()", "list[User]", "sqlmodel.select(User)"),
        # A collection that is a statement of its own begins where it is read.
        ("x = s.get(User, 1).flowing.first()", "Note | None", "s.get(User, 1).flowing"),
        (
            "x = s.get(User, 1).flowing.all()[0].user",
            "User",
            "s.get(User, 1).flowing .user",
        ),
        # Collections of other classes than lists.
        ("x = s.get(User, 1).many", "set[Note]", "s.get(User, 1) .many"),
        ("x = s.get(User, 1).keyed['a']", "Note", "s.get(User, 1) .keyed"),
        # What loads the object that a method or a property gives.
        ("x = s.get(User, 1).last", "Note", "s.get(User, 1) .notes"),
        ("x = s.get(User, 1).first()", "Note", "s.get(User, 1) .notes"),
        # An annotation does not hide it.
        ("x: User = s.query(User).one()", "User", "s.query(User)"),
        ("x: list[User] = s.query(User).all()", "list[User]", "s.query(User)"),
        ("x = cast(User, s.get(User, 1))", "User", "s.get(User, 1)"),
        ("x = next((u for u in s.query(User)), None)", "User | None", "s.query(User)"),
        # Functions that are called with the items of something.
        (
            "x = list(map(lambda u: u.notes[0].tag, s.query(User)))",
            "list[Tag]",
            "s.query(User) .notes .tag",
        ),
    ],
)
def test_object_comes_from_the_statement_that_gives_it(line, expected, origin):
    assert asked(f"def f(s: Session):\n  {line}\n  x\n") == (expected, [origin])


def test_merged_object_is_loaded_unless_the_session_has_it():
    found = asked(
        "def f(s: Session):\n  x = s.merge(User(), options=[joinedload(User.notes)])\n  x\n"
    )

    merged = "s.merge(User(), options=[joinedload(User.notes)])"
    assert found == ("User", ["User()", merged])


def test_merging_names_its_options():
    text = (
        f"{HEAD}def f(s: Session):\n  x = s.merge(User(), options=[joinedload(User.notes)])\n  x\n"
    )
    (value,) = values_of(text, files={"models.py": MODELS})

    assert [len(one.options) for one in value.origins] == [0, 1]


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("odd", "?the return value of `sqlalchemy.orm.relationship` is unknown"),
        ("tags", "list[Tag]"),
    ],
)
def test_what_is_not_a_plain_relationship_has_no_origin(attribute, expected):
    assert asked(f"def f(s: Session):\n  x = s.get(User, 1).{attribute}\n  x\n") == (expected, [])


LOADING = "def load(s: Session){returns}:\n  return s.get(User, 1)\n"


@pytest.mark.parametrize(
    ("returns", "parameter"),
    [
        ("", "u: User = Depends(load)"),
        (" -> User | None", "u: Annotated[User, Depends(load)]"),
        (" -> User | None", "u: Current"),
    ],
)
def test_injected_object_comes_from_its_dependency(returns, parameter):
    alias = "Current = Annotated[User, Depends(load)]\n"
    body = f"{LOADING.format(returns=returns)}{alias}def f({parameter}):\n  x = u\n  x\n"

    assert asked(body) == ("User", ["s.get(User, 1)"])


def test_injected_object_may_be_passed_by_a_call_as_well():
    body = f"{LOADING.format(returns='')}def f(u: User = Depends(load)):\n  x = u\n  x\nf(User())\n"

    assert asked(body) == ("User", ["parameter u: User"])


@pytest.mark.parametrize(
    ("function", "call", "expected"),
    [
        ("def h(u: User): return u.notes[0]", "h(s.get(User, 1))", ["s.get(User, 1) .notes"]),
        ("def h(us: list[User]): return [u for u in us]", "h(s.query(User))[0]", ["s.query(User)"]),
        ("def h(q: Query): return q.limit(1)", "h(s.query(User)).first()", ["s.query(User)"]),
        ("def h(s) -> Query: return s.query(User)", "h(s).first()", ["s.query(User)"]),
        (
            "def h(s: Session) -> Iterator[User]:\n  for u in s.query(User): yield u",
            "next(h(s))",
            ["s.query(User)"],
        ),
        (
            "def h(s: Session) -> tuple[User, int]: return s.query(User).first(), 1",
            "h(s)[0]",
            ["s.query(User)"],
        ),
        # What is passed is not known here: the callers are asked where somebody wants to know.
        ("def h(u: User): return u", "h(unknown)", ["parameter u: User"]),
        # The way has no end.
        (
            "def h(u: User): return h(u.notes[0].user) if u.id else u",
            "h(s.get(User, 1))",
            [],
        ),
    ],
)
def test_what_comes_back_from_a_call_comes_from_what_it_is_given(function, call, expected):
    found = asked(f"{function}\ndef f(s: Session, unknown):\n  x = {call}\n  x\n")

    assert found[1] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("class H:\n  def __init__(self, s: Session): self.u: User = s.get(User, 1)\n", True),
        ("class H:\n  u: User\n  def __init__(self, s: Session): self.u = s.get(User, 1)\n", True),
        # An initialiser is made of what the body declares.
        ("class H:\n  u: User\n  def load(self, s: Session): self.u = s.get(User, 1)\n", False),
        ("class H:\n  u: User = None\n  def __init__(self, s): self.u = s.get(User, 1)\n", False),
    ],
)
def test_annotated_attribute_comes_from_what_the_initialiser_gives(body, expected):
    found = asked(f"{body}def f(s: Session):\n  x = H(s).u\n  x\n")

    assert found == ("User", ["s.get(User, 1)"] if expected else [])


@pytest.mark.parametrize(
    ("classes", "call", "expected"),
    [
        (
            (
                "class A:\n  @classmethod\n  def one(cls, s: Session): return s.get(cls, 1)\n"
                "class B(A, Base): ...\n"
            ),
            "B.one(s)",
            "m.B | None",
        ),
        (
            (
                "class A:\n  model = None\n"
                "  def one(self, s: Session): return s.get(self.model, 1)\n"
                "class B(A): model = User\nclass C(A): model = Note\n"
            ),
            "B().one(s)",
            "User | None",
        ),
        (
            (
                "class A(Generic[T]):\n  def __init__(self, model: type[T]): self.model = model\n"
                "  def one(self, s: Session) -> T: return s.get(self.model, 1)\n"
            ),
            "A(User).one(s)",
            "User",
        ),
        (
            "class A(Generic[T]):\n  def one(self, s: Session) -> T: return s.get(self.model, 1)\n",
            "A[User]().one(s)",
            "User",
        ),
    ],
)
def test_inherited_method_knows_what_it_is_called_on(classes, call, expected):
    assert asked(f"{classes}def f(s: Session):\n  x = {call}\n  x\n")[0] == expected


@pytest.mark.parametrize(
    "line",
    [
        "sorted(us, key=lambda one: one)",
        "us.sort(key=lambda one: one)",
        "max(us, key=lambda one: one)",
        "filter(lambda one: one, us)",
        "itertools.groupby(us, lambda one: one)",
        "heapq.nlargest(3, us, key=lambda one: one)",
    ],
)
def test_function_without_a_name_is_called_with_the_items(line):
    text = f"{HEAD}def f(s: Session):\n  us = s.query(User).all()\n  {line}\n"
    project = program({"m.py": text, "models.py": MODELS})
    module = module_of(project, "m.py")
    (read,) = [x for x in module.walk() if isinstance(x, ast.Lambda)]

    found = project.values.of(module, read.body)
    assert told(found.alternatives, text) == ("User", ["s.query(User)"])
    assert found.is_known


FLASK = """
from flask_login import LoginManager, current_user
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.query import Query
db = SQLAlchemy()
login_manager = LoginManager()
class NoteQuery(Query):
    def newest(self): return self.order_by(Note.id).first()
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
class Note(db.Model):
    query_class = NoteQuery
    id = db.Column(db.Integer, primary_key=True)
    @classmethod
    def one(cls, id): return cls.query.get(id)
class Special(Note): ...
@login_manager.user_loader
def load(id): return User.query.get(id)
"""


@pytest.mark.parametrize(
    ("line", "expected", "origins"),
    [
        ("User.query.filter_by(id=1).first_or_404()", "User", ["User.query"]),
        ("User.query.paginate(page=1).items", "list[User]", ["User.query"]),
        ("db.get_or_404(User, 1)", "User", ["db.get_or_404(User, 1)"]),
        ("Note.query.newest()", "Note | None", ["Note.query"]),
        ("Note.query.limit(1).all()", "list[Note]", ["Note.query"]),
        ("Special.one(1)", "Special | None", ["cls.query"]),
        ("current_user", "User | None", ["User.query"]),
    ],
)
def test_query_of_a_class_begins_where_it_is_read(line, expected, origins):
    text = f"{FLASK}x = {line}\n"
    described_as, found = told(values_of(text), text)

    assert (described_as.replace("m.", ""), found) == (expected, origins)


@pytest.mark.parametrize("put", ["g.user = s.get(User, 1)", "g.user, g.at = s.get(User, 1), 1"])
def test_what_is_kept_for_a_request_is_what_is_put_there(put):
    body = f"def open(s: Session): {put}\ndef f():\n  x = g.user\n  x\n"

    assert asked(body) == ("User | None", ["s.get(User, 1)"])


def test_state_of_a_request_is_what_is_put_there():
    body = (
        "def open(r: Request, s: Session): r.state.user = s.get(User, 1)\n"
        "def f(r: Request):\n  x = r.state.user\n  x\n"
    )

    assert asked(body) == ("User | None", ["s.get(User, 1)"])


@pytest.mark.parametrize(
    "conftest",
    ["from fixtures import user", "from fixtures import *", 'pytest_plugins = ["fixtures"]'],
)
def test_test_is_given_the_fixtures_that_a_conftest_imports_or_names(conftest):
    fixtures = (
        "import pytest\nfrom models import User\n@pytest.fixture\ndef user(): return User()\n"
    )
    files = {"conftest.py": conftest, "fixtures.py": fixtures, "models.py": MODELS}
    found = values_of("def test_it(user):\n  x = user\n  x\n", files=files)

    assert described(found) == "User"


@pytest.mark.parametrize(("line", "count"), [("rows.notes", 1), ("rows.notes()", 0)])
def test_what_is_called_of_something_unknown_is_no_relationship(line, count):
    text = f"{HEAD}def f(rows):\n  return {line}\n"
    project = program({"m.py": text, "models.py": MODELS})

    reads = [one for one in project.orm.reads.all() if one.place.path == "m.py"]
    assert [one.owner for one in reads] == [""] * count
