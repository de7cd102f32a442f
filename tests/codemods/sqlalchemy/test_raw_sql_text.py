"""What raw-sql-text asks of a program, and what it need not ask."""

from __future__ import annotations

import pytest

from awaken.codemods.sqlalchemy.raw_sql_text.plan import RawSqlText
from awaken.contract import Constraints, Place, Span
from tests.project.programs import program

CALLING = "from app import run\nrun(1, 2\n"
"""A file that may call `run`, of which nobody can read what it passes."""


def asked(body: str) -> bool:
    """Return whether callers of ``run(machine, given)`` are asked what they pass."""
    text = f"from sqlalchemy import select\ndef run(machine, given):\n    {body}\n"
    project = program({"app.py": text, "calling.py": CALLING})
    plan = RawSqlText().plan(project, Constraints())
    assert plan.findings == ()
    return bool(project.parse_failures)


@pytest.mark.parametrize(
    ("body", "callers"),
    [
        pytest.param("machine.execute('SELECT 1')", True, id="a string"),
        pytest.param("machine.execute(given)", True, id="what callers pass"),
        pytest.param("x = 'a' if given else 'b'; machine.execute(x)", True, id="two strings"),
        pytest.param("x = ['ls']; machine.execute(x)", False, id="a list"),
        pytest.param("x = select(1); machine.execute(x)", False, id="a statement"),
        pytest.param("x = select(1); x = x.own(given); machine.execute(x)", False, id="by steps"),
        pytest.param("x = select(1); x = x.own; machine.execute(x)", True, id="of a statement"),
        pytest.param("x = select(1); x = 'a'; machine.execute(x)", True, id="a string after all"),
        pytest.param(
            "x = given; x = x.strip(); machine.execute(x)", True, id="by steps of a string"
        ),
        pytest.param("x = 'a' if given else ['b']; machine.execute(x)", False, id="maybe a list"),
    ],
)
def test_callers_are_asked_who_executes_only_what_may_be_a_string(body, callers):
    assert asked(body) is callers


EXECUTING = """from sqlalchemy.orm import Session
with Session() as top:
    top.execute("SELECT 0")
def first():
    with Session() as db:
        db.execute("SELECT 1")
def second():
    with Session() as db:
        db.execute("SELECT 2")
"""


@pytest.mark.parametrize(
    ("rewritten", "executed"),
    [
        pytest.param([], ["0", "1", "2"], id="nothing is known to be"),
        pytest.param([("app.py", "SELECT 2")], ["0", "2"], id="one function, and none"),
        pytest.param([("other.py", "SELECT 2")], ["0", "1", "2"], id="another file"),
    ],
)
def test_functions_without_rewritten_code_are_not_asked_again(rewritten, executed):
    places = {
        Place(path, Span(at := EXECUTING.index(text), at + len(text))) for path, text in rewritten
    }
    project = program({"app.py": EXECUTING})
    plan = RawSqlText().plan(project, Constraints(rewritten=frozenset(places)))
    spans = [finding.place.span for finding in plan.findings]
    assert [EXECUTING[span.start : span.end][-3] for span in spans] == executed
