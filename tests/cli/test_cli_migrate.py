"""``awaken migrate``: the commits of a migration, and what it leaves."""

from __future__ import annotations

from migrated_programs import PACKAGE, QUERIES, committed, subjects, with_recipe
from real_program import GOOD, GOOD_AFTER, Program, awaken, git


def test_a_migration_makes_a_commit_for_each_step(shop):
    committed(shop)

    code, out = awaken("migrate", "sqlalchemy-2", "--commit")

    assert code == 0
    assert "in 1 commit" in out.decode()
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER
    assert subjects(shop)[0].startswith("Rewrite session.query()")
    body = git(shop.root, "log", "-1", "--format=%b").decode()
    assert "step 2 of the recipe sqlalchemy-2" in body
    assert "query-to-select: 1 safe" in body
    assert git(shop.root, "status", "--porcelain") == b""
    commit = git(shop.root, "log", "-1", "--format=%h").decode().strip()
    assert f"undo the last step: git revert --no-edit {commit}" in out.decode()

    code, out = awaken("migrate", "sqlalchemy-2", "--commit")

    assert code == 0
    assert "Nothing is left to rewrite" in out.decode()
    assert len(subjects(shop)) == 2


def test_files_that_git_tracks_and_ignores_are_committed(tmp_path, monkeypatch):
    program = committed(Program(tmp_path / "shop", {"shop.py": GOOD, "old/shop.py": GOOD}))
    (program.root / ".gitignore").write_text("old/\n")
    (program.root / "old/other.py").write_text(GOOD)
    git(program.root, "add", ".gitignore")
    git(program.root, "commit", "-qm", "Ignore")
    monkeypatch.chdir(program.root)

    code, out = awaken("migrate", "sqlalchemy-2", "--commit")

    assert code == 0, out.decode()
    assert (program.root / "old/shop.py").read_text("utf-8") == GOOD_AFTER
    assert (program.root / "old/other.py").read_text("utf-8") == GOOD
    assert git(program.root, "status", "--porcelain") == b""
    assert b"old/shop.py" in git(program.root, "show", "--stat", "--format=")


def test_an_undone_commit_is_made_again(shop):
    committed(shop)
    awaken("migrate", "sqlalchemy-2", "--commit")
    git(shop.root, "revert", "--no-edit", "HEAD")

    awaken("migrate", "sqlalchemy-2", "--commit")

    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER
    assert len(subjects(shop)) == 4


def test_a_dry_run_writes_nothing(shop):
    before = shop.contents()

    code, out = awaken("migrate", "sqlalchemy-2", "--dry-run")

    assert code == 0
    assert "1 site in 1 file" in out.decode()
    assert "awaken migrate sqlalchemy-2" in out.decode()
    assert shop.contents() == before


def test_from_and_to_choose_the_steps(shop):
    awaken("migrate", "sqlalchemy-2", "--to", "1")
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD

    awaken("migrate", "sqlalchemy-2", "--from", "2", "--to", "2")
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER


def test_uncommitted_work_stops_a_migration_before_the_first_step(shop, capfd):
    committed(shop)
    shop.write("shop.py", GOOD + "# mine\n")

    assert awaken("migrate", "sqlalchemy-2")[0] == 2
    assert "uncommitted changes" in capfd.readouterr().err
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD + "# mine\n"


def test_a_hook_that_refuses_stops_the_migration(shop, capfd):
    committed(shop)
    hook = shop.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n", "utf-8")
    hook.chmod(0o755)

    assert awaken("migrate", "sqlalchemy-2", "--commit")[0] == 2

    err = capfd.readouterr().err
    assert "git made no commit (no)" in err
    assert subjects(shop) == ["base"]


def test_commits_need_a_branch(shop, capfd):
    committed(shop)
    git(shop.root, "checkout", "-q", "--detach")

    assert awaken("migrate", "sqlalchemy-2", "--commit")[0] == 2
    assert "HEAD is detached" in capfd.readouterr().err
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD


def test_commits_need_a_repository(shop, capfd):
    assert awaken("migrate", "sqlalchemy-2", "--commit")[0] == 2
    assert "is not in a git repository" in capfd.readouterr().err
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD


def test_a_blocked_step_is_said_and_those_before_it_are_made(tmp_path, monkeypatch):
    blocked = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from models import User

