"""Context managers that a call makes of a generator: ``contextmanager(get_db)``."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, reason_of, rewritten

DATABASE = """\
from sqlalchemy import String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    article: Mapped[str] = mapped_column(String(20))


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()
        print("closed")


def number(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(Order)) or 0
"""
START = """\
from contextlib import contextmanager

from database import Base, Order, engine, get_db, number


"""
FORMS = {
    "in a variable": """\
def main():
    Base.metadata.create_all(engine)
    opened = contextmanager(get_db)
    with opened() as db:
        db.add(Order(article="tea"))
        db.commit()
    with opened() as db:
        print(number(db))
""",
    "at once": """\
def main():
    Base.metadata.create_all(engine)
    with contextmanager(get_db)() as db:
        db.add(Order(article="tea"))
        db.commit()
        print(number(db))
""",
    "of the file": """\
opened = contextmanager(get_db)


def add(article):
    with opened() as db:
        db.add(Order(article=article))
        db.commit()


def main():
    Base.metadata.create_all(engine)
    add("tea")
    with opened() as db:
        print(number(db))
""",
}
END = """

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_what_is_made_of_a_generator_is_entered_asynchronously(form, tmp_path, capsys, monkeypatch):
    before = {"database.py": DATABASE.encode(), "main.py": (START + form + END).encode()}
    was = printed("main.py", before, tmp_path / "before", capsys, monkeypatch)
    result = rewritten(database=DATABASE, main=START + form + END)
    files, findings = result.files, result.report.findings
    assert not [one for one in findings if one.reason]
    text = files["main.py"].decode()
    assert "import asynccontextmanager" in text
    assert "asynccontextmanager(get_db)" in text
    assert " with " not in text.replace("async with", "")
    with forgotten_coroutines():
        assert printed("main.py", files, tmp_path / "after", capsys, monkeypatch) == was
    assert was.endswith("1\nclosed\n") or was == "closed\n1\nclosed\n"


def test_generators_of_which_one_call_makes_managers_change_together():
    form = """\
def spare():
    print("spare")
    yield None


def main(whole):
    with contextmanager(get_db if whole else spare)() as db:
        print(db is None or number(db))
"""
    result = rewritten(database=DATABASE, main=START + form)
    assert not [one for one in result.report.findings if one.reason]
    assert "async def spare():" in result.files["main.py"].decode()


def test_a_manager_that_is_handed_on_names_where():
    form = """\
import tools


def main():
    tools.keep(contextmanager(get_db))
"""
    findings = rewritten(database=DATABASE, main=START + form).report.findings
    found = [one for one in findings if reason_of(one) == "handed-on"]
    assert [one.help for one in found if "may call it" in one.help]
