"""The small program that the commands of the README and of the pages run on."""

from __future__ import annotations

import subprocess

MANIFEST = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.12"
dependencies = ["fastapi>=0.115", "sqlalchemy[asyncio]>=2.0", "aiosqlite>=0.20"]
"""
MODELS = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    active: Mapped[bool]
"""
BESIDE = {
    "pyproject.toml": MANIFEST,
    "models.py": MODELS,
    "database.py": "async def connect() -> None: ...\nasync def disconnect() -> None: ...\n",
    "client.py": "async def price(item: str) -> float:\n    return 1.0\n\n\n"
    "async def stock(item: str) -> int:\n    return 1\n",
}
"""The files that those of the examples import."""


def write(directory, files):
    """Write files by their names below a directory that does not exist yet."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def make_repository():
    """Make the current directory a repository with all its files in one commit."""
    for words in ("init -q -b work", "config user.name a", "config user.email a@b", "add -A"):
        subprocess.run(["git", *words.split()], check=True)
    subprocess.run(["git", "commit", "-qm", "base"], check=True)
