"""Constructors that wait, of classes below each other, and classes that tables hold."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import create_engine

engine = create_engine("sqlite://")
"""
SHOP = """\
from database import engine
from sqlalchemy import literal, select
from sqlalchemy.orm import Session


class Named:
    def __init__(self) -> None:
        self.name = "none"


class Import(Named):
    def __init__(self, path: str, session, number: int) -> None:
        self.session = session
        self.path = path
        self.number = session.scalar(select(literal(number)))
        super().__init__()

    def run(self) -> list[object]:
        self.session.rollback()
        return [self.session.scalar(select(literal(self.number))), self.name, self.path]


class FromText(Import):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.name = "text"


class FromTable(FromText):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.number += 1


class Unchanged(FromTable):
    pass


def imported(db: Session, kind: str) -> list[object]:
    given = {"path": "a.txt", "session": db, "number": 4}
    table: dict[str, type[Import]] = {"t": FromText, "b": FromTable, "u": Unchanged}
    maker = table.get(kind, None)
    if maker is None:
        raise ValueError(kind)
    made = maker(**given)
    return made.run()


def main() -> None:
    with Session(engine) as db:
        print(*(imported(db, kind) for kind in "tbu"), Import("b.txt", db, 1).run())


if __name__ == "__main__":
    main()
"""


AGAIN = "    def again(self):\n        FromText.__init__(self, **{})"


def test_objects_are_what_they_were(tmp_path, capsys, monkeypatch):
    before = {"database.py": DATABASE.encode(), "shop.py": SHOP.encode()}
    result = rewritten(database=DATABASE, shop=SHOP)
    assert {one.reason for one in result.report.findings} == {None}
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", before), ("after", result.files))
        ]
    assert out[0] == out[1]
    assert "[5, 'text', 'a.txt'] [1, 'none', 'b.txt']" in out[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # The class goes elsewhere, or is called by what is not followed.
        ("    made = maker", "    register(maker)\n    made = maker"),
        ("    maker = table", "    register(table)\n    maker = table"),
        ("def main", "register([FromText])\n\n\ndef main"),
        # Its objects are made otherwise.
        ("class FromText(Import):\n", "class FromText(Import, dict):\n"),
        ("class FromText(Import):\n", "class FromText(Import, metaclass=type):\n"),
        ("        super().__init__(**kwargs)\n        self.name", "        self.name"),
        ("Unchanged(FromTable):\n    pass", "Unchanged(FromTable):\n" + AGAIN),
    ],
)
def test_where_not_all_that_makes_objects_is_known_they_stay(old, new):
    assert old in SHOP
    found = session_to_async({"database.py": DATABASE, "shop.py": SHOP.replace(old, new, 1)})
    reasons = {reason_of(one) for one in found.findings}
    assert reasons & {"in-constructor", "unknown-call", "unknown-session"}
    assert not found.changes
