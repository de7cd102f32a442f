from __future__ import annotations

from textwrap import dedent

import pytest
from programs import MODELS, last, module_of, program
from session_programs import DB, asked, kind

PROVEN = [
    # small libraries, and CKAN
    ("from ckan.model.meta import Session\ns = Session\ns", "scoped"),
    ("from ckan import model\ns = model.Session\ns", "scoped"),
    ("from fastapi_sqlalchemy import db\ns = db.session\ns", "session"),
    ("from flask_sqlalchemy_session import current_session as s\ns", "scoped"),
    (
        (
            "from flask_sqlalchemy_lite import SQLAlchemy\ndb = SQLAlchemy()\n"
            "def f():\n  s = db.session\n  s"
        ),
        "session",
    ),
    (
        (
            "from homeassistant.helpers.recorder import session_scope\n"
            "def f(hass):\n  with session_scope(hass=hass) as s:\n    s"
        ),
        "session",
    ),
    # what hands out sessions for the programs of a framework
    (
        (
            "from oslo_db.sqlalchemy import enginefacade\n"
            "manager = enginefacade.transaction_context()\n"
            "def f(context):\n  with manager.writer.independent.using(context) as s:\n    s"
        ),
        "session",
    ),
    (
        (
            "from oslo_db.sqlalchemy import enginefacade\n"
            "def f(context):\n  with enginefacade.reader.using(context) as s:\n    s"
        ),
        "session",
    ),
    (
        "from oslo_db.sqlalchemy.enginefacade import writer\ns = writer.get_sessionmaker()()\ns",
        "session",
    ),
    (
        "from neutron_lib import context\ns = context.get_admin_context().elevated().session\ns",
        "session",
    ),
    (
        (
            "from neutron_lib.db import api\n"
            "def f(context):\n  with api.CONTEXT_READER.using(context) as s:\n    s"
        ),
        "session",
    ),
    (
        (
            "from galaxy.model.scoped_session import galaxy_scoped_session\n"
            "def f(s: galaxy_scoped_session):\n  s"
        ),
        "scoped",
    ),
    ("from c2cgeoportal_commons import models\ns = models.DBSession\ns", "scoped"),
    ("from invenio_db import db\ns = db.session\ns", "scoped"),
    # annotations of generators that name no generator
    (
        (
            "from db import *\n@contextmanager\ndef scope() -> Session:\n  yield make()\n"
            "def make() -> Session: ...\ndef f():\n  with scope() as s:\n    s"
        ),
        "session",
    ),
    (
        (
            "from db import *\n@contextmanager\ndef scope() -> None:\n  yield SessionLocal()\n"
            "def f():\n  with scope() as s:\n    s"
        ),
        "session",
    ),
    (
        (
            "from db import *\nfrom fastapi import Depends\nimport lib\n"
            "def get() -> Session:\n  yield lib.make()\ndef f(s=Depends(get)): s"
        ),
        "session",
    ),
    (
        (
            "from db import *\nfrom fastapi import Depends\n"
            "def get() -> sessionmaker:\n  yield SessionLocal()\ndef f(s=Depends(get)): s"
        ),
        "session",
    ),
    # annotations
    ("from sqlalchemy.orm import Session\ndef f(s: Session): s", "session"),
    ("from sqlalchemy.orm import Session\ndef f(s: 'Session'): s", "session"),
    ("from sqlalchemy.orm.session import Session\ndef f(s: Session): s", "session"),
    ("import sqlalchemy.orm as o\ndef f(s: o.Session): s", "session"),
    ("from sqlmodel import Session\ndef f(s: Session): s", "session"),
    (
        (
            "from typing import Optional\nfrom sqlalchemy.orm import Session\n"
            "def f(s: Optional[Session] = None): s"
        ),
        "session",
    ),
    ("from sqlalchemy.orm import Session\ndef f(s: Session | None = None): s", "session"),
    ("from sqlalchemy.orm import Session\ndef f(s: 'Session | None' = None): s", "session"),
    ("from sqlalchemy.orm import scoped_session\ndef f(s: scoped_session): s", "scoped"),
    (
        "from sqlalchemy.orm import scoped_session, Session\ndef f(s: scoped_session[Session]): s",
        "scoped",
    ),
    ("from sqlalchemy.ext.asyncio import AsyncSession\nasync def f(s: AsyncSession): s", "async"),
    ("from sqlalchemy.orm import Session\ndef f(*, s: Session): s", "session"),
    ("from sqlalchemy.orm import Session\nclass A:\n  def f(self, s: Session): s", "session"),
    (
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "  from sqlalchemy.orm import Session\n"
            "def f(s: 'Session'): s"
        ),
        "session",
    ),
    (
        (
            "from sqlalchemy.orm import Session\nfrom typing import TypeVar\n"
            "S = TypeVar('S', bound=Session)\ndef f(s: S): s"
        ),
        "session",
    ),
    ("from sqlalchemy.orm import Session\ns: Session\ns", "session"),
    # FastAPI
    ("from fastapi import Depends\nfrom db import get_db\ndef f(s=Depends(get_db)): s", "session"),
    (
        (
            "from fastapi import Depends\nfrom db import get_db\n"
            "from sqlalchemy.orm import Session\n"
            "def f(s: Session = Depends(get_db)): s"
        ),
        "session",
    ),
    (
        (
            "from fastapi import Depends\nfrom db import get_async\n"
            "async def f(s=Depends(get_async)): s"
        ),
        "async",
    ),
    ("from fastapi import Depends\nimport db\ndef f(s=Depends(db.get_typed)): s", "session"),
    (
        (
            "from fastapi import Depends\nfrom db import SessionLocal\n"
            "def f(s=Depends(SessionLocal)): s"
        ),
        "session",
    ),
    (
        (
            "from typing import Annotated\nfrom fastapi import Depends\n"
            "from db import get_db, Session\n"
            "def f(s: Annotated[Session, Depends(get_db)]): s"
        ),
        "session",
    ),
    (
        (
            "from typing import Annotated, Any\nfrom fastapi import Depends\n"
            "from db import get_db\n"
            "def f(s: Annotated[Any, Depends(get_db)]): s"
        ),
        "session",
    ),
    (
        (
            "from typing import Annotated\nfrom fastapi import Depends\n"
            "from db import get_db, Session\n"
            "SessionDep = Annotated[Session, Depends(get_db)]\ndef f(s: SessionDep): s"
        ),
        "session",
    ),
    ("from deps import SessionDep\ndef f(s: SessionDep): s", "session"),
    # annotated with what makes it, as if that were a type
    ("from db import SessionLocal\ndef f(s: SessionLocal): s", "session"),
    ("from db import SessionLocal\ndef f(s: 'SessionLocal | None'): s", "session"),
    ("import db\ndef f(s: db.AsyncLocal): s", "async"),
    ("from db import OldAsync\ndef f(s: OldAsync): s", "async"),
    ("from db import db_session\ndef f(s: db_session): s", "scoped"),
    # made in place
    ("from db import Session, engine\ns = Session(engine)\ns", "session"),
    ("from db import Session, engine\nwith Session(engine) as s: s", "session"),
    ("from db import SessionLocal\ndef f():\n  s = SessionLocal()\n  s", "session"),
    ("from db import SessionLocal\nwith SessionLocal() as s: s", "session"),
    ("from db import SessionLocal\nwith SessionLocal.begin() as s: s", "session"),
    ("from db import SessionLocal\nwith open(x) as y, SessionLocal() as s: s", "session"),
    ("import db\ns = db.SessionLocal()\ns", "session"),
    ("from sqlalchemy.orm import sessionmaker\ns = sessionmaker(bind=e)()\ns", "session"),
    ("from db import AsyncLocal\nasync def f():\n  async with AsyncLocal() as s: s", "async"),
    ("from db import AsyncLocal\nasync def f():\n  async with AsyncLocal.begin() as s: s", "async"),
    ("from db import OldAsync\ns = OldAsync()\ns", "async"),
    ("from db import maker\ns = maker()\ns", "session"),
    ("from db import db_session as s\ns", "scoped"),
    ("from db import db_session\ns = db_session()\ns", "session"),
    (
        (
            "from contextlib import closing\nfrom db import SessionLocal\n"
            "with closing(SessionLocal()) as s: s"
        ),
        "session",
    ),
    (
        (
            "from contextlib import ExitStack\nfrom db import SessionLocal\n"
            "with ExitStack() as stack:\n"
            "  s = stack.enter_context(SessionLocal())\n  s"
        ),
        "session",
    ),
    ("from db import SessionLocal\nif (s := SessionLocal()): s", "session"),
    (
        "from db import SessionLocal, open_session\ns = SessionLocal() if x else open_session()\ns",
        "session",
    ),
    (
        "from db import Session, db_session\ndef f(s: Session = None):\n  s = s or db_session\n  s",
        "session",
    ),
    (
        (
            "from db import Session, db_session\ndef f(s: Session = None):\n"
            "  s = s if s else db_session\n  s"
        ),
        "session",
    ),
    ("from db import SessionLocal\ns = None\ntry:\n  s = SessionLocal()\nfinally:\n  s", "session"),
    ("from typing import cast\nfrom db import Session\ns = cast(Session, x)\ns", "session"),
    ("from typing import cast\nfrom db import Session\ns = cast('Session', x)\ns", "session"),
    ("import db\ndef f():\n  from db import SessionLocal as make\n  s = make()\n  s", "session"),
    # functions of the project
    ("from db import open_session\ns = open_session()\ns", "session"),
    ("from db import session_scope\nwith session_scope() as s: s", "session"),
    ("from db import get_db\ns = next(get_db())\ns", "session"),
    ("from db import get_db\nfor s in get_db(): s", "session"),
    (
        ("from db import SessionLocal\ndef g():\n  yield\n  yield SessionLocal()\nfor s in g(): s"),
        "session",
    ),
    (
        (
            "from contextlib import contextmanager\nfrom db import get_db\n"
            "with contextmanager(get_db)() as s: s"
        ),
        "session",
    ),
    (
        (
            "async def get() -> 'AsyncSession': ...\nfrom db import AsyncSession\n"
            "async def f():\n  s = await get()\n  s"
        ),
        "async",
    ),
    ("from db import SessionLocal\nmake = lambda: SessionLocal()\ns = make()\ns", "session"),
    (
        (
            "from functools import partial\nfrom db import open_session\n"
            "make = partial(open_session)\n"
            "s = make()\ns"
        ),
        "session",
    ),
    # the library's own
    ("from sqlalchemy.orm import object_session\ns = object_session(user)\ns", "session"),
    ("from sqlalchemy.orm import Session\ns = Session.object_session(user)\ns", "session"),
    ("from sqlalchemy import inspect\ns = inspect(user).session\ns", "session"),
    ("from db import AsyncLocal\ns = AsyncLocal().sync_session\ns", "session"),
    ("from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\ns = db.session\ns", "scoped"),
    (
        (
            "from flask_sqlalchemy import SQLAlchemy\nfrom alembic import op\ndb = SQLAlchemy()\n"
            "s = db.Session(bind=op.get_bind())\ns"
        ),
        "session",
    ),
    (
        (
            "from sqlalchemy import orm\nfrom alembic import op\n"
            "s = orm.Session(bind=op.get_bind())\ns"
        ),
        "session",
    ),
    ("from flask import current_app\ns = current_app.appbuilder.session\ns", "session"),
    # containers with known keys
    (
        (
            "from typing import TypedDict\nfrom db import Session\nclass C(TypedDict):\n"
            "  session: Session\n"
            "def f(c: C):\n  s = c['session']\n  s"
        ),
        "session",
    ),
]


