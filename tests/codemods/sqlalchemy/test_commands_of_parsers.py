"""Commands that a parser of `argparse` keeps, and where the program calls what it keeps."""

from __future__ import annotations

import pytest
from planned import rewritten

DATABASE = """\
from sqlalchemy import create_engine, literal, select
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


def load():
    with LocalSession() as session:
        return session.scalar(select(literal(3)))
"""
COMMANDS = """\
import argparse
import asyncio
import operator
import threading

from database import load


class Options:
    pass


def show(args):
    print(load())


parser = argparse.ArgumentParser()
parser.set_defaults(func=show)


def main():
    args = parser.parse_args()
    {}


if __name__ == "__main__":
    main()
"""
TESTS = """\
import pytest

import commands
import database


@pytest.fixture
def session():
    with database.LocalSession() as session:
        yield session


def test_of_a_command():
    commands.main()
"""


def commands_after(body, **texts):
    """Return the file of commands after the rewrite, for such a body; empty if it is the same."""
    commands = COMMANDS.format(body)
    result = rewritten(database=DATABASE, commands=commands, **texts)
    after = result.files["commands.py"].decode()
    return "" if after == commands else after


@pytest.mark.parametrize(
    "body",
    [
        "args.func(args)",
        "return args.func(args)",
        "run = args.func\n    run(args)",
        'getattr(args, "func")(args)',
        "if args.func is not None:\n        args.func(args)",
        "try:\n        args.func(args)\n    except ValueError:\n        parser.error('no')",
    ],
)
def test_a_command_runs_a_loop_of_its_own(body):
    after = commands_after(body)
    assert "async def _show(" in after
    assert "asyncio.run(" in after
    assert "\ndef main():" in after


@pytest.mark.parametrize(
    "body",
    [
        "print(load())\n    args.func(args)",
        "threading.Thread(target=args.func, args=(args,)).start()",
        "threading.Thread(target=lambda: args.func(args)).start()",
        "asyncio.run(asyncio.to_thread(args.func, args))",
        "vars(args)['func'](args)",
        "options = parser.parse_args(namespace=Options())\n    options.func(args)",
        "async def inside():\n        args.func(args)\n    asyncio.run(inside())",
        "return args.func",
        "print(args)",
        "operator.attrgetter('func')(args)(args)",
        "match args:\n        case argparse.Namespace(func=run):\n            run(args)",
    ],
)
def test_a_command_stays_where_another_loop_may_run_around_it(body):
    assert not commands_after(body)


def test_a_command_stays_where_an_endpoint_calls_it():
    endpoint = "from fastapi import FastAPI\nfrom commands import main\napp = FastAPI()\n"
    endpoint += '@app.post("/")\ndef run() -> None:\n    main()\n'
    assert not commands_after("args.func(args)", web=endpoint)


def test_a_command_stays_where_a_test_that_waits_runs_it():
    waiting = "\n\ndef test_of_the_database(session):\n    session.flush()\n    commands.main()\n"
    assert commands_after("args.func(args)", test_shop=TESTS)
    assert not commands_after("args.func(args)", test_shop=TESTS + waiting)


WORKER = """\
import pika

from database import load


def handle(channel, method, properties, body):
    print(load())


def main():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.basic_consume("jobs", handle)
    {}
    channel.start_consuming()


if __name__ == "__main__":
    main()
"""


def test_a_consumer_stays_where_the_function_that_waits_for_messages_runs_in_a_loop():
    plain = rewritten(database=DATABASE, worker=WORKER.format("print(3)"))
    assert b"asyncio.run(" in plain.files["worker.py"]

    worker = WORKER.format("print(load())")
    assert rewritten(database=DATABASE, worker=worker).files["worker.py"] == worker.encode()
