"""What session-to-async does about reads that would load something, or give what is old."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass
"""
SAVING = """\
from models import Note


def save(db: Session, note: Note) -> None:
    db.commit()


def shown(note: Note) -> str:
    return str(note.changed)
"""


def text_of(result, name):
    return result.files[f"{name}.py"].decode()


def reasons_of(result):
    return {one.reason for one in result.findings if one.reason}


MODEL = """\
import datetime
from sqlalchemy import Column, Computed, DateTime, FetchedValue, func, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Base


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.mark.parametrize(
    "column",
    [
        "mapped_column(onupdate=func.now())",
        "mapped_column(DateTime, onupdate=text('current_timestamp'))",
        "mapped_column(server_default=func.now(), server_onupdate=FetchedValue())",
        "mapped_column(Computed('id * 2'))",
    ],
)
def test_what_the_database_computes_in_an_update_is_fetched_with_it(column):
    models = MODEL + f"    changed: Mapped[datetime.datetime] = {column}\n"
    result = rewritten(
        database=DATABASE, models=models, notes="from sqlalchemy.orm import Session\n" + SAVING
    )

    assert '__mapper_args__ = {"eager_defaults": True}\n    id:' in text_of(result, "models")


@pytest.mark.parametrize(
    "column",
    [
        "mapped_column(onupdate=datetime.datetime.now)",
        "mapped_column(onupdate=lambda: datetime.datetime.now())",
        "mapped_column(server_default=func.now())",
        "mapped_column(server_onupdate=None)",
    ],
)
def test_what_python_computes_needs_nothing(column):
    models = MODEL + f"    changed: Mapped[datetime.datetime] = {column}\n"
    result = rewritten(
        database=DATABASE, models=models, notes="from sqlalchemy.orm import Session\n" + SAVING
    )

    assert "notes.py" in result.files
    assert "eager_defaults" not in str(result.files)


def test_a_computed_column_that_nobody_reads_needs_nothing():
    models = MODEL + "    changed: Mapped[datetime.datetime] = mapped_column(onupdate=func.now())\n"
    notes = "from sqlalchemy.orm import Session\n" + SAVING.replace("str(note.changed)", "''")
    result = rewritten(
        database=DATABASE, models=models, notes=f"{notes}\nORDER = Note.changed.desc()\n"
    )

    assert "notes.py" in result.files
    assert "eager_defaults" not in str(result.files)


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        ("{'version_id_col': id}", "{'version_id_col': id, \"eager_defaults\": True}"),
        ("{}", '{"eager_defaults": True}'),
        (
            '{\n        "version_id_col": id,\n    }',
            '{\n        "version_id_col": id,\n        "eager_defaults": True,\n    }',
        ),
        (
            '{\n        "version_id_col": id,  # counted\n    }',
            '{\n        "eager_defaults": True,\n        "version_id_col": id,  # counted\n    }',
        ),
        ("{'eager_defaults': True}", "{'eager_defaults': True}"),
        ("{'eager_defaults': 'auto'}", None),
        ("dict(version_id_col=id)", None),
        ("{**OTHERS}", None),
    ],
)
def test_arguments_of_the_mapper_are_added_to_or_it_is_refused(arguments, after):
    models = (
        MODEL
        + "    changed: Mapped[datetime.datetime] = mapped_column(onupdate=func.now())\n"
        + f"    __mapper_args__ = {arguments}\n"
    )
    result = rewritten(
        database=DATABASE, models=models, notes="from sqlalchemy.orm import Session\n" + SAVING
    )

    if after is None:
        assert not result.report.files
        assert "session-to-async/database-value" in reasons_of(result)
    else:
        made = result.files.get("models.py", models.encode()).decode()
        assert f"    __mapper_args__ = {after}\n" in made


def test_a_column_of_a_mixin_is_fetched_by_each_class_that_has_it():
    models = (
        MODEL.replace("class Note(Base)", "class Note(Changing, Base)").replace(
            "class Note",
            "class Changing:\n"
            "    changed: Mapped[datetime.datetime] = mapped_column(onupdate=func.now())\n\n\n"
            "class Note",
        )
        + "\n\nclass Other(Changing, Base):\n"
        + '    __tablename__ = "others"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
    )
    result = rewritten(
        database=DATABASE, models=models, notes="from sqlalchemy.orm import Session\n" + SAVING
    )

    assert text_of(result, "models").count("eager_defaults") == 2


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
                "    for item in others:\n        if inspect(item).expired:\n"
                "            await db.refresh(item)\n    for other in others:\n        print"
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
        # It would be lost.
        ("lazy='selectin'", "db.commit()\n    user.name = 'x'\n    found = select(User)", False),
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


LATE = """\
from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.orm import (
    DynamicMapped, Mapped, Session, column_property, defer, deferred, load_only, mapped_column,
    relationship,
)

