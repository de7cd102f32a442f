"""Joins to one row at most repeat nothing, by the keys in the models; both sides are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

PROGRAM = """\
from sqlalchemy import (
    Column, ForeignKey, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, String, Table,
    UniqueConstraint, and_, any_, create_engine, func, or_, text,
)
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, Session, aliased, contains_eager, joinedload, mapped_column,
    registry, relationship,
)


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    key: Mapped[int] = mapped_column("id", primary_key=True)
    name: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    lamps: Mapped[list["Lamp"]] = relationship(back_populates="shop")
    licence: Mapped["Licence"] = relationship(back_populates="shop")


class Lamp(Base):
    __tablename__ = "lamps"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shop: Mapped[Shop] = relationship(back_populates="lamps")
    parts: Mapped[list["Part"]] = relationship(back_populates="lamp")
    name: Mapped[str]


class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    lamp_id: Mapped[int] = mapped_column(ForeignKey("lamps.id"))
    lamp: Mapped[Lamp] = relationship(back_populates="parts")
    kind: Mapped[str]


class Licence(Base):
    __tablename__ = "licences"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), unique=True)
    shop: Mapped[Shop] = relationship(back_populates="licence")


class Pair(Base):
    __tablename__ = "pairs"
    left_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), primary_key=True)
    right: Mapped[int] = mapped_column(primary_key=True)


class Shelf(Base):
    __tablename__ = "shelves"
    __table_args__ = (PrimaryKeyConstraint("shop_id", "row"), {{"sqlite_autoincrement": False}})
    shop_id: Mapped[int] = mapped_column(ForeignKey(Shop.key))
    row: Mapped[int] = mapped_column("row")
    mark: Mapped[str] = mapped_column(index=True)
    shop: Mapped[Shop] = relationship()


