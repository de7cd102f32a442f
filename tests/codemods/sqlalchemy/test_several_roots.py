"""Programs of which a part is in another project, left out or unreadable: whole, or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from awaken import api
from awaken.settings import Settings

PROJECT = "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['sqlalchemy>=2.0']\n"
DATABASE = """\
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool)
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list["Order"]] = relationship()


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
"""
USERS = """\
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import User


def names(db: Session) -> list[str]:
    return [one.name for one in db.scalars(select(User))]


def orders(db: Session) -> int:
    return sum(len(one.orders) for one in db.scalars(select(User)))
"""
COUNT = """\
from app.database import LocalSession
from app.services import users


def count() -> int:
    with LocalSession() as db:
        return len(users.names(db)) + users.orders(db)
"""
SETUP = """\
from app.database import Base, LocalSession, User, engine
from app.services import users


def setup() -> None:
    Base.metadata.create_all(engine)
    with LocalSession() as db:
        if not users.names(db):
            db.add(User(name="first"))
            db.commit()
"""
TEST = """\
from app.count import count
from app.services.setup import setup


def test_count():
    setup()
    setup()
    assert count() == 1
"""
PROGRAM = {
    "pyproject.toml": PROJECT,
    ".git/HEAD": "ref: refs/heads/main\n",
    "app/__init__.py": "",
    "app/database.py": DATABASE,
    "app/services/users.py": USERS,
    "app/services/setup.py": SETUP,
    "app/count.py": COUNT,
    "tests/test_count.py": TEST,
}
APART = {
    "project-inside": {"app/services/pyproject.toml": PROJECT},
    "build-script-inside": {"app/services/setup.cfg": "[metadata]\nname = services\n"},
    "requirements-inside": {"app/services/requirements.txt": "sqlalchemy\n", "pyproject.toml": ""},
    "tests-apart": {"tests/pyproject.toml": PROJECT},
    "tests-with-requirements": {"tests/requirements.txt": "pytest\n", "pyproject.toml": ""},
    "repository-inside": {"app/services/.git/HEAD": "ref: refs/heads/main\n"},
    "left-out": {"pyproject.toml": f"{PROJECT}[tool.awaken]\nexclude = ['app/services']\n"},
    "unparsable": {"app/services/users.py": f"{USERS}\n\nprint 'of Python 2'\n"},
    "unparsable-caller": {"app/services/setup.py": f"{SETUP}\n\nprint 'of Python 2'\n"},
}
UNRELATED = {
    "another-program": {"tools/pyproject.toml": PROJECT, "tools/gen.py": "import sqlalchemy\n"},
    "of-names-alone": {"tools/pyproject.toml": PROJECT, "tools/gen.py": "names = count = 1\n"},
}


def written(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def run(root: Path, *rules: str, below: str = "."):
    asked = api.Options(settings=Settings(select=rules, unsafe_fixes=True), use_cache=False, jobs=1)
    return api.run([root / below], asked)


def edited(report) -> set[str]:
    return {one.path for root in report.roots for one in root.files}


OUT = "session-to-async/out-of-sight"
RUN = """\
import asyncio, inspect
from tests.test_count import test_count

result = test_count()
if inspect.isawaitable(result):
    asyncio.run(result)
"""


def passes(root: Path) -> bool:
    command = [sys.executable, "-B", "-c", RUN]
    done = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=120)
    return done.returncode == 0


def test_module_called_setup_belongs_to_its_program(tmp_path):
    root = written(tmp_path / "shop", PROGRAM)
    assert passes(root)

    report = run(root, "session-to-async")
    (whole,) = report.roots
    for one in whole.files:
        (root / one.path).write_bytes(one.after.raw())

    assert "app/services/setup.py" in edited(report)
    assert passes(root)


@pytest.mark.parametrize(
    ("apart", "below"),
    [*((name, ".") for name in APART), ("project-inside", "app/services"), ("tests-apart", "app")],
)
def test_program_with_a_part_out_of_sight_is_left_whole(tmp_path, apart, below):
    root = written(tmp_path / "shop", {**PROGRAM, **APART[apart]})

    report = run(root, "session-to-async", below=below)

    assert edited(report) == set()
    reasons = {one.reason for each in report.roots for one in each.findings}
    assert "session-to-async/out-of-sight" in reasons


FILL = """\
import sys
sys.path.append(".")
from app.database import Base, LocalSession, User, engine

Base.metadata.create_all(engine)
with LocalSession() as db:
    db.add(User(name="second"))
    db.commit()
