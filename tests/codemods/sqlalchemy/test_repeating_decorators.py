"""Decorators that await coroutine functions and ask for them, and tasks in a register."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

REPEATING = """\
import asyncio
from functools import wraps

from starlette.concurrency import run_in_threadpool


def repeated(*, times: int):
    def decorator(function):
        is_coroutine = asyncio.iscoroutinefunction(function)

        @wraps(function)
        async def wrapped() -> None:
            async def loop() -> None:
                for _ in range(times):
                    if is_coroutine:
                        await function()
                    else:
                        await run_in_threadpool(function)

            await asyncio.ensure_future(loop())

        return wrapped

    return decorator


class Tasks:
    daily: list = []
    hourly: list = []

    @staticmethod
    def _register(name: str, tasks: list, given):
        for task in given:
            print(name, task.__name__)
            tasks.append(task)

    @staticmethod
    def register_daily(*tasks):
        Tasks._register("daily", Tasks.daily, tasks)

    @staticmethod
    def register_hourly(*tasks):
        Tasks._register("hourly", Tasks.hourly, tasks)


def guarded(task):
    try:
        task()
    except LookupError as error:
        print("failed", task.__name__, error)


@repeated(times=2)
def run_daily():
    for task in Tasks.daily:
        guarded(task)


@repeated(times=1)
def run_hourly():
    for task in Tasks.hourly:
        guarded(task)
"""
SHOP = """\
import asyncio

from repeating import Tasks, run_daily, run_hourly
from sqlalchemy import create_engine, delete, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///shop.db")


class Base(DeclarativeBase):
    pass


class Basket(Base):
    __tablename__ = "baskets"
    id: Mapped[int] = mapped_column(primary_key=True)


def count():
    with Session(engine) as db:
        print(db.scalar(select(func.count(Basket.id))))


def purge():
    with Session(engine) as db:
        db.execute(delete(Basket).where(Basket.id > 1))
        db.commit()


def fail():
    with Session(engine) as db:
        raise LookupError(db.scalar(select(func.max(Basket.id))))


def prepare():
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Basket(), Basket(), Basket()])
        db.commit()


async def main() -> None:
    prepare()
    Tasks.register_daily(count, purge)
    Tasks.register_hourly(fail)
    await run_daily()
    await run_hourly()
    engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
"""


def test_tasks_of_a_register_are_awaited_by_what_is_repeated(tmp_path, capsys, monkeypatch):
    result = rewritten(repeating=REPEATING, shop=SHOP)
    repeating = result.files["repeating.py"].decode()
    assert "async def run_daily():" in repeating
    assert "await task()" in repeating
    assert REPEATING.partition("class Tasks")[0] in repeating
    monkeypatch.chdir(tmp_path)
    before = {"repeating.py": REPEATING.encode(), "shop.py": SHOP.encode()}
    expected = printed("shop.py", before, tmp_path / "before", capsys, monkeypatch)
    with forgotten_coroutines():
        after = printed("shop.py", result.files, tmp_path / "after", capsys, monkeypatch)
    assert after == expected
    assert expected.splitlines()[3:] == ["3", "1", "failed fail 1"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await function()", "function()"),
        ("if is_coroutine:", "if times > 1:"),
        (
            "await run_in_threadpool(function)",
            "await run_in_threadpool(function)\n                    print(function())",
        ),
    ],
)
def test_a_decorator_that_may_not_await_stops_them(before, after):
    changed = REPEATING.replace(before, after)
    assert changed != REPEATING
    found = session_to_async({"repeating.py": changed, "shop.py": SHOP}).findings
    assert "decorated" in {reason_of(one) for one in found}


def test_what_is_unpacked_into_a_register_is_not_followed():
    unpacked = SHOP.replace("register_daily(count, purge)", "register_daily(*given())")
    unpacked += "\n\ndef given():\n    return [count, purge]\n"
    found = session_to_async({"repeating.py": REPEATING, "shop.py": unpacked}).findings
    assert "handed-on" in {reason_of(one) for one in found}
