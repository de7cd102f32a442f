"""What a refusal says to do: done as it says, the refusal is gone."""

from __future__ import annotations

from textwrap import dedent

import pytest
from fixture_cases import FIXTURES

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

MODELS = (FIXTURES / "sqlalchemy/_programs/library/models.py").read_bytes()
HEAD = """
from contextlib import contextmanager
from typing import Iterator
from models import Base, User
from sqlalchemy import func
from sqlalchemy.orm import Session
"""


def findings_of(text: str):
    files = {"models.py": MODELS, "case.py": (HEAD + dedent(text)).encode()}
    snapshot = Snapshot({path: decode(path, raw) for path, raw in files.items()})
    return QueryToSelect().plan(Project(snapshot, Targets()), Constraints()).findings


MANAGER = """
@contextmanager
def scope():
    yield make()
def use(model: type[object]):
    with scope() as session:
        return session.query(model).all()
"""
CLASS_MANAGER = """
class Scope:
    def __enter__(self):
        return make()
def use(model: type[object]):
    with Scope() as session:
        return session.query(model).all()
"""
FUNCTION = """
def open():
    return make()
def use(model: type[object]):
    return open().query(model).all()
"""
KEYS = """
def use(s: Session, n):
    rows = s.query(func.max(User.id)).all()
    return rows[0]._asdict()
"""
HOLDER = """
class Service:
    def __init__(self, session):
        self.session = session
    def use(self, model: type[object]):
        return self.session.query(model).all()
"""
REPOSITORY = """
class Repository:
    def __init__(self, model):
        self.model = model
    def use(self, s: Session):
        return s.query(self.model).all()
"""


@pytest.mark.parametrize(
    ("text", "cure", "old", "new"),
    [
        (
            MANAGER,
            "what `scope` yields: `-> Iterator[Session]`",
            "scope():",
            "scope() -> Iterator[Session]:",
        ),
        (
            CLASS_MANAGER,
            "`Scope.__enter__`: `-> Session`",
            "__enter__(self):",
            "__enter__(self) -> Session:",
        ),
        (
            "def use(db, model: type[object]): return db.query(model).all()",
            "the parameter: `db: Session`",
            "db,",
            "db: Session,",
        ),
        (
            "def use(model: type[object]):\n  db = make()\n  return db.query(model).all()",
            "each assignment: `db: Session = ...`",
            "db = make()",
            "db: Session = make()",
        ),
        (
            FUNCTION,
            "what `open` returns: `-> Session`",
            "open():",
            "open() -> Session:",
        ),
        (
            HOLDER,
            "in the class body: `session: Session`",
            "Service:",
            "Service:\n    session: Session",
        ),
        (
            "def use(model: type[object]):\n  return DBS[0].query(model).all()",
            "in a variable: `session: Session = DBS[0]`",
            "return DBS[0].",
            "session: Session = DBS[0]\n  return session.",
        ),
        (
            "def use(model: type[object]):\n  for db in dbs():\n    db.query(model).all()",
            "as a parameter: `db: Session`",
            "  for db in dbs():\n",
            "  def each(db: Session):\n",
        ),
        (
            "def use(s: Session, model): return s.query(model).all()",
            "the parameter: `model: type[Base]`",
            "model)",
            "model: type[Base])",
        ),
        (
            "def use(s: Session, column): return s.query(column).all()",
            "write `column.label(...)`",
            "(column)",
            "(column.label('c'))",
        ),
        (
            "def use(s: Session, n): return s.query(getattr(User, n)).all()",
            "write `getattr(User, n).label(...)`",
            "n)).",
            "n).label('c')).",
        ),
        (
            REPOSITORY,
            "class body: `model: type[Base]`",
            "Repository:",
            "Repository:\n    model: type[Base]",
        ),
        (
            "def use(s: Session, n):\n  return s.query(MODELS[n]).all()",
            "`model: type[Base] = MODELS[n]`",
            "return s.query(MODELS[n])",
            "model: type[Base] = MODELS[n]\n  return s.query(model)",
        ),
        (
            "def use(s: Session, columns):\n  return s.query(*columns).all()",
            "to a local list that nothing changes: `columns = [...]`",
            "columns):",
            "names):\n  columns = [User.id, User.name]",
        ),
        (
            "def use(s: Session, model):\n  return s.query(s.query(model).exists()).scalar()",
            "`.select_from(Model)`",
            "(model).exists",
            "(model).select_from(User).exists",
        ),
        (
            "def use(s: Session, what, age):\n  s.query(what).filter(*age).delete()",
            "If it is a class, annotate the parameter: `what: type[Base]`; if a Table",
            "what, age",
            "what: type[Base], age",
        ),
        (
            "def use(s: Session, n, age):\n  s.query(MODELS[n]).filter(*age).delete()",
            "put it in a variable of this function: `model: type[Base] = MODELS[n]`; if a Table",
            "s.query(MODELS[n])",
            "model: type[Base] = MODELS[n]\n  s.query(model)",
        ),
        (
            "class Use:\n  def use(self, s: Session, a):\n    s.query(self.a).filter(*a).delete()",
            "If it is a class, annotate it in the class body: `a: type[Base]`; if a Table",
            "class Use:\n",
            "class Use:\n  a: type[Base]\n",
        ),
        (
            KEYS,
            "`.label(...)`",
            "max(User.id)",
            "max(User.id).label('n')",
        ),
    ],
)  # fmt: skip
def test_a_cure_that_is_followed_heals(text, cure, old, new):
    ill, healed = findings_of(text), findings_of(text.replace(old, new, 1))

    assert old in text
    assert any(cure in one.help for one in ill if one.level is Level.MANUAL), ill
    assert [one.message for one in healed if one.level is Level.MANUAL] == []
    assert len(healed) == len(ill)