engine = create_engine("sqlite:///a.db")
Local = sessionmaker(engine)


def find(name):
    with Local() as db:
        db.connection().connection.cursor().execute("SELECT 1")
        return db.query(User).filter_by(name=name).all()
"""
    program = committed(Program(tmp_path / "shop", {"shop.py": blocked}))
    monkeypatch.chdir(program.root)

    code, out = awaken("migrate", "async-sessions", "--commit")

    text = out.decode()
    assert code == 1, text
    assert "Step 2 is blocked, and so are the steps after it." in text
    assert "awaken check --recipe async-sessions --step 2" in text
    assert len(subjects(program)) == 2
    assert "select(User)" in (program.root / "shop.py").read_text("utf-8")


SYNCHRONOUS = """\
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from models import User

engine = create_engine("postgresql+psycopg2://localhost/shop")
Local = sessionmaker(engine)
app = FastAPI()


def get_db():
    with Local() as db:
        yield db


@app.get("/users")
def users(db: Session = Depends(get_db)):
    return [user.name for user in db.scalars(select(User))]
"""
DEPENDENCIES = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.12"
dependencies = [
    "fastapi>=0.115",
    "sqlalchemy>=2.0,<2.1",
    "psycopg2-binary>=2.9",
]

[tool.awaken.rules.session-to-async]
drivers = { postgresql = "asyncpg" }
"""


def test_a_migration_ends_with_what_names_the_former_driver(tmp_path, monkeypatch):
    program = Program(tmp_path / "shop", {"shop.py": SYNCHRONOUS})
    program.write("pyproject.toml", DEPENDENCIES)
    program.write("compose.yaml", "services:\n  db: postgresql+psycopg2://db/shop\n")
    program.write(".github/workflows/ci.yml", "env:\n  A: postgresql+asyncpg://db/shop\n")
    monkeypatch.chdir(committed(program).root)

    code, out = awaken("migrate", "async-sessions", "--dry-run")

    text = " ".join(out.decode().split())
    assert code == 0, text
    assert "compose.yaml:2: this URL names `postgresql+psycopg2`, but the program now uses" in text
    assert "pyproject.toml:8: no file uses `psycopg2-binary` any more" not in text
    assert "ci.yml" not in text
    monkeypatch.chdir(program.root.parent)
    assert (
        b"  - shop/compose.yaml:2: " in awaken("migrate", "async-sessions", "--dry-run", "shop")[1]
    )
    monkeypatch.chdir(program.root)

    program.write("compose.yaml", "services:\n  db: postgresql://db/shop\n")
    code, out = awaken("migrate", "async-sessions", "--allow-dirty")

    text = " ".join(out.decode().split())
    assert code == 0, text
    assert "compose.yaml:2: this URL names `postgresql`, but the program now uses" in text
    assert "pyproject.toml:8: no file uses `psycopg2-binary` any more" in text
    assert "Step 2 may change this:" in text


def test_files_that_may_name_the_former_driver_are_read_in_the_encoding_of_settings(
    tmp_path, monkeypatch
):
    program = Program(tmp_path / "shop", {"shop.py": SYNCHRONOUS})
    program.write("pyproject.toml", DEPENDENCIES)
    (program.root / "requirements.txt").write_text("psycopg2==2.9.10\n", "utf-16")
    (program.root / ".env").write_bytes(b"NAME=\xff\n")
    monkeypatch.chdir(committed(program).root)

    code, out = awaken("migrate", "async-sessions", "--dry-run")

    assert code == 0
    text = " ".join(out.decode().split())
    assert "requirements.txt:2: no file uses `psycopg2` any more" in text

    program.write("migrations/env.py", "engine = engine_from_config(config.sections)\n")
    text = awaken("migrate", "async-sessions", "--dry-run", "--allow-dirty")[1].decode()

    assert "Step 2 also changes" in text
    assert "any more" not in text


