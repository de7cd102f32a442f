"""Tables that a suite drops and makes when its files are read."""

from __future__ import annotations

from planned import forgotten_coroutines, printed, rewritten

SHOP = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker
from sqlalchemy.pool import NullPool

engine = create_engine("sqlite:///shop.db", poolclass=NullPool)
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)


def count():
    with LocalSession() as db:
        return len(db.scalars(select(Shop)).all())
"""
SUITE = """\
from shop import Base, count, engine

Base.metadata.drop_all(bind=engine)
Base.metadata.create_all(bind=engine)
Base.metadata.create_all(bind=engine)


def test_count():
    assert count() == 0
"""


def test_each_change_has_a_name_of_its_own(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=SHOP, test_shop=SUITE)
    written = result.files["test_shop.py"].decode()

    for name in ("drop_tables", "create_tables", "create_tables_2"):
        assert written.count(f"async def {name}() -> None:\n") == 1
        assert written.count(f"asyncio.run({name}())\n") == 1
    monkeypatch.chdir(tmp_path)
    with forgotten_coroutines():
        printed("test_shop.py", result.files, tmp_path / "after", capsys, monkeypatch)
