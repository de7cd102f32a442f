"""Test doubles of sessions and engines: what the rule gives them, and what it refuses."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import reason_of, rewritten

POSTS = """
    from database import Base, LocalSession
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import Mapped, mapped_column, relationship

    class Post(Base):
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        posts: Mapped[list[Post]] = relationship()

    def posts_of_first() -> list[Post]:
        db = LocalSession()
        try:
            db.get(User, 2)
            # The session may have the user already, so it is loaded again.
            return db.get(User, 1).posts
        finally:
            db.close()
"""


@pytest.mark.parametrize(
    ("settings", "body", "is_given"),
    [
        ("autoflush=False", "", True),
        ("autoflush=False", "dirty = [1]", False),
        ("autoflush=False", "def __init__(self): self.dirty = [1]", False),
        # Nothing is asked of the session then.
        ("", "", False),
    ],
)
def test_a_session_by_hand_has_what_it_is_asked(settings, body, is_given):
    database = f"""
        from sqlalchemy import create_engine
        from sqlalchemy.orm import DeclarativeBase, sessionmaker

        LocalSession = sessionmaker(create_engine("sqlite://"), {settings})

        class Base(DeclarativeBase):
            pass
    """
    test = f"""
        import posts

        class Fake:
            '''A session.'''

            {body}

            def get(self, entity, key):
                return posts.User(posts=[])

            def close(self):
                pass

        def test_posts(monkeypatch):
            monkeypatch.setattr("posts.LocalSession", lambda: Fake())
            assert posts.posts_of_first() == []
    """
    texts = {"database": database, "posts": POSTS, "test_posts": test}
    result = rewritten(**{name: dedent(text) for name, text in texts.items()})

    assert "async def get(self, entity, key, **kwargs)" in result.files["test_posts.py"].decode()
    assert ("dirty = ()\n" in result.files["test_posts.py"].decode()) == is_given


# ------------------------------------------------------------------------------------- engines
@pytest.mark.parametrize(
    ("annotation", "given", "is_refused"),
    [
        ("Engine", "MagicMock()", True),
        ("Connection", "MagicMock(name='connection')", True),
        ("Engine", "create_engine('sqlite://')", False),
    ],
)
def test_a_mock_that_is_passed_for_an_engine_keeps_the_function_synchronous(
    annotation, given, is_refused
):
    # The results of a mock tell an `AsyncSession` that they come from a server-side cursor.
    start = f"""\
from sqlalchemy import {annotation}, select
from sqlalchemy.orm import Session


def init(bind: {annotation}) -> None:
    with Session(bind) as session:
        session.execute(select(1))
"""
    test = f"""\
from unittest.mock import MagicMock

from sqlalchemy import create_engine
from start import init


def test_init():
    init({given})
"""
    result = rewritten(
        start=start,
        **{"tests/test_start": test},
    )
    reasons = {reason_of(one) for one in result.report.findings}
    assert ("test-double" in reasons) is is_refused
    assert (result.files["start.py"].decode() == start) is is_refused