@pytest.mark.parametrize(
    ("use", "reason", "message"),
    [
        ("return thing.query(model)", "returned-query", "the query is returned"),
        ("run(thing.query(model))", "passed-query", "passed on to `run`"),
        (
            "q = thing.query(model)\n  q.update({})\n  return q.all()",
            "kept-query",
            "awaken can't follow the query: line 9 uses `q`",
        ),
        (
            "thing.q = thing.query(model)",
            "kept-query",
            "awaken can't follow the query: `thing.q` keeps it",
        ),
        ("x = [thing.query(model)]", "kept-query", "it is a part of another value"),
        ("q = thing.query(model)", "kept-query", "awaken can't follow the query: `q` keeps it"),
        ("thing.query(model).all()", "unproven-session", "nothing proves that `thing` is"),
        ("thing.query(model).json()", "unproven-session", "nothing proves that `thing` is"),
    ],
)  # fmt: skip
def test_what_an_annotation_would_not_heal_is_said_first(use, reason, message):
    (finding,) = findings_of(f"def use(thing, model):\n  {use}\n")

    assert finding.reason == f"query-to-select/{reason}"
    assert message in finding.message


def test_a_lost_comment_is_quoted():
    (finding,) = findings_of("""
        def use(s: Session):
            return s.query(User).order_by(  # not now
                False
            ).all()
    """)

    assert "`# not now`" in finding.message


@pytest.mark.parametrize(
    ("receiver", "named"),
    [
        ("db", "db.scalars(select(...)).all()"),
        ("self.make_the_session_of_this_object()", "session.scalars(select(...)).all()"),
    ],
)
def test_a_message_calls_the_session_by_its_name(receiver, named):
    (finding,) = findings_of(f"def use(self, db): return {receiver}.query(User).all()")

    assert f"becomes `{named}`" in finding.message


def test_a_caveat_about_keys_names_the_expression_and_its_cure():
    (finding,) = findings_of("""
        def use(s: Session):
            return s.query(func.max(User.id)).all()
        def read(row):
            return row._asdict()
    """)

    assert finding.level is Level.UNSAFE
    assert "`func.max(User.id)` gets a key" in finding.message
    assert "`.label(...)`" in finding.message
