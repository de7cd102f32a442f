"""Keys that rows get with select(): every way that rows go, and every way to read them."""

from __future__ import annotations

import pytest

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

START = """\
from sqlalchemy import String, cast, func
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    age: Mapped[int]


"""
QUERY = "s.query(User.age, func.count(User.id)).group_by(User.age).all()"
WAYS = {
    "inline": "def f(s: Session, name):\n    return [{} for row in {query}]\n",
    "variable": "def f(s: Session, name):\n    rows = {query}\n    for row in rows:\n        {}\n",
    "sorted": "def f(s: Session, name):\n    return [{} for row in sorted({query})]\n",
    "returned": "def _rows(s: Session):\n    return {query}\n"
    "def f(s, name):\n    return [{} for row in _rows(s)]\n",
    "returned-twice": "def _rows(s: Session):\n    found = {query}\n    return found\n"
    "def _more(s):\n    return _rows(s)\n"
    "def f(s, name):\n    return [{} for row in _more(s)]\n",
    "awaited": "async def _rows(s: Session):\n    return {query}\n"
    "async def f(s, name):\n    return [{} for row in await _rows(s)]\n",
    "handed-on": "def _shown(name, rows):\n    return [{} for row in rows]\n"
    "def f(s: Session, name):\n    return _shown(name, rows={query})\n",
    "row-handed-on": "def _shown(row, name):\n    return {}\n"
    "def f(s: Session, name):\n    return [_shown(row, name) for row in {query}]\n",
    "method": "class Report:\n    def __init__(self, s: Session):\n        self.s = s\n"
    "    def _rows(self):\n        return self.{query}\n"
    "    def shown(self, name):\n        return [{} for row in self._rows()]\n",
}
READS = {
    "row[0] + row[1]": Level.SAFE,
    "row.age": Level.SAFE,
    "tuple(row)": Level.SAFE,
    "row.count_1": Level.SAFE,
    "row._asdict()": Level.MANUAL,
    "row._fields": Level.MANUAL,
    "dict(row._mapping)": Level.MANUAL,
    "row.count": Level.MANUAL,
    "hasattr(row, 'count')": Level.UNSAFE,
    "getattr(row, name, None)": Level.UNSAFE,
    "getattr(row, name)": Level.UNSAFE,
    "vars(row)": Level.UNSAFE,
    "render(row)": Level.UNSAFE,
    "Shown.model_validate(row)": Level.UNSAFE,
    "name.append(row)": Level.UNSAFE,
    "name.update(row=row)": Level.UNSAFE,
    "{'row': row}": Level.UNSAFE,
    "dict(row=row)": Level.UNSAFE,
}


def levels(**files):
    sources = {f"{name}.py": decode(f"{name}.py", text.encode()) for name, text in files.items()}
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(published=False))
    return [one.level for one in QueryToSelect().plan(project, Constraints()).findings]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("read", READS)
def test_the_level_follows_from_what_is_done_with_the_rows(way, read):
    text = START + WAYS[way].format(read, query=QUERY)

    assert levels(app=text) == [READS[read]]


@pytest.mark.parametrize("read", ["row[0]", "hasattr(row, 'count')", "getattr(row, name, 1)"])
def test_words_in_other_files_decide_nothing(read):
    text = START + WAYS["inline"].format(read, query=QUERY)
    words = "# _asdict, _fields, _mapping, .keys(), pandas, DataFrame\n"

    assert levels(app=text + words, other=words) == levels(app=text)


def test_callers_out_of_sight_may_read_any_key():
    text = START + "def rows(s: Session):\n    return " + QUERY + "\n"
    sources = Snapshot({"app.py": decode("app.py", text.encode())})
    published = Project(sources, Targets(), settings=ProjectSettings(published=True))
    (finding,) = QueryToSelect().plan(published, Constraints()).findings

    assert finding.level == Level.UNSAFE


@pytest.mark.parametrize("read", ["row.max", "row.age", "row.anon_1"])
@pytest.mark.parametrize("item", ["func.max(User.age)", "cast(User.age, String)", "User.age + 1"])
def test_an_attribute_that_a_key_may_be_named_like_is_not_lost(read, item):
    text = START + WAYS["inline"].format(read, query=f"s.query(User.id, {item}).all()")
    may_be_key = read.removeprefix("row.") in item

    assert levels(app=text) == [Level.MANUAL if may_be_key else Level.SAFE]
