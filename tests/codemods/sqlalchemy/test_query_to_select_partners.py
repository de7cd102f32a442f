"""Joins to one row at most repeat nothing, by the keys in the models; both sides are run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

PROGRAM = """\
from sqlalchemy import ForeignKey, and_, create_engine, or_
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, Session, aliased, contains_eager, joinedload, mapped_column,
    relationship,
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


Other = aliased(Shop)


def asked(session: Session, flag=True):
{body}


def shown(found):
    return found.__mapper__.primary_key_from_instance(found) if isinstance(found, Base) else found


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Shop(key=n, name="ab"[n % 2], code=str(n)) for n in (1, 2, 3)])
    session.add_all([Lamp(id=n, shop_id=1 + n % 2, name=str(n % 3)) for n in range(1, 6)])
    session.add_all([Part(id=n, lamp_id=1 + n % 3, kind="abz"[n % 3]) for n in range(1, 8)])
    session.add_all([Licence(id=n, shop_id=n) for n in (1, 2)])
    session.add_all([Pair(left_id=n % 3 + 1, right=n) for n in range(1, 6)])
    session.commit()
    for one in asked(session):
        print(shown(one) if isinstance(one, Base) else [shown(each) for each in one])
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
    "session.query(Lamp).join(Lamp.shop).filter(Shop.key == Part.id){}.all()": "Shop",
    "session.query(Lamp).join(Lamp.shop).options(joinedload(Lamp.parts)){}.all()": "Shop",
    "session.query(Shop).select_from(Lamp).join(Lamp.shop){}.all()": "Shop",
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
def test_what_has_one_partner_is_not_repeated(query, partner, repeats, run):
    queries = list(with_builders(query, partner))
    result = result_of(f"return [{', '.join(f'*{one}' for one in queries)}]")

    before, after = run(result)
    assert before == after
    assert before
    assert result.files["program.py"].count(b".unique()") == (len(queries) if repeats else 0)


@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize("body", KEPT)
@pytest.mark.parametrize("flag", ["True", "False"])
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
        ('mapped_column(ForeignKey("shops.id"))', "mapped_column(ForeignKey(Shop.key))"),
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