@pytest.mark.parametrize(("text", "expected"), PROVEN, ids=range(len(PROVEN)))
def test_a_session_is_proven_by_where_it_comes_from(text, expected):
    deps = """
        from typing import Annotated
        from fastapi import Depends
        from db import Session, get_db
        SessionDep = Annotated[Session, Depends(get_db)]
    """

    assert kind(text, deps=deps) == expected


IN_CLASSES = [
    ("def __init__(self, session: Session):\n        self.session = session", "self.session"),
    (
        (
            "def __init__(self, session: Session):\n        self._session = session\n"
            "    @property\n    def session(self): return self._session"
        ),
        "self.session",
    ),
    ("@property\n    def session(self) -> Session: return find()", "self.session"),
    ("@cached_property\n    def session(self): return SessionLocal()", "self.session"),
    ("session: Session", "self.session"),
    ("session = db_session", "self.session"),
    ("session = db_session", "cls.session"),
    ("session = None\n    def start(self): self.session = SessionLocal()", "self.session"),
    ("def __init__(self): self.session: Session = find()", "self.session"),
    ("def __init__(self): self.a, self.session = 1, SessionLocal()", "self.session"),
    ("def make(self): return SessionLocal()", "self.make()"),
    ("@classmethod\n    def make(cls): return SessionLocal()", "self.make()"),
    ("@staticmethod\n    def make(): return SessionLocal()", "self.make()"),
    ("def __init__(self): self.__session = SessionLocal()", "self.__session"),
]


