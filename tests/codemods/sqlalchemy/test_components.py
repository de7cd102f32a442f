"""Which parts of a program session-to-async takes together, and which it keeps apart."""

from __future__ import annotations

from textwrap import dedent

import pytest
from planned import reason_of, session_to_async

from awaken.contract import Level

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine("postgresql+psycopg://localhost/shop")
new_session = sessionmaker(engine)
"""
STAYS = """\
from database import new_session


class Stock:
    def __len__(self):
        with new_session() as db:
            return db.scalar("select 1")
"""


def levels(**files: str) -> dict[str, set[str]]:
    """Return what becomes of each function of a program, by its file."""
    plan = session_to_async({f"{name}.py": text for name, text in files.items()})
    found: dict[str, set[str]] = {}
    for one in plan.findings:
        found.setdefault(one.place.path.removesuffix(".py"), set()).add(one.level.value)
    return found


WAITING = "def tidy(db: Session) -> None:\n    db.commit()\n"
CONVERTS, STOPPED = {Level.UNSAFE.value}, {Level.MANUAL.value}
READS = "from database import new_session\n\n\ndef read():\n    with new_session() as db:\n"


def test_what_shares_a_factory_alone_is_kept_apart():
    found = levels(database=DATABASE, stays=STAYS, api=f"{READS}        db.commit()\n")

    assert found["api"] == CONVERTS
    assert found["stays"] == STOPPED


def messages(url, **files):
    """Return what is said of each place of a program with this URL."""
    database = DATABASE.replace('"postgresql+psycopg://localhost/shop"', url)
    database = f"import os\n\n{database}"
    api = f"{READS}        db.commit()\n"
    texts = {"database.py": database, "api.py": api, **files}
    return "\n".join(one.message for one in session_to_async(texts).findings)


@pytest.mark.parametrize(
    ("url", "may_be"),
    [
        ('"postgresql+psycopg://localhost/shop"', False),
        ('"sqlite:///shop.db"', False),
        ('f"sqlite:///{os.getcwd()}"', True),
        ('os.getenv("URL", "sqlite:///shop.db")', True),
        ('os.getenv("URL", "postgresql+psycopg://localhost/shop")', False),
    ],
)
def test_only_what_may_be_in_memory_is_said_to_be_another_one_for_each_engine(url, may_be):
    said = messages(url, **{"stays.py": STAYS})
    assert "it has its own connection pool" in said
    assert ("an in-memory database" in said) is may_be


@pytest.mark.parametrize(
    ("url", "is_in_memory"),
    [
        ('"sqlite:///shop.db"', False),
        ('"sqlite:////data/shop.db?timeout=5"', False),
        ('f"sqlite:///{os.getcwd()}"', False),
        ('"sqlite://"', True),
        ('"sqlite://", poolclass=NullPool', True),
        ('"sqlite://", poolclass=StaticPool', False),
        ('"sqlite://", poolclass=pool.StaticPool', False),
        ('"sqlite:///:memory:"', True),
        ('"sqlite:///file:shop?mode=memory&uri=true"', True),
    ],
)
def test_only_of_a_database_in_memory_it_is_said_that_sessions_share_a_connection(
    url, is_in_memory
):
    said = messages(url)
    assert "`create_engine` becomes `create_async_engine`" in said
    assert ("share one connection" in said) is is_in_memory


FOLDERS = "import tempfile\n\n\ndef folder():\n    return tempfile.mkdtemp()\n"


@pytest.mark.parametrize(
    ("made", "is_apart"),
    [
        ('create_engine(f"postgresql+psycopg://localhost/{os.getpid()}")', True),
        ('create_engine(f"postgresql+psycopg://localhost/{uuid.uuid4()}")', False),
        ('create_engine(f"sqlite:///{folders.folder()}/shop.db")', False),
        ('create_engine(URL)\nURL = f"sqlite:///{folders.folder()}/shop.db"', False),
        ('create_engine(URL)\nURL = "sqlite:///" + folders.folder() + "/shop.db"', True),
        ('create_engine(f"sqlite:///{FOLDER}/shop.db")\nFOLDER = folders.folder()', True),
    ],
)
def test_engine_whose_code_gives_another_one_each_time_is_not_written_twice(made, is_apart):
    made, _, above = made.partition("\n")
    database = DATABASE.replace('create_engine("postgresql+psycopg://localhost/shop")', made)
    database = f"import os\nimport uuid\nimport folders\n{above}\n{database}"
    api = f"{READS}        db.commit()\n"

    found = levels(database=database, folders=FOLDERS, stays=STAYS, api=api)

    assert found["api"] == (CONVERTS if is_apart else STOPPED)


CALLING = """\
import common


class A:
    def __len__(self):
        return common.read()
"""
HANDING_ON = """\
from database import new_session


class A:
    def __len__(self, request):
        request.state.db = new_session()
        request.state.db.commit()
"""
IN_CLASS = """\
from database import new_session


class Store:
    db = new_session()

    def __len__(self):
        return self.db.scalar("select 1")
