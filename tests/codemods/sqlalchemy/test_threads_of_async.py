"""What functions do with threads, and who calls them out of sight: what session-to-async refuses.

The cases `held-locks` and `refused-threads` run and list the common forms; these are others.
"""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)


def get_db():
    with SessionLocal() as db:
        yield db
"""
HEAD = """\
import threading
from contextlib import ExitStack
from functools import partial, wraps
from operator import methodcaller

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

from database import Item, SessionLocal, get_db

app = FastAPI()
lock = threading.Lock()
"""
USE = """

@app.get("/items")
def items(db: Session = Depends(get_db)) -> object:
    BODY
"""
HELD = USE.replace("BODY", "with lock:\n        return db.get(Item, 1)")
WRAPPED = """
def locked(function):
    @wraps(function)
    def wrapper(*args, **kwargs):
        with lock:
            return function(*args, **kwargs)

    return wrapper


@locked
def load(db: Session) -> object:
    return db.get(Item, 1)
"""
ACQUIRED = """
def load(db: Session) -> object:
    lock.acquire()
    try:
        return db.get(Item, 1)
    finally:
        lock.release()
"""
GUARD = """
class Guard:
    def __enter__(self):
        lock.acquire()

    def __exit__(self, *exc):
        lock.release()
"""
OF_CLASS = """
class Shop:
    _lock = threading.Lock()

    @classmethod
    def load(cls, db: Session) -> object:
        with cls._lock:
            return db.get(Item, 1)

    def seen(self) -> int:
        with self._lock:
            return 1
"""
IN_THREAD = """
def run() -> None:
    with lock:
        pass


threading.Thread(target=run)
"""
REPORT = """
class Report:
    def __init__(self, db):
        self.db = db

    def run(self):
        return self.db.get(Item, 1)


KINDS = {"stock": Report}
"""
MADE = """
def make(key):
    def load(db):
        return db.get(Item, key)

    return load


first = make(1)
"""
CALLED = """
def load(db):
    return db.get(Item, 1)


def call(function, **given):
    return function(**given)
