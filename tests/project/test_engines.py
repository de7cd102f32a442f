from __future__ import annotations

import pytest
from programs import module_of, program

from awaken.project import Project
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import (
    Engine,
    Url,
    async_drivers,
    full_drivername,
    is_async_driver,
)

BEGIN = """
    import os
    from decouple import config
    from sqlalchemy import URL, create_engine, make_url
    from settings import Settings, settings
"""
SETTINGS = """
    from pydantic import Field
    from pydantic_settings import BaseSettings
    class Settings(BaseSettings):
        plain: str = "sqlite:///plain.db"
        field: str = Field("postgresql://h/field", alias="DB")
        required: str = Field(...)
        host: str = "h"
        @property
        def built(self) -> str:
            return f"mysql+pymysql://{self.host}/built"
        def __init__(self):
            self.assigned = "oracle://assigned"
    settings = Settings()
"""


def engines(text: str) -> tuple[Project, list[Engine]]:
    project = program({"app.py": text, "settings.py": SETTINGS})
    return project, list(project.orm.engines.in_file(module_of(project, "app.py")))


def url(text: str, above: str = "") -> Url:
    project, found = engines(f"{BEGIN}{above}\n    create_engine({text})\n")
    known = project.orm.engines.url_of(found[-1])
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("text", "drivername"),
    [
        ("'sqlite://'", "sqlite"),
        ("f'sqlite:///{x}'", "sqlite"),
        ("'postgresql+asyncpg://%s' % x", "postgresql+asyncpg"),
        ("'mysql://{}'.format(x)", "mysql"),
        ("'sqlite' + '://' + x", "sqlite"),
        ("f'{D}://host'", "postgresql+psycopg2"),
        ("make_url('sqlite://')", "sqlite"),
        ("str(make_url(S)).strip()", "sqlite"),
        ("URL.create('mysql+pymysql', host=x)", "mysql+pymysql"),
        ("URL.create(drivername=D)", "postgresql+psycopg2"),
        ("make_url(x).set(drivername=D)", "postgresql+psycopg2"),
        ("S.replace('sqlite', 'sqlite+aiosqlite', 1)", "sqlite+aiosqlite"),
        ("made(x)", "mysql"),
    ],
)
def test_the_driver_of_a_url_is_read(text, drivername):
    above = """
    D = "postgresql+psycopg2"
    S = "sqlite:///x"
    def made(host):
        return "mysql://" + host
    """
    assert url(text, above).drivernames == (drivername,)


@pytest.mark.parametrize(
    ("text", "kind", "name", "texts"),
    [
        ("os.environ['DB']", "environment", "DB", []),
        ("os.getenv('DB', 'sqlite://')", "environment", "DB", ["sqlite://"]),
        ("os.environ.get('DB') or 'sqlite://'", "environment", "DB", ["sqlite://"]),
        ("config('DB', default='sqlite://')", "environment", "DB", ["sqlite://"]),
        ("app.config['DB']", "settings", "DB", []),
        ("settings.plain", "settings", "settings.plain", ["sqlite:///plain.db"]),
        ("settings.field", "settings", "settings.field", ["postgresql://h/field"]),
        ("settings.required", "settings", "settings.required", []),
        ("settings.assigned", "settings", "settings.assigned", ["oracle://assigned"]),
        ("unknown()", "unseen", "unknown()", []),
    ],
)
def test_what_comes_from_outside_is_named_with_its_default(text, kind, name, texts):
    found = url(text)

    assert (kind, name) in [(one.kind, one.name) for one in found.outside]
    assert [one.text for one in found.texts] == texts
    assert found.drivernames == found.dialects == ()


def test_a_property_that_nothing_sets_is_not_from_outside():
    found = url("settings.built")

    assert found.outside == ()
    assert found.drivernames == ("mysql+pymysql",)


def test_a_parameter_has_its_default_and_what_else_is_passed():
    text = f"{BEGIN}\n    def make(url='sqlite://'):\n        return create_engine(url)\n"
    project, [engine] = engines(text)
    found = project.orm.engines.url_of(engine)

    assert found is not None
    assert [(one.kind, one.name) for one in found.outside] == [("parameter", "url")]
    assert [one.text for one in found.texts] == ["sqlite://"]


def test_a_program_that_replaces_the_driver_of_its_setting_adapts_it():
    above = """
    url = os.environ["DB"]
    if url.startswith("postgres://"):
        url = url.replace("postgres://", "postgresql+asyncpg://", 1)
    """

    assert [one.is_adapted for one in url("url", above).outside] == [False, True]