from database import Base


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = COLUMN
    parent_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))

    MORE


"""


def of_posts(text, column="mapped_column(Text)", more="kind = 1"):
    models = LATE.replace("COLUMN", column).replace("MORE", more)
    return rewritten(database=DATABASE, posts=models + text)


READING = (
    "def read(db: Session) -> str:\n    post = db.scalars(STATEMENT).one()\n    return post.body\n"
)


@pytest.mark.parametrize(
    ("column", "statement", "is_awaited"),
    [
        ("deferred(mapped_column(Text))", "select(Post)", True),
        ("mapped_column(Text, deferred=True)", "select(Post)", True),
        # A flush expires what is an expression.
        ("column_property(select(func.count()).scalar_subquery())", "select(Post)", True),
        ("mapped_column(Text)", "select(Post).options(defer(Post.body))", True),
        ("mapped_column(Text)", "select(Post).options(load_only(Post.title))", True),
        ("mapped_column(Text)", "select(Post).options(load_only(Post.title, Post.body))", False),
        ("mapped_column(Text)", "select(Post)", False),
    ],
)
def test_a_column_that_is_loaded_when_it_is_read_is_awaited(column, statement, is_awaited):
    result = of_posts(READING.replace("STATEMENT", statement), column)

    assert ("await post.awaitable_attrs.body" in text_of(result, "posts")) is is_awaited
    assert ("AsyncAttrs" in result.files.get("database.py", b"").decode()) is is_awaited


@pytest.mark.parametrize(
    "text",
    [
        # What Python calls itself awaits nothing.
        "    @property\n    def short(self) -> str:\n        return self.body[:3]",
        "    def __repr__(self) -> str:\n        return self.body",
    ],
)
def test_a_late_column_that_a_property_reads_refuses(text):
    reading = READING.replace("STATEMENT", "select(Post)").replace(".body", ".title")
    result = of_posts(reading, "deferred(mapped_column(Text))", text.lstrip())

    assert "session-to-async/late-column" in reasons_of(result)
    assert not result.report.files


@pytest.mark.parametrize("deferred", ["", ", deferred=True"])
def test_an_expression_that_a_property_reads_is_late_whether_or_not_it_is_deferred(deferred):
    text = "    @property\n    def short(self) -> str:\n        return self.body[:3]"
    reading = READING.replace("STATEMENT", "select(Post)").replace(".body", ".title")
    column = f"column_property(select(func.count()).scalar_subquery(){deferred})"
    result = of_posts(reading, column, text.lstrip())
    (cure,) = {one.help for one in result.report.findings if "late-column" in (one.reason or "")}

    assert "deferred or not" in cure
    assert "undefer" not in cure


def test_a_late_column_of_an_unknown_object_refuses():
    text = "def read(db: Session, other) -> str:\n    db.commit()\n    return other.body\n"
    result = of_posts(text, "deferred(mapped_column(Text))")

    assert "session-to-async/late-column" in reasons_of(result)
    assert not result.report.files


@pytest.mark.parametrize(
    ("use", "is_refused"),
    [
        ("return post.answers.count()", True),
        ("return [one.id for one in post.answers]", True),
        ("post.answers.append(Post(title='a', body='b'))", False),
        ("return db.scalars(post.answers.statement).all()", False),
    ],
)
@pytest.mark.parametrize(
    "declared",
    [
        "answers: DynamicMapped['Post'] = relationship()",
        "answers: Mapped[list['Post']] = relationship(lazy='dynamic')",
    ],
)
def test_a_dynamic_collection_refuses_where_it_sends_a_query(declared, use, is_refused):
    text = f"def read(db: Session):\n    post = db.get(Post, 1)\n    {use}\n"
    result = of_posts(text, more=declared)

    assert ("session-to-async/dynamic-collection" in reasons_of(result)) is is_refused
    assert bool(result.report.files) is not is_refused


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "    db.expire(post)\n    return post.title\n",
            "    db.expire(post)\n    await db.refresh(post)\n    return post.title\n",
        ),
        (
            "    db.expire(post, ['title'])\n    print(1)\n    return post.title\n",
            "    db.expire(post, ['title'])\n    print(1)\n    await db.refresh(post, ['title'])\n",
        ),
        # What is written in between is read as well.
        (
            "    db.expire(post)\n    db.flush()\n    return post.title\n",
            "    db.expire(post)\n    await db.flush()\n    await db.refresh(post)\n    return",
        ),
    ],
)
def test_what_is_expired_is_loaded_again(text, after):
    result = of_posts(f"def read(db: Session, post: Post) -> str:\n{text}")

    assert after in text_of(result, "posts")


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


KINDS = """\
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from database import Base


