"""Objects of models of installed packages: what may load is read in a greenlet, or refused."""

from __future__ import annotations

import ast

import pytest
from planned import program_of, reason_of, rewritten, session_to_async

SAID = {"foreign_models": ["hospital"]}
DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


def get_db():
    with LocalSession() as db:
        yield db
"""
READING = """\
from hospital.models import Patient
from sqlalchemy import select
from sqlalchemy.orm import Session


def evidence(db: Session, patient: Patient):
    db.commit()
    return [patient.doctor.name, *(one.text for one in patient.notes)]


def reading(db: Session, patient: Patient, others: list[Patient]):
    READ
"""


def rewritten_reading(read):
    """Return the function that reads, as it is written, with ``r`` for `greenlet_spawn`."""
    result = rewritten(options=SAID, database=DATABASE, case=READING.replace("READ", read))
    text = result.files["case.py"].decode()
    _, _, body = text.partition("others: list[Patient]")
    return " ".join(body.partition(":\n")[2].split()).replace("await greenlet_spawn", "r")


@pytest.mark.parametrize(
    ("read", "after"),
    [
        ("return patient.doctor", "return r(lambda: patient.doctor)"),
        ("return patient.doctor.ward", "return r(lambda: patient.doctor.ward)"),
        ("return patient.notes[0].text", "return r(lambda: patient.notes[0].text)"),
        # What is done with a value that is there already stays outside.
        ("return patient.doctor.name.strip()", "return (r(lambda: patient.doctor.name)).strip()"),
        # A collection may be a query.
        (
            "return patient.notes.filter(True).all()",
            "return r(lambda: patient.notes.filter(True).all())",
        ),
        ("return len(patient.notes)", "return r(lambda: len(patient.notes))"),
        (
            "return [one for one in patient.notes]",
            "return [one for one in r(lambda: list(patient.notes))]",
        ),
        ("return 1 in patient.notes", "return 1 in r(lambda: list(patient.notes))"),
        ("patient.notes.append(1)", "(r(lambda: patient.notes)).append(1)"),
        # Loops bind their variables anew.
        (
            "return [one.doctor for one in others]",
            "return [r(lambda one=one: one.doctor) for one in others]",
        ),
        # What is read of what was loaded so.
        (
            "return [one.doctor for one in patient.doctor.patients]",
            (
                "return [ r(lambda one=one: one.doctor)"
                " for one in r(lambda: list(patient.doctor.patients)) ]"
            ),
        ),
        # The session waits outside of the greenlet.
        (
            "return db.get(Patient, 1).doctor.name",
            "return r( lambda found: found.doctor.name, (await db.get(Patient, 1)) )",
        ),
        ("return getattr(patient, 'doctor')", "return r(getattr, patient, 'doctor')"),
        ("return hasattr(patient, str(others))", "return r(hasattr, patient, str(others))"),
        (
            "return db.commit(), getattr(others, 'doctor')",
            "return await db.commit(), getattr(others, 'doctor')",
        ),
        # Columns, and attributes of the class.
        ("return patient.born, db.commit()", "return patient.born, await db.commit()"),
        (
            "return db.scalars(select(Patient.name).order_by(Patient.doctor))",
            "return await db.scalars(select(Patient.name).order_by(Patient.doctor))",
        ),
    ],
)
def test_what_looks_like_a_relationship_is_read_in_a_greenlet(read, after):
    assert rewritten_reading(read) == after


def test_what_does_not_look_so_is_read_there_if_it_is_named():
    texts = {"database.py": DATABASE, "case.py": READING.replace("READ", "return patient.ward")}
    named = ["hospital", "hospital.models.Patient.ward"]

    def changed(said):
        plan = session_to_async(texts, foreign_models=said)
        return [one for one in plan.findings if "`reading`" in one.message]

    assert not changed(["hospital"])
    assert changed(named)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("sorted(others, key=lambda one: one.doctor.name)", None),
        ("(lambda: patient.doctor)", "not-awaitable-here"),
        ("db.commit() or Shown(patient).name", "sync-protocol"),
    ],
)
def test_what_nothing_can_await_is_refused(where, reason):
    text = READING.replace("READ", f"return {where}")
    text += "\n\nclass Shown:\n    def __init__(self, patient: Patient):\n"
    text += "        self.patient = patient\n\n    @property\n    def name(self):\n"
    text += "        return self.patient.doctor.name\n"
    if reason != "sync-protocol":
        text = text.partition("\n\nclass Shown")[0]
    plan = session_to_async({"database.py": DATABASE, "case.py": text}, **SAID)

    found = {reason_of(one) for one in plan.findings} - {"beside-another", ""}
    assert found == ({reason} if reason else set())


ENDPOINTS = """\
from database import get_db
from fastapi import Depends, FastAPI
from hospital.models import Patient
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session
from unseen import found_by

