"""A program with queries, and the mocks of its tests that reach them."""

from __future__ import annotations

from awaken.project import Project
from tests.project.programs import MODELS, program

USERS = """
    from app.storage import db, get_session
    from models import User

    def first(session):
        return session.query(User).first()

    def others(session):
        return session.query(User).all()

    def through(session):
        return first(session)

    def by_name():
        return db.session.query(User).count()

    def by_function():
        session = get_session()
        return session.query(User).one()

    def calls_by_name():
        return by_name()

    def of_result(session):
        return asks(session.query(User).first())

    def asks(user):
        return user.session.query(User).all()

    def outer():
        def inner():
            return db.session.query(User).all()
        return inner

    class Users:
        def __init__(self, session):
            self.session = session

        @property
        def size(self):
            return db.session.query(User).limit(1)

        def get(self):
            return self.session.query(User).get(1)

        def late(self):
            from app.storage import get_session
            return get_session().query(User).scalar()
"""
STORAGE = """
    from flask_sqlalchemy import SQLAlchemy
    db = SQLAlchemy()
    def get_session():
        return db.session
"""
HEAD = """
    import pytest
    from unittest.mock import MagicMock, Mock, patch
    from app import users
    from app.storage import db
    from app.users import Users, first, others, through, by_name, by_function, calls_by_name
    from app.users import of_result
"""


def of(test: str, **others: str) -> Project:
    """Return the program with a test file."""
    files = {
        "models.py": MODELS,
        "app/__init__.py": "",
        "app/storage.py": STORAGE,
        "app/users.py": USERS,
        "tests/test_users.py": f"{HEAD}\n{test}",
    }
    return program(files | {path.replace("__", "/") + ".py": text for path, text in others.items()})


def held(project: Project) -> set[str]:
    """Return the functions that doubles hold back."""
    return {
        use.function
        for path in project.files_with((b"",))
        for double in project.doubles.in_file(path)
        for use in double.uses
    }


LEGACY = "session = Mock(); session.query.return_value.filter.return_value = 1"
