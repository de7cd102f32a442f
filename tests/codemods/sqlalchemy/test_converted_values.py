"""What a column makes of a value of another type is what is read behind a commit."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, rewritten

SHOP = """\
from random import randint

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str | None]


engine = create_engine("sqlite://")


class Items:
    def __init__(self, db: Session) -> None:
        self.db = db

    def renew(self) -> object:
        item = self.db.scalars(select(Item)).one()
        item.version = {given}
        self.db.commit()
        return item.version


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add(Item(id=1))
        db.commit()
        print(repr(Items(db).renew()))


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("given", ["randint(7, 7)", '"seven"', "None"])
def test_it_is_what_the_database_has(given, tmp_path, capsys, monkeypatch):
    text = SHOP.replace("{given}", given)
    result = rewritten(shop=text)
    assert {one.reason for one in result.report.findings} == {None}
    is_anew = b'refresh(item, attribute_names=["version"])' in result.files["shop.py"]
    assert is_anew == (given == "randint(7, 7)")
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", {"shop.py": text.encode()}), ("after", result.files))
        ]
    assert out[0] == out[1]
