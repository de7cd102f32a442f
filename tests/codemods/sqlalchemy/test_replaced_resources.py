"""A test that replaces what makes an engine or factory would replace what nothing calls."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import session_to_async

PROGRAM = {
    "requirements.txt": "sqlalchemy>=2\nfastapi\n",
    "app/__init__.py": "",
    "app/db.py": """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import sessionmaker

        def make():
            return create_engine("sqlite:///shop.db")

        def factory():
            return sessionmaker(make())

        LocalSession = sessionmaker(make())
    """,
    "app/main.py": """
        from fastapi import FastAPI
        from sqlalchemy import text
        from app.db import LocalSession

        app = FastAPI()

        @app.get("/")
        def price():
            with LocalSession() as db:
                return db.scalar(text("select 1"))
    """,
}
HEAD = (
    "import pytest\nimport sqlalchemy\nfrom unittest.mock import Mock, patch\nfrom app import db\n"
)
ENGINE = {
    "monkeypatch, a name": """
        def test(monkeypatch):
            monkeypatch.setattr("app.db.create_engine", Mock())
            db.make()
    """,
    "monkeypatch, an object": """
        def test(monkeypatch):
            monkeypatch.setattr(db, "create_engine", Mock())
            db.make()
    """,
    "a with block": """
        def test():
            with patch("app.db.create_engine") as mock:
                db.make()
            mock.assert_called_once()
    """,
    "a decorator": """
        @patch("app.db.create_engine")
        def test(mock):
            db.make()
    """,
    "an object": """
        def test():
            with patch.object(db, "create_engine"):
                db.make()
    """,
    "mocker": """
        def test(mocker):
            mocker.patch("app.db.create_engine")
            db.make()
    """,
    "a fixture": """
        @pytest.fixture
        def made(monkeypatch):
            monkeypatch.setattr("app.db.create_engine", Mock())

        def test(made):
            db.make()
    """,
    "an assignment": """
        def test():
            db.create_engine = Mock()
            db.make()
    """,
    "the factory": """
        def test(monkeypatch):
            monkeypatch.setattr("app.db.sessionmaker", Mock())
            db.factory()
    """,
}
KEPT = {
    "after the module has called it": """
        def test(monkeypatch):
            monkeypatch.setattr("sqlalchemy.create_engine", Mock())
            db.make()
    """,
    "another function of the program": """
        def test(monkeypatch):
            monkeypatch.setattr("app.db.other", Mock(), raising=False)
            db.make()
    """,
}


def reasons(test):
    files = {path: dedent(text) for path, text in PROGRAM.items()}
    files["tests/test_db.py"] = HEAD + dedent(test)
    findings = session_to_async(files).findings
    assert findings
    return {one.reason for one in findings}


@pytest.mark.parametrize("form", ENGINE)
def test_what_a_test_replaces_stays(form):
    assert "session-to-async/replaced-resource" in reasons(ENGINE[form])


@pytest.mark.parametrize("form", KEPT)
def test_what_a_test_does_not_replace_there_is_rewritten(form):
    assert reasons(KEPT[form]) == {None}