class Animal(Base):
    __tablename__ = "animals"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}


class Dog(Animal):
    TABLE
    bark: Mapped[str | None]
    __mapper_args__ = ARGUMENTS


def barks(db: Session) -> list[str]:
    return [one.NAME for one in db.scalars(select(LOADED)) if isinstance(one, Dog)]
"""
OF_ITS_OWN = """__tablename__ = "dogs"
    id: Mapped[int] = mapped_column(ForeignKey("animals.id"), primary_key=True)"""
IDENTITY = '"polymorphic_identity": "dog"'


def of_kinds(**given):
    names = {
        "TABLE": OF_ITS_OWN, "NAME": "bark", "LOADED": "Animal", "ARGUMENTS": f"{{{IDENTITY}}}",
    } | given  # fmt: skip
    text = KINDS
    for word, said in names.items():
        text = text.replace(word, said)
    return rewritten(database=DATABASE, animals=text)


@pytest.mark.parametrize(
    ("given", "how"),
    [
        ({}, "selectin"),
        ({"TABLE": "size = 3"}, "inline"),
        # Nothing reads what it adds, or nothing loads it as its base.
        ({"NAME": "kind"}, None),
        ({"LOADED": "Dog"}, None),
    ],
)
def test_what_a_subclass_adds_is_loaded_with_its_base(given, how):
    text = text_of(of_kinds(**given), "animals")

    said = f'__mapper_args__ = {{{IDENTITY}, "polymorphic_load": "{how}"}}'
    assert (said in text) is (how is not None)
    assert ("polymorphic_load" in text) is (how is not None)
    assert "await db.scalars" in text


def test_a_subclass_whose_arguments_are_computed_refuses():
    result = of_kinds(ARGUMENTS="dict(polymorphic_identity='dog')")

    assert "session-to-async/subclass-attribute" in reasons_of(result)
    assert not result.report.files


FOREIGN = """\
from hospital.models import Patient
from sqlalchemy import select
from sqlalchemy.orm import Session


def names(db: Session) -> list[str]:
    return list(LOADED)
