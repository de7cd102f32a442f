"""Which asynchronous driver to take is a question of the site, and its answer is taken."""

from __future__ import annotations

import re
import tomllib

import pytest
from planned import rewritten

from awaken import api
from awaken.settings import Settings

SHOP = """\
import os
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.orm import sessionmaker

engine = create_engine({})
LocalSession = sessionmaker(engine)


def one():
    with LocalSession() as db:
        return db.execute(text("select 1")).scalar()
"""
MANIFEST = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["sqlalchemy>=2.0.40"]\n'
OPTION = re.compile(r"`(drivers = \{[^`]*\})`")
QUESTIONS = [
    ('"postgresql://u@h/x"', "for `postgresql://` there is psycopg or asyncpg"),
    ('"postgres://u@h/x"', "for `postgres://` there is psycopg or asyncpg"),
    ('"postgresql+psycopg2://u@h/x"', "for `postgresql+psycopg2://` there is psycopg or asyncpg"),
    ('"mysql://h/x"', "for `mysql://` there is aiomysql or asyncmy"),
    ('"mysql+pymysql://h/x"', "for `mysql+pymysql://` there is aiomysql or asyncmy"),
    ('"mariadb+mariadbconnector://h/x"', "for `mariadb+mariadbconnector://` there is aiomysql or"),
    ("f\"postgresql://{os.environ['U']}@h/x\"", "for `postgresql://` there is psycopg or asyncpg"),
    ('URL.create("postgresql", host="h")', "for `postgresql://` there is psycopg or asyncpg"),
    ('URL.create(drivername="mysql", host="h")', "for `mysql://` there is aiomysql or asyncmy"),
    ('os.getenv("DB", "postgresql://h/x")', "for `postgresql://` there is psycopg or asyncpg"),
    ('os.getenv("DB") or "mysql://h/x"', "for `mysql://` there is aiomysql or asyncmy"),
    ('make_url("postgresql://h/x")', "for `postgresql://` there is psycopg or asyncpg"),
    ('"postgresql://%s/x" % os.environ["H"]', "for `postgresql://` there is psycopg or asyncpg"),
    (
        'os.environ["DB"].replace("postgres://", "postgresql://")',
        "may be a `postgres://`, for which there is psycopg or asyncpg",
    ),
    ('os.environ["DB"]', 'does not say which database `os.environ["DB"]` names'),
]
CHOSEN = [
    ('"sqlite:///x.db"', "sqlite+aiosqlite:"),
    ('"oracle+cx_oracle://h/x"', "oracle+oracledb:"),
    ('"mssql+pyodbc://h/x"', "mssql+aioodbc:"),
]


@pytest.fixture
def run(tmp_path):
    def run(url, *, required="", **options):
        manifest = MANIFEST.replace('40"]', f'40", "{required}"]') if required else MANIFEST
        (tmp_path / "pyproject.toml").write_text(manifest)
        (tmp_path / "shop.py").write_text(SHOP.replace("{}", url))
        settings = Settings(
            select=("session-to-async",),
            published=False,
            unsafe_fixes=True,
            rules={"session-to-async": options},
        )
        (report,) = api.run([tmp_path], api.Options(settings=settings, isolated=True)).roots
        return report

    return run


@pytest.mark.parametrize(("url", "question"), QUESTIONS)
def test_a_database_with_several_drivers_is_a_question_that_its_answer_answers(run, url, question):
    (asked,) = [one for one in run(url).findings if "driver" in (one.reason or "")]

    assert question in asked.message
    answer = OPTION.search(asked.help)[1]
    answered = run(url, **tomllib.loads(answer))
    assert len(answered.changes) == 1
    assert all(one.level == "unsafe" for one in answered.findings)
    ((driver,),) = [tuple(one.values()) for one in tomllib.loads(answer).values()]
    (file,) = [one for one in answered.files if one.path == "shop.py"]
    assert f"+{driver}" in file.after.text.decode()


SQLITE_OF_TESTS = """\
from sqlalchemy import create_engine

engine = create_engine("sqlite://")
"""


@pytest.mark.parametrize(
    ("required", "question"),
    [
        ("psycopg2-binary", "may be a `postgresql+psycopg2://`, for which there is psycopg or"),
        ("mysqlclient>=2", "may be a `mysql+mysqldb://`, for which there is aiomysql or asyncmy"),
    ],
)
def test_a_url_from_outside_may_name_a_driver_that_is_required(run, tmp_path, required, question):
    (tmp_path / "test_shop.py").write_text(SQLITE_OF_TESTS)
    findings = run('os.environ["DB"]', required=required).findings
    (asked,) = [one for one in findings if "driver" in (one.reason or "")]

    assert question in asked.message
    answered = run(
        'os.environ["DB"]', required=required, **tomllib.loads(OPTION.search(asked.help)[1])
    )
    (file,) = [one for one in answered.files if one.path == "shop.py"]
    assert '"sqlite": "sqlite+aiosqlite"' in file.after.text.decode()


@pytest.mark.parametrize(
    ("url", "required"),
    [('os.environ["DB"]', "psycopg[binary]"), ('"sqlite:///x.db"', "psycopg2-binary")],
)
def test_a_required_driver_that_serves_both_sides_or_no_engine_is_no_question(
    run, tmp_path, url, required
):
    (tmp_path / "test_shop.py").write_text(SQLITE_OF_TESTS)
    report = run(url, required=required)

    assert report.changes
    assert not [one for one in report.findings if "driver" in (one.reason or "")]


@pytest.mark.parametrize(("url", "written"), CHOSEN)
def test_a_database_with_one_driver_is_no_question(run, url, written):
    (file,) = [one for one in run(url).files if one.path == "shop.py"]

    assert written in file.after.text.decode()


def test_a_database_without_an_asynchronous_driver_is_said_to_have_none(run):
    (asked,) = [one for one in run('"duckdb:///x"').findings if "driver" in (one.reason or "")]

    assert asked.reason == "session-to-async/no-driver"
    assert "`duckdb://`" in asked.message


@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy"])
@pytest.mark.parametrize("option", ["", ", pool_pre_ping=True"])
def test_a_pool_that_pings_is_announced(driver, option):
    text = f"""\
from sqlalchemy import create_engine, text

engine = create_engine("mysql+pymysql://localhost/shop"{option})


def number() -> int:
    with engine.connect() as connection:
        return connection.scalar(text("select 1"))
"""
    result = rewritten(options={"drivers": {"mysql": driver}}, shop=text)
    said = [one.message for one in result.report.findings]
    assert any("`pool_pre_ping` raises" in each for each in said) is bool(option)


@pytest.mark.parametrize(
    ("url", "shared", "one"),
    [
        ("sqlite:///file::memory:?cache=shared&uri=true", True, False),
        ("sqlite:///:memory:", False, True),
        ("sqlite:///shop.db", False, False),
    ],
)
def test_a_database_in_shared_memory_keeps_a_connection(url, shared, one):
    result = rewritten(shop=SHOP.format(f'"{url}"'))
    text = result.files["shop.py"].decode()
    assert ("poolclass=AsyncAdaptedQueuePool" in text) is shared
    said = [finding.message for finding in result.report.findings]
    assert any("share one connection" in message for message in said) is one
