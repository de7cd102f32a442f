"""What is written where a type checker reads the result: a list, a number that is never None."""

from __future__ import annotations

from pathlib import Path

import pytest

from awaken.testing import Case, run_case
from awaken.testing.cases import Settings

MODELS = """\
from dataclasses import dataclass

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)


@dataclass
class Page:
    notes: list[Note]
    number: int


class Book:
    title: list[Note]

    def __init__(self, notes: "list[Note]") -> None:
        self.title = notes


def shown(notes: list[Note], title: str = "") -> None:
    print(notes, title)


def summed(notes, title: str = "") -> None:
    print(notes, title)
"""
SERVICE = """\
from collections.abc import Sequence
from typing import Annotated, Optional, Union

from sqlalchemy import func
from sqlalchemy.orm import Session

from models import Book, Note, Page, shown, summed


"""
ALL = "session.query(Note).all()"
AS_LIST = "list(session.scalars(select(Note)).all())"


def rewritten(body: str, *, files=None, **settings) -> str:
    before = {"models.py": MODELS, "service.py": f"{SERVICE}{body}\n", **(files or {})}
    case = Case(
        name="it",
        family="sqlalchemy",
        rule="query-to-select",
        directory=Path(),
        settings=Settings(unsafe=True, published=False, **settings),
        before={path: text.encode() for path, text in before.items()},
        after={},
        program={},
    )
    return run_case(case).files["service.py"].decode()


@pytest.mark.parametrize(
    "body",
    [
        f"def f(session: Session) -> list[Note]:\n    return {ALL}",
        f"def f(session: Session) -> 'list[Note]':\n    return {ALL}",
        f"def f(session: Session) -> list[Note] | None:\n    return {ALL} if session else None",
        f"def f(session: Session) -> Optional[list[Note]]:\n    return {ALL} or None",
        f"def f(session: Session) -> Annotated[list[Note], 1]:\n    return {ALL}",
        f"def f(session: Session) -> tuple[int, list[Note]]:\n    return 1, {ALL}",
        f"def f(session: Session) -> dict[str, list[Note]]:\n    return {{'all': {ALL}}}",
        f"def f(session: Session) -> None:\n    notes: list[Note] = {ALL}\n    print(notes)",
        f"def f(session: Session) -> None:\n    notes = {ALL}\n    notes.append(Note())",
        f"def f(session: Session) -> None:\n    notes = {ALL}\n    notes[0] = Note()",
        f"def f(session: Session) -> None:\n    notes = []\n    notes = {ALL}\n    print(notes)",
        f"def f(session: Session) -> list[Note]:\n    notes = {ALL}\n    return notes",
        f"def f(session: Session) -> list[Note]:\n    return {ALL} + [Note()]",
        f"def f(session: Session) -> None:\n    shown({ALL})",
        f"def f(session: Session) -> None:\n    shown(title='x', notes={ALL})",
        f"def f(session: Session) -> Page:\n    return Page(number=1, notes={ALL})",
        f"def f(session: Session) -> Book:\n    return Book({ALL})",
    ],
)
def test_a_list_is_written_where_one_is_asked_for(body):
    assert AS_LIST in rewritten(body)


@pytest.mark.parametrize(
    "body",
    [
        f"def f(session: Session):\n    return {ALL}",
        f"def f(session: Session) -> Sequence[Note]:\n    return {ALL}",
        f"def f(session: Session) -> Union[list[Note], Sequence[Note]]:\n    return {ALL}",
        f"def f(session) -> list[Note]:\n    return {ALL}",
        f"def f(session: Session) -> None:\n    summed({ALL})",
        f"def f(session: Session) -> None:\n    for one in {ALL}:\n        print(one)",
        f"def f(session: Session) -> int:\n    notes = {ALL}\n    return len(notes)",
        f"def f(session: Session, list: int) -> 'list[Note]':\n    return {ALL}",
    ],
)
def test_a_sequence_is_left_where_it_will_do(body):
    written = rewritten(body)

    assert "session.scalars(select(Note)).all()" in written
    assert AS_LIST not in written


