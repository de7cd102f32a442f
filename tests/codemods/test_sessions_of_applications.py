"""Sessions that a program puts on its Flask application, and reads from ``current_app``."""

from __future__ import annotations

import pytest
from programs_with_suites import Program, check_levels

MAIN = """\
from flask import Flask, current_app
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


engine = create_engine("sqlite://", poolclass=StaticPool)
Base.metadata.create_all(engine)
app = Flask(__name__)


class Other:
    def query(self, model):
        return self

    def first(self):
        return None


def load(name="registry"):
    return current_app.{}.query(User).first()


"""
TEST = """
def test_it():
    with main.app.app_context():
        assert main.load() is None
"""
FAKE = """
class Fake:
    def query(self, model):
        return self

    def first(self):
        return 5

class Application:
    registry = Fake

def test_it(monkeypatch):
    monkeypatch.setattr({})
    with main.app.app_context():
        assert main.load() == 5
"""
MOCK = """
def test_it():
    session = MagicMock()
    session.query.return_value.first.return_value = 5
    with main.app.app_context(), patch.object(main.app, "registry", lambda: session):
        assert main.load() == 5
"""
PATCHED = """
def test_it(monkeypatch):
    session = main.sessionmaker(main.engine)()
    monkeypatch.setattr(main.app, "registry", lambda: session)
    with main.app.app_context():
        assert main.load() is None
"""
REGISTRY = "app.registry = scoped_session(sessionmaker(engine))\n"
SET_UP = "def set_up(application: Flask):\n    application.registry = sessionmaker(engine)\n"


def program(read, put, level, test=TEST):
    return Program("query-to-select", MAIN.format(read) + put, test, (level,) if level else ())


PROGRAMS = {
    "a registry": program("registry", REGISTRY, "safe"),
    "a session of a registry": program("registry()", REGISTRY, "safe"),
    "a factory, put there by a function": program(
        "registry()", SET_UP + "\n\nset_up(app)\n", "safe"
    ),
    "put there by the stand-in itself": program(
        "registry()",
        "with app.app_context():\n    current_app.registry = sessionmaker(engine)\n",
        "safe",
    ),
    "of a class of applications": Program(
        "query-to-select",
        MAIN.format("registry()").replace(
            "app = Flask", "class Own(Flask):\n    pass\n\n\napp = Own"
        )
        + REGISTRY,
        TEST,
        ("safe",),
    ),
    "replaced by a session for tests": program("registry()", REGISTRY, "manual", PATCHED),
    "replaced by a mock": program("registry()", REGISTRY, "manual", MOCK),
    "replaced by a fake": program(
        "registry()", REGISTRY, "manual", FAKE.format('main.app, "registry", Fake')
    ),
    "replaced on the stand-in": program(
        "registry()", REGISTRY, "manual", FAKE.format('"main.app.registry", Fake')
    ),
    "another application": program(
        "registry()", REGISTRY, "manual", FAKE.format('"main.current_app", Application()')
    ),
    "something else": program("registry", "app.registry = Other()\n", "manual"),
    "one of two": program(
        "registry", REGISTRY + "if __debug__:\n    app.registry = Other()\n", "manual"
    ),
    "put on another object": program(
        "registry",
        "Other.registry = scoped_session(sessionmaker(engine))\nvars(app)['registry'] = Other()\n",
        "manual",
    ),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.slow
def test_a_session_of_an_application_is_what_is_put_there(program, tmp_path):
    check_levels(program, tmp_path)
