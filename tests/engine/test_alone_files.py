"""Each change alone, of changes that were made together: what it is when it is made alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken import api
from awaken.engine.asking.alone_files import AloneFiles
from awaken.settings import Settings

MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2"]
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
HEAD = "from sqlalchemy.orm import Session\n\nfrom models import User\n"
SELECT = f"from sqlalchemy import select\n{HEAD}"
QUERY = "\n\ndef f{0}(db: Session) -> list[User]:\n    return db.query(User).all()\n"
NEAR = "    a{0} = db.query(User).all()\n"
LOOP = "\n\nasync def f{0}():\n    return asyncio.get_event_loop()\n"
FROM = "\n\nasync def f{0}():\n    return get_event_loop()\n"
LONG = "\n\nasync def f{0}():\n    use(\n        asyncio.get_event_loop(),  # é\n    )\n"
MIXED = "import asyncio\nfrom asyncio import get_event_loop\n"


def several(text, count=8):
    return "".join(text.format(number) for number in range(count))


FILES = {
    "queries that need an import": HEAD + several(QUERY),
    "queries that have it": SELECT + several(QUERY),
    "queries on lines next to each other": (
        f"{SELECT}\n\ndef f(db: Session) -> None:\n{several(NEAR)}"
    ),
    "loops": f"import asyncio\n{several(LOOP)}",
    "loops without a last line end": f"import asyncio\n{several(LOOP)}".rstrip("\n"),
    "loops by a name that is released": f"from asyncio import get_event_loop\n{several(FROM)}",
    "some by a name, others not": MIXED + several(LOOP) + several(FROM, 1),
    "over several lines": f"import asyncio\n{several(LONG)}",
    "line ends of Windows": f"import asyncio\n{several(LOOP)}".replace("\n", "\r\n"),
    "few": f"import asyncio\n{several(LOOP, 2)}",
    "two rules": f"import asyncio\n{SELECT}{several(LOOP)}{several(QUERY)}",
}


@pytest.mark.parametrize("name", FILES)
def test_a_change_alone_is_the_same(tmp_path, name):
    for file, text in {
        "pyproject.toml": MANIFEST,
        "models.py": MODELS,
        "a.py": FILES[name],
    }.items():
        (tmp_path / file).write_bytes(text.encode())
    settings = Settings(select=("running-loop", "query-to-select"))
    staged = api.run_staged([tmp_path], api.Options(settings=settings, use_cache=False))
    (root,) = staged.report.roots
    assert root.changes

    alone = AloneFiles(staged)

    for change in root.changes:
        assert alone.files_of(root.root, change.id) == staged.files_of(root.root, change.id)


def test_many_changes_are_made_a_few_times(tmp_path, monkeypatch):
    text = FILES["loops"]
    for file, content in {"pyproject.toml": MANIFEST, "a.py": text}.items():
        (tmp_path / file).write_text(content, "utf-8")
    options = api.Options(settings=Settings(select=("running-loop",)), use_cache=False)
    staged = api.run_staged([tmp_path], options)
    (root,) = staged.report.roots
    made, make = [], staged._make

    def counted(*words):
        made.append(words)
        return make(*words)

    monkeypatch.setattr(staged, "_make", counted)
    alone = AloneFiles(staged)

    for change in root.changes:
        assert [file.path for file in alone.files_of(Path(root.root), change.id)] == ["a.py"]

    assert len(made) == 1, "together; those alone come from the cache of the staged run"
