"""Tests that invoke a command, which runs an event loop once it is written."""

from __future__ import annotations

import pytest
from planned import reason_of, rewritten

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
import typer

from database import load

app = typer.Typer()


@app.command()
def show():
    print(load())
"""
TESTS = """\
import pytest
from sqlalchemy import literal, select
from typer.testing import CliRunner

import commands
import database


@pytest.fixture
def session():
    with database.LocalSession() as session:
        yield session


@pytest.fixture
def runner():
    return CliRunner()


def invoked(runner):
    return runner.invoke(commands.app, []).output


def test_of_a_command(runner):
    assert invoked(runner) == "3\\n"
"""
ASKING = """

def test_of_the_database(runner, session):
    assert {} == "3\\n"
    assert session.scalar(select(literal(4))) == 4
"""


def test_a_test_that_stays_synchronous_invokes_commands():
    result = rewritten(database=DATABASE, commands=COMMANDS, test_shop=TESTS)
    assert b"asyncio.run(" in result.files["commands.py"]
    assert b"\ndef test_of_a_command(" in result.files["test_shop.py"]


@pytest.mark.parametrize("call", ["invoked(runner)", "runner.invoke(commands.app, []).output"])
def test_a_test_that_becomes_asynchronous_invokes_no_command(call):
    text = ASKING.format(call)
    result = rewritten(database=DATABASE, commands=COMMANDS, test_shop=TESTS + text)
    assert "loop-inside" in {reason_of(finding) for finding in result.report.findings}
    assert not result.report.files
