"""What session-to-async asks about models and queries that are not in sight."""

from __future__ import annotations

import pytest
from database_of_models import DATABASE
from planned import reason_of, session_to_async

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
    assert "look like relationships: `Patient.doctor`, `Patient.notes`" in asked.help
    assert [one.path for one in asked.related] == ["patients.py"] * 2

    said = session_to_async(
        {"database.py": DATABASE, "patients.py": text}, foreign_models=["hospital"]
    )
    factories = [one.message for one in said.findings if "`sessionmaker`" in one.message]
    assert "look as if they load a relationship: `Patient.doctor`, `Patient.notes`" in factories[0]


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
        *(
            (f"return {executed} if isinstance(value, Query) else value", True)
            for executed in (
                "frozenset(value)",
                "any(value)",
                "[*value]",
                "value[0]",
                "list(map(str, value))",
                "1 in value",
            )
        ),
        ("return value == 1 if isinstance(value, Query) else value", False),
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
