from __future__ import annotations

import pytest

from awaken.verifying.sufficient_runs import Sql, compare_statements
from awaken.verifying.suites import ObservedTest, Statement

USERS = "SELECT users.id AS users_id FROM users WHERE users.name = ?"


def ran(*texts, outcome="passed"):
    statements = tuple(Statement(text) for text in texts)
    return ObservedTest("t", outcome, statements=statements, count=len(statements))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([USERS], [USERS], Sql.SAME),
        ([USERS], [USERS.replace(" AS users_id", "")], Sql.COLUMNS),
        ([USERS], [USERS.replace("\n", " ").replace("?", "$1::VARCHAR")], Sql.COLUMNS),
        ([USERS, "COMMIT"], ["COMMIT", USERS], Sql.ORDER),
        (
            ["CREATE UNIQUE INDEX a ON t (a)", "CREATE INDEX b ON t (b)"],
            ["CREATE INDEX b ON t (b)", "CREATE UNIQUE INDEX a ON t (a)"],
            Sql.SAME,
        ),
        # A flush orders the INSERTs of unrelated tables by chance, and only those.
        (["INSERT INTO a", "INSERT INTO b"], ["INSERT INTO b", "INSERT INTO a"], Sql.SAME),
        (
            ["INSERT INTO a", USERS, "INSERT INTO b"],
            ["INSERT INTO b", USERS, "INSERT INTO a"],
            Sql.ORDER,
        ),
        (["INSERT INTO a", "INSERT INTO b"], ["INSERT INTO b"], Sql.FEWER),
        (["DELETE FROM a", "DELETE FROM b"], ["DELETE FROM b", "DELETE FROM a"], Sql.ORDER),
        ([USERS, USERS], [USERS], Sql.FEWER),
        ([USERS], [USERS, USERS], Sql.MORE),
        ([USERS], ["SELECT users.id FROM users"], Sql.DIFFERENT),
        ([USERS], [f"{USERS} LIMIT ?"], Sql.DIFFERENT),
        (
            ["SELECT count(*) AS count_1 FROM (SELECT users.id AS users_id FROM users) AS anon_1"],
            ["SELECT count(*) AS count_1 FROM users"],
            Sql.COLUMNS,
        ),
        (
            ["SELECT count(*) AS c FROM (SELECT DISTINCT users.id FROM users) AS anon_1"],
            ["SELECT count(*) AS c FROM users"],
            Sql.DIFFERENT,
        ),
    ],
)
def test_statements_are_compared_by_what_they_ask(before, after, expected):
    assert compare_statements(ran(*before), ran(*after)) is expected


def test_statements_of_a_test_that_failed_say_nothing():
    assert compare_statements(ran(USERS), ran(outcome="failed")) is Sql.SAME
