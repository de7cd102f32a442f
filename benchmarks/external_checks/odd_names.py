"""Writes a git repository with two projects whose paths and texts are as awkward as they come.

    python odd_names.py DIRECTORY

Each Python file holds a safe, an unsafe or a manual query, or a comment that holds one back; one
does not parse. Paths hold what some format gives a meaning, and bytes that are not UTF-8.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

MANIFEST = '[project]\nname = "odd"\nversion = "1"\ndependencies = ["sqlalchemy>=2.0"]\n'
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
"""
PROGRAM = """\
from sqlalchemy.orm import Session

from models import User


def find(db: Session, thing: object) -> object:
    first = "é😀", db.query(User).filter_by(name="a|b::c,%0A<b>`[x](y)").all()
    kept = db.query(User)
    held = db.query(User).count()  # awaken: ignore[query-to-select]
    return first, kept.all(), held, db.query(thing).all(), db.query(
        User
    ).first()
"""
ONE_SITE = """\
from sqlalchemy.orm import Session

from models import User


def find(db: Session) -> object:
    return "é😀", db.query(User).filter_by(name="%").all()"""
NAMES = (
    "plain.py",
    "with blank/a b.py",
    "ünï/日本😀.py",
    "has#hash/100%25.py",
    "a:b/c,d.py",
    "quote'\"/x&y.py",
    "back`tick/p|pe [x](y).py",
    "<b>/--dash;.py",
    "tab\t.py",
    "new\nline.py",
    "back\\slash.py",
    "_under_*star*/@name #1.py",
)
OTHERS = {
    b"caf\xe9/na\xefve.py": PROGRAM.encode(),
    b"crlf.py": PROGRAM.replace("\n", "\r\n").encode(),
    b"bom.py": b"\xef\xbb\xbf" + PROGRAM.encode(),
    b"latin.py": ("# coding: latin-1\n" + PROGRAM.replace("😀", "")).encode("latin-1"),
    b"no_newline.py": PROGRAM.rstrip("\n").encode(),
    b"one site.py": ONE_SITE.replace("\n", "\r\n").encode(),
    b"broken.py": b"db.query(\n",
}


def path_of(uri: str) -> str:
    """Return the path that a ``file:`` or relative URI names."""
    return os.fsdecode(unquote_to_bytes(urlsplit(uri).path))


def main(directory: Path) -> None:
    """Write the repository into the new ``directory``."""
    for project in ("one project", "two"):
        root = os.fsencode(directory / project)
        files = {os.fsencode(name): PROGRAM.encode() for name in NAMES}
        files |= {b"pyproject.toml": MANIFEST.encode(), b"models.py": MODELS.encode()}
        for name, content in {**files, **OTHERS}.items():
            path = Path(os.fsdecode(os.path.join(root, name)))  # noqa: PTH118  bytes
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "odd"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *identity, *words], cwd=directory, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
