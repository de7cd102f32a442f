"""Thirty shapes of pull requests: files before and after, and how many suggestions fit."""

from __future__ import annotations

from pull_request import LEGACY, PLAIN

A, B = LEGACY.format("a"), LEGACY.format("b")
FILLER = "".join(f"x{number} = {number}\n" for number in range(30))
LONG = "# " + "é" * 10_000 + "\n"
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
"""
QUERY = """\
from sqlalchemy.orm import Session

from models import User


def all_users(db: Session) -> list[User]:
    return db.query(User).all()
"""
IMPORTED = QUERY.replace(
    "from sqlalchemy.orm", "from sqlalchemy import select\nfrom sqlalchemy.orm"
)
MANY = "import asyncio\n" + "".join(
    f"\n\nasync def f{number}():\n    return asyncio.get_event_loop()\n" for number in range(25)
)
SHAPES = {
    "nothing legacy": ({"a.py": PLAIN}, {"b.py": PLAIN}, 0),
    "an empty commit": ({"a.py": A}, {}, 0),
    "a new file": ({}, {"a.py": A}, 1),
    "two new files": ({}, {"a.py": A, "b.py": B}, 2),
    "an old site that nobody touched": ({"a.py": A + FILLER}, {"a.py": A + FILLER + "y = 1\n"}, 0),
    "a site at the start": ({"a.py": "import asyncio\n" + FILLER}, {"a.py": A + FILLER}, 1),
    "a site at the end": ({"a.py": "import asyncio\n" + FILLER}, {"a.py": FILLER + B}, 1),
    "a site without a last line end": ({}, {"a.py": A.rstrip("\n")}, 1),
    "a site in the line that changed": ({"a.py": A}, {"a.py": A.replace("loop()", "loop()  #")}, 1),
    "a line was deleted above the site": (
        {"a.py": A.replace("    return", "    1\n    return")},
        {"a.py": A},
        0,
    ),
    "a line was added above the site": (
        {"a.py": A},
        {"a.py": A.replace("    return", "    1\n    return")},
        0,
    ),
    "a file is gone": ({"a.py": A, "b.py": B}, {"b.py": None}, 0),
    "a file has moved": ({"a.py": A}, {"a.py": None, "b.py": A}, 0),
    "a file has moved and changed": (
        {"a.py": FILLER},
        {"a.py": None, "b.py": FILLER + B},
        1,
    ),
    "into a folder": ({}, {"pack/__init__.py": "", "pack/a.py": A}, 1),
    "a name with blanks": ({}, {"a b.py": A}, 1),
    "a name beyond ASCII": ({}, {"ünï.py": A}, 1),
    "a name with a hash": ({}, {"a#1.py": A}, 1),
    "line ends of Windows": ({}, {"a.py": A.replace("\n", "\r\n")}, 0),
    "tabs": ({}, {"a.py": A.replace("    ", "\t")}, 1),
    "backticks in the lines": ({}, {"a.py": A.replace("loop()", "loop()  # ```` `x`")}, 1),
    "a suggestion in a comment": ({}, {"a.py": A.replace("loop()", "loop()  # ```suggestion")}, 1),
    "a right-to-left mark in the line": ({}, {"a.py": A.replace("loop()", "loop()  # \u202e")}, 0),
    "a line of 10,000 characters": ({}, {"a.py": LONG + A}, 1),
    "characters of four bytes": ({}, {"a.py": A.replace("loop()", "loop()  # 😀")}, 1),
    "more suggestions than a review has": ({}, {"a.py": MANY}, 20),
    "an import far from the query": (
        {"models.py": MODELS, "a.py": QUERY.replace("\n\n\n", "\n" + FILLER + "\n\n", 1)},
        {
            "a.py": QUERY.replace("\n\n\n", "\n" + FILLER + "\n\n", 1)
            + "\n\ndef others(db: Session) -> list[User]:\n    return db.query(User).all()\n"
        },
        0,
    ),
    "an import that is there": ({"models.py": MODELS}, {"a.py": IMPORTED}, 1),
    "two queries that share an import": (
        {"models.py": MODELS},
        {
            "a.py": QUERY
            + "\n\ndef others(db: Session) -> list[User]:\n    return db.query(User).all()\n"
        },
        1,
    ),
    "three projects in one repository": (
        {f"{name}/pyproject.toml": f'[project]\nname = "{name}"\n' for name in ("x", "y", "z")},
        {f"{name}/a.py": A for name in ("x", "y", "z")},
        3,
    ),
    "a file that does not parse next to it": ({}, {"a.py": A, "broken.py": "def (:\n"}, 1),
}