"""


@pytest.mark.parametrize(
    ("loaded", "said", "is_refused"),
    [
        ("db.scalars(select(Patient))", [], True),
        ("[db.get(Patient, 1)]", [], True),
        ("db.scalars(select(Patient))", ["others"], True),
        # Columns load nothing.
        ("db.scalars(select(Patient.name))", [], False),
        ("db.scalars(select(Patient))", ["hospital"], False),
        ("db.scalars(select(Patient))", ["hospital.models.Patient"], False),
    ],
)
def test_models_that_are_not_in_sight_are_asked_about(loaded, said, is_refused):
    texts = {"database.py": DATABASE, "patients.py": FOREIGN.replace("LOADED", loaded)}
    plan = session_to_async(texts, foreign_models=said)

    assert ("foreign-model" in {reason_of(one) for one in plan.findings}) is is_refused
    levels = {one.level.value for one in plan.findings if one.place.path == "patients.py"}
    assert ("manual" in levels) is is_refused


def test_the_question_about_such_models_says_what_looks_like_a_relationship():
    text = FOREIGN.replace("LOADED", "db.scalars(select(Patient))")
    text += "\n\ndef told(patient: Patient) -> list[str]:\n    name = patient.name.upper()\n"
    text += "    born = patient.born\n    doctor = patient.doctor.name\n"
    text += "    return [name, born, doctor, *(one.text for one in patient.notes)]\n"
    plan = session_to_async({"database.py": DATABASE, "patients.py": text})

    (asked,) = (one for one in plan.findings if reason_of(one) == "foreign-model")
    assert "if `Patient.doctor`, `Patient.notes` were read so" in asked.help
    assert [one.path for one in asked.related] == ["patients.py"] * 2

    said = session_to_async(
        {"database.py": DATABASE, "patients.py": text}, foreign_models=["hospital"]
    )
    factories = [one.message for one in said.findings if "`sessionmaker`" in one.message]
    assert "looks so may load when read: `Patient.doctor`, `Patient.notes`" in factories[0]


COLLECTIONS = """\
from database import LocalSession
from pydantic import BaseModel, field_validator
from sqlalchemy.orm import Query, Session


class Shown(BaseModel):
    @field_validator("*", mode="before")
    def listed(cls, value, other):
        EXECUTED
        return value


def made(db: Session):
    query = db.query(int)
    return query.all()


def save():
    with LocalSession() as db:
        db.commit()
"""


@pytest.mark.parametrize(
    ("executed", "is_refused"),
    [
        ("if isinstance(value, Query): return value.all()", True),
        ("if isinstance(value, (list, Query)): return list(value)", True),
        ("return [*map(str, sorted(value))] if isinstance(value, Query) else value", True),
        ("return [one for one in value] if isinstance(value, Query) else value", True),
        # Asked about another one, or not executed.
        ("if isinstance(other, Query): return value.all()", False),
        ("if isinstance(value, Query): return value.limit(2)", False),
        ("if isinstance(value, list): return value.count(1)", False),
    ],
)
def test_queries_from_out_of_sight_are_not_executed_silently(executed, is_refused):
    text = COLLECTIONS.replace("EXECUTED", executed)
    plan = session_to_async({"database.py": DATABASE, "shown.py": text})

    found = [one for one in plan.findings if reason_of(one) == "dynamic-collection"]
    assert [one.message.split("`")[1] for one in found] == ["value"] * is_refused
    assert not is_refused or "run_sync" in found[0].help


def test_what_a_revision_of_alembic_reads_is_never_loaded_late():
    models = LATE.replace("COLUMN", "deferred(mapped_column(Text))").replace("MORE", "kind = 1")
    reading = READING.replace("STATEMENT", "select(Post)").replace(".body", ".title")
    revision = (
        'revision = "1"\ndown_revision = None\n\n\n'
        "def upgrade(rows):\n    return [row.body for row in rows]\n"
    )
    result = rewritten(database=DATABASE, posts=models + reading, first=revision)

    assert "async def read(db: AsyncSession)" in text_of(result, "posts")
