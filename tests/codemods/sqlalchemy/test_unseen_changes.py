"""Statements that change rows and no objects of a session, by the method that executes them."""

from __future__ import annotations

import pytest
from planned import program_of

from awaken.codemods.sqlalchemy.session_to_async.reads.kept_state import unseen_changes
from awaken.knowledge.library_names import library_names


@pytest.mark.parametrize("method", sorted(library_names().executing_methods))
def test_a_text_changes_rows_whatever_executes_it(method):
    text = "from sqlalchemy import text\ndef f(db):\n"
    project = program_of(
        {"m.py": f'{text}    db.{method}(text("UPDATE users SET name = :name"), {{"name": "a"}})\n'}
    )

    (change,) = unseen_changes(project)

    assert change.table == "users"
    assert not change.is_deletion


def test_a_text_that_is_part_of_a_statement_changes_nothing():
    part = "from sqlalchemy import text\ndef f(q):\n    q.where(text('UPDATE users SET name'))\n"

    assert not list(unseen_changes(program_of({"m.py": part})))
