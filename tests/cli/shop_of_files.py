"""A small application whose files import each other: from where differs from test to test."""

from __future__ import annotations

import subprocess
import sys

DATABASE = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///shop.db")
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def make() -> Session:
    return SessionLocal()
"""
LISTING = """\
from database import User, make


def names():
    with make() as db:
        return [user.name for user in db.query(User).order_by(User.id).all()]
"""
MAIN = """\
from database import Base, User, engine, make
from listing import names


def main():
    Base.metadata.create_all(engine)
    with make() as db:
        db.add_all([User(name="ann"), User(name="ben")])
        db.commit()
    print(names())


if __name__ == "__main__":
    main()
"""


def written(root, files):
    """Write files, by their paths, below a directory; return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def printed(root, *arguments):
    """Return what the application prints, with a database of its own."""
    (root / "shop.db").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error::RuntimeWarning", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
