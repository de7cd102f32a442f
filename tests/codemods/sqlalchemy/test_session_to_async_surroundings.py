"""What session-to-async asks for beside the code: requirements, and what is left to users."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync
from awaken.contract import ByHand, Constraints, InsertStatements, Requirement, TextEdit
from awaken.project import Project, Snapshot
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import is_async_driver
from awaken.workspace.manifests.targets import DistributionTarget, Targets
from awaken.workspace.manifests.versions import specifiers
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode, decode_settings

DATABASE = """\
import os
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine({url})
new_session = sessionmaker(engine)


def save():
    with new_session() as db:
        db.commit()
"""
FROM_OUTSIDE = 'os.environ["DATABASE_URL"]'
WITH_DEFAULT = 'os.environ.get("DATABASE_URL", "sqlite:///x.db")'


def edits(url, *, files=None, versions=None, drivers=None, code=None):
    """Return the edits of the only change of a program whose engine has this ``url``."""
    written = {"database.py": DATABASE.format(url=url), **(code or {})}
    sources = {path: decode(path, text.encode()) for path, text in written.items()}
    sources |= {path: decode_settings(path, raw) for path, raw in (files or {}).items()}
    targets = Targets(
        DistributionTarget(name, (specifiers(text),), "pyproject.toml")
        for name, text in (versions or {}).items()
    )
    settings = ProjectSettings(reads=SessionToAsync.reads, published=False)
    project = Project(Snapshot(sources), targets, settings=settings)
    options = SessionToAsync.options(drivers=drivers or {})
    (change,) = SessionToAsync().plan(project, Constraints(options=options)).changes
    return change.edits


def required(*arguments, **options):
    """Return what is required, with what it stands beside, or with its group."""
    found = [one for one in edits(*arguments, **options) if isinstance(one, Requirement)]
    return {one.requirement: one.group or one.beside for one in found}


LAYERS = ("sqlalchemy", "sqlmodel", "flask-sqlalchemy")


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ({}, "aiosqlite"),
        ({"sqlalchemy": "==2.0.45"}, "aiosqlite<0.22"),
        ({"sqlalchemy": "==2.0.46"}, "aiosqlite"),
        ({"sqlalchemy": ">=2.0"}, "aiosqlite"),
        ({"aiosqlite": ">=0.15"}, "aiosqlite>=0.16"),
        ({"aiosqlite": ">=0.17"}, "aiosqlite"),
        ({"aiosqlite": ">=0.15", "sqlalchemy": "==2.0.45"}, "aiosqlite>=0.16,<0.22"),
    ],
)
def test_aiosqlite_is_held_to_what_sqlalchemy_works_with(versions, wanted):
    found = required('"sqlite:///x.db"', versions=versions)
    assert found == {"sqlalchemy[asyncio]>=2.0": LAYERS, wanted: LAYERS}


@pytest.mark.parametrize(
    ("url", "versions", "said"),
    [
        ("sqlite:///x.db", {"aiosqlite": "==0.15.0"}, "Require aiosqlite>=0.16."),
        ("sqlite:///x.db", {"aiosqlite": "==0.22.1", "sqlalchemy": "==2.0.45"}, "<0.22."),
        ("postgresql+psycopg://h/x", {"psycopg": "<3.0.2"}, "Require psycopg>=3.0.2."),
        ("postgresql+psycopg://h/x", {"psycopg-binary": "==3.0.1"}, "psycopg-binary>=3.0.2."),
        ("postgresql+asyncpg://h/x", {"asyncpg": "==0.23.0"}, "Require asyncpg>=0.25."),
        ("mysql+asyncmy://h/x", {"asyncmy": "==0.2.4"}, "!=0.2.4"),
        ("mysql+pymysql://h/x", {"aiomysql": "==0.1.0"}, "Require aiomysql>=0.2.0."),
        ("oracle+oracledb://h/x", {"oracledb": "==1.4.0"}, "Require oracledb>=2.0."),
    ],
)
def test_versions_of_a_driver_that_do_not_work_are_refused(url, versions, said):
    database = DATABASE.format(url=f'"{url}"')
    result = rewritten(database=database, targets=versions)
    (refused,) = (one for one in result.report.findings if reason_of(one) == "old-driver")
    assert said in refused.help
    assert result.files["database.py"] == database.encode()


@pytest.mark.parametrize(
    ("declared", "wanted", "beside"),
    [
        ("psycopg2-binary", "psycopg[binary]", ("psycopg2-binary", *LAYERS)),
        ("psycopg2", "psycopg", ("psycopg2", *LAYERS)),
        ("psycopg", "psycopg>=3.0.2", ("psycopg", *LAYERS)),
    ],
)
def test_a_driver_stands_beside_the_one_that_it_replaces(declared, wanted, beside):
    url, drivers = '"postgresql+psycopg2://h/x"', {"postgresql": "psycopg"}
    found = required(url, versions={declared: ">=2.9"}, drivers=drivers)
    assert found == {"sqlalchemy[asyncio]>=2.0": LAYERS, wanted: beside}


def test_the_oldest_sqlalchemy_that_knows_the_driver():
    found = required('"mssql+pyodbc://h/x"')
    assert list(found) == ["sqlalchemy[asyncio]>=2.0.23", "aioodbc"]


@pytest.mark.parametrize(
    ("url", "versions", "version", "written"),
    [
        ("postgresql://h/x", {}, "2.0", ["postgresql+psycopg"]),
        ("postgres://h/x", {}, "2.0", ["postgresql+psycopg"]),
        ("oracle://h/x", {}, "2.0.25", ["oracle+oracledb"]),
        ("mysql://h/x", {"aiomysql": ">=0.2"}, "2.0", ["mysql+aiomysql"]),
        ("postgresql+psycopg://h/x", {}, "2.0", []),
        ("postgresql+psycopg://h/x", {"sqlalchemy": ">=2.1"}, "2.0", []),
        ("postgresql://h/x", {"sqlalchemy": ">=2.1"}, "2.1", []),
        ("oracle://h/x", {"sqlalchemy": ">=2.1"}, "2.1", []),
        (
            "postgresql://h/x",
            {"sqlalchemy": ">=2.0", "psycopg": ">=3.1"},
            "2.0",
            ["postgresql+psycopg"],
        ),
    ],
)
def test_a_url_has_an_asynchronous_driver_in_each_required_version(url, versions, version, written):
    changes = edits(f'"{url}"', versions=versions)
    texts = [one.text for one in changes if isinstance(one, TextEdit) and "+" in one.text]
    assert texts == written
    needed = [one.requirement for one in changes if isinstance(one, Requirement)]
    assert needed[0] == f"sqlalchemy[asyncio]>={version}"
    (name,) = written or [url.partition(":")[0]]
    assert is_async_driver(name, current=True)
    assert is_async_driver(name, current=False) is (version != "2.1")


def test_a_driver_that_only_tests_use_belongs_to_their_group():
    tests = "from sqlalchemy import create_engine\n\nother = create_engine('sqlite:///t.db')\n"
    tests += "\n\ndef test_it():\n    with other.begin() as c:\n        c.execute('x')\n"
    found = required('"postgresql+psycopg://h/x"', code={"tests/test_it.py": tests})
    assert found["aiosqlite"] == "dev"
    assert found["psycopg"] == LAYERS


def left(*arguments, **options):
    found = [one for one in edits(*arguments, **options) if isinstance(one, ByHand)]
    return [(one.file, one.line, one.what) for one in found]


COMPOSE = b"""\
services:
  api:
    environment:
      # postgresql://not:this@db/x
      DATABASE_URL: postgresql+psycopg2://me:hush@db/shop?sslmode=require&ssl=1&a%0ab=1
      OTHER: jdbc:postgresql://db/x
