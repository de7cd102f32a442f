"""Classes that automap makes are loaded from one table each; both sides are run."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

PROGRAM = """\
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, create_engine, inspect, text
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, aliased, backref, interfaces, joinedload, relationship
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool)
with engine.begin() as connection:
    for statement in (
        "create table shops (id integer primary key not null, name text)",
        "create table lamps (id integer primary key not null, name text,"
        " shop_id integer references shops (id))",
        "create view seen as select shops.id as id, lamps.name as name"
        " from shops join lamps on lamps.shop_id = shops.id",
        "insert into shops values (1, 'a'), (2, 'b'), (3, 'a')",
        "insert into lamps values (1, 'x', 1), (2, 'y', 1), (3, 'x', 2)",
    ):
        connection.execute(text(statement))

{base}
Shop = Base.classes.shops


def table(name):
    base = automap_base()
    base.prepare(autoload_with=engine)
    return getattr(base.classes, name)


class Tables:
    def named(self, name):
        return getattr(Base.classes, name)


def asked(session: Session, name="shops", tables=Tables()):
    Lamp = Base.classes.lamps
    Named = getattr(Base.classes, name)
    Item = Base.classes[name]
    Again = table("shops")
    Method = tables.named("shops")
    return {query}


with Session(engine) as session:
    for one in asked(session):
        parts = one if not hasattr(one, "id") or hasattr(one, "_fields") else [one]
        print([inspect(part).identity for part in parts])
"""
BASE = "Base = automap_base()\nBase.prepare(autoload_with=engine)"
PLAIN = [
    "session.query(Shop).all()",
    "session.query(Shop).filter(Shop.name == 'a').order_by(Shop.id).all()",
    "session.query(Shop).filter_by(name='a').limit(1).all()",
    "[session.query(Shop).filter(Shop.id == 2).one()]",
    "list(session.query(Lamp).filter(Lamp.name.in_(['x'])))",
    "session.query(Named).all()",
    "session.query(Item).filter(Item.id > 1).all()",
    "session.query(Again).filter(Again.id > 1).all()",
    "session.query(Method).all()",
    "session.query(Base.classes.lamps).order_by(Base.classes.lamps.id).all()",
    "session.query(aliased(Shop)).all()",
]
REPEATING = [
    "session.query(Shop).join(Lamp).all()",
    "session.query(Shop).filter(Shop.id == Lamp.shop_id).all()",
    "session.query(Shop, Lamp).filter(Shop.id == Lamp.shop_id).all()",
    "session.query(Lamp).options(joinedload(Lamp.shops)).all()",
]
JOINED = """\
from sqlalchemy.ext.automap import generate_relationship


def joined(base, direction, return_fn, attrname, local_cls, referred_cls, **kw):
    if direction is interfaces.ONETOMANY:
        kw["lazy"] = "joined"
    return generate_relationship(
        base, direction, return_fn, attrname, local_cls, referred_cls, **kw)


"""
OWN = [
    # The rows of these repeat, or SQLAlchemy asks for `unique()`.
    (
        JOINED + "Base = automap_base()\n"
        "Base.prepare(autoload_with=engine, generate_relationship=joined)",
        "session.query(Shop).all()",
    ),
    (
        JOINED + "Base = automap_base()\noptions = dict(generate_relationship=joined)\n"
        "Base.prepare(autoload_with=engine, **options)",
        "session.query(Shop).all()",
    ),
    (
        ("Base = automap_base()\n\n\nclass Own(Base):\n    __tablename__ = 'shops'\n"
        "    lamps_collection = relationship('lamps', lazy='joined')\n\n\n"
        "Base.prepare(autoload_with=engine)\nBase.classes.shops = Own"),
        "session.query(Shop).all()",
    ),
    (
        ("Base = automap_base()\n\n\nclass Own(Base):\n    __tablename__ = 'lamps'\n"
        "    shops = relationship('shops', backref=backref('all_lamps', lazy='joined'))\n\n\n"
        "Base.prepare(autoload_with=engine)\nBase.classes.lamps = Own"),
        "session.query(Shop).all()",
    ),
    (
        ("metadata = MetaData()\n"
        "Table('seen', metadata, Column('id', Integer, primary_key=True), autoload_with=engine)\n"
        "Base = automap_base(metadata=metadata)\nBase.prepare(autoload_with=engine)\n"),
        "session.query(Base.classes.seen).all()",
    ),
    (
        ("Base = automap_base()\n\n\nclass SeenView(Base):\n    __tablename__ = 'seen'\n"
        "    id = Column(Integer, primary_key=True)\n"
        "    __mapper_args__ = {'primary_key': [id]}\n\n\n"
        "Base.prepare(autoload_with=engine)\nBase.classes.SeenView = SeenView"),
        "session.query(Base.classes.SeenView).all()",
    ),
    (
        ("class Joining:\n    __abstract__ = True\n\n\nBase = automap_base(cls=Joining)\n"
        "Base.prepare(autoload_with=engine)"),
        "session.query(Shop).all()",
    ),
    (
        ("Base = automap_base()\n\n\ndef prepare(base, **options):\n"
        "    base.prepare(**options)\n\n\nprepare(Base, autoload_with=engine)"),
        "session.query(Shop).all()",
    ),
]  # fmt: skip


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Return a function that says what both sides of a program print, and the one after."""

    def both(base, query):
        files = {"program.py": PROGRAM.format(base=base, query=query).encode()}
        settings = Settings(unsafe=True, published=False, targets={"sqlalchemy": ">=2.0"})
        case = Case(
            name="it", family="sqlalchemy", rule="query-to-select", directory=Path(),
            settings=settings, before=files, after=files, program={},
        )  # fmt: skip
        after = run_case(case).files["program.py"]
        sides = [
            printed("program.py", {"program.py": side}, tmp_path / at, capsys, monkeypatch)
            for at, side in (("before", files["program.py"]), ("after", after))
        ]
        return sides, after

    return both


@pytest.mark.parametrize("query", PLAIN)
def test_rows_of_one_table_come_once(query, run):
    (before, after), text = run(BASE, query)

    assert before == after
    assert before
    assert b".query(" not in text
    assert b".unique()" not in text


@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize("query", REPEATING)
def test_what_is_joined_repeats_them(query, run):
    (before, after), text = run(BASE, query)

    assert before == after
    assert before
    assert b".unique()" in text


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@pytest.mark.parametrize(("base", "query"), OWN)
def test_what_the_program_says_of_the_classes_counts(base, query, run):
    (before, after), text = run(base, query)

    assert before == after
    assert before
    assert b".unique()" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A subclass may give another class, and so may who passes the collection of classes.
        (
            "def asked(",
            (
                "class Others(Tables):\n    def named(self, name):\n        return other()\n\n\n"
                "def asked("
            ),
        ),
        ("return getattr(Base.classes, name)", "return getattr(self.base.classes, name)"),
        ("def named(self, name):", "def named(self, name, Base):"),
    ],
)
def test_a_class_that_another_may_stand_for_is_not_known(old, new):
    text = PROGRAM.format(base=BASE, query="session.query(Method).filter(Method.id > 1).all()")
    assert old in text
    files = {"program.py": text.replace(old, new).encode()}
    case = Case(
        name="it", family="sqlalchemy", rule="query-to-select", directory=Path(),
        settings=Settings(unsafe=True, published=False), before=files, after=files, program={},
    )  # fmt: skip

    assert b".unique()" in run_case(case).files["program.py"]
