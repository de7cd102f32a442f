"""What session-to-async does with factories of objects, and where it leaves them alone."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

APPLICATION = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


def count(db: Session) -> int:
    return db.scalar("select count(*) from users")
"""
FACTORIES = """\
from factory.alchemy import SQLAlchemyModelFactory
from app import User, count


class UserFactory(SQLAlchemyModelFactory):
    class Meta:
        model = User
        sqlalchemy_session_persistence = "flush"
"""
CONFTEST = """\
import pytest
from sqlalchemy.orm import Session
from factories import UserFactory


@pytest.fixture(autouse=True)
def held(db: Session):
    UserFactory._meta.sqlalchemy_session = db
"""


def refused(**changed: str) -> list[tuple[str, str]]:
    """Return what is refused of the program with these files, each with its reason."""
    files = {"app": APPLICATION, "factories": FACTORIES, "conftest": CONFTEST} | changed
    plan = session_to_async({f"{name}.py": text for name, text in files.items()})
    return [
        (
            reason_of(one),
            files[one.place.path[:-3]][one.place.span.start :].split("\n")[0],
        )
        for one in plan.findings
        if one.reason and not one.reason.endswith("/beside-another")
    ]


TEST = "from factories import UserFactory\n\n\ndef test(db):\n    "


@pytest.mark.parametrize(
    "call",
    [
        "user = UserFactory()",
        "users = [UserFactory(id=number) for number in range(2)]",
        "users = UserFactory.create_batch(2)",
        "assert UserFactory(\n        id=1\n    ).id",
        "users = [one() for one in (UserFactory,)]",
        "assert issubclass(UserFactory, object) or isinstance(db, UserFactory)",
        "user = UserFactory.build()",
    ],
)
def test_a_factory_is_called_where_it_may_wait(call):
    assert refused(test_app=f"{TEST}{call}\n") == []


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("users = map(UserFactory, [])", ("handed-on", "UserFactory, [])")),
        ("make(factory=UserFactory)", ("handed-on", "UserFactory)")),
        ("make = lambda: UserFactory()", ("not-awaitable-here", "def test(db):")),
    ],
)
def test_a_factory_that_something_else_calls_is_left_alone(call, found):
    assert refused(test_app=f"{TEST}{call}\n") == [found]


def test_a_factory_that_is_called_when_a_file_is_imported_is_left_alone():
    made = "from factories import UserFactory\n\nuser = UserFactory()\n"
    files = {"made": made, "test_app": "import made\n\n\ndef test():\n    assert made.user\n"}

    assert refused(**files) == [("at-import", "UserFactory()")]


def test_what_waits_in_a_factory_is_left_alone():
    hook = "\n    @classmethod\n    def counted(cls, db):\n        return count(db)\n"

    assert refused(factories=FACTORIES + hook) == [("in-factory", "def counted(cls, db):")]


@pytest.mark.parametrize(
    "use",
    [
        "cls._meta.sqlalchemy_session.commit()",
        "session = cls._meta.sqlalchemy_session\n        session.commit()",
    ],
)
def test_a_factory_waits_for_the_session_that_it_holds(use):
    hook = f"\n    @classmethod\n    def saved(cls):\n        {use}\n"

    assert refused(factories=FACTORIES + hook) == []


@pytest.mark.parametrize("given", ["registry", "made_elsewhere()"])
def test_a_session_that_is_not_one_for_certain_is_not_given_to_factories(given):
    text = CONFTEST.replace("= db", f"= {given}") + (
        "\n\nfrom sqlalchemy.orm import scoped_session, sessionmaker\n"
        "from elsewhere import made_elsewhere\n\nregistry = scoped_session(sessionmaker())\n"
    )

    assert refused(conftest=text) == [("factory-session", f"{given}")]


def test_a_session_that_is_declared_in_a_factory_is_asked_for():
    text = FACTORIES.replace("class UserFactory", "from mine import get\n\nclass UserFactory")
    text = text.replace('"flush"', '"flush"\n        sqlalchemy_session = get()')

    assert refused(factories=text) == [("factory-session", "get()")]


NOTES = """\
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    notes: Mapped[list["Note"]] = relationship()


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def count(db: Session) -> int:
    return db.scalar("select count(*) from users")
"""
LOADED = '    await db.refresh(user, attribute_names=["notes"])\n'


@pytest.mark.parametrize(
    ("made", "use", "is_loaded"),
    [
        ("UserFactory()", "assert user.notes == []", True),
        ("UserFactory()", "assert not user.id", False),
        ("UserFactory()", "user.notes = []\n    assert user.notes", False),
        ("UserFactory(notes=[])", "assert user.notes == []", False),
        ("UserFactory()", "db.refresh(user)\n    assert user.notes == []", False),
    ],
)
def test_relationships_of_what_a_factory_made_are_loaded_where_they_are_read(made, use, is_loaded):
    test = "from sqlalchemy.orm import Session\nfrom factories import UserFactory\n\n\n"
    test += f"def test(db: Session):\n    user = {made}\n    db.flush()\n    {use}\n"
    result = rewritten(app=NOTES, factories=FACTORIES, conftest=CONFTEST, test_app=test)
    after = result.files["test_app.py"].decode()

    assert "greenlet_spawn(UserFactory" in after
    assert (LOADED in after) == is_loaded, after


def test_what_a_factory_does_not_flush_has_no_more_than_it_was_given():
    test = "from sqlalchemy.orm import Session\nfrom factories import UserFactory\n\n\n"
    test += "def test(db: Session):\n    user = UserFactory()\n    assert user.notes == []\n"
    plain = FACTORIES.replace('        sqlalchemy_session_persistence = "flush"\n', "")
    result = rewritten(app=NOTES, factories=plain, conftest=CONFTEST, test_app=test)

    assert LOADED not in result.files["test_app.py"].decode()
