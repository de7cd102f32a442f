from __future__ import annotations

import pytest

from awaken.codemods.sqlalchemy.expire_on_commit import ExpireOnCommit
from awaken.codemods.sqlalchemy.expire_on_commit.plan import Options
from awaken.contract import Constraints
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

TABLES = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Model(DeclarativeBase):
    pass
class Note(Model):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
"""
FACTORY = """
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from tables import Note
maker = async_sessionmaker()
async def one(s: AsyncSession) -> Note | None:
    return await s.get(Note, 1)
async def one_title(s: AsyncSession) -> str:
    note = await one(s)
    return note.title
async def there(s: AsyncSession, n: int):
    return await back(s, n - 1) if n else await one_title(s)
async def back(s: AsyncSession, n: int):
    return await there(s, n - 1)
async def number(s: AsyncSession) -> int:
    return await s.scalar(select(Note.id))
"""


def findings(text: str, *, sync: bool = False) -> list[tuple[str, str]]:
    files = {"app.py": text, "tables.py": TABLES}
    sources = {path: decode(path, content.encode()) for path, content in files.items()}
    project = Project(Snapshot(sources), Targets())
    plan = ExpireOnCommit().plan(project, Constraints(options=Options(sync=sync)))
    return [(one.level.value, one.message) for one in plan.findings]


def test_synchronous_sessions_get_it_on_request_alone():
    text = """
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from tables import Note
maker = scoped_session(sessionmaker())
def add(session: Session):
    note = Note()
    session.add(note)
    session.commit()
    return note.id
"""

    assert findings(text) == []
    [(level, message)] = findings(text, sync=True)
    assert level == "unsafe"
    assert "`note` (app.py:9) keeps the values from before the commit" in message


@pytest.mark.parametrize(
    ("body", "level"),
    [
        ("await s.commit()", "safe"),
        ("n.title = 'x'\n    await s.commit()", "safe"),
        ("await s.commit()\n    await s.refresh(n)\n    return n.title", "safe"),
        ("await s.commit()\n    n = Note()\n    return n.title", "safe"),
        ("await s.commit()\n    return await s.scalar(select(Note.id))", "safe"),
        ("await s.commit()\n    await s.execute(update(Note))", "safe"),
        ("title = n.title\n    await s.commit()\n    return title", "safe"),
        ("async with s.begin():\n        s.add(n)", "safe"),
        ("return n.title\n    await s.commit()", "safe"),
        ("await s.commit()\n    return n", "unsafe"),
        ("await s.commit()\n    await s.refresh(n, ['title'])\n    return n", "unsafe"),
        ("await s.commit()\n    if n.id:\n        await s.refresh(n)", "unsafe"),
        ("await s.commit()\n    return await s.scalar(select(Note))", "unsafe"),
        ("await s.commit()\n    return lambda: n.id", "unsafe"),
        ("await s.commit()\n    return [other for other in [n]]", "unsafe"),
        ("for _ in range(2):\n        print(n.id)\n        await s.commit()", "unsafe"),
        ("async with s.begin():\n        return n", "unsafe"),
        ("t = s.begin()\n    await t.commit()\n    return n", "unsafe"),
        ("await given.commit()", "unsafe"),
        ("await s.run_sync(given)", "unsafe"),
        ("given(s)", "unsafe"),
        ("await s.commit()\n    return given.id", "unsafe"),
        ("await s.commit()\n    return await one(s)", "unsafe"),
        ("await s.commit()\n    return await one_title(s)", "unsafe"),
        ("await s.commit()\n    return await number(s), str(1)", "safe"),
        ("await s.commit()\n    return await there(s, 1), await back(s, 1)", "unsafe"),
        ("await s.commit()\n    return await back(s, 1)", "unsafe"),
    ],
)
def test_what_is_read_after_a_commit_decides_the_level(body, level):
    text = f"{FACTORY}async def _use(s: AsyncSession, n: Note, given):\n    {body}\n"

    assert findings(text)[0][0] == level, findings(text)


def test_callers_go_on_with_what_they_have_after_a_commit():
    text = f"""{FACTORY}
async def _save(s: AsyncSession, n: Note):
    s.add(n)
    await s.commit()
async def _above(s: AsyncSession, n: Note):
    await _save(s, n)
    print(n.title)
"""

    [(level, message)] = findings(text)
    assert level == "unsafe"
    assert "`n` (app.py:23)" in message


def test_what_a_rollback_expires_is_named_and_costs_no_promise():
    text = f"""{FACTORY}
async def _undo(s: AsyncSession, n: Note):
    await s.rollback()
    return n.title
"""

    [(level, message)] = findings(text)
    assert level == "safe"
    assert message.endswith("a rollback still expires `n` (app.py:20)")


def test_a_session_of_one_function_is_judged_by_that_function():
    text = """
from sqlalchemy.ext.asyncio import AsyncSession
from tables import Note
async def one():
    async with AsyncSession() as s:
        s.add(Note())
        await s.commit()
async def two(kept):
    async with AsyncSession() as s:
        note = await s.get(Note, 1)
        kept.append(note)
        await s.commit()
async def three(give):
    async with AsyncSession() as s:
        note = await s.get(Note, 1)
        await s.commit()
        give(note)
"""

    assert [level for level, _ in findings(text)] == ["safe", "unsafe", "unsafe"]
