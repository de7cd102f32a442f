"""Sessions of registries in properties, lists that are extended, and columns whose values hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

PROGRAM = """\
import datetime
from typing import Optional

from sqlalchemy import JSON, Column, ForeignKey, Integer, Table, create_engine
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, Session, mapped_column, relationship, scoped_session, sessionmaker,
)


class Base(DeclarativeBase):
    pass


Table("cities", Base.metadata, Column("id", Integer, primary_key=True))


class Shop(Base):
    __tablename__ = "shops"
    id = Column(Integer, primary_key=True)
    lamps: Mapped[list["Lamp"]] = relationship()


class Lamp(Base):
    __tablename__ = "lamps"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id = Column(ForeignKey("shops.id"))
    other_id = Column(ForeignKey("lamps.shop_id"))
    gone_id = Column(ForeignKey("cities.id"))
    label: Mapped[Optional[str]]
    made: Mapped[datetime.date | None]
    tags: Mapped[Optional[dict]] = mapped_column(JSON)
    more: Mapped[dict | None] = mapped_column(info=dict(a=1), type_=JSON)


engine = create_engine("sqlite://")
registry = scoped_session(sessionmaker(engine))
make = sessionmaker(engine)


class Database:
    def __init__(self):
        self.registry = scoped_session(make)
        self.made = make()

    @property
    def session(self) -> Session:
        return {session}


database = Database()


def asked(db: Session, given, flag=True):
{body}


Base.metadata.create_all(engine)
with Session(engine) as db:
    db.add_all([Shop(id=n) for n in (1, 2, 3)])
    db.add_all([Lamp(id=n, shop_id=1 + n % 2, label="a") for n in range(1, 6)])
    db.commit()
    for one in asked(db, []):
        print(one.id if isinstance(one, Base) else [getattr(part, "id", part) for part in one])
    database.made.close()
"""
SESSIONS = {
    "registry()": Level.SAFE,
    "self.registry()": Level.SAFE,
    "self.registry": Level.SAFE,
    "self.made": Level.SAFE,
    "self.made or registry()": Level.SAFE,
    "make()": Level.UNSAFE,
    "Session(engine)": Level.UNSAFE,
    "registry.session_factory()": Level.UNSAFE,
}
KEPT = """\
found = database.session.query(Shop)
if flag:
    found = found.filter(Shop.id > 1)
return found.order_by(Shop.id).all()
"""
LISTS = {
    "found = []\nfound.extend(db.query(Shop).filter(Shop.id > 1))\nreturn found": Level.SAFE,
    "found = [db]\nfound.extend(db.query(Shop).join(Shop.lamps))\nreturn found[1:]": Level.SAFE,
    "found = []\nfound.extend(db.query(Lamp.id, Lamp.shop_id))\nreturn found": Level.SAFE,
    "found = []\nasked = db.query(Shop)\nif flag:\n    asked = asked.filter(Shop.id < 3)\n"
    "found.extend(asked)\nreturn found": Level.SAFE,
    "given.extend(db.query(Shop))\nreturn given": Level.MANUAL,
    "found = []\nfound = given\nfound.extend(db.query(Shop))\nreturn found": Level.MANUAL,
}  # fmt: skip
HASHES = {
    "id": Level.SAFE,
    "shop_id": Level.SAFE,
    "other_id": Level.SAFE,
    "label": Level.SAFE,
    "made": Level.SAFE,
    "gone_id": Level.UNSAFE,
    "tags": Level.UNSAFE,
    "more": Level.UNSAFE,
}


@pytest.fixture
def outcome(tmp_path, capsys, monkeypatch):
    """Return a function that runs both sides of a program, and says what becomes of its query."""

    def of(body, session="self.made"):
        text = "".join(f"    {line}\n" for line in body.splitlines())
        files = {"program.py": PROGRAM.format(body=text, session=session).encode()}
        case = Case(
            name="it",
            family="sqlalchemy",
            rule="query-to-select",
            directory=Path(),
            settings=Settings(published=False, targets={"sqlalchemy": ">=2.0"}),
            before=files,
            after=files,
            program={},
        )
        result = run_case(case)
        before, after = (
            printed("program.py", {"program.py": side}, tmp_path / at, capsys, monkeypatch)
            for at, side in (("before", files["program.py"]), ("after", result.files["program.py"]))
        )
        assert before
        assert before == after
        (finding,) = result.report.findings
        return finding.level

    return of


@pytest.mark.parametrize("session", SESSIONS)
def test_a_registry_gives_the_same_session_again(session, outcome):
    assert outcome(KEPT, session) == SESSIONS[session]


@pytest.mark.parametrize("body", LISTS)
def test_a_list_is_extended_by_all_rows_at_once(body, outcome):
    assert outcome(body) == LISTS[body]


@pytest.mark.parametrize("column", HASHES)
def test_values_have_a_hash_by_their_type_annotation_or_key(column, outcome):
    query = f"return db.query(Shop, Lamp.{column}).join(Shop.lamps).order_by(Lamp.id).all()"

    assert outcome(query) == HASHES[column]
