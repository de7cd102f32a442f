"""Classes whose `__init__` waits: objects are made by a class method, and are what they were."""

from __future__ import annotations

import pytest
from planned import printed, rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
"""
HEAD = """\
from database import Base, Item, engine
from sqlalchemy import select
from sqlalchemy.orm import Session


def get_db():
    with Session(engine) as db:
        yield db


"""
SHOP = f"""\
{HEAD}class Holder:
    def __init__(self, db: Session, shown="held"):
        self.db = db
        print("holder", shown)


class Report(Holder):
    \"\"\"A report.\"\"\"

    size = 1

    def __init__(self, db: Session, number: int, *names: str, factor: int = 2, **others) -> None:
        \"\"\"Make it of an item.\"\"\"
        super().__init__(db, shown=number)
        self.factor: int = factor
        # What it is about.
        self.item = db.get(Item, number)
        if self.item is None:
            return
        total = self.item.total * self.size
        self.total = total * factor
        self.__names = [*names, *sorted(others)]

    def more(self) -> list[object]:
        return [self.db.scalar(select(Item.id)), self.total, *self.__names]

    @classmethod
    def tenfold(cls, db: Session) -> "Report":
        return cls(db, 1, factor=10)

    def again(self, db: Session):
        return type(self)(db, 2)


class Small(Report):
    size = 100


class Alone:
    def __init__(self, db: Session, least=0) -> None:
        with db.no_autoflush:
            self.totals = [
                one.total for one in db.scalars(select(Item).order_by(Item.id)) if one.total > least
            ]


def first(db: Session):
    return Alone(db).totals[0]


def main() -> None:
    with Session(engine) as db:
        Base.metadata.create_all(db.get_bind())
        db.add_all([Item(id=1, total=5), Item(id=2, total=7)])
        db.commit()
        report = Report(db, 1, "a", z=1)
        print(report.more(), Small(db, number=2, factor=1).more(), vars(Report(db, 9)).keys())
        print(Report.tenfold(db).again(db).total, [Alone(db, one).totals for one in (0, 5)])
        print(first(db), isinstance(Small.tenfold(db), Small), Small.tenfold(db).total)


if __name__ == "__main__":
    main()
"""
MADE = """\
class Report:
    def __init__(self, db: Session):
        self.all = db.scalars(select(Item))
"""
LEFT = {
    "kept-as-a-value": f"{MADE}\n\ndef use(db: Session):\n    return Report(db), [Report]\n",
    "mapped": f"{MADE}\n\ndef use(db: Session):\n    return list(map(Report, [db]))\n",
    "replaced-below": f"""\
{MADE}
    @classmethod
    def of(cls, db: Session):
        return cls(db)


class Small(Report):
    def __init__(self, db: Session):
        self.all = []


def use(db: Session):
    return Report.of(db), Small.of(db)
""",
    "decorated": f"""\
def traced(function):
    return function


{MADE.replace("    def", "    @traced" + chr(10) + "    def", 1)}

def use(db: Session):
    return Report(db)
""",
}


def test_objects_are_what_they_were(tmp_path, capsys, monkeypatch):
    result = rewritten(database=DATABASE, shop=SHOP)
    assert not [one for one in result.findings if one.reason]
    after = result.files["shop.py"].decode()
    assert "await Report.create(db, 1, " in after
    assert "await created._load(db, number, factor, names, others)" in after
    assert (
        "class Alone:\n    @classmethod\n    async def create(cls, db: AsyncSession, least=0)"
        in after
    )
    before = {"database.py": DATABASE.encode(), "shop.py": SHOP.encode()}
    out = [
        printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
        for side, files in (("before", before), ("after", result.files))
    ]
    assert out[0] == out[1]
    assert "holder 9" in out[0]


@pytest.mark.parametrize("name", LEFT)
def test_what_is_made_elsewhere_refuses(name):
    text = HEAD + LEFT[name]
    result = rewritten(database=DATABASE, shop=text)
    assert "session-to-async/in-constructor" in {one.reason for one in result.findings}
    assert b"(cls, db: AsyncSession" not in result.files["shop.py"]


def test_a_class_that_a_framework_makes_is_made_by_its_method():
    dependency = f"""\
{HEAD}from fastapi import Depends, FastAPI

app = FastAPI()


class Report:
    def __init__(self, name: str, db: Session = Depends(get_db)):
        self.name = name
        self.total = db.scalar(select(Item.total))


@app.get("/")
def total(report: Report = Depends(Report)):
    return report.total
"""
    result = rewritten(database=DATABASE, shop=dependency)
    assert not [one for one in result.findings if one.reason]
    after = result.files["shop.py"].decode()
    assert "def total(report: Report = Depends(Report.create)):" in after
    short = dependency.replace("Depends(Report)", "Depends()")
    result = rewritten(database=DATABASE, shop=short)
    assert "session-to-async/in-constructor" in {one.reason for one in result.findings}
