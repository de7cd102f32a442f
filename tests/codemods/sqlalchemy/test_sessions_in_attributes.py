"""A session that a test puts into an attribute: refused if no read there is known to give one."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import reason_of, session_to_async

PROGRAM = {
    "requirements.txt": "sqlalchemy>=2\nalembic\n",
    "app/__init__.py": "",
    "app/db.py": """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session, sessionmaker

        engine = create_engine("sqlite:///shop.db")
        LocalSession = sessionmaker(engine)

        def current() -> Session:
            return LocalSession()

        def missing():
            raise RuntimeError("no session")

        class Holder:
            session: Session | None = None
            other = None

        holder = Holder()
    """,
    "app/service.py": """
        from sqlalchemy import text
        from app import db

        def price():
            return db.current().scalar(text("select 1"))

        def total():
            return db.missing().scalar(text("select 2"))

        def held():
            return db.holder.session.scalar(text("select 3"))
    """,
}
HEAD = """\
import importlib
import alembic.op
import pytest
from unittest.mock import Mock, patch
from app import db, service
from app.db import LocalSession, engine

"""
REFUSED = {
    "a function of a library": """
        def test():
            with engine.connect() as connection:
                alembic.op.get_bind = lambda: connection
                importlib.import_module("versions.first").upgrade()
    """,
    "a library, by its name": """
        def test(monkeypatch):
            with engine.connect() as connection:
                monkeypatch.setattr("alembic.op.get_bind", lambda: connection)
                importlib.import_module("versions.first").upgrade()
    """,
    "a function of the program": """
        def test():
            with LocalSession() as session:
                db.missing = lambda: session
                assert service.total() == 2
    """,
    "a function of the program, by its name": """
        def test(monkeypatch):
            with LocalSession() as session:
                monkeypatch.setattr("app.db.missing", lambda: session)
                assert service.total() == 2
    """,
    "a function of the test": """
        def test(monkeypatch):
            with LocalSession() as session:
                def given():
                    return session
                monkeypatch.setattr(db, "missing", given)
                assert service.total() == 2
    """,
    "an unknown object": """
        def test(plugin):
            with LocalSession() as session:
                plugin.config.session = session
                plugin.run()
    """,
}
KEPT = {
    "a function that gives sessions": """
        def test():
            with LocalSession() as session:
                db.current = lambda: session
                assert service.price() == 1
    """,
    "a function that gives sessions, by its name": """
        def test(monkeypatch):
            with LocalSession() as session:
                monkeypatch.setattr("app.db.current", lambda: session)
                assert service.price() == 1
    """,
    "an attribute for a session": """
        def test():
            with LocalSession() as session:
                db.holder.session = session
                assert service.held() == 3
    """,
    "what a mock returns": """
        def test():
            with LocalSession() as session:
                factory = Mock()
                factory.return_value = session
                assert factory() is session
    """,
}


def reasons(test):
    files = {path: dedent(text) for path, text in PROGRAM.items()}
    files["tests/test_db.py"] = HEAD + dedent(test)
    findings = session_to_async(files).findings
    assert findings
    return {reason_of(one) for one in findings}


@pytest.mark.parametrize("test", REFUSED.values(), ids=REFUSED)
def test_a_session_that_plain_code_reads_is_refused(test):
    assert "handed-session" in reasons(test)


@pytest.mark.parametrize("test", KEPT.values(), ids=KEPT)
def test_a_session_where_sessions_are_read_is_rewritten(test):
    assert "handed-session" not in reasons(test)
