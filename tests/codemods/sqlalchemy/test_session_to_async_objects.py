"""What session-to-async does where an object, or the function that is called, is hard to tell."""

from __future__ import annotations

import pytest
from planned import rewritten

HEAD = """\
from sqlalchemy import select
from sqlalchemy.orm import Session
from models import Note


"""
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
from sqlalchemy.orm import Mapped, mapped_column
from database import Base


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
""",
    "main": """\
from fastapi import Depends, FastAPI
from database import LocalSession
import service

app = FastAPI()


def get_db():
    with LocalSession() as db:
        yield db


@app.get("/notes")
def notes(kind: str, db=Depends(get_db)):
    return service.run(kind, db)
""",
}
NOTES = """\
class Notes:
    def __init__(self, db):
        self.db = db

    def do_count(self):
        return len(self.db.scalars(select(Note)).all())


"""
HANDLERS = """\
def count(db: Session):
    return len(db.scalars(select(Note)).all())


def first(db: Session):
    return {first}


HANDLERS = {{"count": count, "first": first}}


def run(kind, db):
    return HANDLERS[kind](db)
"""


def made(text, **files):
    """Return what becomes of the file ``service.py``, and the reasons that are given."""
    result = rewritten(**FILES, service=HEAD + text, **files)
    reasons = {one.reason.partition("/")[2] for one in result.findings if one.reason}
    after = {path: text.decode().removeprefix(HEAD) for path, text in result.files.items()}
    return after, reasons - {"beside-another"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # Nothing is annotated, and objects are made by functions.
        (
            NOTES + "def build(db):\n    return Notes(db)\n\n\n"
            "def run(kind, db):\n    notes = build(db)\n    return notes.do_count()\n",
            "    return await notes.do_count()\n",
        ),
        # An annotation that says nothing is none.
        (
            "from typing import Any\n\n\n" + NOTES + "def counted(notes: Any | None) -> object:\n"
            "    return notes.do_count()\n\n\n"
            "def run(kind, db: Any):\n    return counted(Notes(db))\n",
            (
                "    return await notes.do_count()\n\n\n"
                "async def run(kind, db: Any):\n    return await counted(Notes(db))\n"
            ),
        ),
        (
            NOTES + 'def run(kind, db):\n    return getattr(Notes(db), "do_count")()\n',
            '    return await getattr(Notes(db), "do_count")()\n',
        ),
        (
            NOTES
            + "class Both(Notes):\n    def __sum(self):\n        return self.do_count() * 2\n\n"
            "    def sum(self):\n        return self.__sum()\n\n\n"
            "def run(kind, db):\n    return Both(db).sum()\n",
            "        return await self.__sum()\n",
        ),
        # A session in a class variable.
        (
            (
                "from database import LocalSession\n\n\nclass Notes:\n    db = LocalSession()\n\n"
                "    @classmethod\n    def first(cls):\n        return cls.db.get(Note, 1)\n\n\n"
                "def run(kind, db):\n    return Notes.first()\n"
            ),
            (
                "        return await cls.db.get(Note, 1)\n\n\n"
                "async def run(kind, db):\n    return await Notes.first()\n"
            ),
        ),
        # Functions in a dictionary, all of which wait.
        (
            HANDLERS.format(first="db.get(Note, 1)"),
            "async def run(kind, db):\n    return await HANDLERS[kind](db)\n",
        ),
    ],
)
def test_what_is_called_is_followed(before, after):
    files, reasons = made(before)

    assert not reasons
    assert files["service.py"].endswith(after) or after in files["service.py"]


@pytest.mark.parametrize(
    "lines",
    [
        "return getattr(Notes(db), kind)()",
        'return getattr(Notes(db), f"do_{kind}")()',
        'found = getattr(Notes(db), "do_" + kind)\n    return found()',
    ],
)
def test_a_name_that_is_worked_out_is_refused(lines):
    files, reasons = made(f"{NOTES}def run(kind, db):\n    {lines}\n")

    assert reasons == {"unknown-call"}
    assert "async" not in files["service.py"]


def test_what_stands_in_one_dictionary_changes_together():
    files, reasons = made(HANDLERS.format(first="1"))

    assert not reasons
    assert "async def first(db: AsyncSession):\n    return 1\n" in files["service.py"]


def test_functions_that_call_each_other_over_files_become_asynchronous_together():
    other = """\
def even(number, db):
    from service import odd
    db.commit()
    return number == 0 or odd(number - 1, db)
"""
    text = """\
from other import even


def odd(number, db):
    return number > 0 and even(number - 1, db)


def run(kind, db):
    return odd(len(kind), db)
"""

    files, reasons = made(text, other=other)

    assert not reasons
    assert "return number > 0 and await even(number - 1, db)" in files["service.py"]
    assert "return number == 0 or await odd(number - 1, db)" in files["other.py"]


TOOLS = """\
from mcp.server.fastmcp import FastMCP
from database import LocalSession


def serve() -> FastMCP:
    server = FastMCP("notes")

    @server.tool(name="first")
    def first() -> int:
        with LocalSession() as db:
            return db.get_one(Note, 1).id

    @server.tool()
    def one() -> int:
        return 1

    return server


def run(kind, db):
    return kind
"""
CALLED = """\
from typing import Any
from service import serve


def called(server: Any, name: str, **given: Any) -> int:
    tool = server._tool_manager._tools[name]
    return tool.fn(**given)


def test_tools():
    assert called(serve(), "one") == 1
"""


def test_what_a_server_keeps_is_called_by_what_takes_it_out():
    files, reasons = made(TOOLS, test_tools=CALLED)

    assert not reasons
    assert "async def one() -> int:" in files["service.py"]
    assert "return await tool.fn(**given)" in files["test_tools.py"]
    assert 'assert await called(serve(), "one") == 1' in files["test_tools.py"]


def test_what_nobody_takes_out_of_a_server_stays():
    files, _ = made(TOOLS)

    assert "    async def first() -> int:" in files["service.py"]
    assert "    def one() -> int:" in files["service.py"]