def test_both_sides_of_a_choice_are_read_and_a_circle_ends():
    above = """
    first = "sqlite://" if x else second
    second = first
    """

    assert url("first", above).drivernames == ("sqlite",)
    assert url("x or f'mysql://{x}'", above).drivernames == ()


def test_a_text_says_where_it_stands_and_through_which_variables_it_came():
    project, [engine] = engines(f"{BEGIN}\n    A = 'sqlite://'\n    B = A\n    create_engine(B)\n")
    found = project.orm.engines.url_of(engine)

    assert found is not None
    [text] = found.texts
    module = module_of(project, "app.py")
    source = module.source.text
    places = (text.place, *text.through)
    assert [source[one.span.start : one.span.end] for one in places] == [b"'sqlite://'", b"B", b"A"]


def test_a_url_that_is_put_together_without_end_is_not_read():
    found = url(" + ".join(["x()"] * 150))

    assert found.drivernames == ()
    assert [one.kind for one in found.outside] == ["unseen"]


def test_engines_say_what_makes_them():
    text = """
    import sqlmodel
    from sqlalchemy import create_engine, engine_from_config, pool
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    create_engine("sqlite://", poolclass=pool.NullPool)
    AsyncEngine(sqlmodel.create_engine(url="sqlite://", poolclass=None))
    create_async_engine(*given, poolclass=choose())
    engine_from_config({}, prefix="db.")
    my_engine("sqlite://")
    """
    project, found = engines(text)
    known = project.orm.engines

    assert [one.is_async for one in found] == [False, True, True, False]
    assert [one.configured for one in found] == [False, False, False, True]
    assert [one.url is None for one in found] == [False, False, True, True]
    assert [known.pool_of(one) for one in found] == ["NullPool", "", None, ""]
    assert [one.call.lineno for one in known.all()] == [one.call.lineno for one in found]


@pytest.mark.parametrize(
    ("drivername", "until", "since", "others"),
    [
        ("sqlite", False, False, ["sqlite+aiosqlite"]),
        ("sqlite+pysqlite", False, False, ["sqlite+aiosqlite"]),
        ("postgresql", False, True, ["postgresql+psycopg", "postgresql+asyncpg"]),
        ("postgres", False, True, ["postgresql+psycopg", "postgresql+asyncpg"]),
        ("postgresql+psycopg2", False, False, ["postgresql+psycopg", "postgresql+asyncpg"]),
        ("postgresql+asyncpg", True, True, ["postgresql+psycopg", "postgresql+asyncpg"]),
        ("mariadb+pymysql", False, False, ["mariadb+aiomysql", "mariadb+asyncmy"]),
        ("oracle", False, True, ["oracle+oracledb"]),
        ("mssql", False, False, ["mssql+aioodbc"]),
        ("duckdb", None, None, []),
    ],
)
def test_the_drivers_of_databases_are_told_apart(drivername, until, since, others):
    assert is_async_driver(drivername, current=False) is until
    assert is_async_driver(drivername, current=True) is since
    assert {one.drivername for one in async_drivers(drivername)} == set(others)
    assert is_async_driver(full_drivername(drivername, current=True), current=True) is since


@pytest.mark.parametrize(
    "written",
    [
        "os.environ['DB_URL'] = M",
        "os.environ.setdefault('DB_URL', 'sqlite+pysqlite:///:memory:')",
        "os.environ.update({'OTHER': 'x', 'DB_URL': 'sqlite://'})",
        "monkeypatch.setenv('DB_URL', 'sqlite://')",
        "mock.patch.dict(os.environ, {'DB_URL': 'sqlite:///:memory:'})",
    ],
)
@pytest.mark.parametrize(
    ("value", "is_in_memory"),
    [("os.environ['DB_URL']", True), ("settings.db_url", True), ("os.environ['OTHER']", False)],
)
def test_the_environment_puts_a_database_in_memory(written, value, is_in_memory):
    text = f"import os\nfrom unittest import mock\nM = 'sqlite://'\n{written}\n"
    made = f"import os\nfrom sqlalchemy import create_engine\nengine = create_engine({value})\n"
    project = program({"app.py": made, "conftest.py": text})
    known = project.orm.engines
    [engine] = known.in_file(module_of(project, "app.py"))
    assert known.is_in_memory(engine) is is_in_memory
