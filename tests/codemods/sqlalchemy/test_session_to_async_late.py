"""What session-to-async does about columns and collections that are loaded when they are read."""

from __future__ import annotations

import pytest
from database_of_models import DATABASE, reasons_of, text_of
from planned import rewritten

LATE = """\
from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.orm import (
    DynamicMapped, Mapped, Session, column_property, defer, deferred, load_only, mapped_column,
    relationship,
)

from database import Base


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = COLUMN
    parent_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))

    MORE


"""


def of_posts(text, column="mapped_column(Text)", more="kind = 1"):
    models = LATE.replace("COLUMN", column).replace("MORE", more)
    return rewritten(database=DATABASE, posts=models + text)


READING = (
    "def read(db: Session) -> str:\n    post = db.scalars(STATEMENT).one()\n    return post.body\n"
)


@pytest.mark.parametrize(
    ("column", "statement", "is_awaited"),
    [
        ("deferred(mapped_column(Text))", "select(Post)", True),
        ("mapped_column(Text, deferred=True)", "select(Post)", True),
        # A flush expires what is an expression.
        ("column_property(select(func.count()).scalar_subquery())", "select(Post)", True),
        ("mapped_column(Text)", "select(Post).options(defer(Post.body))", True),
        ("mapped_column(Text)", "select(Post).options(load_only(Post.title))", True),
        ("mapped_column(Text)", "select(Post).options(load_only(Post.title, Post.body))", False),
        ("mapped_column(Text)", "select(Post)", False),
    ],
)
def test_a_column_that_is_loaded_when_it_is_read_is_awaited(column, statement, is_awaited):
    result = of_posts(READING.replace("STATEMENT", statement), column)

    assert ("await post.awaitable_attrs.body" in text_of(result, "posts")) is is_awaited
    assert ("AsyncAttrs" in result.files.get("database.py", b"").decode()) is is_awaited


@pytest.mark.parametrize(
    "text",
    [
        # What Python calls itself awaits nothing.
        "    @property\n    def short(self) -> str:\n        return self.body[:3]",
        "    def __repr__(self) -> str:\n        return self.body",
    ],
)
def test_a_late_column_that_a_property_reads_refuses(text):
    reading = READING.replace("STATEMENT", "select(Post)").replace(".body", ".title")
    result = of_posts(reading, "deferred(mapped_column(Text))", text.lstrip())

    assert "session-to-async/late-column" in reasons_of(result)
    assert not result.report.files


@pytest.mark.parametrize("deferred", ["", ", deferred=True"])
def test_an_expression_that_a_property_reads_is_late_whether_or_not_it_is_deferred(deferred):
    text = "    @property\n    def short(self) -> str:\n        return self.body[:3]"
    reading = READING.replace("STATEMENT", "select(Post)").replace(".body", ".title")
    column = f"column_property(select(func.count()).scalar_subquery(){deferred})"
    result = of_posts(reading, column, text.lstrip())
    (cure,) = {one.help for one in result.report.findings if "late-column" in (one.reason or "")}

    assert "deferred or not" in cure
    assert "undefer" not in cure


def test_a_late_column_of_an_unknown_object_refuses():
    text = "def read(db: Session, other) -> str:\n    db.commit()\n    return other.body\n"
    result = of_posts(text, "deferred(mapped_column(Text))")

    assert "session-to-async/late-column" in reasons_of(result)
    assert not result.report.files


@pytest.mark.parametrize(
    ("package", "given", "is_refused"),
    [
        ("openai", "openai.OpenAI().embeddings.create(input='x').data[0]", False),
        ("boto3", "boto3.client('s3').get_object(Key='x')", False),
        # It may keep what the program hands to it.
        ("pigeonhole", "pigeonhole.Box().letters.first('x').data[0]", True),
        ("pigeonhole", "pigeonhole.box('x').first()", True),
    ],
)
def test_what_a_service_answers_is_no_object_of_the_program(package, given, is_refused):
    text = f"""\
import {package}


def read(db: Session) -> str:
    db.commit()
    other = {given}
    return other.body
"""
    result = of_posts(text, "deferred(mapped_column(Text))")

    assert ("session-to-async/late-column" in reasons_of(result)) is is_refused
    assert bool(result.report.files) is not is_refused


@pytest.mark.parametrize(
    ("use", "is_refused"),
    [
        ("return post.answers.count()", True),
        ("return [one.id for one in post.answers]", True),
        ("post.answers.append(Post(title='a', body='b'))", False),
        ("return db.scalars(post.answers.statement).all()", False),
    ],
)
@pytest.mark.parametrize(
    "declared",
    [
        "answers: DynamicMapped['Post'] = relationship()",
        "answers: Mapped[list['Post']] = relationship(lazy='dynamic')",
    ],
)
def test_a_dynamic_collection_refuses_where_it_sends_a_query(declared, use, is_refused):
    text = f"def read(db: Session):\n    post = db.get(Post, 1)\n    {use}\n"
    result = of_posts(text, more=declared)

    assert ("session-to-async/dynamic-collection" in reasons_of(result)) is is_refused
    assert bool(result.report.files) is not is_refused


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "    db.expire(post)\n    return post.title\n",
            "    db.expire(post)\n    await db.refresh(post)\n    return post.title\n",
        ),
        (
            "    db.expire(post, ['title'])\n    print(1)\n    return post.title\n",
            "    db.expire(post, ['title'])\n    print(1)\n    await db.refresh(post, ['title'])\n",
        ),
        # What is written in between is read as well.
        (
            "    db.expire(post)\n    db.flush()\n    return post.title\n",
            "    db.expire(post)\n    await db.flush()\n    await db.refresh(post)\n    return",
        ),
    ],
)
def test_what_is_expired_is_loaded_again(text, after):
    result = of_posts(f"def read(db: Session, post: Post) -> str:\n{text}")

    assert after in text_of(result, "posts")


def test_what_a_revision_of_alembic_reads_is_never_loaded_late():
    models = LATE.replace("COLUMN", "deferred(mapped_column(Text))").replace("MORE", "kind = 1")
    reading = READING.replace("STATEMENT", "select(Post)").replace(".body", ".title")
    revision = (
        'revision = "1"\ndown_revision = None\n\n\n'
        "def upgrade(rows):\n    return [row.body for row in rows]\n"
    )
    result = rewritten(database=DATABASE, posts=models + reading, first=revision)

    assert "async def read(db: AsyncSession)" in text_of(result, "posts")