def test_a_count_is_a_number_where_a_function_is_annotated():
    annotated = "def f(session: Session) -> bool:\n    return session.query(Note).count() > 0"
    plain = "def f(session: Session):\n    return session.query(Note).count() > 0"

    assert ".scalar_one() > 0" in rewritten(annotated)
    assert "session.scalar(select(func.count()).select_from(Note)) > 0" in rewritten(plain)


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("session.query(func.max(Note.id)).scalar()", ".scalar_one()"),
        ("session.query(func.max(Note.id)).filter(Note.id > 1).scalar()", ".scalar_one()"),
        # HAVING, LIMIT and GROUP BY may leave no row at all.
        ("session.query(func.max(Note.id)).having(Note.id > 1).scalar()", "session.scalar("),
        ("session.query(func.max(Note.id)).limit(0).scalar()", "session.scalar("),
        ("session.query(Note.id).filter(Note.id > 1).scalar()", ".scalar_one_or_none()"),
    ],
)
def test_an_aggregate_is_one_only_where_a_row_is_sure(query, ends):
    assert ends in rewritten(f"def f(session: Session) -> int:\n    return {query}")


@pytest.mark.parametrize(
    ("begun", "added", "ends"),
    [
        ("func.count(Note.id)", "filter(Note.id > 1)", ".scalar_one()"),
        ("func.max(Note.id)", "order_by(Note.id)", ".scalar_one()"),
        ("func.count(Note.id)", "having(Note.id > 1)", "session.scalar("),
        ("func.count(Note.id)", "distinct()", "session.scalar("),
        ("Note.id", "filter(Note.id > 1)", ".scalar_one_or_none()"),
    ],
)
def test_an_aggregate_that_a_variable_holds_is_one_where_a_row_is_sure(begun, added, ends):
    body = f"""\
def f(session: Session, few: bool) -> int:
    query = session.query({begun})
    if few:
        query = query.{added}
    query = query.filter(Note.id < 5)
    return query.scalar()
"""
    assert ends in rewritten(body)


CHECKED = {"mypy.ini": "[mypy]\n"}


@pytest.mark.parametrize(
    ("version", "files", "is_cast"),
    [
        (">=2.0", CHECKED, True),
        (">=2.0", {}, False),
        ("<2.0.44,>=2.0", CHECKED, False),
        (">=1.4", CHECKED, False),
    ],
)
def test_the_number_of_rows_is_promised_to_a_type_checker(version, files, is_cast):
    body = "def f(session: Session) -> int:\n    return session.query(Note).delete()"

    written = rewritten(body, targets={"sqlalchemy": version}, files=files)

    assert ("cast(CursorResult[Any], session.execute(delete(Note))).rowcount" in written) == is_cast
    assert ("from typing import Annotated, Any, Optional, Union, cast" in written) == is_cast


@pytest.mark.parametrize(
    ("files", "is_checked"),
    [
        ({}, False),
        ({"mypy.ini": "[mypy]\n"}, True),
        ({"pyrightconfig.json": "{}"}, True),
        ({"setup.cfg": "[mypy]\nstrict = true\n"}, True),
        ({"setup.cfg": "[flake8]\n"}, False),
        ({"pyproject.toml": "[tool.mypy]\nstrict = true\n"}, True),
        ({"pyproject.toml": "[tool.ruff]\n"}, False),
        ({".pre-commit-config.yaml": "repos: [{repo: mirrors-mypy}]\n"}, True),
    ],
)
def test_any_annotation_will_do_where_a_type_checker_is_set_up(files, is_checked):
    body = "def f(session: Session):\n    return session.query(Note).count() > 0"

    assert (".scalar_one() > 0" in rewritten(body, files=files)) == is_checked


@pytest.mark.parametrize(("comment", "is_broken"), [("type: ignore[misc]", False), ("why", True)])
def test_a_line_is_not_broken_for_what_is_said_to_a_type_checker(comment, is_broken):
    behind = f"  # {comment}{' and more' * 3}"
    query = "session.query(Note.id, Note.id, Note.id, Note.id).all()"

    written = rewritten(f"def f(session: Session):\n    found = {query}{behind}")

    assert ("select(Note.id, Note.id, Note.id, Note.id)).all()" + behind in written) != is_broken
