"""What session-to-async does about reads that would load something, or give what is old."""

from __future__ import annotations

import pytest
from database_of_models import DATABASE, text_of
from planned import rewritten

VALIDATED = """\
from pydantic import BaseModel, model_validator


class OrderOut(BaseModel):
    model_config = {"from_attributes": True}
    id: int
    customer: str

    @model_validator(mode="before")
    @classmethod
    def named(cls, data):
        return {"id": data.id, "customer": data.customer.name}
"""
ORDERS = """\
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from database import Base
from schemas import OrderOut


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship()


class Visit(Base):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship()


def shown(db: Session) -> list[OrderOut]:
    return [OrderOut.model_validate(one) for one in db.scalars(select(Order))]
"""


def test_what_a_validator_reads_is_loaded_as_the_field_that_it_gives():
    result = rewritten(database=DATABASE, schemas=VALIDATED, orders=ORDERS)

    assert "joinedload(Order.customer)" in text_of(result, "orders")
    assert 'lazy="selectin"' not in text_of(result, "orders")


def test_what_a_validator_reads_beside_its_fields_may_be_of_any_class():
    schemas = VALIDATED.replace("    customer: str\n", "    name: str\n")
    result = rewritten(database=DATABASE, schemas=schemas, orders=ORDERS)

    assert text_of(result, "orders").count('lazy="selectin"') == 2


ROLLED_BACK = """\
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def found(db: Session) -> User | None:
    return db.scalars(select(User)).first()


def told(db: Session, user: User, others: list[User]) -> str:
    one = found(db)
    db.rollback()
"""
LOADED = "    if inspect(user).expired:\n        await db.refresh(user)\n"


@pytest.mark.parametrize(
    ("read", "after"),
    [
        ("    return user.name\n", LOADED + "    return user.name\n"),
        (
            "    if others:\n        return ''\n    elif user.name:\n        return 'a'\n",
            (
                "    if user is not None and inspect(user).expired:\n"
                "        await db.refresh(user)\n    if others:"
            ),
        ),
        (
            "    return one.name if one else ''\n",
            "    if one is not None and inspect(one).expired:\n        await db.refresh(one)\n",
        ),
        (
            "    return str([one.name for one in others])\n",
            (
                "    for item in others:\n        if inspect(item).expired:\n"
                "            await db.refresh(item)\n    return"
            ),
        ),
        (
            "    for other in others:\n        print(other.name)\n    return ''\n",
            (
                "    for other in others:\n        if inspect(other).expired:\n"
                "            await db.refresh(other)\n        print"
            ),
        ),
        # One that is rolled back expires those that come behind it.
        (
            (
                "    for other in others:\n        print(other.name)\n        db.rollback()\n"
                "    return ''\n"
            ),
            (
                "    for other in others:\n        if inspect(other).expired:\n"
                "            await db.refresh(other)\n        print(other.name)\n"
            ),
        ),
        # Once is enough, until it expires again.
        (
            "    print(user.name)\n    return user.name\n",
            LOADED + "    print(user.name)\n    return user.name\n",
        ),
        (
            "    print(user.name)\n    db.rollback()\n    return user.name\n",
            LOADED + "    print(user.name)\n    await db.rollback()\n" + LOADED + "    return",
        ),
        (
            (
                "    print(user.name)\n    while others:\n        print(user.name)\n"
                "        db.rollback()\n    return ''\n"
            ),
            "    while others:\n        if inspect(user).expired:\n",
        ),
    ],
)
def test_what_a_rollback_expired_is_loaded_in_front_of_what_reads_it(read, after):
    result = rewritten(database=DATABASE, users=ROLLED_BACK + read)

    assert after in text_of(result, "users")


@pytest.mark.parametrize(
    "use",
    [
        "    if user:\n        return 'a'\n    return ''\n",
        "    if not others and user is not None:\n        return 'a'\n    return ''\n",
        "    db.add(user)\n    return ''\n",
        "    user.name = 'new'\n    return ''\n",
        "    user = User(name='x')\n    return user.name\n",
    ],
)
def test_what_reads_nothing_of_an_object_needs_nothing(use):
    result = rewritten(database=DATABASE, users=ROLLED_BACK + use)

    assert "await db.rollback()" in text_of(result, "users")
    assert "expired" not in text_of(result, "users")


STALE = """\
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from database import Base


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list[Post]] = relationship(LAZY)


def saved(db: Session, user: User) -> list[User]:
"""


