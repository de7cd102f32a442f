from __future__ import annotations

import sys
import types
import uuid
from textwrap import dedent

import pytest
from programs import program
from sqlalchemy.orm import Mapper, class_mapper, configure_mappers

BASE = """
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, join, select
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, backref, column_property, declarative_base, declared_attr,
    mapped_column, registry, relationship, synonym,
)
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from functools import partial
from typing import List, Optional
Base = declarative_base()
"""


def models(text: str, **files: str):
    others = {f"{name}.py": body for name, body in files.items()}
    return program({**others, "m.py": BASE + dedent(text)}).orm


def status(text: str, name: str = "m.A", **files: str) -> str:
    return models(text, **files).models.status(name)


@pytest.mark.parametrize(
    "text",
    [
        "class A(Base):\n  __tablename__ = 'a'\n",
        "class B(DeclarativeBase): pass\nclass A(B): pass\n",
        "class Top(Base):\n  __abstract__ = True\nclass A(Top): pass\n",
        "class Mixin: pass\nclass A(Mixin, Base): pass\n",
        "class Parent(Base): pass\nclass A(Parent): pass\n",
        "Other = registry().generate_base()\nclass A(Other): pass\n",
        "reg = registry()\n@reg.mapped\nclass A: pass\n",
        "reg = registry()\n@reg.mapped_as_dataclass\nclass A: pass\n",
        "reg = registry()\n@reg.as_declarative_base()\nclass B: pass\nclass A(B): pass\n",
        "from sqlalchemy.ext.automap import automap_base\nC = automap_base()\nclass A(C): pass\n",
        "from sqlalchemy.ext.declarative import declarative_base as d\nB = d()\nclass A(B): pass\n",
        (
            "reg = registry()\nclass A: pass\nt = Table('a', reg.metadata)\n"
            "reg.map_imperatively(A, t)\n"
        ),
        "from sqlalchemy.orm import mapper\nclass A: pass\nmapper(A, t)\n",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nclass A(db.Model): pass\n",
        "from flask_appbuilder import Model\nclass A(Model): pass\n",
        "from sqlmodel import SQLModel\nclass A(SQLModel, table=True): pass\n",
        "from elsewhere import Mixin\nclass A(Mixin, Base): pass\n",
    ],
)
def test_a_mapped_class_is_recognised(text):
    assert status(text) == "mapped"
    assert models(text).mapped_class("m.A").qualified == "m.A"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class A: pass\n", "plain"),
        ("class A(str): pass\n", "plain"),
        ("class A(Base):\n  __abstract__ = True\n", "base"),
        ("class A(DeclarativeBase): pass\n", "base"),
        ("from elsewhere import Thing\nclass A(Thing): pass\n", "unknown"),
        ("class A(make()): pass\n", "unknown"),
        ("class A(A): pass\n", "unknown"),
        ("from sqlmodel import SQLModel\nclass A(SQLModel): pass\n", "plain"),
        (
            (
                "from sqlmodel import SQLModel\nclass B(SQLModel, table=True): pass\n"
                "class A(B): pass\n"
            ),
            "plain",
        ),
        ("from pydantic import BaseModel\nclass A(BaseModel): pass\n", "plain"),
        ("from toolbox import Thing\nclass A(Thing): pass\n", "unknown"),
        ("def mapper(x, y): pass\nclass A: pass\nmapper(A, t)\n", "plain"),
        ("Base = 1\nclass A(Base): pass\n", "unknown"),
    ],
)
def test_other_classes_are_not_mapped(text, expected):
    assert status(text) == expected
    assert models(text).mapped_class("m.A") is None


def test_classes_of_libraries_are_not_known_to_be_mapped():
    orm = models("")

    assert orm.mapped_class("flask_appbuilder.security.sqla.models.User") is None
    assert orm.models.status("flask_appbuilder.security.sqla.models.User") == "unknown"
    assert orm.eager.needs_unique("flask_appbuilder.security.sqla.models.User") is None


