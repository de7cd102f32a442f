"""Properties that wait become methods, and whatever reads them gives what it gave."""

from __future__ import annotations

import pytest
from planned import forgotten_coroutines, printed, reason_of, rewritten, session_to_async

DATABASE = """\
from sqlalchemy import create_engine

engine = create_engine("sqlite://")
"""
SHOP = """\
from abc import ABC, abstractmethod
from functools import cached_property

from database import engine
from sqlalchemy import literal, select
from sqlalchemy.orm import Session


class Counted(ABC):
    def __init__(self, db: Session) -> None:
        self.db = db
        self.asked = 0

    @property
    @abstractmethod
    def total(self) -> int: ...

    # What it says.
    @property
    def label(self) -> str:
        return f"{self.total}"


class Shelf(Counted):
    @property
    def total(self) -> int:
        \"\"\"The total.\"\"\"
        return self.db.scalar(select(literal(3)))

    @cached_property
    def doubled(self) -> int:
        \"\"\"Twice the total.\"\"\"
        self.asked += 1
        number = self.total
        return number * 2


class Tall(Shelf):
    @property
    def total(self) -> int:
        return super().total + 1


def shown(shelf: Shelf) -> str:
    sizes = [shelf.total + one for one in range(2)]
    return f"{shelf.label.upper()} {shelf.doubled.bit_length()} {shelf.doubled} {sizes}"


def main() -> None:
    with Session(engine) as db:
        for shelf in (Shelf(db), Tall(db)):
            print(shown(shelf), shelf.total + shelf.doubled, -shelf.total, shelf.asked)


if __name__ == "__main__":
    main()
"""
ONE = """\
from functools import cached_property

from sqlalchemy import literal, select
from sqlalchemy.orm import Session


class Shelf{bases}:
    def __init__(self, db: Session) -> None:
        self.db = db

    @{decorator}
    def total(self) -> int:
        {body}


{reader}
"""
TOTAL = "return self.db.scalar(select(literal(3)))"
READER = "def shown(shelf: Shelf) -> int:\n    return shelf.total"


def test_they_give_what_they_gave(tmp_path, capsys, monkeypatch):
    before = {"database.py": DATABASE.encode(), "shop.py": SHOP.encode()}
    result = rewritten(database=DATABASE, shop=SHOP)
    assert {one.reason for one in result.report.findings} == {None}
    text = result.files["shop.py"].decode()
    assert "@property" not in text
    assert "cached_property" not in text
    with forgotten_coroutines():
        out = [
            printed("shop.py", files, tmp_path / side, capsys, monkeypatch)
            for side, files in (("before", before), ("after", result.files))
        ]
    assert out[0] == out[1] == "3 3 6 [3, 4] 9 -3 1\n4 4 8 [4, 5] 12 -4 1\n"


def reasons(decorator="property", body=TOTAL, reader=READER, bases="") -> set[str]:
    text = ONE.format(decorator=decorator, body=body, reader=reader, bases=bases)
    found = session_to_async({"database.py": DATABASE, "shop.py": text}).findings
    return {reason_of(one) for one in found} - {"beside-another"}


@pytest.mark.parametrize("decorator", ["property", "cached_property"])
def test_one_that_is_only_read_becomes_a_method(decorator):
    assert reasons(decorator) == {""}


@pytest.mark.parametrize(
    "reader",
    [
        # What reads it is not in sight, or reads another thing as well.
        READER + "\n\n\ndef other(shelf):\n    return shelf.total",
        READER + '\n\n\ndef other(shelf: Shelf):\n    return getattr(shelf, "total")',
        READER + "\n\n\ndef other(shelf: Shelf, name):\n    return getattr(shelf, name)",
        READER + "\n\n\ndef other():\n    return Shelf.total",
        READER + "\n\n\nclass Low(Shelf):\n    total = 3",
        READER + "\n\n\ndef other(shelf: Shelf):\n    shelf.total = 3",
        # It would be awaited where nothing can be.
        READER + "\n\n\nNUMBER = Shelf(Session()).total",
    ],
)
def test_one_of_which_not_all_reads_are_known_stays(reader):
    assert "sync-protocol" in reasons(reader=reader)


def test_one_with_a_setter_stays():
    setter = f"{TOTAL}\n\n    @total.setter\n    def total(self, value):\n        pass"
    assert "sync-protocol" in reasons(body=setter)


def test_one_of_a_class_of_a_library_stays():
    assert "sync-protocol" in reasons(bases="(dict)")


def test_a_cached_one_that_ends_early_stays():
    early = f"if self.db.scalar(select(literal(1))):\n            return 1\n        {TOTAL}"
    assert "sync-protocol" in reasons("cached_property", early)
    assert reasons("property", early) == {""}
