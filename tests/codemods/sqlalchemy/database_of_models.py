"""A database for the models of tests of session-to-async, and what to ask of a result."""

from __future__ import annotations

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


class Base(DeclarativeBase):
    pass
"""


def text_of(result, name):
    return result.files[f"{name}.py"].decode()


def reasons_of(result):
    return {one.reason for one in result.findings if one.reason}