def test_bases_are_followed_over_files_and_through_the_extension_object():
    files = {
        "ext.py": "from flask_sqlalchemy import SQLAlchemy\nclass SQLA(SQLAlchemy): pass\n"
        "db = SQLA()\n",
        "pkg/__init__.py": "from ext import db\n",
        "pkg/mixins.py": "from sqlalchemy import Column, Integer\nclass Stamped:\n"
        "  at = Column(Integer)\n",
        "pkg/m.py": "from pkg import db\nfrom .mixins import Stamped\nclass A(Stamped, db.Model):\n"
        "  id = db.Column(db.Integer, primary_key=True)\n  bs = db.relationship('B')\n",
    }
    mapped = program(files).orm.mapped_class("pkg.m.A")

    assert set(mapped.columns) == {"id", "at"}
    assert mapped.columns["id"].primary_key
    assert set(mapped.relationships) == {"bs"}
    assert mapped.complete


def test_columns_say_what_is_declared():
    mapped = models("""
        class A(Base):
            __tablename__ = "a"
            id = Column(Integer, primary_key=True)
            name = Column("name", String(50), nullable=False)
            note = Column(String)
            b_id = Column(ForeignKey("b.id"))
            flag: Mapped[bool] = mapped_column()
            maybe: Mapped[Optional[str]]
            other: Mapped["str | None"] = mapped_column(String(3))
            wild = Column(String, nullable=RULE)
            plain = 3
    """).mapped_class("m.A")
    facts = {name: (one.nullable, one.type) for name, one in mapped.columns.items()}

    assert facts == {
        "id": (False, "Integer"),
        "name": (False, "String"),
        "note": (True, "String"),
        "b_id": (True, None),
        "flag": (False, None),
        "maybe": (True, None),
        "other": (True, "String"),
        "wild": (None, "String"),
    }
    assert mapped.columns["b_id"].foreign_key == "b.id"
    assert mapped.tablename == "a"


def test_columns_made_by_a_partial_say_what_both_calls_declare():
    orm = models(
        """
        from kinds import Required
        Key = partial(Column, Integer, primary_key=True)
        Stamp = partial(mapped_column, server_onupdate=now())
        class A(Base):
            __tablename__ = "a"
            id = Key()
            name = Required(String(50))
            note = Required(String, nullable=True)
            at = Stamp()
        """,
        kinds="import functools\nfrom sqlalchemy import Column\n"
        "Required = functools.partial(Column, nullable=False)\n",
    )
    mapped = orm.mapped_class("m.A")
    facts = {name: (one.nullable, one.type) for name, one in mapped.columns.items()}

    assert facts == {
        "id": (False, "Integer"),
        "name": (False, "String"),
        "note": (True, "String"),
        "at": (True, None),
    }
    assert mapped.columns["id"].primary_key
    assert mapped.columns["at"].is_computed_on_update
    assert mapped.complete
    assert orm.eager.needs_unique("m.A") is False


def test_every_kind_of_attribute_is_told():
    mapped = models("""
        class Mixin:
            @declared_attr
            def owner_id(cls): return Column(ForeignKey("users.id"))
            @declared_attr
            def owner(cls): return relationship("User")
        class A(Mixin, Base):
            __tablename__ = "a"
            id = Column(Integer, primary_key=True)
            bs = relationship("B")
            names = association_proxy("bs", "name")
            alias = synonym("id")
            twice = column_property(id * 2)
            @hybrid_property
            def half(self): return self.id / 2
            @half.expression
            def half(cls): return cls.id / 2
            def method(self): ...
            @property
            def prop(self): ...
        class User(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True)
    """).mapped_class("m.A")
    names = ["id", "bs", "names", "alias", "twice", "half", "method", "prop", "owner", "owner_id"]

    assert [mapped.attribute_kind(name) for name in names] == [
        "column",
        "relationship",
        "proxy",
        "synonym",
        "column",
        "hybrid",
        "method",
        "method",
        "relationship",
        "column",
    ]
    assert mapped.attribute_kind("nothing") is None
    assert mapped.relationships["owner"].target == "m.User"
    assert mapped.complete


