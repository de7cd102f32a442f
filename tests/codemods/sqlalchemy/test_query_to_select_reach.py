"""Queries that reach other functions over what a generic class makes, decorators and wrappers."""

from __future__ import annotations

import pytest

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

MODELS = """\
from functools import wraps

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)


def logged(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        print(args)
        return function(*args, **kwargs)

    return wrapper


def doubled(function):
    @wraps(function)
    def wrapper(*args):
        return function(*args, *args)

    return wrapper
"""
SERVICE = """\
from typing import Generic, TypeVar

from sqlalchemy.orm import Query, Session

from models import Base, Note, doubled, logged

M = TypeVar("M", bound=Base)


class Repository(Generic[M]):
    def __init__(self, model: type[M]):
        self.model = model


R = TypeVar("R", bound=Repository)


class Notes(Repository[Note]):
    def numbers(self, db: Session) -> Query:
        return db.query(Note.id).filter(Note.id > 1)


class Service(Generic[R]):
    def __init__(self, repository: type[R], model: type[Base]):
        self.repository = repository(model)


class NoteService(Service[Notes]):
    def __init__(self):
        super().__init__(Notes, Note)

    @logged
    def _of(self, db: Session, numbers: Query | None = None) -> list[Note]:
        query = db.query(Note)
        if numbers is not None:
            query = query.filter(Note.id.in_(numbers))
        return query.all()

    def all(self, db: Session) -> list[Note]:
        return self._of(db, self.repository.numbers(db))
"""
WRAPPER = """\
from functools import wraps

from sqlalchemy.orm import Session

from models import Note


def falling_back(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except LookupError:
            model = args[0].model
            return args[1].query(model).filter(model.id == 1).one_or_none()

    return wrapper


class Store:
    model: type[Note] = Note

    @falling_back
    def load(self, db: Session) -> Note | None:
        return db.get(Note, 2)
"""


def levels(**files: str) -> list[Level]:
    sources = {f"{name}.py": decode(f"{name}.py", text.encode()) for name, text in files.items()}
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(published=False))
    return [one.level for one in QueryToSelect().plan(project, Constraints()).findings]


def test_a_query_is_followed_over_type_parameters_and_decorators():
    found = levels(models=MODELS, service=SERVICE)

    assert found
    assert Level.MANUAL not in found


def test_what_may_be_called_with_other_arguments_stays():
    service = SERVICE.replace("@logged", "@doubled")

    assert Level.MANUAL in levels(models=MODELS, service=service)


def test_a_wrapper_queries_what_the_arguments_are_that_it_hands_on():
    found = levels(models=MODELS, wrapper=WRAPPER)

    assert found
    assert Level.MANUAL not in found


@pytest.mark.parametrize(
    ("option", "is_manual"),
    [
        ("*[selectinload(one) for one in given]", False),
        ("*[selectinload(Note.id), joinedload(Note.id)]", False),
        ("*[with_loader_criteria(Note, one) for one in given]", True),
        ("*given", True),
    ],
)
def test_how_objects_are_loaded_is_no_matter_to_their_count(option, is_manual):
    text = (
        "from sqlalchemy.orm import Session, joinedload, selectinload, with_loader_criteria\n"
        "from models import Note\n\n"
        f"def count(db: Session, given):\n    return db.query(Note).options({option}).count()\n"
    )

    assert (Level.MANUAL in levels(models=MODELS, counts=text)) == is_manual