@pytest.mark.parametrize(("body", "expression"), IN_CLASSES, ids=range(len(IN_CLASSES)))
@pytest.mark.parametrize("where", ["itself", "base", "other-file"])
def test_an_attribute_is_what_the_class_sets(body, expression, where):
    head = "from db import *\nfrom db import Session, SessionLocal, db_session\n"
    head += "from functools import cached_property\n"
    method = (
        "    @classmethod\n    def run(cls): return {0}\n"
        if "cls." in expression
        else ("    def run(self): return {0}\n")
    )
    method = method.format(expression)
    base = f"{head}class Base:\n    {body}\n"
    if where == "itself":
        text, files = f"{head}class A:\n    {body}\n{method}", {}
    elif where == "base":
        text, files = f"{base}class A(Base):\n{method}", {}
    else:
        text, files = f"from base import Base\nclass A(Base):\n{method}", {"base": base}
    if "__session" in body and where != "itself":
        assert "sets no" in kind(text, expression, **files) or kind(text, expression, **files)
        return

    assert kind(text, expression, **files) in {"session", "scoped"}


def test_a_mixin_gets_its_session_from_the_classes_that_use_it():
    text = """
        from db import SessionLocal
        class A(Mixin):
            def __init__(self): self.session = SessionLocal()
        class Mixin:
            def run(self): return self.session
    """
    other = "class B(Mixin):\n    def __init__(self): self.session = %s\n" + dedent(text)

    assert kind(text, "self.session") == "session"
    assert "something else" in kind(other % "{}", "self.session")
    # A number has no method of a session, so nothing but an error comes of it.
    assert kind(other % "1", "self.session") == "session"