@pytest.mark.parametrize(
    ("declared", "uselist", "lazy"),
    [
        ("x = relationship('B')", None, "select"),
        ("x = relationship('B', uselist=False, lazy='joined')", False, "joined"),
        ("x = relationship('B', uselist=True, lazy=False)", True, "joined"),
        ("x = relationship('B', lazy=True)", None, "select"),
        ("x = relationship('B', lazy=None)", None, "noload"),
        ("x = relationship('B', lazy=MODE)", None, None),
        ("x = relationship('B', **options)", None, None),
        ("x = relationship('B', lazy='dynamic')", True, "dynamic"),
        ("x = relationship('B', secondary=t)", True, "select"),
        ("x = relationship('B', t)", True, "select"),
        ("x = relationship('B', secondary=t, uselist=False)", False, "select"),
        ("x = relationship('B', collection_class=set)", True, "select"),
        ("x: Mapped[List['B']] = relationship()", True, "select"),
        ("x: Mapped['list[B]'] = relationship(lazy='joined')", True, "joined"),
        ("x: Mapped[Optional['B']] = relationship()", False, "select"),
        ("x: Mapped['B'] = relationship(lazy='selectin')", False, "selectin"),
        ("x: 'Mapped[B | None]' = relationship()", False, "select"),
        ("x: List['B'] = relationship('B')", None, "select"),
        ("x: 'B' = relationship('B')", None, "select"),
        ("x: orm.Mapped['datetime.B'] = relationship('B')", False, "select"),
        ("x = relationship(lambda: B)", None, "select"),
        ("x = relationship(argument='m.B')", None, "select"),
    ],
)
def test_a_relationship_says_what_it_loads_and_how(declared, uselist, lazy):
    text = f"class B(Base): pass\nclass A(Base):\n  {declared}\n"
    facts = models(text).mapped_class("m.A").relationships["x"]

    assert facts.target == "m.B"
    assert facts.uselist is uselist
    assert facts.lazy == lazy
    assert (BASE + text)[facts.span.start :].startswith("relationship(")


def test_the_other_side_knows_its_backref():
    other = "from m import Base\nfrom sqlalchemy.orm import backref, relationship as rel\n"
    other += "class B(Base):\n  a = rel('A', backref='bs')\n"
    other += "  c = rel('A', backref=backref('cs', lazy='joined', uselist=False))\n"
    orm = models("class A(Base): pass\n", other=other)
    found = orm.mapped_class("m.A").relationships

    assert {name: (one.target, one.lazy, one.uselist, one.path) for name, one in found.items()} == {
        "bs": ("other.B", "select", None, "other.py"),
        "cs": ("other.B", "joined", False, "other.py"),
    }


def test_a_name_that_two_classes_have_is_not_guessed():
    orm = models(
        "class A(Base):\n  x = relationship('Twin')\n  y = relationship('one.Twin')\n",
        one="from m import Base\nclass Twin(Base): pass\n",
        two="from m import Base\nclass Twin(Base): pass\n",
    )
    found = orm.mapped_class("m.A").relationships

    assert found["x"].target is None
    assert found["y"].target == "one.Twin"


@pytest.mark.parametrize(
    ("body", "table"),
    [
        ("__tablename__ = 'a'", "plain"),
        ("__table__ = Table('a', meta)", "plain"),
        ("__table__ = join(x, y)", "selectable"),
        ("__table__ = select(x).subquery()", "selectable"),
        ("__table__ = other.alias()", "selectable"),
        ("__table__ = find()", "unknown"),
        ("__tablename__ = 'order_view'", "unknown"),
        ("__tablename__ = '{}a'.format(prefix)", "plain"),
        ("__tablename__ = '{}OrderView'.format(prefix)", "unknown"),
        ("@declared_attr\n  def __tablename__(cls): return name_of(cls)", "plain"),
    ],
)
def test_what_a_class_is_mapped_to(body, table):
    assert models(f"class A(Base):\n  {body}\n").mapped_class("m.A").table == table


