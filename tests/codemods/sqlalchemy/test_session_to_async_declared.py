"""What session-to-async does about columns that the database computes, and those of subclasses."""

from __future__ import annotations

import pytest
from database_of_models import DATABASE, reasons_of, text_of
from planned import rewritten

SAVING = """\
from models import Note


def save(db: Session, note: Note) -> None:
    db.commit()


def shown(note: Note) -> str:
    return str(note.changed)
"""


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
