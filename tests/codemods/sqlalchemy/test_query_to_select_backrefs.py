"""Attributes that a ``backref`` makes, in what may be the first statement of a process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from planned import program_of

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

MODELS = """\
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Shop(Base):
    __tablename__ = "shops"
    id = Column(Integer, primary_key=True)
    name = Column(String)


class Lamp(Base):
    __tablename__ = "lamps"
    id = Column(Integer, primary_key=True)
    shop_id = Column(ForeignKey("shops.id"))
    shop = relationship(Shop, backref="lamps")


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
"""
QUERIES = {
    "filter": "s.query(Shop).filter(Shop.lamps.any()).all()",
    "join": "s.query(Shop).join(Shop.lamps).all()",
    "options": "s.query(Shop).options(selectinload(Shop.lamps)).all()",
    "filter-by-nothing": "(lambda found=None: s.query(Shop).filter_by(lamps=found).all())()",
    "filter-by": "s.query(Shop).filter_by(lamps=None).all()",
}
OTHERS = {
    "declared": "s.query(Lamp).join(Lamp.shop).all()",
    "column": "s.query(Shop).filter(Shop.name == 'a').all()",
    "read-before": "s.query(Shop.lamps).all()",
    "of-an-object": "s.query(Lamp).filter(Lamp.id.in_([one.id for one in shop.lamps])).all()",
    "compared-with-an-object": "s.query(Shop).filter_by(lamps=shop).all()",
    "called": "s.query(Lamp).filter(Lamp.id.in_(names.lamps())).all()",
}
FUNCTION = """\
import sys

from sqlalchemy.orm import Session, selectinload

from models import Lamp, Shop, engine


def found(s: Session, shop: Shop, names):
    return {0}


if __name__ == "__main__":
    with Session(engine) as session:
        print(found(session, None, None))
"""


def findings(query, models=MODELS):
    project = program_of({"models.py": models, "app.py": FUNCTION.format(query)})
    return QueryToSelect().plan(project, Constraints()).findings


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.sampled(4)
def test_what_a_backref_makes_may_be_missing_in_the_first_statement(query, tmp_path):
    (finding,) = findings(QUERIES[query])
    case = Case(
        name="it",
        family="sqlalchemy",
        rule="query-to-select",
        directory=tmp_path,
        settings=Settings(unsafe=True, published=False),
        before={
            "models.py": MODELS.encode(),
            "app.py": FUNCTION.format(QUERIES[query]).encode(),
        },
        after={},
        program={},
    )
    sides = {"before": case.before, "after": run_case(case).files}

    assert finding.level is Level.UNSAFE
    assert "configure_mappers()" in finding.message
    assert {side: _fails(files, tmp_path / side) for side, files in sides.items()} == {
        "before": False,
        "after": True,
    }


def _fails(files, directory):
    """Whether the program ends with the error of an attribute that is not there."""
    directory.mkdir()
    for path, content in files.items():
        (directory / path).write_bytes(content)
    command = [sys.executable, "-W", "ignore", "app.py"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    is_missing = "has no attribute 'lamps'" in done.stderr or 'property "lamps"' in done.stderr
    assert (done.returncode != 0) == is_missing, done.stderr
    return done.returncode != 0


@pytest.mark.parametrize("query", OTHERS)
def test_what_is_there_from_the_start_is_safe(query):
    (finding,) = findings(OTHERS[query])

    assert finding.level is Level.SAFE


@pytest.mark.parametrize("query", QUERIES)
def test_a_program_that_configures_its_mappers_is_safe(query):
    (finding,) = findings(
        QUERIES[query],
        f"{MODELS}\nfrom sqlalchemy.orm import configure_mappers\n\nconfigure_mappers()\n",
    )

    assert finding.level is Level.SAFE