def test_a_computed_table_name_or_argument_hides_nothing():
    text = "  __tablename__ = '{}a'.format(prefix)\n  __table_args__ = make()\n"

    assert models(f"class A(Base):\n{text}").mapped_class("m.A").complete
    assert models(f"class A(Base):\n{text}").eager.needs_unique("m.A") is False
    assert not models(f"class A(Base):\n{text}  other = make()\n").mapped_class("m.A").complete


def test_an_imperative_mapping_lists_columns_and_properties():
    orm = models(
        "class A: pass\n",
        maps="from m import A, B, Base, Column, Integer, Table, registry, relationship\n"
        "reg = registry()\n"
        "t = Table('a', reg.metadata, Column('id', primary_key=True), Column('n', Integer))\n"
        "reg.map_imperatively(A, t, properties={'bs': relationship(B, lazy='joined')})\n",
        b="",
    )
    mapped = orm.mapped_class("m.A")

    assert set(mapped.columns) == {"id", "n"}
    assert mapped.relationships["bs"].lazy == "joined"
    assert mapped.table == "plain"


@pytest.mark.parametrize(
    "text",
    [
        "from elsewhere import Mixin\nclass A(Mixin, Base): pass\n",
        "from elsewhere import decorate\n@decorate\nclass A(Base): pass\n",
        "class A(Base):\n  x = make_something()\n",
        "def make():\n  return relationship('A', lazy='joined')\nclass A(Base):\n  x = make()\n",
        "if x:\n  class A(Base): pass\nelse:\n  class A(Base): pass\n",
        "from sqlalchemy.ext.automap import automap_base\nC = automap_base()\nclass A(C): pass\n",
        "C = declarative_base(**options)\nclass A(C): pass\n",
        "from elsewhere import B\nC = declarative_base(cls=B)\nclass A(C): pass\n",
        "class A(Base):\n  @declared_attr\n  def x(cls): return make()\n",
        "R = partial(relationship, lazy='joined')\nclass A(Base):\n  x = R('A')\n",
        "R = wrap(Column, nullable=False)\nclass A(Base):\n  x = R(Integer)\n",
        "class A: pass\nregistry().map_imperatively(A, t, **options)\n",
        "class A: pass\nregistry().map_imperatively(A, t, properties=find())\n",
    ],
)
def test_a_mapping_that_is_not_all_in_sight_is_incomplete(text):
    orm = models(text)
    mapped = orm.mapped_class("m.A")

    assert mapped is None or not mapped.complete
    assert orm.eager.needs_unique("m.A") is None


@pytest.mark.parametrize(
    "text",
    [
        "class A(Base):\n  x = Column(default=make())\n  y = str(1)\n",
        (
            "try:\n  from flask_appbuilder import Model as C\n"
            "except ImportError:\n  C = declarative_base()\nclass A(C): pass\n"
        ),
        "def column(): return Column(Integer)\nclass A(Base):\n  x = column()\n",
        "class Top:\n  id = Column(Integer)\nC = declarative_base(cls=Top)\nclass A(C): pass\n",
        "from typing import Generic\nclass A(Base, Generic[T]): pass\n",
        "import dataclasses\n@dataclasses.dataclass\nclass A(Base): pass\n",
        "from flask_login.mixins import UserMixin\nclass A(Base, UserMixin): pass\n",
        "from flask_security import UserMixin\nclass A(Base, UserMixin): pass\n",
        "from sqlalchemy_utils import generic_repr\n@generic_repr('x')\nclass A(Base): pass\n",
        "from sqlalchemy_utils.models import generic_repr\n@generic_repr\nclass A(Base): pass\n",
        (
            "from flask_appbuilder import Model\n"
            "from flask_appbuilder.models.mixins import AuditMixin\n"
            "class A(Model, AuditMixin): pass\n"
        ),
    ],
)
def test_a_mapping_that_is_all_in_sight_is_complete(text):
    orm = models(text)

    assert orm.mapped_class("m.A").complete
    assert orm.eager.needs_unique("m.A") is False


