"""Settings that Query refuses and a select() takes: both sides of what is safe are run."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.contract import Level
from awaken.testing import Case, run_case
from awaken.testing.cases import Settings
from tests.planned import printed

PROGRAM = """\
from sqlalchemy import ForeignKey, Row, create_engine, literal_column, table, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    lamps: Mapped[list["Lamp"]] = relationship()


class Lamp(Base):
    __tablename__ = "lamps"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))


SHOPS = text("shops")
PLAIN = {{"stream_results": True}}


def asked(session: Session, **settings):
    return {query}


def shown(found):
    if isinstance(found, Base):
        return found.id
    return [shown(one) for one in found] if isinstance(found, list | Row) else str(found)


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([Shop(id=1, lamps=[Lamp(id=1), Lamp(id=2)]), Shop(id=2)])
    session.commit()
    try:
        print(shown(asked(session)))
    except Exception as error:
        print(type(error).__name__)
"""
PORTIONS = {
    "execution_options(yield_per=1)": Level.MANUAL,
    "execution_options(stream_results=True, yield_per=1)": Level.MANUAL,
    "execution_options(**{'yield_per': 1})": Level.MANUAL,
    "execution_options(**settings)": Level.UNSAFE,
    "execution_options(**PLAIN)": Level.UNSAFE,
    "execution_options(**{'stream_results': True})": Level.SAFE,
    "execution_options(stream_results=True)": Level.SAFE,
    "execution_options(yield_per=1).yield_per(1)": Level.SAFE,
    "yield_per(1)": Level.SAFE,
}
ENDS = {
    "session.query(Shop).{}.all()": True,
    "session.query(Shop).join(Shop.lamps).{}.all()": True,
    "session.query(Shop, Lamp).join(Shop.lamps).{}.all()": True,
    "list(session.query(Shop).{})": True,
    "[one for one in session.query(Shop).{}]": True,
    "session.query(Shop).filter_by(id=1).{}.one()": True,
    "session.query(Shop).filter_by(id=1).{}.one_or_none()": True,
    "session.query(Shop).filter_by(id=1).{}.scalar()": True,
    "session.query(Shop).{}[:1]": True,
    "session.query(Shop).order_by(Shop.id).{}.first()": False,
    "session.query(Shop.id).{}.all()": False,
    "session.query(Shop).{}.with_entities(Shop.id).all()": False,
}
SOURCES = {
    "text('shops')": Level.MANUAL,
    "SHOPS": Level.MANUAL,
    "table('shops')": Level.SAFE,
    "Shop": Level.SAFE,
    "Shop.__table__": Level.SAFE,
}


def result_of(query):
    files = {"program.py": PROGRAM.format(query=query).encode()}
    return run_case(
        Case(
            name="it",
            family="sqlalchemy",
            rule="query-to-select",
            directory=Path(),
            settings=Settings(published=False, targets={"sqlalchemy": ">=2.1"}),
            before=files,
            after=files,
            program={},
        )
    )


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Return a function that says what both sides of a result print."""

    def both(result):
        sides = [result.case.before["program.py"], result.files["program.py"]]
        return [
            printed("program.py", {"program.py": side}, tmp_path / at, capsys, monkeypatch)
            for at, side in zip(("before", "after"), sides, strict=True)
        ]

    return both


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("setting", PORTIONS)
@pytest.mark.sampled(4)
def test_portions_as_an_execution_option_are_for_what_is_not_made_unique(setting, end, run):
    result = result_of(end.format(setting))

    (finding,) = result.report.findings
    before, after = run(result)
    assert before == after
    assert finding.level == (PORTIONS[setting] if ENDS[end] else Level.SAFE)
    # What is refused is what fails today.
    assert (finding.level is Level.MANUAL) == (before == "InvalidRequestError\n")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("asked", ["literal_column('id')", "Shop.id", "text('id')"])
def test_query_selects_from_no_text(source, asked, run):
    result = result_of(f"session.query({asked}).select_from({source}).all()")

    (finding,) = result.report.findings
    before, after = run(result)
    assert before == after
    assert (finding.level is Level.MANUAL) is (SOURCES[source] is Level.MANUAL)
