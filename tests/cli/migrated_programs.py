"""Programs that recipes migrate, in a repository, with answers on a terminal."""

from __future__ import annotations

from pathlib import Path

from real_program import git

BOOKSHOP = Path(__file__).parents[2] / "examples/bookshop"
QUERIES = 'steps = [{ summary = "Queries.", rules = { query-to-select = "safe" } }]\n'


def settings(recipe: str) -> str:
    return f'summary = "Ours."\n{recipe}'


def with_recipe(program, text, name="ours"):
    manifest = (program.root / "pyproject.toml").read_text("utf-8")
    program.write("pyproject.toml", f"{manifest}\n[tool.awaken.recipes.{name}]\n{settings(text)}")


def committed(program):
    git(program.root, "init", "-q", "-b", "work")
    for key in ("user.name", "user.email"):
        git(program.root, "config", key, "a@example.org")
    git(program.root, "add", "-A")
    git(program.root, "commit", "-qm", "base")
    return program


def subjects(program):
    return git(program.root, "log", "--format=%s").decode().splitlines()


PACKAGE = {
    "pyproject.toml": """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2.0"]

[project.entry-points."plugins"]
shop = "shop.store"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "shop/__init__.py": "",
    "shop/store.py": """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

__all__ = ["find"]

engine = create_engine("sqlite:///shop.db")
Local = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def find(name: str):
    with Local() as db:
        return db.scalars(select(User).filter_by(name=name)).all()
""",
}


def answering(monkeypatch, *lines):
    asked = iter([f"{line}\n" for line in lines])
    monkeypatch.setattr("awaken.cli.commands.migrating.terminal_questions.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"readline": lambda _: next(asked, "")})())