def test_what_declarative_base_adds_belongs_to_every_class():
    orm = models("""
        class Top:
            id = Column(Integer, primary_key=True)
            @declared_attr
            def logs(cls): return relationship("Log", uselist=True, lazy="joined")
        Base2 = declarative_base(cls=Top)
        class Log(Base): pass
        class A(Base2): pass
    """)

    assert set(orm.mapped_class("m.A").columns) == {"id"}
    assert orm.eager.needs_unique("m.A") is True


PARENT = "class A(Base):\n  __tablename__ = 'a'\n  id = Column(Integer, primary_key=True)\n"
CHILD = PARENT.replace("A(", "B(").replace("'a'", "'b'")
KEY = "  a_id = Column(ForeignKey('a.id'))\n"

# Each program, and whether loading A joins a collection.
UNIQUE = [
    (PARENT, False),
    (PARENT + "  bs = relationship('B')\n" + CHILD + KEY, False),
    (PARENT + "  bs = relationship('B', lazy='selectin')\n" + CHILD + KEY, False),
    (PARENT + "  bs = relationship('B', lazy='joined')\n" + CHILD + KEY, True),
    (PARENT + "  bs = relationship('B', lazy=False)\n" + CHILD + KEY, True),
    (PARENT + "  b = relationship('B', lazy='joined', uselist=False)\n" + CHILD + KEY, False),
    (PARENT + "  bs: Mapped[List['B']] = relationship(lazy='joined')\n" + CHILD + KEY, True),
    (PARENT + CHILD + KEY + "  a = relationship('A', lazy='joined', backref='bs')\n", False),
    (
        PARENT + CHILD + KEY + "  a = relationship('A', backref=backref('bs', lazy='joined'))\n",
        True,
    ),
    # one step further
    (
        PARENT
        + "  b_id = Column(ForeignKey('b.id'))\n  b = relationship('B', lazy='joined')\n"
        + CHILD
        + "  cs = relationship('C', lazy='joined')\n"
        + CHILD.replace("B(", "C(").replace("'b'", "'c'")
        + "  b_id = Column(ForeignKey('b.id'))\n",
        True,
    ),
    (
        PARENT
        + "  b_id = Column(ForeignKey('b.id'))\n  b = relationship('B', lazy='select')\n"
        + CHILD
        + "  cs = relationship('C', lazy='joined')\n"
        + CHILD.replace("B(", "C(").replace("'b'", "'c'")
        + "  b_id = Column(ForeignKey('b.id'))\n",
        False,
    ),
    # a parent class and a mixin
    (
        PARENT.replace("A(", "P(")
        + "  bs = relationship('B', lazy='joined')\n"
        + CHILD
        + KEY
        + "class A(P): pass\n",
        True,
    ),
    (
        "class M:\n  @declared_attr\n  def bs(cls): return relationship('B', lazy='joined')\n"
        + PARENT.replace("A(Base)", "A(M, Base)")
        + CHILD
        + KEY,
        True,
    ),
    # two tables that refer to each other
    (
        PARENT + "  children = relationship('B', secondary=Table('ab', Base.metadata, "
        "Column('a_id', ForeignKey('a.id')), Column('b_id', ForeignKey('b.id'))), lazy='joined')\n"
        + CHILD,
        True,
    ),
    # a table that refers to itself
    (
        PARENT
        + "  up_id = Column(ForeignKey('a.id'))\n  down = relationship('A', lazy='joined')\n",
        True,
    ),
    (
        PARENT + "  up_id = Column(ForeignKey('a.id'))\n"
        "  up = relationship('A', lazy='joined', remote_side=[id])\n",
        False,
    ),
]