"""
IN_FILE = """\
from database import new_session

db = new_session()


class A:
    def __len__(self):
        return db.scalar("select 1")
"""


@pytest.mark.parametrize(
    ("stays", "api"),
    [
        (CALLING, "import common\n\n\ndef api():\n    return common.read()\n"),
        (HANDING_ON, "def api(request):\n    request.state.db.commit()\n"),
        (IN_CLASS, "from stays import Store\n\n\ndef api():\n    Store.db.commit()\n"),
        (IN_FILE, "from stays import db\n\n\ndef api():\n    db.commit()\n"),
    ],
)
def test_what_shares_a_session_is_taken_together(stays, api):
    found = levels(database=DATABASE, common=f"{READS}        db.commit()\n", stays=stays, api=api)

    assert found["stays"] == STOPPED
    assert found["api"] == STOPPED


@pytest.mark.parametrize(
    "replaced",
    [
        "import database\n\n\ndef set_up(other):\n    database.new_session = other\n",
        "def test_it(patch, other):\n    patch.setattr('database.new_session', other)\n",
        "from database import new_session\n\nnew_session.configure(bind=None)\n",
    ],
)
def test_a_factory_that_is_replaced_joins_its_users(replaced):
    files = {"database": DATABASE, "stays": STAYS, "api": f"{READS}        db.commit()\n"}
    found = levels(**files, replaced=replaced)

    assert found["api"] == STOPPED


def test_a_database_in_memory_joins_its_users():
    memory = DATABASE.replace("postgresql+psycopg://localhost/shop", "sqlite://")
    found = levels(database=memory, stays=STAYS, api=f"{READS}        db.commit()\n")

    assert found["api"] == STOPPED


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("getattr(common, name)()", STOPPED),
        ("getattr(common, name)(1, 2)", CONVERTS),
        ("getattr(name, 'read')()", CONVERTS),
    ],
)
def test_what_is_found_by_a_name_may_be_what_waits(call, expected):
    calling = f"import common\n\n\ndef call(name):\n    return {call}\n"
    found = levels(database=DATABASE, common=f"{READS}        db.commit()\n", calling=calling)

    assert found["common"] == expected


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ("", "uncalled"),
        # What may call it is unknown.
        ("\n\nLOGGERS = {'log': log}\n", "foreign-session"),
        ("\n\ndef test_log(session):\n    log(session)\n", "foreign-session"),
    ],
)
def test_nobody_has_to_mend_a_function_that_nothing_calls(others, reason):
    text = "from sqlalchemy.orm import Session\n\n\ndef log(db: Session) -> None:\n    db.add(1)\n"
    reading = f"{READS}        db.commit()\n"
    texts = {"database.py": DATABASE, "api.py": reading, "shop.py": text + others}
    plan = session_to_async(texts)

    reasons = {reason_of(each) for each in plan.findings if each.place.path == "shop.py"}
    assert reasons == {reason}


def test_no_change_is_safe():
    texts = {"shop.py": "from sqlalchemy.orm import Session\n\n\n" + WAITING}
    plan = session_to_async(texts)

    assert [one.level for one in plan.changes] == [Level.UNSAFE]
    assert {one.level for one in plan.findings} == {Level.UNSAFE}


def test_what_nobody_calls_stays_as_well_where_sessions_come_from_elsewhere():
    texts = {
        "shop.py": "from sqlalchemy.orm import Session\n\n\n" + WAITING,
        "api.py": """\
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from shops.connection import Connection, get_session

app = FastAPI()


@app.post("/")
def buy(db: Session = Depends(get_session)) -> None:
    db.commit()


def report() -> None:
    Connection("shop").commit()
""",
    }
    plan = session_to_async(texts)

    assert not plan.changes
    reasons = {reason_of(one): one.help for one in plan.findings}
    assert reasons.keys() == {"foreign-session", "beside-another", "unknown-session"}
    assert "engine and a session factory of this program" in reasons["unknown-session"]


def test_a_site_that_is_decided_twice_says_what_is_against_it():
    texts = {
        "shop.py": dedent("""\
            from functools import wraps
            from sqlalchemy import select
            from sqlalchemy.orm import Session

            def retried(function):
                @wraps(function)
                def wrapper(*args, **kwargs):
                    try:
                        return function(*args, **kwargs)
                    except ValueError:
                        [*args][0].rollback()
                        raise
                return wrapper

            @retried
            def price(db: Session) -> int:
                return db.scalar(select(1))
        """)
    }

    found = [reason_of(one) for one in session_to_async(texts).findings]

    assert "unknown-session" in found


def test_a_file_that_cannot_be_parsed_is_to_be_mended_and_not_to_be_selected():
    api = f"from broken import rows\n{READS}        db.commit()\n        return rows(db)\n"
    plan = session_to_async({"database.py": DATABASE, "api.py": api, "broken.py": "def rows(:\n"})

    cures = {finding.help for finding in plan.findings if "which does not parse" in finding.message}
    assert cures == {"Fix its syntax, or run awaken with a newer Python."}
