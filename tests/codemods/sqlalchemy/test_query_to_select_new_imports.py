"""The import of a session that `Model.query` did not name, in each way to import its base."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

DATABASE = b"""\
from sqlalchemy import create_engine
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker

engine = create_engine("sqlite://")
session = scoped_session(sessionmaker(engine))
Base = declarative_base()
Base.query = session.query_property()
"""
MODEL = """\
from sqlalchemy import Column, Integer

{0}


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)

    @classmethod
    def found(cls):
        return User.query.filter(User.id > 1).all()
"""


@pytest.mark.parametrize(
    ("path", "imported", "after"),
    [
        ("shop/models.py", "from .database import Base", "from .database import Base, session"),
        (
            "shop/models.py",
            "from shop.database import Base",
            "from shop.database import Base, session",
        ),
        (
            "shop/stock/models.py",
            "from ..database import Base",
            "from ..database import Base, session",
        ),
        (
            "shop/__init__.py",
            "from .database import Base",
            "from .database import Base, session",
        ),
    ],
)
def test_a_session_is_imported_from_where_the_base_is(path, imported, after):
    before = {
        "shop/__init__.py": b"",
        "shop/stock/__init__.py": b"",
        "shop/database.py": DATABASE,
        path: MODEL.format(imported).encode(),
    }
    case = Case(
        name="it",
        family="sqlalchemy",
        rule="query-to-select",
        directory=Path(),
        settings=Settings(published=False),
        before=before,
        after=before,
        program={},
    )

    text = run_case(case).files[path].decode()

    assert after in text
    assert "session.scalars(select(User).where(User.id > 1)).all()" in text
