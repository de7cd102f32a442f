"""Requests, and calls of the program, behind which the objects of a test may be expired."""

from __future__ import annotations

import pytest
from planned import rewritten

from awaken.codemods.sqlalchemy.session_to_async.suites.expiring_requests import ExpiringRequests
from awaken.project import Project, Snapshot
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, scoped_session, sessionmaker

engine = create_engine("sqlite://")
current = scoped_session(sessionmaker(engine), scopefunc=lambda: "one")


class Base(DeclarativeBase):
    pass
"""
MODELS = """\
from sqlalchemy.orm import Mapped, mapped_column
from database import Base


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
"""
MAIN = """\
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session
from database import current
from models import Note

app = FastAPI()


def get_db():
    try:
        yield current()
    except Exception:
        current().rollback()
        raise


def renamed(db: Session, note: Note, text: str) -> Note:
    note.text = text
    db.commit()
    db.expire_all()
    return db.get_one(Note, note.id)


@app.put("/notes/{number}")
def rename(number: int, text: str, db: Session = Depends(get_db)) -> str:
    return renamed(db, db.get_one(Note, number), text).text


@app.get("/notes/{number}")
def shown(number: int, db: Session = Depends(get_db)) -> str:
    return db.get_one(Note, number).text
"""
TEST = """\
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session
from main import app, renamed
from models import Note


def test_notes(db: Session):
    client = TestClient(app)
    note = Note(text="a")
{lines}
"""
GUARD = """\
    if inspect(note).expired:
        await db.refresh(note)
    assert note.text"""


def after(*lines):
    """Return the lines of a test that come behind those that make a note."""
    text = TEST.format(lines="".join(f"    {one}\n" for one in lines))
    result = rewritten(database=DATABASE, models=MODELS, main=MAIN, test_notes=text)
    assert not any(one.reason for one in result.findings)
    return result.files["test_notes.py"].decode().partition('text="a")\n')[2]


ADDED = ("db.add(note)", "db.commit()")
SUCCEEDED = "assert answer.status_code == 200"


@pytest.mark.parametrize(
    "lines",
    [
        (*ADDED, 'answer = client.put("/notes/1?text=b")', SUCCEEDED),
        (*ADDED, 'answer = client.request("PUT", "/notes/1?text=b")', SUCCEEDED),
        # It failed, so that the dependency rolled back.
        (*ADDED, 'answer = client.get("/notes/7")', "assert answer.status_code == 404"),
        (*ADDED, 'answer = client.get("/notes/7")'),
        (*ADDED, 'renamed(db, note, "b")'),
    ],
)
def test_what_a_request_may_expire_is_loaded_again(lines):
    assert GUARD in after(*lines, 'assert note.text == "b"')


@pytest.mark.parametrize(
    "lines",
    [
        (*ADDED, 'answer = client.get("/notes/1")', SUCCEEDED),
        # Another route, or an object that the session did not have yet.
        (*ADDED, 'answer = client.put("/others")', SUCCEEDED),
        ('answer = client.put("/notes/1?text=b")', *ADDED),
        (*ADDED, 'answer = client.put("/notes/1?text=b")', "db.refresh(note)"),
    ],
)
def test_what_a_request_does_not_expire_is_left_alone(lines):
    assert "expired" not in after(*lines, 'assert note.text == "b"')


ADDED = """\
def added(db: Session, text: str) -> Note | None:
    try:
        db.add(Note(text=text))
        db.commit()
    except ValueError:
        db.rollback()
        HANDLED


"""


@pytest.mark.parametrize(("handled", "is_loaded"), [("return None", True), ("raise", False)])
def test_a_call_that_goes_on_behind_a_rollback_may_expire_what_a_test_holds(handled, is_loaded):
    main = MAIN.replace("@app.put", ADDED.replace("HANDLED", handled) + "@app.put", 1)
    test = TEST.replace("import app, renamed", "import added").partition("def test")[0]
    test += (
        "def test_notes(db: Session):\n    note = db.get_one(Note, 1)\n    added(db, 'b')\n"
        "    assert note.text\n"
    )
    result = rewritten(database=DATABASE, models=MODELS, main=main, test_notes=test)

    assert ("await db.refresh(note)" in result.files["test_notes.py"].decode()) == is_loaded


MANAGED = """\
from contextlib import contextmanager
from sqlalchemy.orm import Session
from database import current, maker


class Holder:
    @property
    def db(self) -> Session:
        return current()


holder = Holder()


@contextmanager
def session():
    {made}


def renamed() -> None:
    with session() as db:
        db.expire_all()
"""


@pytest.mark.parametrize(
    ("made", "is_shared"),
    [
        ("held = holder.db\n    yield held", True),
        ("held = holder.db\n    try:\n        yield held\n    finally:\n        print()", True),
        ("with maker() as held:\n        yield held", False),
        ("held = maker()\n    yield held", False),
    ],
)
def test_a_manager_may_hand_out_the_session_of_a_test(made, is_shared):
    test = (
        "from main import holder, renamed\n\n\ndef test():\n    holder.db.flush()\n    renamed()\n"
    )
    files = {
        "database.py": f"{DATABASE}\n\nmaker = sessionmaker(engine)\n",
        "main.py": MANAGED.format(made=made),
        "test_notes.py": test,
    }
    sources = {path: decode(path, text.encode()) for path, text in files.items()}
    project = Project(Snapshot(sources), None, settings=ProjectSettings(published=True))
    calls = ExpiringRequests(project, project.orm.commits.expiring()).calls()

    assert [one.session for one in calls] == (["holder.db"] if is_shared else [])
