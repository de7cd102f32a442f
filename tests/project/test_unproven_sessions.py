from __future__ import annotations

import pytest
from session_programs import asked, kind

from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.values.domain import Unknown

NOT_SESSIONS = [
    "from requests import Session\ndef f(s: Session): s",
    "import requests\ns = requests.Session()\ns",
    "def f(s: str): s",
    "def f(s: 'dict[str, int]'): s",
    "from pathlib import Path\ndef f(s: Path): s",
    "from unittest.mock import MagicMock\ns = MagicMock()\ns",
    "from unittest.mock import MagicMock\ns = MagicMock().session\ns",
    "from unittest.mock import MagicMock\nfrom db import Session\ns: Session = MagicMock()\ns",
    "from unittest import mock\ndef f(s: mock.Mock): s",
    "class Repository:\n  def query(self, model): ...\ns = Repository()\ns",
    "class Repository:\n  def query(self, model): ...\ndef f(s: Repository): s",
    "from db import Box\ndef f(s: Box): s",
    "s = [1]\ns",
    "s = 'text'\ns",
    "from sqlalchemy import create_engine\ns = create_engine('x')\ns",
    "from sqlalchemy.orm import Session as s\ns",
    "from sqlalchemy.orm import sessionmaker\ns = sessionmaker()\ns",
    "def s(): pass\ns",
    "import db as s\ns",
    "from google.cloud import bigquery\ndef f(s: bigquery.Client): s",
    "from pandas import DataFrame\ndef f(s: DataFrame): s",
    "def f(*s): s",
    "try: pass\nexcept ValueError as s: s",
    "class A:\n  def f(self): self",
]


@pytest.mark.parametrize("text", NOT_SESSIONS, ids=range(len(NOT_SESSIONS)))
def test_what_is_proven_to_be_something_else_is_no_session(text):
    assert kind(text, "self" if "self): self" in text else "s") == "none"


UNKNOWN = [
    (
        (
            "from db import SessionLocal\nclass A:\n  session = find()\n  def f(self):\n"
            "    self.session = SessionLocal()\n    s = self.session\n    s"
        ),
        "awaken sees no definition",
    ),
    ("def f(s): s", "has no annotation"),
    ("from db import db_session\ndef f(s=db_session): s", "has no annotation"),
    ("from typing import Any\ndef f(s: Any): s", "no particular type"),
    ("from somewhere import Thing\ndef f(s: Thing): s", "outside the project"),
    ("from somewhere import make\ns = make()\ns", "is unknown"),
    ("s = undefined()\ns", "awaken sees no definition"),
    ("def f(s: Undefined): s", "could not be followed"),
    ("from db import SessionLocal\ns = SessionLocal()\ns = {}\ns", "something else"),
    (
        "from db import SessionLocal\ndef f(s):\n  if x:\n    s = SessionLocal()\n  s",
        "no annotation",
    ),
    (
        "from db import SessionLocal, AsyncLocal\ns = SessionLocal()\nif x:\n  s = AsyncLocal()\ns",
        "AsyncSession",
    ),
    (
        (
            "from db import Session, get_async\nfrom fastapi import Depends\n"
            "def f(s: Session = Depends(get_async)): s"
        ),
        "disagree",
    ),
    (
        "from db import SessionLocal\ns, t = SessionLocal(), 1\ns, t = both()\ns",
        "definition of `both`",
    ),
    ("sessions = vars()\ns = sessions['x']\ns", "declared as `Any`"),
    ("s = request.state.db\ns", "awaken sees no definition"),
    (
        "from db import open_session\n@decorate\ndef make(): return open_session()\ns = make()\ns",
        "decorated by `decorate`",
    ),
    ("def make(): return make()\ns = make()\ns", "awaken sees no value"),
    ("s = s\ns", "awaken sees no value"),
    (
        "from db import SessionLocal\ns = SessionLocal()\ns = s.copy()\ns",
        "Session.copy` is unknown",
    ),
    ("from db import SessionLocal\ndef f(s):\n  s = s or SessionLocal()\n  s", "no annotation"),
    ("class A(Elsewhere):\n  pass\ns = A()\ns", "inherits from"),
    ("from somewhere import Base\nclass A(Base): pass\ndef f(s: A): s", "inherits from"),
    ("class A:\n  def f(self):\n    s = self.session\n    s", "nothing visible assigns `session`"),
    ("from db import SessionLocal\ns = getattr(SessionLocal, 'x')\ns", "getattr"),
    ("from db import session_scope\ns = session_scope()\ns", None),
    (
        (
            "from db import SessionLocal, Session\nclass Mine(Session):\n"
            "  def query(self, *a): ...\n"
            "s = Mine()\ns"
        ),
        "overrides `query`",
    ),
    (
        (
            "from db import Session, sessionmaker\nclass Mine(Session):\n"
            "  def query(self, *a): ...\n"
            "s = sessionmaker(class_=Mine)()\ns"
        ),
        "overrides `query`",
    ),
    (
        (
            "from db import Session, sessionmaker, scoped_session\nclass Mine(Session):\n"
            "  def query(self, *a): ...\ns = scoped_session(sessionmaker(class_=Mine))\ns"
        ),
        "overrides",
    ),
    (
        (
            "class A:\n  def __init__(self, session): self.session = session\n"
            "  def f(self):\n    s = self.session\n    s"
        ),
        "no annotation",
    ),
    (
        "from fastapi import Depends\nfrom somewhere import get_db\ndef f(s=Depends(get_db)): s",
        "could not be followed",
    ),
    ("def f(r: str):\n  s = r.session\n  s", "declares no `session`"),
    ("match x:\n  case s: s", "the match of `s`"),
    ("from db import engine\ndef f(s: engine): s", "not a type of one kind"),
    ("from db import maker\ndef f(s: maker): s", "not a type that can be followed"),
]


