"""Examples of doctest that name what becomes a coroutine function are left to do."""

from __future__ import annotations

import pytest
from example_models import FACTORY_AND_BASE
from planned import program_of

from awaken.codemods.sqlalchemy.session_to_async import SessionToAsync
from awaken.contract import ByHand, Constraints

USERS = '''\
from sqlalchemy import text
from sqlalchemy.orm import Session


class Users:
    def __count(self, db: Session) -> int:
        """Count the users.

        >>> Users._Users__count
        """
        return len(db.execute(text("select 1")).all())

    def count(self, db: Session) -> int:
        return self.__count(db)


def plain(number: int) -> int:
    return number
'''
TEXT = """\
Some users:

>>> from users import Users, plain
>>> plain(3)
3
>>> Users().count(None)
1
"""


@pytest.mark.parametrize(
    ("text", "addopts", "lines"),
    [
        (TEXT, "", [("tests/test_users.txt", 6)]),
        (TEXT, "--doctest-modules", [("tests/test_users.txt", 6), ("users.py", 9)]),
        (TEXT.replace("from users", "from elsewhere"), "", []),
        (">>> from users import Users\n  wrong\n>>>Users().count(None)\n", "", []),
    ],
)
def test_examples_of_doctest_are_left_to_do(text, addopts, lines):
    program = program_of(
        {
            "database.py": FACTORY_AND_BASE,
            "users.py": USERS,
            "tests/test_users.txt": text,
            "pytest.ini": f"[pytest]\naddopts = {addopts}\n",
        }
    )
    plan = SessionToAsync().plan(program, Constraints(options=SessionToAsync.options()))
    left = {
        (edit.file, edit.line)
        for change in plan.changes
        for edit in change.edits
        if isinstance(edit, ByHand)
    }
    assert sorted(left) == lines
