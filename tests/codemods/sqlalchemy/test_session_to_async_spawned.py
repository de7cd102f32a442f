"""Reads that nobody can load beforehand: what session-to-async calls by `greenlet_spawn`."""

from __future__ import annotations

import pytest
from planned import rewritten

FILES = {
    "database": """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass
""",
    "models": """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from database import Base


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    notes: Mapped[list["Note"]] = relationship(back_populates="author")


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="notes")
""",
    "views": """\
from pydantic import BaseModel, ConfigDict


class AuthorView(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class NoteView(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    author: AuthorView
""",
}
HEAD = """\
from fastapi.encoders import jsonable_encoder
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Author, Note
from views import NoteView


"""


def service(text):
    """Return the file of the program that has this text, afterwards."""
    result = rewritten(**FILES, service=HEAD + text)
    after = result.files["service.py"].decode()
    assert "await " in after, result.findings
    return after.partition("\n\n\n")[2], result


MADE = """\
def add(db: Session, author: Author) -> NoteView:
    note = Note(author_id=author.id)
    db.add(note)
    db.commit()
    {use}
"""


def test_a_new_object_is_validated_where_its_relationships_load():
    after, result = service(MADE.format(use="return NoteView.model_validate(note)"))

    assert "    return await greenlet_spawn(NoteView.model_validate, note)\n" in after
    assert "selectin" not in result.files["models.py"].decode()


def test_what_is_done_with_the_result_stands_behind_it():
    after, _ = service(MADE.format(use="return NoteView.model_validate(note).model_copy()"))

    assert "(await greenlet_spawn(NoteView.model_validate, note)).model_copy()" in after


def test_what_a_statement_loads_is_validated_as_before():
    after, _ = service(
        "def listed(db: Session) -> list[NoteView]:\n"
        "    return [NoteView.model_validate(one) for one in db.scalars(select(Note))]\n"
    )

    assert "greenlet_spawn" not in after
    assert "joinedload(Note.author)" in after or "selectinload(Note.author)" in after


def test_a_plain_function_that_validates_is_called_where_it_may_load():
    after, _ = service(
        "def seen(note: Note) -> NoteView:\n    return NoteView.model_validate(note)\n\n\n"
        "def twice(note: Note) -> list[NoteView]:\n    return [seen(note), seen(note)]\n\n\n"
        + MADE.format(use="return [seen(note), *twice(note)]")
    )

    assert "def seen(note: Note) -> NoteView:\n    return NoteView.model_validate(note)" in after
    assert "await greenlet_spawn(seen, note), *await greenlet_spawn(twice, note)" in after


@pytest.mark.parametrize(
    ("use", "written"),
    [
        ("setattr(note, name, [])", "await greenlet_spawn(setattr, note, name, [])"),
        ("return getattr(note, name)", "return await greenlet_spawn(getattr, note, name)"),
        ("return getattr(note, 'id')", "return getattr(note, 'id')"),
        # Nothing can be awaited there: the relationship is loaded with each object.
        ("return any(getattr(note, one) for one in name)", "any(getattr(note, one) for one"),
    ],
)
def test_what_a_computed_name_reads_loads_where_it_stands(use, written):
    after, result = service(
        f"def touch(db: Session, name: str):\n    note = db.get(Author, 1)\n    {use}\n"
    )

    assert written in after
    is_mapped = "selectin" in result.files["models.py"].decode()
    assert is_mapped == ("any(" in use)


def test_names_that_a_mapper_gives_are_read_at_any_depth():
    after, _ = service("""\
def deep(db: Session, names: list[str]):
    author = db.get(Author, 1)
    for name in names:
        for note in getattr(author, name):
            for other in names:
                found = getattr(note, other)
                print([getattr(found, third) for third in names])
""")

    for read in ("author, name", "note, other", "found, third"):
        assert f"await greenlet_spawn(getattr, {read})" in after


def test_a_coroutine_function_without_a_session_stays_as_it_is():
    text = "async def seen(note: Note) -> NoteView:\n    return NoteView.model_validate(note)\n"
    after, _ = service(text + "\n\ndef first(db: Session):\n    return db.get(Note, 1)\n")

    assert text in after


def test_the_migrations_of_alembic_read_by_their_own_driver():
    revision = """\
import sqlalchemy
from alembic import op
from models import Note

revision = "2"
down_revision = "1"


def upgrade(name):
    with sqlalchemy.orm.Session(op.get_bind()) as db:
        return [getattr(note, name) for note in db.query(Note)]
"""
    text = HEAD + "def first(db: Session):\n    return db.get(Note, 1)\n"
    result = rewritten(**FILES, service=text, revision=revision)

    assert "selectin" not in result.files["models.py"].decode()


ENCODED = """\
def names(notes: list[Note]) -> list[str]:
    return [one.author.name for one in notes]


def add(db: Session, author: Author):
    note = Note(author=author)
    db.add(note)
    db.commit()
    db.refresh(note)
    {use}
"""


def test_an_object_is_encoded_without_what_is_loaded_with_it_now():
    use = "print(db.author)\n    return jsonable_encoder(note, by_alias=False)"
    after, result = service(ENCODED.format(use=use))

    assert 'lazy="selectin"' in result.files["models.py"].decode()
    assert 'jsonable_encoder(note, by_alias=False, exclude={"author"})' in after


@pytest.mark.parametrize("chosen", ['exclude={"author", "id"}', 'include={"id"}'])
def test_an_object_that_is_encoded_without_its_relationships_stays_as_it_is(chosen):
    after, _ = service(ENCODED.format(use=f"return jsonable_encoder(note, {chosen})"))

    assert f"return jsonable_encoder(note, {chosen})" in after


def test_an_object_that_is_encoded_after_a_read_keeps_what_was_read():
    use = "return note.author, jsonable_encoder(note)"
    result = rewritten(**FILES, service=HEAD + ENCODED.format(use=use))
    messages = [one.message for one in result.report.findings]
    said = [one for one in messages if "encodes what is loaded" in one]

    assert "jsonable_encoder(note)" in result.files["service.py"].decode()
    (message,) = said
    assert message.endswith("encodes what is loaded of its objects; it may now contain `author`")


def test_an_object_that_may_be_encoded_with_its_relationships_is_left_alone():
    use = 'return jsonable_encoder(note, exclude={"id"})'
    result = rewritten(**FILES, service=HEAD + ENCODED.format(use=use))
    reasons = {one.reason for one in result.findings if one.reason}

    assert "session-to-async/encoded-object" in reasons


def test_a_model_that_is_mapped_is_encoded_by_its_fields():
    models = """\
from sqlmodel import Field, Relationship, SQLModel


class Author(SQLModel, table=True):
    id: int = Field(primary_key=True)
    name: str


class Note(SQLModel, table=True):
    id: int = Field(primary_key=True)
    author_id: int = Field(foreign_key="author.id")
    author: Author = Relationship()
"""
    text = HEAD + ENCODED.format(use="return note.author, jsonable_encoder(note)")
    result = rewritten(**FILES | {"models": models}, service=text)
    after = result.files["service.py"].decode()

    assert "await db.refresh(note)" in after, result.findings
    assert "return note.author, jsonable_encoder(note)" in after