@pytest.mark.parametrize(("text", "expected"), UNIQUE, ids=range(len(UNIQUE)))
def test_whether_loading_a_class_joins_a_collection_is_what_sqlalchemy_does(text, expected):
    name = f"program_{uuid.uuid4().hex}"
    module = types.ModuleType(name)
    sys.modules[name] = module
    try:
        exec(compile(BASE + text, name, "exec"), vars(module))
        configure_mappers()
        real = joins_a_collection(class_mapper(module.A), set())
        module.Base.registry.dispose()
    finally:
        del sys.modules[name]

    assert real is expected
    assert models(text).eager.needs_unique("m.A") is expected


def joins_a_collection(mapper: Mapper, seen: set[Mapper]) -> bool:
    """Follow joined links as the loader does."""
    if mapper in seen:
        return False
    seen.add(mapper)
    joined = [one for one in mapper.relationships if one.lazy in {"joined", False}]
    return any(one.uselist or joins_a_collection(one.mapper, seen) for one in joined)


@pytest.mark.parametrize(
    "text",
    [
        PARENT + "  bs = relationship('B', lazy=MODE)\n" + CHILD + KEY,
        PARENT + "  bs = relationship('B', **options)\n" + CHILD + KEY,
        PARENT + "  bs = relationship('Gone', lazy='joined', uselist=False)\n",
        PARENT + "  bs = relationship('B', lazy='joined')\n" + CHILD,
        PARENT + "  bs = relationship('B', lazy='joined', primaryjoin=x)\n" + CHILD + KEY,
        PARENT + "  up = relationship('A', lazy='joined')\n",
        PARENT + "  up_id = Column(ForeignKey('a.id'))\n  up = relationship('A', lazy='joined', "
        "remote_side=remote)\n",
        PARENT
        + "  b_id = Column(ForeignKey('b.id'))\n  b = relationship('B', lazy='joined')\n"
        + CHILD
        + KEY,
        PARENT + "def add(target):\n  target.x = relationship('B', lazy='joined')\n" + CHILD,
    ],
)
def test_what_cannot_be_told_is_neither_yes_nor_no(text):
    assert models(text).eager.needs_unique("m.A") is None


def test_a_subclass_with_a_joined_collection_counts_for_its_parent():
    text = (
        PARENT + CHILD + KEY + "class Sub(A):\n"
        "  bs = relationship('B', lazy='joined', uselist=True)\n"
    )
    orm = models(text)

    assert orm.eager.needs_unique("m.A") is True
    assert orm.eager.needs_unique("m.B") is False


def test_a_collection_added_after_the_class_counts():
    text = PARENT + CHILD + KEY + "A.bs = relationship('B', lazy='joined', uselist=True)\n"

    assert models(text).eager.needs_unique("m.A") is True


def test_links_in_a_circle_end():
    text = PARENT + "  b_id = Column(ForeignKey('b.id'))\n"
    text += "  b = relationship('B', lazy='joined', uselist=False)\n" + CHILD
    text += "  a = relationship('A', lazy='joined', uselist=False)\n"

    assert models(text).eager.needs_unique("m.A") is False


def test_sqlmodel_passes_its_keywords_on():
    text = """
        from sqlmodel import Field, Relationship, SQLModel
        class A(SQLModel, table=True):
            id: int | None = Field(default=None, primary_key=True)
            bs: list["B"] = Relationship(sa_relationship_kwargs={"lazy": "joined"})
        class B(SQLModel, table=True):
            id: int = Field(primary_key=True)
            name: str
            a_id: int = Field(foreign_key="a.id")
            a: A = Relationship(sa_relationship_kwargs={"lazy": "joined"})
    """
    orm = models(text)

    assert orm.eager.needs_unique("m.A") is True
    assert orm.mapped_class("m.B").attribute_kind("id") == "column"
    assert orm.mapped_class("m.B").attribute_kind("name") == "column"
    assert orm.mapped_class("m.B").relationships["a"].uselist is False
    assert orm.mapped_class("m.B").columns["a_id"].foreign_key == "a.id"