"""


def test_urls_beside_the_code_without_a_driver_are_left_to_users():
    files = {"docker-compose.yml": COMPOSE, "tests/x.txt": COMPOSE}
    ((path, line, what),) = left(WITH_DEFAULT, files=files)
    assert (path, line) == ("docker-compose.yml", 5)
    assert "`postgresql+psycopg2`" in what
    assert 'drivers = { postgresql = "psycopg" }` to one of psycopg, asyncpg' in what
    assert "hush" not in what


def test_a_program_that_chooses_the_driver_when_it_runs_leaves_nothing():
    files = {".env.example": b"DATABASE_URL=postgresql://u:p@h/x\n\0\x1b[2J"}
    assert not left(WITH_DEFAULT, files=files, versions={"psycopg": ">=3"})
    assert not left('"sqlite:///x.db"', files=files)
    (inserted,) = (
        one
        for one in edits(WITH_DEFAULT, files=files, versions={"psycopg": ">=3"})
        if isinstance(one, InsertStatements)
    )
    assert (
        '{"postgresql": "postgresql+psycopg", "sqlite": "sqlite+aiosqlite"}' in inserted.data.code
    )


def test_parameters_of_another_driver_are_left_to_users():
    files = {".github/workflows/ci.yml": COMPOSE}
    ((_, line, what),) = left(FROM_OUTSIDE, files=files, drivers={"postgresql": "asyncpg"})
    assert (line, what) == (5, "the engine may get this URL, but asyncpg does not accept `sslmode`")
    assert not left(FROM_OUTSIDE, files=files, drivers={"postgresql": "psycopg"})


def test_what_is_large_or_not_asked_for_is_not_searched():
    many = b"URL=postgresql+psycopg2://h/x\n" * 300
    assert len(left(WITH_DEFAULT, files={"Dockerfile": many})) == 300
    assert not left(WITH_DEFAULT, files={"Dockerfile": many * 100, "notes.yml": many})


def written_drivers(url, code):
    """Return the text of the drivers that the URL of the engine is given."""
    found = edits(url, code={"other.py": code}, drivers={"postgresql": "psycopg"})
    (inserted,) = (one for one in found if isinstance(one, InsertStatements))
    return inserted.data.code


@pytest.mark.parametrize(
    ("code", "is_named"),
    [
        (
            "class Provider:\n    @property\n    def url(self):\n        return f'sqlite:///{0}'\n",
            1,
        ),
        ("import os\n\nos.environ['DATABASE_URL'] = 'sqlite:///./test.db'\n", 1),
        ("DEFAULTS = {'url': 'sqlite+pysqlite://'}\n", 1),
        ("def is_file(url):\n    return url.startswith('sqlite://')\n", 1),
        ("# sqlite:///x.db\nNAME = 'sqlite'\n", 0),
        ("LINK = 'https://example.org/sqlite://'\n", 0),
    ],
)
def test_a_url_from_outside_may_be_one_that_the_program_writes_elsewhere(code, is_named):
    assert ('"sqlite": "sqlite+aiosqlite"' in written_drivers(FROM_OUTSIDE, code)) is bool(is_named)