"""


def migrated(code, **others):
    result = rewritten(targets={"python": "3.11"}, database=DATABASE, main=HEAD + code, **others)
    reasons = {reason_of(one) for one in result.report.findings} - {"", "beside-another"}
    return result.files["main.py"].decode(), reasons


@pytest.mark.parametrize(
    ("code", "written"),
    [
        (HELD, "    async with lock:\n        return await db.get(Item, 1)\n"),
        (f"{WRAPPED}{USE.replace('BODY', 'return load(db)')}", "        async with lock:\n"),
        (f"{OF_CLASS}{USE.replace('BODY', 'return Shop.load(db)')}", "    async def seen(self)"),
        (f"{ACQUIRED}{USE.replace('BODY', 'return load(db)')}", "    await lock.acquire()\n"),
        (
            f"{GUARD}{USE.replace('BODY', 'with Guard():')}        return db.get(Item, 1)\n",
            "    async def __aenter__(self):\n        await lock.acquire()\n",
        ),
        # A coroutine function held up the loop by it before.
        (HELD.replace("def items", "async def items"), "    async with lock:\n"),
    ],
)
def test_a_lock_that_is_held_over_an_await_is_one_of_tasks(code, written):
    after, reasons = migrated(code)

    assert not reasons
    assert "asyncio.Lock()" in after
    assert written in after


@pytest.mark.parametrize(
    "code",
    [
        # Locks of tasks have no timeout, and not every `acquire` waits.
        f"{ACQUIRED.replace('acquire()', 'acquire(timeout=5)')}{USE.replace('BODY', 'load(db)')}",
        f"{ACQUIRED.replace('acquire()', 'acquire(False)')}{HELD}",
        # It is given back in a thread.
        f"{ACQUIRED}{USE.replace('BODY', 'load(db)')}\n\nthreading.Thread(target=lock.release)\n",
        f"{ACQUIRED}{USE.replace('BODY', 'load(db)')}"
        + IN_THREAD.replace("with lock:", "if lock.release():"),
        USE.replace("BODY", "with ExitStack() as stack:")
        + "        stack.enter_context(lock)\n        return db.get(Item, 1)\n",
        # Somebody else has it as well.
        f"other = [lock]\n{HELD}",
        f"{HELD}\n\n{IN_THREAD}",
    ],
)
def test_a_lock_that_has_no_form_for_tasks_is_reported(code):
    after, reasons = migrated(code)

    assert reasons & {"held-lock", "in-thread"}
    assert "async with lock" not in after


def test_a_lock_stays_in_a_process_of_its_own():
    code = (
        "\n\ndef main() -> None:\n    with lock, SessionLocal() as db:\n"
        '        print(db.get(Item, 1))\n\n\nif __name__ == "__main__":\n    main()\n'
    )
    after, reasons = migrated(code)

    assert not reasons
    assert "    with lock:\n        async with SessionLocal() as db:\n" in after


def test_a_lock_of_tasks_that_a_loop_has_to_make_is_reported():
    result = rewritten(targets={"python": "3.9"}, database=DATABASE, main=HEAD + HELD)

    assert "held-lock" in {reason_of(one) for one in result.report.findings}


@pytest.mark.parametrize(
    "code",
    [
        # A lambda, a function of a function: `db` is whatever they are called with.
        f"READ = [lambda db: db.get(Item, 1)]\n{USE.replace('BODY', 'return READ[0](db)')}",
        f"{CALLED}{USE.replace('BODY', 'return call(load, db=db)')}",
        # What passes it on has the session already, or another name.
        f"{CALLED}{USE.replace('BODY', 'return partial(load, db)()')}",
        f"{CALLED}{USE.replace('BODY', 'return partial(load, db=db)()')}",
        f"{CALLED}{USE.replace('BODY', 'return [f() for f in [partial(partial(load), db)]]')}",
        f"{CALLED}setattr(app.state, 'of', load)\n{USE.replace('BODY', 'return app.state.of(db)')}",
        USE.replace("BODY", "return methodcaller('get', Item, 1)(db)"),
    ],
)
def test_an_unannotated_session_of_a_function_used_as_a_value_is_reported(code):
    after, reasons = migrated(f"\n\n{code}")

    assert reasons & {"unknown-session", "at-import"}
    assert "AsyncSession" not in after


def test_what_a_returned_function_is_called_with_is_known():
    after, reasons = migrated(f"\n\n{MADE}{USE.replace('BODY', 'return first(db)')}")

    assert not reasons
    assert "        return await db.get(Item, key)\n" in after
    assert "    return await first(db)\n" in after


def test_what_classes_of_a_table_are_made_with_is_known():
    after, reasons = migrated(f"{REPORT}{USE.replace('BODY', 'return KINDS[app.title](db).run()')}")

    assert not reasons
    assert "    return await KINDS[app.title](db).run()\n" in after


@pytest.mark.parametrize(
    "used",
    [
        "sorted([{'id': item.id}], key=key)",
        "partial(key, {'id': item.id})()",
        "methodcaller('get', 'id')({'id': item.id})",
    ],
)
def test_what_is_given_something_else_is_no_session(used):
    body = (
        f"item = db.get(Item, 1)\n    return value(item)\n\n\ndef value(item):\n    return {used}"
    )
    code = "\n\ndef key(item):\n    return item.get('id')\n" + USE.replace("BODY", body)
    after, reasons = migrated(code)

    assert not reasons
    assert "await db.get(Item, 1)" in after


@pytest.mark.parametrize(
    ("base", "method", "is_refused"),
    [
        ("logging.handlers.QueueHandler", "emit", True),
        ("httpx.Auth", "auth_flow", True),
        # Their methods are their own: nobody but the program calls them.
        ("pydantic.BaseModel", "load", False),
        ("starlette.endpoints.HTTPEndpoint", "get", False),
        ("fastapi.security.HTTPBearer", "__call__", False),
    ],
)
def test_a_method_that_its_base_calls_stays_plain(base, method, is_refused):
    code = (
        f"\n\nimport {base.rpartition('.')[0]}\n\n\nclass Own({base}):\n"
        f"    def {method}(self, request):\n        with SessionLocal() as db:\n"
        "            return db.get(Item, 1)\n"
    )
    after, reasons = migrated(code)

    assert ("override" in reasons) is is_refused
    assert (f"async def {method}" in after) is not is_refused


def test_a_lock_stays_in_a_task_of_a_worker():
    code = (
        "\n\nfrom celery import shared_task\n\n\ndef load(locks) -> None:\n"
        "    held = locks.lock('load')\n    held.acquire()\n    with SessionLocal() as db:\n"
        "        print(db.get(Item, 1))\n    held.release()\n\n\n"
        "@shared_task\ndef count(locks) -> None:\n    load(locks)\n"
    )
    after, reasons = migrated(code)

    assert not reasons
    assert "    held.acquire()\n    async with SessionLocal() as db:\n" in after


# ------------------------------------------------------------------------------ threads alone
ALONE = """\
import threading

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

engine = create_engine("sqlite:///jobs.db")
app = FastAPI()
DONE = {{"state": "done"}}


def get_db():
    with Session(engine) as db:
        yield db


def work({parameters}) -> None:
    with Session(engine) as db:
        db.execute(text("update jobs set state = 1"))
        db.commit()


@app.post("/jobs")
def start(number: int, db: Session = Depends(get_db)) -> None:
    rows = db.execute(text("select 1")).all()
    threading.{thread}.start()
"""


@pytest.mark.parametrize(
    ("parameters", "thread", "is_alone"),
    [
        ("", "Thread(target=work)", True),
        ("", "Thread(None, work, daemon=True)", True),
        ("", "Timer(1.5, work)", True),
        ("number: int, name: str | None", "Thread(target=work, args=(number, None))", True),
        ("number, values", "Thread(target=work, args=[1, DONE])", True),
        ("number", "Thread(target=work, args=(number,))", False),
        ("rows: list", "Thread(target=work, args=(rows,))", False),
        ("db: Session", "Thread(target=work, args=(db,))", False),
        ("number: int", "Thread(target=work, kwargs={'number': number})", True),
        ("number: int", "Thread(target=work, kwargs={'other': number})", False),
        ("number: int", "Thread(target=work, kwargs=dict(number=number))", False),
        ("*numbers: int", "Thread(target=work, args=(*rows,))", False),
        ("number: int", "Thread(target=work, args=rows)", False),
        ("", "Thread(target=lambda: work())", False),
    ],
)
def test_a_thread_that_is_given_plain_values_keeps_its_function_and_an_engine(
    parameters, thread, is_alone
):
    result = rewritten(main=ALONE.format(parameters=parameters, thread=thread))
    written = result.files["main.py"].decode()
    assert ("async def start(" in written) is is_alone
    assert "\ndef work(" in written
