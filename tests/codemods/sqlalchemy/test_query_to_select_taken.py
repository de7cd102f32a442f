"""Functions of libraries that take a Query or a select(): both sides are run, on a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

# As the library does it: a Query is made the select() that it is, and its own session is left.
LIBRARY = """\
from sqlalchemy import func, select


def paginate(conn, query, params=None, *, unique=True):
    query = query._statement_20() if hasattr(query, "_statement_20") else query
    counted = select(func.count()).select_from(query.order_by(None).subquery())
    found = conn.execute(query.limit(2).offset(1))
    rows = (found.unique() if unique else found).all()
    return conn.scalar(counted), [one[0].id for one in rows]
"""
PROGRAM = """\
import sys
import types

library = types.ModuleType("fastapi_pagination.ext.sqlalchemy")
with open("{directory}/library.txt") as text:
    exec(text.read(), library.__dict__)
for name in ("fastapi_pagination", "fastapi_pagination.ext"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
sys.modules["fastapi_pagination.ext.sqlalchemy"] = library
sys.modules["fastapi_pagination.ext"].sqlalchemy = library
sys.modules["fastapi_pagination"].ext = sys.modules["fastapi_pagination.ext"]

import fastapi_pagination.ext.sqlalchemy
from fastapi_pagination.ext import sqlalchemy as pages
from fastapi_pagination.ext.sqlalchemy import paginate
from fastapi_pagination.ext.sqlalchemy import paginate as page_of
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    lamps: Mapped[list["Lamp"]] = relationship()


class Lamp(Base):
    __tablename__ = "lamps"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))


def asked(db: Session, least=1):
{body}


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Shop(id=n, lamps=[Lamp(), Lamp()]) for n in (1, 2, 3, 4)])
    session.commit()
    print(asked(session))
for name in [one for one in sys.modules if one.startswith("fastapi_pagination")]:
    del sys.modules[name]
"""
QUERY = "db.query(Shop).filter(Shop.id > least).order_by(Shop.id.desc())"
TAKEN = [
    f"return paginate(db, {QUERY})",
    f"return paginate(db, query={QUERY})",
    f"return paginate(conn=db, query={QUERY})",
    f"return page_of(db, {QUERY}, None, unique=True)",
    f"return pages.paginate(db, {QUERY})",
    f"return fastapi_pagination.ext.sqlalchemy.paginate(db, {QUERY})",
    f"return paginate(db, {QUERY}.options(joinedload(Shop.lamps)))",
    "return paginate(db, db.query(Shop).join(Shop.lamps).order_by(Shop.id))",
    f"found = {QUERY}\nif least:\n    found = found.filter_by(id=3)\nreturn paginate(db, found)",
    f"found = {QUERY}\nreturn found.count(), paginate(db, found)",
    f"def made():\n    return {QUERY}\nreturn paginate(db, made())",
]
LEFT = [
    "return paginate(db, db.query(Shop.id))",
    "return paginate(db, db.query(Shop, Lamp).join(Shop.lamps))",
    f"return paginate(db, {QUERY}.yield_per(2))",
    f"return paginate(db, {QUERY}.enable_eagerloads(False))",
    f"return paginate(*[db, {QUERY}])",
    f"return paginate(conn={QUERY}, query=db)",
    f"found = {QUERY}.yield_per(2)\nreturn paginate(db, found)",
    f"def paginate(conn, query):\n    return query.all()\nreturn paginate(db, {QUERY})",
]


def result_of(body, directory="", targets=None):
    text = "".join(f"    {line}\n" for line in body.splitlines())
    files = {"program.py": PROGRAM.format(body=text, directory=directory).encode()}
    return run_case(
        Case(
            name="it",
            family="sqlalchemy",
            rule="query-to-select",
            directory=Path(),
            settings=Settings(published=False, targets=targets or {}),
            before=files,
            after=files,
            program={},
        )
    )


@pytest.mark.parametrize("body", TAKEN)
def test_what_takes_either_is_given_the_statement(body, tmp_path, capsys, monkeypatch):
    (tmp_path / "library.txt").write_text(LIBRARY)
    result = result_of(body, directory=tmp_path)

    assert {one.level for one in result.report.findings} == {Level.SAFE}
    sides = [result.case.before["program.py"], result.files["program.py"]]
    before, after = (
        printed("program.py", {"program.py": side}, tmp_path / at, capsys, monkeypatch)
        for at, side in zip(("before", "after"), sides, strict=True)
    )
    assert before == after
    assert b".query(" not in sides[1].partition(b"def asked")[2]


@pytest.mark.parametrize("body", LEFT)
def test_what_it_need_not_do_with_a_statement_is_left(body):
    found = result_of(body).report.findings

    levels = [one.level for one in found]
    # A function of the program is followed, whatever it is called.
    assert levels == [Level.SAFE if body.startswith("def") else Level.MANUAL]


def test_earlier_versions_are_not_known_to_do_so():
    (found,) = result_of(TAKEN[0], targets={"fastapi-pagination": ">=0.12.33"}).report.findings

    assert found.level == Level.MANUAL