def test_a_migration_ends_with_the_sites_that_it_leaves_where_they_are_now(shop, monkeypatch):
    with_recipe(shop, QUERIES)
    text = f"{GOOD}\n\ndef rows(db: Session, kind):\n    return db.query(kind).all()\n"
    shop.write("shop.py", text)
    monkeypatch.chdir(committed(shop).root)

    dry = awaken("migrate", "ours", "--dry-run")[1].decode()
    code, out = awaken("migrate", "ours")

    left = (shop.root / "shop.py").read_text().splitlines()
    line = next(number for number, one in enumerate(left, 1) if "db.query(kind)" in one)
    assert code == 0
    assert line == len(left) > len(text.splitlines()), "the change moves the line"
    assert "To see what is left by hand: awaken check --recipe ours\n" in dry
    assert f"To change by hand, 1 site:\n  - shop.py:{line}: `kind` may be" in out.decode()


CONDITIONAL = """\
import os
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

Local = sessionmaker(create_engine("sqlite:///notes.db"))
app = FastAPI()


def get_session():
    with Local() as session:
        yield session


if "plain" not in os.environ:
    Session = Annotated[Session, Depends(get_session)]


@app.get("/notes")
def notes(db: Session):
    return db.scalar(text("SELECT 1"))


@app.get("/others")
def others(db=Depends(get_session)):
    return db.scalar(text("SELECT 2"))
"""
SCRIPT = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session


def main():
    with Session(create_engine("sqlite:///seeds.db")) as session:
        session.execute(text("SELECT 1"))


if __name__ == "__main__":
    main()
"""


def test_a_part_that_stays_is_led_by_its_causes(tmp_path, monkeypatch):
    program = Program(tmp_path / "shop", {"shop.py": CONDITIONAL, "seed.py": SCRIPT})
    program.write("pyproject.toml", DEPENDENCIES)
    monkeypatch.chdir(committed(program).root)

    code, said = awaken("migrate", "async-sessions")
    out = said.decode()

    assert code == 1, "a part of the program is not what the recipe asks"
    assert "sites rewritten in 1 file, plus pyproject.toml" in out
    _, by_hand = out.split("To change by hand, ")
    listed, causes = by_hand.split("session-to-async: 1 cause keeps 2 functions synchronous\n")
    assert listed.count("  - ") == 1, "no site that waits for it"
    assert "  - `notes`: this may be called on a session" in causes


def test_a_site_that_two_steps_leave_is_listed_once(shop, monkeypatch):
    two = QUERIES.replace(
        "}]", "}, { rules = { raw-sql-text = 'safe', query-to-select = 'safe' } }]"
    )
    with_recipe(shop, two)
    kinds = "\n\ndef rows(db: Session, kind):\n    return db.query(kind).all()\n"
    shop.write("shop.py", GOOD + kinds)
    monkeypatch.chdir(committed(shop).root)

    out = awaken("migrate", "ours")[1].decode()

    assert out.count("`kind` may be a mapped class") == 1


def test_a_wrong_setting_stops_a_migration_and_is_said_once(shop, capfd):
    shop.write("awaken.toml", "nothing = 1\n")

    code, out = awaken("migrate", "async-sessions", "--dry-run")

    assert code == 2
    assert capfd.readouterr().err.count("there is no setting named 'nothing'") == 1
    assert "Nothing was written." in out.decode()


COMPONENTS = {
    "pyproject.toml": PACKAGE["pyproject.toml"].replace(
        '[project.entry-points."plugins"]', "[tool.awaken]\npublished = false\n\n[tool.none]"
    ),
    **{
        f"{name}.py": f"""\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///{name}.db")
Local = sessionmaker(engine)


def count_{name}() -> int:
    with Local() as db:
        return db.scalar(text("select 1"))
"""
        for name in ("orders", "stock")
    },
    "main.py": """\
from fastapi import FastAPI

from orders import count_orders
from stock import count_stock

app = FastAPI()


@app.get("/orders")
def orders() -> int:
    return count_orders()


@app.get("/stock")
def stock() -> int:
    return count_stock()
""",
}


def test_a_component_is_migrated_and_the_others_stay(tmp_path, monkeypatch):
    for name, text in COMPONENTS.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)

    awaken("migrate", "async-sessions", "--component", "orders.count_orders")

    assert "async def count_orders" in (tmp_path / "orders.py").read_text("utf-8")
    main = (tmp_path / "main.py").read_text("utf-8")
    assert "async def orders" in main
    assert "async def stock" not in main
    assert (tmp_path / "stock.py").read_text("utf-8") == COMPONENTS["stock.py"]