def test_a_factory_that_is_passed_on_and_closed_over():
    text = """
        from contextlib import contextmanager
        from sqlalchemy.orm import sessionmaker
        def get_manager(SessionMaker, kind):
            @contextmanager
            def make(read_only=True):
                with SessionMaker() as session:
                    yield session
            return make
        class Store:
            def __init__(self, engine):
                SessionMaker = sessionmaker(engine)
                self.ManagedSession = get_manager(SessionMaker, engine.kind)
            def run(self):
                with self.ManagedSession() as s:
                    s
    """

    assert kind(text) == "session"


def test_a_generator_of_the_project_with_a_registry_passed_in():
    text = """
        import contextlib
        from typing import Generator
        from sqlalchemy import orm
        @contextlib.contextmanager
        def scope(scoped: "orm.scoped_session") -> Generator["orm.Session", None, None]:
            yield scoped()
        class Storage:
            def __init__(self): self.scoped = orm.scoped_session(orm.sessionmaker())
            def run(self):
                with scope(self.scoped) as s: s
    """

    assert kind(text) == "session"


def test_registries_of_a_module_and_of_a_class():
    meta = "from sqlalchemy import orm\nSession = orm.scoped_session(orm.sessionmaker())\n"
    package = "from meta import Session\n"
    text = "import package as model\nmodel.Session\n"
    mixin = "from meta import Session\nclass Mixin:\n  Session = Session\n  @classmethod\n"
    mixin += "  def run(cls): return cls.Session\n"

    assert kind(text, "model.Session", meta=meta, package=package) == "scoped"
    assert kind(mixin, "cls.Session", meta=meta) == "scoped"


