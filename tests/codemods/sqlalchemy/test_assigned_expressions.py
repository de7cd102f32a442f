"""What session-to-async does about attributes that are given an expression of SQL."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass
"""
TAGS = """\
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    uses: Mapped[int]
    gone: Mapped[str]


def shown(tag: Tag) -> str:
    return f"{tag.gone} {tag.uses}"


def used(db: Session, tag: Tag, tags: list[Tag]) -> None:
"""
REFRESH = 'await db.refresh(tag, attribute_names=["gone"])\n'


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("tag.gone = func.now()\n    db.commit()", f"await db.commit()\n    {REFRESH}"),
        (
            "tag.uses = Tag.uses + 1\n    db.flush()",
            'await db.flush()\n    await db.refresh(tag, attribute_names=["uses"])\n',
        ),
        # It need not have been given it.
        (
            "if tags:\n        tag.gone = func.now()\n    db.commit()",
            f'await db.commit()\n    if "gone" in inspect(tag).unloaded:\n        {REFRESH}',
        ),
        (
            "for one in tags:\n        one.gone = func.now()\n    db.commit()",
            (
                'await db.commit()\n    for item in tags:\n        if "gone" in inspect(item)'
                '.unloaded:\n            await db.refresh(item, attribute_names=["gone"])\n'
            ),
        ),
    ],
)
def test_what_the_database_computes_is_loaded_behind_the_flush(text, after):
    result = rewritten(database=DATABASE, tags=f"{TAGS}    {text}\n")

    assert after in result.files["tags.py"].decode()


@pytest.mark.parametrize(
    "text",
    [
        "tag.gone = str(1)\n    db.commit()",
        "tag.gone = Tag.__mapper_args__['polymorphic_identity']\n    db.commit()",
        "tag.uses = tag.uses + 1\n    db.commit()",
        "tag.uses = len(db.scalars(select(Tag).where(Tag.id > 1)).all())\n    db.commit()",
        "tag.uses = db.scalar(select(func.count()))\n    db.commit()",
        # Nothing holds these behind the flush.
        "for one in db.scalars(select(Tag)):\n        one.gone = func.now()\n    db.commit()",
    ],
)
def test_what_python_computes_needs_nothing(text):
    result = rewritten(database=DATABASE, tags=f"{TAGS}    {text}\n")

    assert "await db.commit()" in result.files["tags.py"].decode()
    assert "refresh" not in result.files["tags.py"].decode()
