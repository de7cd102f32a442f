"""Reads that lead back to the class they began with: the mapping stops there, a statement not."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, rewritten

DATABASE = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///{path}")


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="shop", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shop: Mapped[Shop] = relationship(back_populates="orders")


def names(order: Order) -> str:
    return order.shop.name


def numbers(shop: Shop) -> list[int]:
    return [one.id for one in shop.orders]


# Who calls them is not in sight: each object has to come with what they read.
SHOWN = [names, numbers]
"""
MAIN = """\
from database import Base, Order, Shop, engine
from sqlalchemy import select
from sqlalchemy.orm import Session


def beside(number):
    with Session(engine) as db:
        found = db.scalars(select({model}).where({model}.id == number)).one()
        return {reads}


def main():
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add(Shop(name="corner", orders=[Order(), Order()]))
        db.commit()
    print(beside(1))


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("read", "is_back"),
    [
        (("Order", "[one.id for one in found.shop.orders]"), True),
        (("Order", "[one.shop.name for one in found.shop.orders]"), True),
        (("Order", "found.shop.name"), False),
        # The session has the object that was loaded first.
        (("Shop", "[one.shop.name for one in found.orders]"), False),
    ],
    ids=["back", "twice", "not back", "to itself"],
)
def test_what_leads_back_is_loaded_by_the_statement(read, is_back, tmp_path, capsys, monkeypatch):
    database = DATABASE.replace("{path}", str(tmp_path / "shop.db"))
    model, code = read
    main = MAIN.format(model=model, reads=code)
    result = rewritten(database=database, main=main)
    assert not [one for one in result.report.findings if one.reason]
    assert result.files["database.py"].count(b'lazy="selectin"') == len(["shop", "orders"])
    text = result.files["main.py"].decode()
    assert (".options(" in text) is is_back

    before = {"database.py": database.encode(), "main.py": main.encode()}
    was = printed("main.py", before, tmp_path / "before", capsys, monkeypatch)
    (tmp_path / "shop.db").unlink()
    with forgotten_coroutines():
        after = printed("main.py", result.files, tmp_path / "after", capsys, monkeypatch)
    assert after == was


SCHEMAS = """\
from pydantic import BaseModel, ConfigDict, model_validator


class ShopOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str
    order_ids: list[int]

    @model_validator(mode="before")
    @classmethod
    def ids_of_orders(cls, data):
        {validator}
        return data


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    shop: ShopOut
"""


@pytest.mark.parametrize(
    "validator",
    [
        "data.order_ids = [one.id for one in data.orders]",
        'data.order_ids = [one.id for one in getattr(data, "orders")]',
    ],
    ids=["attribute", "getattr"],
)
def test_what_a_validator_reads_leads_back_as_a_field_does(
    validator, tmp_path, capsys, monkeypatch
):
    database = DATABASE.replace("{path}", str(tmp_path / "shop.db"))
    schemas = SCHEMAS.replace("{validator}", validator)
    main = "from schemas import OrderOut\n" + MAIN.format(
        model="Order", reads="OrderOut.model_validate(found)"
    )
    result = rewritten(database=database, schemas=schemas, main=main)
    assert b"joinedload(Order.shop).selectinload(Shop.orders)" in result.files["main.py"]

    before = {"database.py": database, "schemas.py": schemas, "main.py": main}
    files = {name: text.encode() for name, text in before.items()}
    was = printed("main.py", files, tmp_path / "before", capsys, monkeypatch)
    (tmp_path / "shop.db").unlink()
    with forgotten_coroutines():
        after = printed("main.py", result.files, tmp_path / "after", capsys, monkeypatch)
    assert after == was == "id=1 shop=ShopOut(name='corner', order_ids=[1, 2])\n"


def test_a_validator_that_is_given_the_model_reads_no_object():
    validator = SCHEMAS.replace('mode="before"', 'mode="after"').replace(
        "        {validator}", "        print(data.orders)"
    )
    main = "from schemas import OrderOut\n" + MAIN.format(
        model="Order", reads="OrderOut.model_validate(found)"
    )

    result = rewritten(database=DATABASE, schemas=validator, main=main)

    assert b".options(" not in result.files["main.py"]