def test_two_versions_of_a_library_that_both_give_a_session():
    ext = """
        try:
            from flask_appbuilder.utils.legacy import get_sqla_class
        except ImportError:
            from flask_sqlalchemy import SQLAlchemy
            def get_sqla_class(): return SQLAlchemy
        db = get_sqla_class()()
    """

    assert (
        kind(
            "from package import db\ndb.session",
            "db.session",
            ext=ext,
            package="from ext import db\n",
        )
        == "scoped"
    )


def test_a_proof_names_where_the_session_was_made():
    found = asked("from db import SessionLocal\ns = SessionLocal()\ns", "s")

    assert [place.path for place in found.places] == ["db.py"]
    assert found.places[0].note


def test_a_class_method_that_python_makes_without_a_decorator_has_the_class():
    text = """
        from db import SessionLocal
        class A:
            session = SessionLocal()
            @property
            def late(self): return SessionLocal()
            def __init_subclass__(cls):
                cls.session
                cls.late
    """

    assert kind(text, "cls.session") == "session"
    assert kind(text, "cls.late") == "none"


def test_an_answer_does_not_depend_on_what_was_asked_before():
    text = """
        from db import SessionLocal
        def first(x): return second(x) if x else SessionLocal()
        def second(x): return first(x)
        class A:
            def __init__(self): self.a = self.b or SessionLocal()
            def make(self): self.b = self.a or SessionLocal()
            def run(self): return self.a, self.b
        a, b = first(1), second(1)
        a
        b
    """
    questions = ["a", "b", "self.a", "self.b"]

    def answers(order):
        project = program({"db.py": DB, "m.py": text})
        module = module_of(project, "m.py")
        return {one: project.orm.session_of(module, last(module, one)) for one in order}

    assert answers(questions) == answers(questions[::-1])
    assert {one.kind for one in answers(questions).values()} == {"session"}


@pytest.mark.parametrize(
    ("expression", "classes"),
    [
        ("models.User", ("models.User",)),
        ("made()", ("models.User",)),
        ("Box.model", ("models.User",)),
        ("either(True)", ("models.User", "models.Note")),
        ("models.User()", ()),
        ("unclear(True)", ()),
        ("lib.User", ()),
        ("manager.user_model", ("flask_appbuilder.security.sqla.models.User",)),
    ],
)
def test_the_classes_that_an_expression_may_be(expression, classes):
    text = (
        "import lib, models\n"
        "from flask_appbuilder.security.sqla.manager import SecurityManager\n"
        "class Own(SecurityManager): pass\n"
        "manager = Own(None)\n"
        "def made(): return models.User\n"
        "def either(x): return models.User if x else models.Note\n"
        "def unclear(x): return models.User if x else lib.User\n"
        "class Box:\n  model = models.User\n"
        f"{expression}\n"
    )
    project = program({"models.py": MODELS, "m.py": text})
    module = module_of(project, "m.py")

    assert project.classes_of(module, last(module, expression)) == classes


def test_an_attribute_of_a_library_is_the_same_whoever_asks_first():
    files = {
        "db.py": "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n",
        "a.py": "from db import db\ndb.session.query(1)\n",
        "b.py": "from db import db\ndb.session.query(1)\n",
    }

    def proofs(order):
        project = program(files)
        modules = {path: module_of(project, path) for path in order}
        found = {
            path: project.orm.session_of(module, last(module, "db.session"))
            for path, module in modules.items()
        }
        return [found["a.py"], found["b.py"]]

    assert proofs(["a.py", "b.py"]) == proofs(["b.py", "a.py"])
    assert proofs(["a.py", "b.py"])[0].kind == "scoped"