@pytest.mark.parametrize(
    ("lazy", "text", "is_read_anew"),
    [
        ("", "db.commit()\n    found = select(User).options(selectinload(User.posts))", True),
        ("lazy='selectin'", "db.commit()\n    found = select(User)", True),
        # Nothing but columns, which a commit leaves as they were written.
        ("", "db.commit()\n    found = select(User)", False),
        ("lazy='selectin'", "db.flush()\n    found = select(User)", False),
        # The statement flushes it first.
        ("lazy='selectin'", "db.commit()\n    user.name = 'x'\n    found = select(User)", True),
        # All that was loaded before is read anew as it is.
        ("lazy='selectin'", "db.commit()\n    db.expire_all()\n    found = select(User)", False),
        (
            "lazy='selectin'",
            "db.commit()\n    if user:\n        db.expire_all()\n    found = select(User)",
            True,
        ),
        (
            "lazy='selectin'",
            "db.expire_all()\n    db.commit()\n    found = select(User)",
            True,
        ),
    ],
)
def test_a_statement_behind_a_commit_reads_collections_anew(lazy, text, is_read_anew):
    users = STALE.replace("LAZY", lazy) + f"    {text}\n    return list(db.scalars(found))\n"
    result = rewritten(database=DATABASE, users=users)

    said = 'execution_options={"populate_existing": True}' in text_of(result, "users")
    assert said is is_read_anew


def test_an_option_in_an_f_string_has_no_quotes():
    text = '    db.commit()\n    return f"{list(db.scalars(select(User)))}"\n'
    result = rewritten(database=DATABASE, users=STALE.replace("LAZY", "lazy='selectin'") + text)

    said = "execution_options=dict(populate_existing=True)"
    assert said in text_of(result, "users")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "True"),
        (", autoflush=True", "True"),
        # What was changed and not written would be lost.
        (", autoflush=False", "not db.dirty"),
        (", **{'autoflush': False}", "not db.dirty"),
    ],
)
def test_what_get_reads_anew_loses_no_change(settings, said):
    database = DATABASE.replace("sessionmaker(engine)", f"sessionmaker(engine{settings})")
    users = STALE.replace("LAZY", "") + "    return db.get(User, 1).posts\n"
    result = rewritten(database=database, users=users)

    assert f"db.get(User, 1, populate_existing={said})" in text_of(result, "users")


@pytest.mark.parametrize(
    ("statement", "is_reloaded"),
    [
        ("update(User).values(name=User.name + 'x')", True),
        ("update(User).where(User.id == 1).values({'name': User.name + 'x'})", True),
        ("insert(User).values(name=func.now())", False),
        # SQLAlchemy gives the objects of the session this value.
        ("update(User).values(name='x')", False),
    ],
)
def test_get_reloads_what_a_bulk_update_computes(statement, is_reloaded):
    users = STALE.replace("LAZY", "").replace("Key, select", "Key, func, insert, select, update")
    users += f"    db.execute({statement})\n    return db.get(User, 1).name\n"
    result = rewritten(database=DATABASE, users=users)

    assert ("db.get(User, 1, populate_existing=True)" in text_of(result, "users")) is is_reloaded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("db.commit()", "True"),
        ("user.name = 'x'\n    db.commit()", "True"),
        ("db.commit()\n    user.name = 'x'\n    db.flush()", "True"),
        # The change may be pending: on one path nothing writes it.
        ("db.commit()\n    user.name = 'x'", "not db.dirty"),
        ("db.commit()\n    setattr(user, 'name', 'x')", "not db.dirty"),
        ("db.commit()\n    user.name = 'x'\n    if user:\n        db.commit()", "not db.dirty"),
    ],
)
def test_a_statement_reads_anew_without_losing_a_pending_change(text, said):
    database = DATABASE.replace("sessionmaker(engine)", "sessionmaker(engine, autoflush=False)")
    users = STALE.replace("LAZY", "lazy='selectin'")
    users += f"    {text}\n    found = select(User)\n    return list(db.scalars(found))\n"
    result = rewritten(database=database, users=users)

    assert f'"populate_existing": {said}}}' in text_of(result, "users")


OWN = """

def opened() -> Session:
    return LocalSession()


def first(keys: list[int]):
    with LocalSession() as own:
        return own.get(User, keys[0]).posts


def assigned(keys: list[int]):
    own = Session(engine)
    return own.get(User, keys[0]).posts


def each(keys: list[int]):
    for key in keys:
        with LocalSession() as own:
            print(own.get(User, key).posts)


def second(keys: list[int]):
    with LocalSession() as own:
        found = own.get(User, 0)
        return found, own.get(User, keys[1]).posts


def looped(keys: list[int]):
    with LocalSession() as own:
        for key in keys:
            print(own.get(User, key).posts)


def listed(keys: list[int]):
    with LocalSession() as own:
        return [own.get(User, key).posts for key in keys]


def argument(keys: list[int]):
    with LocalSession() as own:
        return own.get(User, own.scalar(select(User)).id).posts


def given_on(keys: list[int]):
    own = opened()
    return own.get(User, keys[2]).posts
"""


def test_the_first_load_of_a_session_reads_nothing_anew():
    users = STALE.replace("LAZY", "").partition("\n\n\ndef saved")[0] + OWN
    users = users.replace("import Base", "import Base, LocalSession, engine")
    text = text_of(rewritten(database=DATABASE, users=users), "users")

    anew = {
        part.partition("(")[0]
        for part in text.split("def ")
        if "own.get(" in part and "populate_existing=" in part
    }
    assert anew == {"second", "looped", "listed", "argument", "given_on"}
    assert "found = await own.get(User, 0)\n" in text
