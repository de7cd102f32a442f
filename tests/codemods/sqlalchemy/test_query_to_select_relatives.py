"""Loader options, star imports and enumerations, in every form that programs were seen to use."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.testing import Case
from awaken.testing.cases import Settings
from awaken.testing.running import run_case
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode

LAB = """\
import enum

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import (
    DeclarativeBase, Mapped, mapped_column, relationship, scoped_session, sessionmaker
)

engine = create_engine("sqlite://")
db_session = scoped_session(sessionmaker(engine))


class Base(DeclarativeBase):
    query = db_session.query_property()


class Kind(enum.Enum):
    MEMBER = 1


class Named(str, enum.Enum):
    MEMBER = "a"


class Both(Kind):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind]
    notes: Mapped[list["Note"]] = relationship()


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class Columns:
    MEMBER = Note.id


class Constants:
    MEMBER = "a"


class Changing:
    MEMBER = "a"
    MEMBER = Note.id
"""
OPTIONS = """\
from sqlalchemy import orm
from sqlalchemy.orm import Session, joinedload as jl, selectinload, with_loader_criteria
from sqlalchemy.orm import joinedload

from lab import Note, User


def loads():
    return [jl(User.notes), selectinload(User.notes)]


def one_load(flag=False):
    if flag:
        return selectinload(User.notes)
    return joinedload(User.notes)


def more_loads():
    return (*loads(), one_load())


def criteria():
    return [with_loader_criteria(Note, Note.id > 1)]


def either(flag):
    return loads() if flag else criteria()


def endless():
    return [*endless()]


def made():
    yield joinedload(User.notes)


def own(target):
    return with_loader_criteria(Note, Note.id > 1)


def f(s: Session, options):
    return s.query(User).options({}).count()
"""
LOADERS = {
    "jl(User.notes)": Level.SAFE,
    "orm.joinedload(User.notes)": Level.SAFE,
    "*loads()": Level.SAFE,
    "one_load()": Level.SAFE,
    "*[jl(User.notes)], one_load(True)": Level.SAFE,
    "*more_loads()": Level.SAFE,
    "*criteria()": Level.MANUAL,
    "*either(True)": Level.MANUAL,
    "*endless()": Level.MANUAL,
    "*made()": Level.MANUAL,
    "*options": Level.MANUAL,
    "own(User.notes)": Level.MANUAL,
    "with_loader_criteria(Note, Note.id > 1)": Level.MANUAL,
}


def findings(**files):
    sources = {f"{name}.py": decode(f"{name}.py", text.encode()) for name, text in files.items()}
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(published=False))
    return QueryToSelect().plan(project, Constraints()).findings


@pytest.mark.parametrize("options", LOADERS)
def test_options_before_a_count_are_known_by_what_they_are(options):
    (finding,) = findings(lab=LAB, app=OPTIONS.format(options))

    assert finding.level == LOADERS[options]


def test_a_function_that_is_called_like_a_loader_is_none():
    text = OPTIONS.replace("from sqlalchemy.orm import joinedload\n", "").replace(
        "own(", "joinedload("
    )
    (finding,) = findings(lab=LAB, app=text.format("joinedload(User.notes)"))

    assert finding.level == Level.MANUAL


STARS = {
    "from lab import *\ndef f():\n    return {}\n": Level.SAFE,
    "from lab import *\nfound = {}\n": Level.SAFE,
    "from lab import *\nfrom other import *\ndef f():\n    return {}\n": Level.SAFE,
    "def f():\n    return {}\nfrom lab import *\n": Level.SAFE,
    "try:\n    from lab import *\nexcept ImportError:\n    pass\ndef f():\n    return {}\n": None,
    "from lab import *\ndef f(db_session):\n    return {}\n": Level.MANUAL,
    "from lab import *\ndb_session = None\ndef f():\n    return {}\n": Level.MANUAL,
    "from short import *\nfrom lab import User\ndef f():\n    return {}\n": None,
}


@pytest.mark.parametrize("text", STARS)
def test_a_session_that_a_star_import_binds_has_its_name(text):
    (finding,) = findings(
        lab=LAB,
        app=text.format("User.query.filter_by(id=1).all()"),
        other="x = 1\n",
        short="from lab import db_session\n__all__ = []\n",
    )

    assert STARS[text] in {None, finding.level}


VALUES = {
    "Kind.MEMBER": False, "Named.MEMBER": False, "Both.MEMBER": False, "lab.Kind.MEMBER": False,
    "Kind.MEMBER.value": False, "Columns.MEMBER": True, "Constants.MEMBER": False,
    "Changing.MEMBER": True,
    "Note.user_id": True, "given": False,
}  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("criterion", ["User.kind == {}", "User.kind.in_([{}])", "{} != User.kind"])
def test_members_of_an_enumeration_are_values_and_repeat_nothing(value, criterion):
    text = (
        "import lab\nfrom lab import *\nfrom sqlalchemy.orm import Session\n"
        "def f(s: Session, given):\n"
        f"    return s.query(User).filter({criterion.format(value)}).all()\n"
    )
    before = {"lab.py": LAB.encode(), "app.py": text.encode()}
    case = Case(
        name="it", family="sqlalchemy", rule="query-to-select", directory=Path(),
        settings=Settings(), before=before, after=before, program={},
    )  # fmt: skip

    assert (b".unique()" in run_case(case).files["app.py"]) is VALUES[value]
