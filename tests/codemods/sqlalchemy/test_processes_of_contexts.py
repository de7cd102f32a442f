"""Processes that a context of multiprocessing begins: ``get_context("spawn").Process(...)``."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, rewritten

DATABASE = """\
from sqlalchemy import String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine("sqlite:///{path}")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    article: Mapped[str] = mapped_column(String(20))


def add(article):
    with SessionLocal() as db:
        db.add(Order(article=article))
        db.commit()


def number() -> int:
    with SessionLocal() as db:
        return db.scalar(select(func.count()).select_from(Order)) or 0
"""
FORMS = {
    "a context that is named": """\
from multiprocessing import get_context

from database import Base, add, engine, number


def begin(article):
    context = get_context("fork")
    process = context.Process(target=add, args=(article,))
    process.start()
    process.join()
""",
    "that of the module": """\
import multiprocessing

from database import Base, add, engine, number


def begin(article):
    process = multiprocessing.get_context("fork").Process(None, add, args=(article,))
    process.start()
    process.join()
""",
}
MAIN = """

if __name__ == "__main__":
    begin("tea")
    print(number())
"""


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_its_target_stays_a_function_that_runs_a_coroutine_function(
    form, tmp_path, capsys, monkeypatch
):
    found = []
    for side in ("before", "after"):
        database = DATABASE.replace("{path}", str(tmp_path / f"{side}.db"))
        create = MAIN.replace("    begin(", "    Base.metadata.create_all(engine)\n    begin(", 1)
        files = {"database.py": database.encode(), "main.py": (form + create).encode()}
        if side == "after":
            result = rewritten(database=database, main=form + create)
            assert not [one for one in result.report.findings if one.reason]
            files = dict(result.files)
            assert "\ndef add(article):" in files["database.py"].decode()
            assert "asyncio.run(" in files["database.py"].decode()
        with forgotten_coroutines():
            found.append(printed("main.py", files, tmp_path / side, capsys, monkeypatch))
    assert found == ["1\n", "1\n"]