app = FastAPI()


class Doctor(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


class Shown(Doctor):
    doctor: Doctor


class Other(Doctor):
    pass


@app.get("/patients/{number}", response_model=Shown)
def patient(number: int, db: Session = Depends(get_db)):
    return RETURNED
"""


@pytest.mark.parametrize(
    ("returned", "beside", "reason"),
    [
        ("db.get(Patient, number)", "", None),
        ("[db.get(Patient, number)][0]", "", None),
        ("{'name': 'Ada', 'doctor': db.get(Patient, number).doctor}", "", None),
        ("Shown(name='Bo', doctor=Doctor(name='Ada'))", "", None),
        # It may be a response, which no model validates.
        ("found_by(db.scalar(select(1)))", "", "unknown-response"),
        # Others get an object of the package.
        (
            "db.get(Patient, number)",
            "\n\ndef again(db: Session):\n    return patient(1, db).born\n",
            "unknown-response",
        ),
        # Two routes with a model each.
        (
            "db.get(Patient, number)",
            "\n\napp.add_api_route('/other', patient, response_model=Other)\n",
            "unknown-response",
        ),
    ],
)
def test_what_an_endpoint_returns_is_validated_in_a_greenlet_or_refused(returned, beside, reason):
    text = ENDPOINTS.replace("RETURNED", returned) + beside
    plan = session_to_async({"database.py": DATABASE, "main.py": text}, **SAID)

    found = {reason_of(one) for one in plan.findings} - {"beside-another", ""}
    assert found == ({reason} if reason else set())


def test_a_list_is_validated_by_an_adapter_as_fastapi_does():
    text = ENDPOINTS.replace("=Shown)", "=list[Shown])").replace(
        "RETURNED", "db.scalars(select(Patient)).all()"
    )
    result = rewritten(options=SAID, database=DATABASE, main=text)

    made = " ".join(result.files["main.py"].decode().split())
    assert (
        "return await greenlet_spawn( TypeAdapter(list[Shown]).validate_python,"
        " (await db.scalars(select(Patient))).all(), from_attributes=True, )"
    ) in made


def test_a_library_that_has_a_twin_validates_where_it_may_load():
    text = ENDPOINTS.replace("RETURNED", "paginate(db, select(Patient))").replace(
        "from unseen import found_by", "from fastapi_pagination.ext.sqlalchemy import paginate"
    )
    text = text.replace("(number: int, db", "(db").replace("response_model=Shown", "tags=[]")

    def made(**options):
        result = rewritten(options=options, database=DATABASE, main=text)
        return result.files["main.py"].decode() if result.files else ""

    assert "return await db.run_sync(paginate, select(Patient))" in made(**SAID)


VALIDATOR = """\
from hospital.models import Patient
from pydantic import BaseModel, field_validator
from sqlalchemy.orm import Query, Session


class Shown(BaseModel):
    @field_validator("*", mode="before")
    def listed(cls, value):
        return value.all() if isinstance(value, Query) else value


def loaded(db: Session):
    return db.get(Patient, 1)
"""


@pytest.mark.parametrize(("is_said", "is_validator"), [(1, 1), (0, 1), (1, 0)])
def test_validators_execute_queries_where_they_are_called_in_a_greenlet(is_said, is_validator):
    text = VALIDATOR
    if not is_validator:
        text = text.replace('    @field_validator("*", mode="before")\n', "")
    plan = session_to_async({"database.py": DATABASE, "case.py": text}, **(SAID if is_said else {}))

    found = {reason_of(one) for one in plan.findings}
    assert ("dynamic-collection" in found) is not (is_said and is_validator)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("db.get(Patient, 1)", "hospital.models.Patient"),
        ("db.scalars(select(Patient)).one()", "hospital.models.Patient"),
        # By convention this is a constant, such as a table, and no class.
        ("db.get(PATIENTS, 1)", ""),
        ("db.get(patients, 1)", ""),
    ],
)
def test_a_class_out_of_sight_tells_what_a_library_gives_for_it(given, found):
    text = (
        "from hospital.models import PATIENTS, Patient, patients\nfrom sqlalchemy import select\n"
        f"from sqlalchemy.orm import Session\n\n\ndef loaded(db: Session):\n    return {given}\n"
    )
    program = program_of({"case.py": text})
    module = program.module("case.py")
    (returned,) = (one.value for one in module.walk() if isinstance(one, ast.Return))

    assert "".join(program.instance_of(module, returned)) == found
