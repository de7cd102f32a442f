"""Loads ahead would be older than what is written between the statement and the read."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_models import USER_AND_POSTS

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

MODELS = f"""
{USER_AND_POSTS}

class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
""".encode()
HEAD = """
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from models import Note, Post, User


def change(session: Session):
    session.execute(update(Post).values(user_id=1))


def show(session: Session):
"""
LOOP = "    for user in users:\n        print(user.posts)\n"


@pytest.mark.parametrize(
    ("between", "behind", "outcome"),
    [
        ("", "", "unsafe"),
        ("    session.add(Post(user_id=1))\n", "", "written-before-read"),
        ("    change(session)\n", "", "written-before-read"),
        ("    session.execute(insert(Post), [{}])\n", "", "written-before-read"),
        ("", "        session.execute(delete(Post).where(Post.id == 3))\n", "written-before-read"),
        ("", "        change(session)\n", "written-before-read"),
        ("", "        session.execute(delete(Note))\n", "unsafe"),
        ("    session.execute(update(Note).values(id=1))\n", "", "unsafe"),
        ("", "    session.execute(delete(Post).where(Post.id == 3))\n", "unsafe"),
    ],
)
def test_writes_before_the_read_hold_the_load(between, behind, outcome):
    load = "    users = session.scalars(select(User)).all()\n"
    files = {"models.py": MODELS, "main.py": (HEAD + load + between + LOOP + behind).encode()}
    assert _outcomes(files) == [outcome]


def test_a_loop_that_loads_again_begins_anew():
    text = (
        "    while True:\n"
        "        for user in session.scalars(select(User)).all():\n"
        "            print(user.posts)\n"
        "        change(session)\n"
    )
    assert _outcomes({"models.py": MODELS, "main.py": (HEAD + text).encode()}) == ["unsafe"]


@pytest.mark.parametrize(
    ("criteria", "outcome"),
    [
        ("Post.id > 1", "unsafe"),
        ("Post.id > 1, propagate_to_loaders=True", "unsafe"),
        ("Post.id > 1, propagate_to_loaders=False", "own-criteria"),
        ("Post.id > 1, propagate_to_loaders=session.is_active", "own-criteria"),
        ("Post.id > 1, **{'propagate_to_loaders': False}", "own-criteria"),
        ("Post.id > 1, False, False, False", "own-criteria"),
        ("Post.id > 1, False, False, True", "unsafe"),
    ],
)
@pytest.mark.parametrize(
    "given",
    [
        "    users = session.scalars(select(User).options({})).all()\n",
        "    s = select(User)\n    s = s.options({})\n    users = session.scalars(s).all()\n",
        "    own = [{}]\n    users = session.scalars(select(User).options(*own)).all()\n",
    ],
)
def test_criteria_of_the_statement_alone_hold_the_load(criteria, outcome, given):
    option = f"with_loader_criteria(Post, {criteria})"
    text = HEAD.replace("import Session", "import Session, with_loader_criteria")
    main = (text + given.format(option) + LOOP).encode()
    assert _outcomes({"models.py": MODELS, "main.py": main}) == [outcome]


@pytest.mark.parametrize(
    ("session", "load", "says"),
    [
        ("AsyncSession", "(await session.scalars(select(User))).all()", "raises `MissingGreenlet`"),
        ("AsyncSession", "(await session.execute(select(User))).scalars()", "raises `Missing"),
        ("Session", "session.scalars(select(User)).all()", "each `User` runs a statement"),
    ],
)
def test_the_message_says_what_reading_does_in_a_coroutine(session, load, says):
    text = (
        "from sqlalchemy import select\n"
        "from sqlalchemy.ext.asyncio import AsyncSession\n"
        "from sqlalchemy.orm import Session\n"
        "from models import User\n\n\n"
        f"async def show(session: {session}):\n"
        f"    users = {load}\n"
    )
    files = {"models.py": MODELS, "main.py": (text + LOOP).encode()}
    assert [says in message for message in _messages(files)] == [True]


def _outcomes(files):
    return [(one.reason or one.level).rpartition("/")[2] for one in _findings(files)]


def _messages(files):
    return [one.message for one in _findings(files)]


def _findings(files):
    case = Case(
        name="it",
        family="sqlalchemy",
        rule="eager-load",
        directory=Path(),
        settings=Settings(unsafe=True, published=False, targets={"sqlalchemy": "2.0"}),
        before=files,
        after=files,
        program={},
    )
    report = run_case(case).report
    assert report.diagnostics == ()
    return report.findings
