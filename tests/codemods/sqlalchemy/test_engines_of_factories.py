"""The engine that a factory gives its sessions is asynchronous once the factory is."""

from __future__ import annotations

import pytest
from planned import rewritten

APPLICATION = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_engine("sqlite:///shop.db")
LocalSession = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


def work(db: Session) -> None:
    db.commit()
"""
TEST = """\
import pytest

from app import Base, LocalSession, work


@pytest.fixture
def db():
    {use}
    with LocalSession() as session:
        yield session


def test_it(db):
    work(db)
"""
CREATED = "    async with {}.begin() as connection:\n        await connection.run_sync({})\n"
USES = {
    'Base.metadata.create_all(LocalSession.kw["bind"])': CREATED.format(
        'LocalSession.kw["bind"]', "Base.metadata.create_all"
    ),
    'Base.metadata.drop_all(bind=LocalSession.kw["bind"])': CREATED.format(
        'LocalSession.kw["bind"]', "Base.metadata.drop_all"
    ),
    'Base.metadata.create_all(LocalSession.kw.get("bind"))': CREATED.format(
        'LocalSession.kw.get("bind")', "Base.metadata.create_all"
    ),
    'own = LocalSession.kw["bind"]\n    Base.metadata.create_all(own)': CREATED.format(
        "own", "Base.metadata.create_all"
    ),
    'LocalSession.kw["bind"].dispose()': '    await LocalSession.kw["bind"].dispose()\n',
    'with LocalSession.kw["bind"].begin() as own:\n        Base.metadata.create_all(own)': (
        '    async with LocalSession.kw["bind"].begin() as own:\n'
        "        await own.run_sync(Base.metadata.create_all)\n"
    ),
}


@pytest.mark.parametrize("use", USES)
def test_the_engine_of_a_factory_is_used_asynchronously(use):
    result = rewritten(app=APPLICATION, test_app=TEST.format(use=use))

    assert USES[use] in result.files["test_app.py"].decode()