@pytest.mark.parametrize(("text", "why"), UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_cannot_be_told_says_why_and_where(text, why):
    found = asked(text, "s")

    if why is None:  # a context manager that nobody entered is certainly no session
        assert found is None
        return
    assert isinstance(found, Unknown), found
    assert why in found.why
    assert found.place.path in {"m.py", "db.py"}


@pytest.mark.parametrize(
    "text",
    [
        "from db import sessionmaker\nimport q\ns = sessionmaker(query_cls=q.Mine)()\ns",
        "from db import Session\nimport q\ns = Session(engine, query_cls=q.Mine)\ns",
        (
            "from db import sessionmaker, scoped_session\nimport q\n"
            "s = scoped_session(sessionmaker(query_cls=q.Mine))\ns"
        ),
        (
            "from db import sessionmaker, scoped_session\nimport q\n"
            "s = scoped_session(sessionmaker(query_cls=q.Mine))()\ns"
        ),
        (
            "from db import Session\nclass Mine(Session):\n  def __init__(self):\n"
            "    super().__init__(query_cls=X)\ns = Mine()\ns"
        ),
    ],
)
def test_a_query_class_of_the_program_is_reported(text):
    found = asked(text, "s")

    assert isinstance(found, SessionProof)
    assert found.query_class in {"q.Mine", "?"}
    assert not asked("from db import SessionLocal\ns = SessionLocal()\ns", "s").query_class


def test_a_subclass_of_session_that_leaves_query_alone_is_a_session():
    text = "from db import Session\nclass Mine(Session):\n  def helper(self): ...\ns = Mine()\ns"

    assert kind(text) == "session"
    assert kind(text + "\nwith Mine() as t: t", "t") == "session"


def test_a_question_about_hostile_code_has_an_end():
    lines = [f"x{index} = x{index + 1}.f(x{index + 2}) or x{index + 3}()" for index in range(200)]
    assert isinstance(asked("\n".join([*lines, "s = x0", "s"]), "s"), Unknown)

    chain = "s = x" + ".filter(a)" * 120 + "\ns"
    assert isinstance(asked(chain, "s"), Unknown)
