"""Builtins that are handed on beside functions that wait: coroutine functions call them."""

from __future__ import annotations

from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

SHOP = """\
from collections.abc import Callable

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Label(Base):
    __tablename__ = "labels"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Alias:
    def __init__(self, key: str, change: Callable | None = None) -> None:
        self.key = key
        self.change = change


class Labels:
    def __init__(self, db: Session) -> None:
        self.db = db

    def numbers(self, names: str) -> list[int]:
        found = self.db.scalars(select(Label).where(Label.name.in_(names.split(","))))
        return sorted(label.id for label in found)


def changed(aliases: list[Alias], values: dict) -> dict:
    for alias in aliases:
        if alias.change:
            try:
                values[alias.key] = alias.change(values[alias.key])
            except ValueError as error:
                print(error)
    return values


def main() -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Label(name="cheap"), Label(name="new")])
        db.flush()
        aliases = [
            Alias("size", str),
            Alias("price", change=int),
            Alias("labels", Labels(db).numbers),
            Alias("text"),
        ]
        values = {"size": 3, "price": "7", "labels": "new,cheap", "text": "x"}
        print(changed(aliases, values))
        print(changed(aliases[1:2], {"price": "a lot"}))


if __name__ == "__main__":
    main()
"""


def test_builtins_beside_what_waits_give_coroutines(tmp_path, capsys, monkeypatch):
    result = rewritten(shop=SHOP)
    assert "await alias.change(" in result.files["shop.py"].decode()
    before = {"shop.py": SHOP.encode()}
    expected = printed("shop.py", before, tmp_path / "before", capsys, monkeypatch)
    with forgotten_coroutines():
        after = printed("shop.py", result.files, tmp_path / "after", capsys, monkeypatch)
    assert after == expected
    assert "'size': '3', 'price': 7, 'labels': [1, 2], 'text': 'x'" in expected


def test_a_builtin_that_may_give_a_coroutine_is_not_taken_for_one_that_does_not():
    other = SHOP.replace('Alias("size", str)', 'Alias("size", next)')
    found = session_to_async({"shop.py": other}).findings
    assert "handed-on" in {reason_of(one) for one in found}


def test_a_name_of_the_program_is_no_builtin():
    other = SHOP.replace("class Alias:", "str = print.__self__.eval\n\n\nclass Alias:")
    found = session_to_async({"shop.py": other}).findings
    assert "handed-on" in {reason_of(one) for one in found}
