"""Suites whose pytest-asyncio is pinned: what it does not know is written otherwise, or refused."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

from awaken.codemods.sqlalchemy.session_to_async.suites.suite_settings import FIXTURE_LOOP_SCOPE
from awaken.workspace.manifests.pytest_settings import TEST_LOOP_SCOPE

DATABASE = """\
from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///app.db")


def number() -> int:
    with Session(engine) as db:
        return db.scalar(select(literal(1)))
"""
CONFTEST = """\
import pytest
from database import number


@pytest.fixture(scope="session")
def one():
    yield number()
"""
TEST = "def test_one(one):\n    assert one == 1\n"
LOOPS = "_loop_scope"
LOOP = "\n\n@pytest.fixture(scope='session')\ndef event_loop():\n    yield None\n"
POSTGRES = DATABASE.replace("sqlite:///app.db", "postgresql+asyncpg://localhost").replace(
    "+asyncpg", "+psycopg2"
)


MARKED = f"import pytest\n\n{TEST}\n\n@pytest.mark.asyncio\nasync def test_two():\n    pass\n"
"""A suite that uses pytest-asyncio already."""


def migrated(database=DATABASE, conftest=CONFTEST, test=TEST, **versions):
    targets = {name.replace("_", "-"): version for name, version in versions.items()}
    options = {"drivers": {"postgresql": "asyncpg"}} if database == POSTGRES else {}
    files = {"database": database, "conftest": conftest, "test_one": test}
    result = rewritten(options=options, targets=targets, **files)
    texts = {path: text.decode() for path, text in result.files.items()}
    return texts, {reason_of(one) for one in result.report.findings}


@pytest.mark.parametrize("version", ["0.17.2", "0.18.3", "0.19.0", "0.21.1"])
@pytest.mark.parametrize("database", [DATABASE, POSTGRES], ids=["sqlite", "postgresql"])
def test_one_loop_for_all_is_a_fixture_before_loops_had_scopes(database, version):
    texts, reasons = migrated(database, pytest_asyncio=version)
    assert reasons == {""}
    assert '@pytest.fixture(scope="session")\ndef event_loop():' in texts["conftest.py"]
    assert LOOPS not in texts["pyproject.toml"]


@pytest.mark.parametrize("version", ["0.23.8", "0.24.0", "0.26.0", "1.5.0"])
def test_fixtures_have_loops_of_their_scope_since(version):
    texts, reasons = migrated(pytest_asyncio=version)
    assert reasons == {""}
    assert "event_loop" not in texts["conftest.py"]
    assert LOOPS not in texts["pyproject.toml"]


@pytest.mark.parametrize("version", ["0.24.0", "0.25.3"])
def test_one_loop_for_all_is_a_fixture_while_only_fixtures_have_a_default(version):
    texts, reasons = migrated(POSTGRES, pytest_asyncio=version)
    assert reasons == {""}
    assert 'scope="session")\ndef event_loop():' in texts["conftest.py"]
    assert f'{FIXTURE_LOOP_SCOPE} = "function"\n' in texts["pyproject.toml"]
    assert TEST_LOOP_SCOPE not in texts["pyproject.toml"]


def test_an_old_pytest_gets_a_plugin_that_runs_all_in_one_loop():
    texts, reasons = migrated(POSTGRES, pytest="7.4.4")
    assert reasons == {""}
    assert 'scope="session")\ndef event_loop():' in texts["conftest.py"]
    assert '"pytest-asyncio<0.23"' in texts["pyproject.toml"]
    assert LOOPS not in texts["pyproject.toml"]
    texts, reasons = migrated(pytest="7.4.4")
    assert '"pytest-asyncio"' in texts["pyproject.toml"]


@pytest.mark.parametrize("scope", ["class", "module", "package"])
def test_an_old_pytest_gets_one_loop_for_fixtures_of_several_tests(scope):
    conftest = CONFTEST.replace('"session"', f'"{scope}"')
    texts, reasons = migrated(conftest=conftest, pytest="7.4.4")
    assert reasons == {""}
    assert 'scope="session")\ndef event_loop():' in texts["conftest.py"]
    assert '"pytest-asyncio<0.23"' in texts["pyproject.toml"]


@pytest.mark.parametrize("scope", ["class", "module", "package"])
@pytest.mark.parametrize("version", ["0.23.8", "0.24.0"])
def test_shared_fixtures_need_loops_of_any_module(version, scope):
    conftest = CONFTEST.replace('"session"', f'"{scope}"')
    texts, reasons = migrated(conftest=conftest, test=MARKED, pytest_asyncio=version)
    assert ("old-test-tool" in reasons) is (version < "0.24")
    assert ("create_async_engine" in texts["database.py"]) is (version >= "0.24")


@pytest.mark.parametrize(
    "test", [MARKED, f"{TEST}\n\ndef test_two(event_loop):\n    assert event_loop\n"]
)
def test_one_loop_for_all_is_refused_where_nothing_says_it(test):
    texts, reasons = migrated(POSTGRES, test=test, pytest_asyncio="0.23.8")
    assert "old-test-tool" in reasons
    assert texts["database.py"] == POSTGRES


@pytest.mark.parametrize(
    ("tested", "version", "is_fixture"),
    [("8.2.2", "0.26.0", False), ("8.0.2", "0.21.2", True), ("7.4.4", "0.21.2", True)],
)
def test_a_version_that_no_test_uses_is_replaced(tested, version, is_fixture):
    texts, reasons = migrated(POSTGRES, pytest_asyncio="==0.23.7", pytest=f"=={tested}")
    assert reasons == {""}
    assert f'"pytest-asyncio=={version}"' in texts["pyproject.toml"]
    assert ("def event_loop():" in texts["conftest.py"]) is is_fixture
    assert (TEST_LOOP_SCOPE in texts["pyproject.toml"]) is not is_fixture


@pytest.mark.parametrize("version", ["0.26.0", "1.5.0"])
def test_one_loop_for_all_is_a_setting_today(version):
    texts, reasons = migrated(POSTGRES, pytest_asyncio=version)
    assert reasons == {""}
    assert (
        f'{FIXTURE_LOOP_SCOPE} = "session"\n{TEST_LOOP_SCOPE} = "session"\n'
        in texts["pyproject.toml"]
    )


def test_loop_that_a_suite_has_stays_its_own():
    texts, reasons = migrated(conftest=f"{CONFTEST}{LOOP}", pytest_asyncio="0.21.1")
    assert reasons == {""}
    assert texts["conftest.py"].count("def event_loop") == 1


def test_fixtures_of_single_tests_need_no_loop():
    texts, reasons = migrated(
        conftest=CONFTEST.replace('(scope="session")', ""), pytest_asyncio="0.21.1"
    )
    assert reasons == {""}
    assert "event_loop" not in texts["conftest.py"]


@pytest.mark.parametrize(
    ("version", "tested", "refused"),
    [
        ("0.21.1", "8.4.2", True),
        ("0.21.2", "8.4.2", False),
        ("0.21.1", "8.1.0", False),
    ],
)
def test_a_plugin_that_a_new_pytest_breaks_is_refused(version, tested, refused):
    _, reasons = migrated(test=MARKED, pytest_asyncio=f"=={version}", pytest=f"=={tested}")
    assert ("old-test-tool" in reasons) is refused