"""


def test_script_of_another_project_keeps_the_engine_that_it_uses(tmp_path):
    database = tmp_path / "shop.db"
    text = DATABASE.replace("sqlite://", f"sqlite:///{database}").replace(
        ", poolclass=StaticPool", ""
    )
    others = {
        "app/database.py": text,
        "scripts/pyproject.toml": PROJECT,
        "scripts/fill.py": FILL,
    }
    root = written(tmp_path / "shop", {**PROGRAM, **others})

    report = run(root, "session-to-async")
    (whole,) = [each for each in report.roots if each.files]
    for file in whole.files:
        (root / file.path).write_bytes(file.after.raw())

    assert {"app/database.py", "app/services/users.py"} <= edited(report)
    subprocess.run([sys.executable, "-B", "scripts/fill.py"], cwd=root, check=True, timeout=120)
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT name FROM users").fetchall() == [("second",)]
    assert passes(root)


@pytest.mark.parametrize("other", UNRELATED.values(), ids=UNRELATED)
def test_projects_that_import_nothing_stop_nothing(tmp_path, other):
    root = written(tmp_path / "shop", {**PROGRAM, **other})
    assert "app/database.py" in edited(run(root, "session-to-async"))


@pytest.mark.parametrize("apart", ["project-inside", "left-out", "unparsable"])
def test_relationships_that_are_read_out_of_sight_load_as_before(tmp_path, apart):
    files = {**PROGRAM, **APART[apart]}
    files["app/count.py"] = COUNT.replace(" + users.orders(db)", "")
    report = run(written(tmp_path / "shop", files), "lazy-raise")
    assert edited(report) == set()


def test_members_are_planned_with_their_program(tmp_path):
    settings = f"{PROJECT}[tool.awaken]\nmembers = ['/app/services']\n"
    apart = {**APART["project-inside"], "pyproject.toml": settings}
    report = run(written(tmp_path / "shop", {**PROGRAM, **apart}), "session-to-async")
    assert {"app/database.py", "app/services/setup.py"} <= edited(report)


PLUG_IN = {
    "plugins/mail/setup.py": "from setuptools import setup\n\nsetup(name='mail', version='1')\n",
    "plugins/mail/mail.py": "from app import models, opened\n\n\ndef send():\n"
    "    with opened() as db:\n        return db.query(models.User).first()\n",
}
DECLARING = {
    "pyproject": {"pyproject.toml": PROJECT},
    "setup-cfg": {"setup.cfg": "[options]\ninstall_requires =\n    sqlalchemy\n"},
    "requirements": {"requirements.txt": "flask-sqlalchemy==3.1\n"},
}


@pytest.mark.parametrize("below", [".", "plugins/mail"])
@pytest.mark.parametrize("declaring", DECLARING.values(), ids=DECLARING)
def test_plug_in_has_the_sessions_of_the_program_around_it(tmp_path, declaring, below):
    root = written(tmp_path / "shop", {**declaring, **PLUG_IN, ".git/HEAD": ""})
    report = run(root, "query-to-select", below=below)
    found = [one.reason for each in report.roots for one in each.findings]
    assert found == ["query-to-select/unproven-session"]


@pytest.mark.parametrize("around", ["fastapi", "numpy"])
def test_plug_in_of_a_program_without_sessions_has_none(tmp_path, around):
    declaring = {"pyproject.toml": PROJECT.replace("sqlalchemy>=2.0", around)}
    root = written(tmp_path / "shop", {**declaring, **PLUG_IN, ".git/HEAD": ""})
    assert not [one for each in run(root, "query-to-select").roots for one in each.findings]


SCRIPT = """\
import sys

sys.path.insert(0, "backend")

from app.database import LocalSession, User
from app.services import users

with LocalSession() as db:
    db.add(User(name="second"))
    db.commit()
    print(users.names(db))
"""


def test_a_script_beside_the_folder_of_a_program_is_planned_with_it_as_the_cure_says(tmp_path):
    inner = {f"backend/{path}": text for path, text in PROGRAM.items() if ".git" not in path}
    files = {**inner, "backend/app/services/__init__.py": "", "examples/seed.py": SCRIPT}
    root = written(tmp_path / "shop", {**files, ".git/HEAD": ""})

    apart = run(root, "session-to-async", below="backend")

    assert edited(apart) == set()
    cures = {one.help for each in apart.roots for one in each.findings if one.reason == OUT}
    assert any('`members = ["/backend"]`' in cure for cure in cures)

    written(root, {"pyproject.toml": '[tool.awaken]\nmembers = ["/backend"]\n'})
    together = edited(run(root, "session-to-async"))
    assert {"backend/app/database.py", "backend/app/count.py", "examples/seed.py"} <= together
