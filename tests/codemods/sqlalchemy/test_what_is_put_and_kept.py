"""Sessions that are put into objects, new objects behind a flush, and what expires no more."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

LocalSession = sessionmaker(create_engine("sqlite://"))


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User | None] = relationship(back_populates="posts")
"""
IMPORTS = """\
from argparse import Namespace
from collections import namedtuple
from types import SimpleNamespace
from typing import Any, NamedTuple

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm.exc import DetachedInstanceError, ObjectDeletedError

from database import LocalSession, Post, User

Pair = namedtuple("Pair", "key db")


class Context(NamedTuple):
    key: int
    db: object


class Typed(NamedTuple):
    key: int
    db: Any


"""
PASSED = """\
def used(context):
    {0}


def began():
    with LocalSession() as db:
        return used({1})
"""


@pytest.mark.parametrize(
    ("taken", "put"),
    [
        ("return context.db.get(User, 1)", "Context(1, db)"),
        ("return context.db.get(User, 1)", "Context(1, db=db)"),
        ("return context.db.get(User, 1)", "Typed(1, db)"),
        ("return context.db.get(User, 1)", "Pair(1, db)"),
        ("return context.db.scalar(select(User))", "SimpleNamespace(db=db)"),
        ("return context.db.execute(select(User))", "Namespace(db=db)"),
        ("return context['db'].get(User, 1)", "{'db': db, 'key': 1}"),
        ("db = context['db']\n    return db.get(User, 1)", "{'db': db, 'key': 1}"),
        ("db = context.get('db')\n    return db.get(User, 1)", "{'db': db, 'key': 1}"),
        ("db = getattr(context, 'db')\n    return db.get(User, 1)", "Context(1, db)"),
    ],
)
def test_a_session_that_is_put_in_is_followed_or_refused_where_it_is_put(taken, put):
    using = IMPORTS + PASSED.format(taken, put)
    plan = session_to_async({"database.py": DATABASE, "main.py": using})
    refused = [one for one in plan.findings if reason_of(one) == "unknown-session"]

    if not refused:
        after = rewritten(database=DATABASE, main=using).files["main.py"].decode()
        assert "await context" in after or "await db.get" in after
        return
    start = using.rindex("db", 0, using.rindex(")"))
    assert start in {place.span.start for one in refused for place in one.related}


@pytest.mark.parametrize(
    ("taken", "put"),
    [
        ("return context.other.get('x')", "Context(1, db)"),
        ("return context['key'].get('x')", "{'db': db, 'key': {}}"),
        ("return context.get('key')", "{'db': db, 'key': 1}"),
        ("return context['key']", "{'db': db, 'key': 1}"),
    ],
)
def test_what_else_is_taken_out_refuses_nothing(taken, put):
    using = IMPORTS + PASSED.format(taken, put)
    plan = session_to_async({"database.py": DATABASE, "main.py": using})

    assert not [one for one in plan.findings if reason_of(one) == "unknown-session"]


MAKING = "def made():\n    with LocalSession() as db:\n        new = User(name='x')\n        {0}\n"
LOADED = 'await db.refresh(new, attribute_names=["posts"])'
READ = "await db.run_sync(lambda _: new.posts)"


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (["db.add(new)", "db.flush()", "return len(new.posts)"], 1),
        (["db.add_all([new])", "db.flush()", "return len(new.posts)"], 1),
        (["db.add(new)", "db.flush()", "count = len(new.posts)", "db.commit()"], 1),
        (["db.add(new)", "db.flush()", "db.commit()", "return len(new.posts)"], 1),
        (["db.add(new)", "db.flush()", "a = len(new.posts)", "db.commit()", "b = new.posts[0]"], 2),
        # What nobody adds cannot be refreshed.
        (["db.flush()", "return len(new.posts)"], 0),
        (["db.add(new)", "db.flush()", "db.refresh(new)", "return len(new.posts)"], 0),
        (
            [
                "db.add(new)",
                "db.commit()",
                "db.refresh(new)",
                "db.commit()",
                "return len(new.posts)",
            ],
            1,
        ),
        (["db.add(new)", "db.flush()", "return new.name"], 0),
    ],
)
def test_collections_of_a_new_object_are_loaded_behind_the_flush(lines, times):
    using = IMPORTS + MAKING.format("\n        ".join(lines))
    after = rewritten(database=DATABASE, main=using).files["main.py"].decode()

    assert "async def made" in after
    assert after.count(LOADED) + after.count(READ) == times


def test_the_other_side_of_what_is_read_anew_is_loaded_with_it():
    lines = ["new.name = 'y'", "post = Post(author=db.get(User, 1))", "db.add(post)", "db.commit()"]
    lines += ["return post.author.name, [one.id for one in post.author.posts]"]
    using = IMPORTS + MAKING.format("\n        ".join(lines))
    after = rewritten(database=DATABASE, main=using).files["main.py"].decode()
    inner = after.partition('await db.refresh(post, attribute_names=["author"])')[2]

    assert 'await db.refresh(post.author, attribute_names=["posts"])' in inner


RAW = "old values after raw SQL"
RAISED = "may no longer be raised"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("db.execute(text('update users set name = 1'))", [RAW]),
        ("db.execute(text(f'DELETE FROM {db}'))", [RAW]),
        ("db.connection().exec_driver_sql('update users set name = 1')", [RAW]),
        ("db.execute(update(User.__table__).values(name='x'))", [RAW]),
        ("db.execute(delete(User), execution_options=dict(synchronize_session=False))", [RAW]),
        ("statement = text('update users set name = 1')", [RAW]),
        ("db.execute(update(User).values(name='x'))", []),
        ("db.execute(text('select 1'))", []),
        ("db.scalars(select(User).order_by(text('name')))", []),
        ("_ = DetachedInstanceError", ["`DetachedInstanceError` " + RAISED]),
        ("_ = (ObjectDeletedError, 1)", ["`ObjectDeletedError` " + RAISED]),
    ],
)
def test_the_factory_says_what_is_not_expired_any_more(line, said):
    using = IMPORTS + MAKING.format(f"{line}\n        db.commit()")
    plan = session_to_async({"database.py": DATABASE, "main.py": using})
    finding = next(one for one in plan.findings if "async_sessionmaker" in one.message)
    announced = [one for one in (RAW, RAISED) if one in finding.message]

    assert all(one in finding.message for one in said)
    assert len(announced) == len(said)
    assert bool(finding.related) == bool(said)