class Box(Base):
    __tablename__ = "boxes"
    __table_args__ = (
        ForeignKeyConstraint(["shop_id", "row"], ["shelves.shop_id", "shelves.row"]),
        Index("marks", "mark", unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int]
    row: Mapped[int]
    mark: Mapped[str]
    first_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shelf: Mapped[Shelf] = relationship()
    first: Mapped[Shop] = relationship(foreign_keys=[first_id])
    other: Mapped[Shop] = relationship(foreign_keys="Box.other_id")


class Note(Base):
    __tablename__ = "notes"
    box_id: Mapped[int] = mapped_column(ForeignKey("boxes.id"))
    side: Mapped[int] = mapped_column()
    id: Mapped[int] = mapped_column(primary_key=True)
    above_id: Mapped[int | None] = mapped_column(ForeignKey("notes.id"))
    box: Mapped[Box] = relationship()
    above: Mapped["Note"] = relationship(remote_side=[id], back_populates="below")
    below: Mapped[list["Note"]] = relationship(back_populates="above")
    __table_args__ = (
        UniqueConstraint(box_id, side),
        Index("some", "side", unique=True, sqlite_where=text("side > 90")),
    )


class Staff(Base):
    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shop: Mapped[Shop] = relationship()
    __mapper_args__ = {{"polymorphic_on": "kind", "polymorphic_identity": "staff"}}


class Cook(Staff):
    __tablename__ = "cooks"
    id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    lamp_id: Mapped[int] = mapped_column(ForeignKey("lamps.id"))
    lamp: Mapped[Lamp] = relationship()
    __mapper_args__ = {{"polymorphic_identity": "cook"}}


class Dish(Base):
    __tablename__ = "dishes"
    id: Mapped[int] = mapped_column(primary_key=True)
    cook_id: Mapped[int] = mapped_column(ForeignKey("cooks.id"))
    cook: Mapped[Cook] = relationship()


bills = Table(
    "bills", Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("shop_id", Integer, ForeignKey("shops.id")),
    Column("code", String, nullable=True),
    UniqueConstraint("code"),
)


class Bill:
    id: Mapped[int]
    shop_id: Mapped[int]


registry(metadata=Base.metadata).map_imperatively(Bill, bills)
Upper = aliased(Note)
Other = aliased(Shop)


def asked(session: Session, flag=True):
{body}


def shown(found):
    return found.__mapper__.primary_key_from_instance(found) if is_object(found) else found


def is_object(found):
    return isinstance(found, (Base, Bill))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Shop(key=n, name="ab"[n % 2], code=str(n)) for n in (1, 2, 3)])
    session.add_all([Lamp(id=n, shop_id=1 + n % 2, name=str(n % 3)) for n in range(1, 6)])
    session.add_all([Part(id=n, lamp_id=1 + n % 3, kind="abz"[n % 3]) for n in range(1, 8)])
    session.add_all([Licence(id=n, shop_id=n) for n in (1, 2)])
    session.add_all([Pair(left_id=n % 3 + 1, right=n) for n in range(1, 6)])
    session.add_all([Shelf(shop_id=1 + n % 2, row=n // 2, mark=str(n % 2)) for n in range(6)])
    session.add_all([
        Box(id=n, shop_id=1 + n % 2, row=n // 2, mark=str(n), first_id=1, other_id=1 + n % 3)
        for n in range(1, 6)
    ])
    session.add_all([Note(id=1, box_id=1, side=1)])
    session.flush()
    session.add_all([Note(id=n, box_id=n // 2, side=n % 2, above_id=1) for n in range(4, 9)])
    session.add_all([Cook(id=n, shop_id=1 + n % 3, lamp_id=1) for n in range(1, 4)])
    session.add_all([Staff(id=9, shop_id=1)])
    session.flush()
    session.add_all([Dish(id=n, cook_id=1 + n % 3) for n in range(1, 6)])
    for n in (1, 2, 3, 4):
        one = Bill()
        one.id, one.shop_id, one.code = n, 1 + n % 2, "a" if n == 1 else None
        session.add(one)
    session.commit()
    for one in asked(session):
        print(shown(one) if is_object(one) else [shown(each) for each in one])
"""
ONE = {
    "session.query(Lamp).join(Lamp.shop){}.all()": "Shop",
    "session.query(Lamp).outerjoin(Lamp.shop){}.all()": "Shop",
    "session.query(Lamp).join(Shop){}.all()": "Shop",
    "session.query(Lamp).join(Shop, isouter=True, full=False){}.all()": "Shop",
    "session.query(Lamp).join(Shop, Lamp.shop){}.all()": "Shop",
    "session.query(Lamp).join(Shop, onclause=Lamp.shop_id == Shop.key){}.all()": "Shop",
    "session.query(Lamp).join(target=Shop, onclause=Shop.key == Lamp.shop_id){}.all()": "Shop",
    "session.query(Lamp).join(Shop, Shop.code == Lamp.name){}.all()": "Shop",
    "session.query(Lamp).join(Shop, and_(Shop.key == Lamp.shop_id, Shop.key > 1)){}.all()": "Shop",
    "session.query(Lamp).join(Shop, (Shop.key == 2) & (Shop.name == 'a')){}.all()": "Shop",
    "session.query(Lamp).join(Other, Lamp.shop){}.all()": "Other",
    "session.query(Lamp).join(Lamp.shop.of_type(Other)){}.all()": "Other",
    "session.query(Lamp).join(Other, Other.key == Lamp.shop_id){}.all()": "Other",
    "session.query(Part).join(Part.lamp).join(Lamp.shop){}.all()": "Shop",
    "session.query(Part).join(Lamp).join(Shop){}.all()": "Shop",
    "session.query(Part).join(Lamp).join(Shop, Shop.key == Lamp.shop_id){}.all()": "Shop",
    "session.query(Shop).join(Shop.licence){}.all()": "Licence",
    "session.query(Shop).join(Licence){}.all()": "Licence",
    "session.query(Licence).join(Shop){}.all()": "Shop",
    "session.query(Pair).join(Shop){}.all()": "Shop",
    "session.query(Lamp, Shop).join(Lamp.shop){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).options(contains_eager(Lamp.shop)){}.all()": "Shop",
    # Keys in `__table_args__`, and those that name attributes.
    "session.query(Box).join(Box.shelf){}.all()": "Shelf",
    "session.query(Box).join(Shelf){}.all()": "Shelf",
    "session.query(Box).join(Shelf, (Shelf.shop_id == 1) & (Box.row == Shelf.row)){}.all()": (
        "Shelf"
    ),
    "session.query(Shelf).join(Shelf.shop){}.all()": "Shop",
    "session.query(Shelf).join(Shop){}.all()": "Shop",
    "session.query(Lamp).join(Box, Box.mark == Lamp.name){}.all()": "Box",
    "session.query(Note).join(Note.box).join(Box.shelf).join(Shelf.shop){}.all()": "Shop",
    "session.query(Lamp).join(Note, and_(Note.box_id == Lamp.id, Note.side == 1)){}.all()": "Note",
    "session.query(Bill).join(Shop){}.all()": "Shop",
    "session.query(Shop).join(Bill, Bill.code == Shop.name){}.all()": "Bill",
    # A relationship that says which columns it goes by.
    "session.query(Box).join(Box.first){}.all()": "Shop",
    "session.query(Box).join(Box.other){}.all()": "Shop",
    "session.query(Note).join(Upper, Note.above){}.all()": "Upper",
    "session.query(Note).join(Note.above.of_type(Upper)){}.all()": "Upper",
    # Classes whose rows come from several tables.
    "session.query(Cook).join(Cook.shop){}.all()": "Shop",
    "session.query(Cook).join(Cook.lamp){}.all()": "Lamp",
    "session.query(Cook).join(Lamp){}.all()": "Lamp",
    "session.query(Cook).join(Shop){}.all()": "Shop",
    "session.query(Staff).join(Staff.shop){}.all()": "Shop",
    "session.query(Dish).join(Dish.cook){}.all()": "Cook",
    "session.query(Dish).join(Cook){}.all()": "Cook",
    "session.query(Dish).join(Dish.cook).join(Cook.shop){}.all()": "Shop",
    # Criteria that join.
    "session.query(Lamp).filter(Lamp.shop_id == Shop.key){}.all()": "Shop",
    "session.query(Lamp).where(Shop.key == Lamp.shop_id, Shop.name == 'a'){}.all()": "Shop",
    "session.query(Lamp).filter((Lamp.shop_id == Other.key) & (Other.key < 3)){}.all()": "Other",
    "session.query(Part).filter(Part.lamp_id == Lamp.id, Lamp.shop_id == Shop.key){}.all()": "Shop",
    "session.query(Part).join(Lamp).filter(Lamp.shop_id == Shop.key){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).filter(Shop.key == Part.id){}.all()": "Shop",
    "session.query(Lamp, Shop).filter(Lamp.shop_id == Shop.key){}.all()": "Shop",
    "session.query(Lamp).filter(Shelf.shop_id == Lamp.shop_id, Shelf.row == 1){}.all()": "Shelf",
}
MANY = {
    "session.query(Shop).join(Shop.lamps){}.all()": "Lamp",
    "session.query(Shop).join(Lamp){}.all()": "Lamp",
    "session.query(Shop).join(Lamp, Lamp.shop_id == Shop.key){}.all()": "Lamp",
    "session.query(Shop).join(Pair){}.all()": "Pair",
    "session.query(Shop).join(Pair, Pair.left_id == Shop.key){}.all()": "Pair",
    "session.query(Lamp).join(Shop, Shop.name == 'a'){}.all()": "Shop",
    "session.query(Lamp).join(Shop, or_(Shop.key == Lamp.shop_id, Shop.key > 1)){}.all()": "Shop",
    "session.query(Lamp).join(Shop, Shop.key == Shop.key){}.all()": "Shop",
    "session.query(Lamp).join(Shop, Shop.key >= Lamp.shop_id){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).join(Shop.lamps.of_type(aliased(Lamp))){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).join(Lamp.parts){}.all()": "Shop",
    "session.query(Part).join(Shop, Shop.name == Part.kind).join(Shop.licence){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).filter(Other.key > 1){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).filter(Shop.key == Part.lamp_id){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).options(joinedload(Lamp.parts)){}.all()": "Shop",
    "session.query(Shop).select_from(Lamp).join(Lamp.shop){}.all()": "Shop",
    "session.query(Shelf).join(Box){}.all()": "Box",
    "session.query(Shop).join(Shelf){}.all()": "Shelf",
    "session.query(Shop).join(Shelf, Shelf.shop_id == Shop.key){}.all()": "Shelf",
    "session.query(Lamp).join(Shelf, Shelf.mark == Lamp.name){}.all()": "Shelf",
    "session.query(Lamp).join(Note, Note.side == Lamp.id){}.all()": "Note",
    "session.query(Lamp).join(Note, Note.box_id == Lamp.id){}.all()": "Note",
    "session.query(Note).join(Upper, Note.below){}.all()": "Upper",
    "session.query(Shop).join(Bill){}.all()": "Bill",
    "session.query(Shop).join(Bill, Bill.code == None){}.all()": "Bill",
    "session.query(Shop).join(Bill, Bill.code == (None if flag else 'a')){}.all()": "Bill",
    "session.query(Shop).join(Cook){}.all()": "Cook",
    "session.query(Cook).join(Dish){}.all()": "Dish",
    "session.query(Lamp).join(Cook){}.all()": "Cook",
    "session.query(Shop).filter(Lamp.shop_id == Shop.key){}.all()": "Lamp",
    "session.query(Lamp).filter(or_(Lamp.shop_id == Shop.key, Shop.key == 1)){}.all()": "Shop",
    "session.query(Lamp).filter(Shop.key >= Lamp.shop_id){}.all()": "Shop",
    "session.query(Lamp).filter(Cook.id == Lamp.id, Cook.kind == 'cook'){}.all()": "Cook",
    "session.query(Lamp).filter(Shop.key == Part.lamp_id){}.all()": "Shop",
    "session.query(Lamp).filter(Shelf.shop_id == Lamp.shop_id){}.all()": "Shelf",
}
ONE_ROW_EACH = {
    "session.query(Shop).join(Shop.lamps).distinct().all()": True,
    "session.query(Shop).join(Lamp).distinct().filter(Lamp.id > 1).order_by(Shop.key).all()": True,
    "session.query(Shop).distinct().join(Lamp).limit(2).all()": True,
    "session.query(Shop).select_from(Lamp).join(Lamp.shop).distinct().all()": True,
    "session.query(Other).join(Lamp, Lamp.shop_id == Other.key).distinct().all()": True,
    "session.query(Shop).filter(Lamp.shop_id == Shop.key).distinct().all()": True,
    "session.query(Shop).join(Lamp).group_by(Shop).all()": True,
    "session.query(Shop).join(Lamp).group_by(Shop.key).having(func.count(Lamp.id) > 1).all()": True,
    "session.query(Shop).outerjoin(Lamp).group_by(Shop.key, Shop.name).all()": True,
    "session.query(Shop).join(Lamp).group_by(Shop.name).all()": True,
    "session.query(Shop, func.count(Lamp.id).label('n')).join(Lamp).group_by(Shop).all()": True,
    "session.query(Shop, func.max(Lamp.name).label('last')).select_from(Lamp).join(Lamp.shop)"
    ".group_by(Shop.key).order_by(func.count()).all()": True,
    "session.query(Shop, Lamp).join(Lamp).group_by(Shop.key).all()": True,
    # DISTINCT also compares what is beside the object; groups may be of something else.
    "session.query(Shop, Lamp.name).join(Lamp).distinct().all()": False,
    "session.query(Shop).join(Lamp).group_by(Lamp.id).all()": False,
    "session.query(Shop).join(Lamp).group_by(Shop.key, Lamp.name).all()": False,
    "session.query(Shop).join(Lamp).group_by(Shop.key).group_by(Lamp.name).all()": False,
    "session.query(Shop).join(Lamp).group_by(Lamp.name).group_by(Shop.key).all()": False,
    "session.query(Shop).join(Lamp).group_by(Shop.key + Lamp.id).order_by(Shop.key).all()": False,
    "session.query(Shop, func.count(Lamp.id).label('n')).join(Lamp).group_by(Lamp.name, Shop.key)"
    ".order_by(Shop.key).all()": False,
    "session.query(Shop).options(joinedload(Shop.lamps)).distinct().all()": False,
    "session.query(Shop).join(Lamp).distinct().options(contains_eager(Shop.lamps)).all()": False,
}
BUILDERS = [
    "",
    ".filter({0}.key > 0)",
    ".filter({0}.name.in_(['a', 'b']), {1}.id > 1)",
    ".order_by({0}.name, {1}.id)",
    ".filter({0}.lamps.any())",
]
KEPT = {
    "found = session.query(Lamp)\nif flag:\n    found = found.join(Shop).filter(Shop.key > 0)\n"
    "return found.filter(Lamp.id > 1).all()": False,
    "found = session.query(Lamp).join(Shop)\nif flag:\n    found = found.filter(Shop.key > 0)\n"
    "return found.order_by(Shop.name).all()": False,
    "found = session.query(Lamp)\nif flag:\n    found = found.join(Shop)\n"
    "return found.filter(Shop.key > 0).all()": True,
    "found = session.query(Shop)\nif flag:\n    found = found.join(Lamp).filter(Lamp.id > 0)\n"
    "return found.all()": True,
    "found = session.query(Lamp).join(Shop)\nfor name in ('a', 'b'):\n"
    "    found = found.filter(Shop.name <= name)\nreturn found.all()": False,
    "found = session.query(Lamp).join(Shop)\nfor name in ('a', 'b'):\n"
    "    found = found.filter(Shop.name <= name, Part.id > 2)\nreturn found.all()": True,
    "found = session.query(Lamp)\nif flag:\n    found = found.filter(Lamp.shop_id == Shop.key)\n"
    "return found.filter(Lamp.id > 1).all()": False,
    "found = session.query(Lamp)\nif flag:\n    found = found.filter(Lamp.shop_id == Shop.key)\n"
    "return found.filter(Shop.key > 1).all()": True,
    "found = session.query(Lamp).filter(Shop.name == 'a')\n"
    "return found.filter(Lamp.shop_id == Shop.key).all()": False,
    "one = aliased(Shop)\nfound = session.query(Lamp).filter(one.name == 'a')\n"
    "one = aliased(Shop)\n"
    "return found.filter(Lamp.shop_id == one.key).all()": True,
    "one = aliased(Shop)\nfound = session.query(Lamp).filter(one.name == 'a')\n"
    "one = aliased(Shop)\n"
    "return found.join(one, Lamp.shop_id == one.key).all()": True,
    "found = session.query(Shop).join(Lamp)\nif flag:\n    found = found.distinct()\n"
    "return found.all()": True,
    "found = session.query(Shop)\nif flag:\n    found = found.join(Lamp)\n"
    "return found.group_by(Shop.key).all()": False,
    "def counted(given):\n    return given.group_by(Shop.key)\n"
    "return counted(session.query(Shop).join(Lamp)).all()": True,
    "def narrowed(given):\n    return given.filter(Lamp.id > 1)\n"
    "return narrowed(session.query(Lamp).join(Shop)).all()": False,
}


def result_of(body):
    text = PROGRAM.format(body="".join(f"    {line}\n" for line in body.splitlines()))
    files = {"program.py": text.encode()}
    return run_case(
        Case(
            name="it",
            family="sqlalchemy",
            rule="query-to-select",
            directory=Path(),
            settings=Settings(published=False, targets={"sqlalchemy": ">=2.0"}),
            before=files,
            after=files,
            program={},
        )
    )


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Return a function that says what both sides of a result print."""

    def both(result):
        sides = [result.case.before["program.py"], result.files["program.py"]]
        return [
            printed("program.py", {"program.py": side}, tmp_path / at, capsys, monkeypatch)
            for at, side in zip(("before", "after"), sides, strict=True)
        ]

    return both


NAMES = {"Licence": "shop_id", "Lamp": "id", "Pair": "right", "Shop": "key", "Part": "id"}
NAMES |= dict.fromkeys(["Bill", "Box", "Cook", "Dish", "Note", "Staff", "Upper"], "id")
NAMES |= {"Shelf": "row"}


def with_builders(query, partner):
    """Return a query with each of the builders that fit its partner."""
    asked = query[len("session.query(") :].partition(")")[0].split(",")[0]
    for builder in BUILDERS:
        text = builder.replace("{0}.key", f"{{0}}.{NAMES.get(partner, 'key')}")
        text = text.replace("{1}.id", f"{{1}}.{NAMES[asked]}")
        if partner in {"Other", "Shop"} or not {"name", "any"} & {*re.findall(r"\w+", text)}:
            yield query.format(text.format(partner, asked))


@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize(
    ("query", "partner", "repeats"),
    [*((*one, False) for one in ONE.items()), *((*one, True) for one in MANY.items())],
)
@pytest.mark.sampled(6)
def test_what_has_one_partner_is_not_repeated(query, partner, repeats, run):
    queries = list(with_builders(query, partner))
    result = result_of(f"return [{', '.join(f'*{one}' for one in queries)}]")

    before, after = run(result)
    assert before == after
    assert before
    assert result.files["program.py"].count(b".unique()") == (len(queries) if repeats else 0)


@pytest.mark.parametrize(("query", "is_unique"), ONE_ROW_EACH.items())
@pytest.mark.sampled(6)
def test_distinct_and_groups_leave_each_object_one_row(query, is_unique, run):
    result = result_of(f"return {query}")

    before, after = run(result)
    assert before == after
    assert before
    assert b".query(" not in result.files["program.py"]
    assert (b".unique()" in result.files["program.py"]) is not is_unique


@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize("body", KEPT)
@pytest.mark.parametrize("flag", ["True", "False"])
@pytest.mark.sampled(4)
def test_what_is_joined_on_some_way_only(body, flag, run):
    result = result_of(f"flag = {flag}\n{body}")

    before, after = run(result)
    assert before == after
    assert b".query(" not in result.files["program.py"]
    assert (b".unique()" in result.files["program.py"]) is KEPT[body]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"id", primary_key=True', '"id", primary_key=True, info=dict(a=1)'),
        ('__tablename__ = "shops"', '__tablename__ = "shops_view"'),
        ("    name: Mapped[str]\n", "    name: Mapped[str]\n    more = made()\n"),
        ('mapped_column(ForeignKey("shops.id"))', "mapped_column(ForeignKey(made))"),
        ("shop: Mapped[Shop] = relationship(", "shop: Mapped[Shop] = relationship(primaryjoin=x, "),
    ],
)  # fmt: skip
def test_what_the_models_do_not_say_is_not_concluded(old, new):
    text = PROGRAM.format(body="    return session.query(Lamp).join(Lamp.shop).all()\n")
    assert old in text
    files = {"program.py": text.replace(old, new).encode()}
    case = Case(
        name="it", family="sqlalchemy", rule="query-to-select", directory=Path(),
        settings=Settings(published=False), before=files, after=files, program={},
    )  # fmt: skip

    assert (b".unique()" in run_case(case).files["program.py"]) is ("info" not in new)


@pytest.mark.parametrize("written", ["-" * 60_000 + "1", "(" * 60_000, "a.b.", "\0", "[" * 150])
def test_columns_in_a_string_may_be_anything(written):
    shop = 'shop: Mapped[Shop] = relationship(back_populates="lamps"'
    text = PROGRAM.format(body="    return session.query(Lamp).join(Lamp.shop).all()\n")
    assert shop in text
    text = text.replace(shop, f"{shop}, foreign_keys={written!r}")
    files = {"program.py": text.encode()}
    case = Case(
        name="it", family="sqlalchemy", rule="query-to-select", directory=Path(),
        settings=Settings(published=False), before=files, after=files, program={},
    )  # fmt: skip

    assert b".join(Lamp.shop)).unique().all()" in run_case(case).files["program.py"]
