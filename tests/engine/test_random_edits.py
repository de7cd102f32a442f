"""Whatever is edited, a run that remembers says what one says that knows nothing.

`--no-cache` is the oracle. Edits are random, and of all kinds that people and their tools make; of
five, two are made in files that the last answer depended on, which a spy on its evidence says.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec
import pytest
from program_edits import ProgramEdits, copy_of

from awaken import api
from awaken.engine import run as engine_run
from awaken.settings import Settings
from awaken.workspace import file_reading

PLACE = Path(__file__).parents[2]
ASYNC = ("query-to-select", "session-to-async")
EVERY = tuple(sorted(rule.name for rule in api.rules()))
CHAINS, EDITS_OF_A_CHAIN = 12, 5
"""On three programs: 180 edits; a longer chain would come near to the limit of a test."""


def generated(place, domains):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLACE / "benchmarks")
        import async_generated  # noqa: PLC0415
    for path, text in async_generated.program(domains, methods=2).items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return place


SMALL = {
    "pyproject.toml": '[project]\nname = "small"\nrequires-python = ">=3.11"\n'
    'dependencies = ["sqlalchemy>=2", "fastapi>=0.110"]\n',
    "app/__init__.py": "",
    "app/database.py": """\
from sqlalchemy import Column, Integer
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)


def get_db() -> Session:
    return Session()
""",
    "app/queries.py": """\
from sqlalchemy.orm import Session

from app.database import User


def everyone(db: Session):
    return db.query(User).all()
""",
    "app/routes.py": """\
from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from app.database import get_db
from app.queries import everyone

router = APIRouter()


@router.get("/")
def users(db: Session = Depends(get_db)):
    return everyone(db)
""",
    "app/loading.py": """\
class Loader:
    async def load(self, key):
        return key
""",
    "app/pages.py": """\
import asyncio

from app.loading import Loader


class Pages(Loader):
    async def show(self):
        return await asyncio.gather(self.load(1), self.load(2))
""",
    **{f"app/plain{n}.py": f"def times(x):\n    return {n} * x\n" for n in range(4)},
}


def small(place):
    for path, text in SMALL.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
    return place


def bookshop(place):
    return copy_of(PLACE / "examples/bookshop", place)


def libraries(place):
    """Make a program of real code that is installed here and names what rules look for."""
    for name in ("flask_sqlalchemy", "factory", "fastapi", "pydantic_settings", "starlette"):
        found = next(path for path in map(Path, sys.path) if (path / name / "__init__.py").exists())
        copy_of(found / name, place / name)
    manifest = '[project]\nname = "libraries"\ndependencies = ["sqlalchemy>=2", "fastapi>=0.110"]\n'
    (place / "pyproject.toml").write_text(manifest)
    return place


class Oracle:
    """Compares runs over one program with those that neither read nor keep anything."""

    def __init__(self, root, cache, monkeypatch, select):
        self.root, self.cache, self.select = root, cache, select
        self.depends_on, real = set[str](), engine_run.evidence_for

        def spying(shown, text, made_from, files, looked_at):
            self.depends_on = {*shown, *looked_at.read}
            return real(shown, text, made_from, files, looked_at)

        monkeypatch.setattr(engine_run, "evidence_for", spying)
        # Else all files were written too short a time ago to be known by their state.
        monkeypatch.setattr(file_reading, "TICK", 0)

    def report(self, *, use_cache):
        settings = Settings(select=self.select, unsafe_fixes=True, cache_dir=str(self.cache))
        options = api.Options(settings=settings, jobs=1, use_cache=use_cache)
        found = api.run([self.root], options)
        roots = [msgspec.structs.replace(one, seconds=0, root=None) for one in found.roots]
        return found.diagnostics, roots

    def compare(self, what):
        remembered, expected = self.report(use_cache=True), self.report(use_cache=False)
        assert remembered == expected, what

    def forget_answers(self):
        """Leave what is known of single files: the next run plans from that."""
        shutil.rmtree(self.cache / "results")


def check_edits(oracle, edits, kinds):
    """Make edits one after the other, and compare after each."""
    oracle.compare("nothing")
    done = []
    for number, kind in enumerate(kinds):
        edits.weighty = oracle.depends_on
        done.append(edits.make_any() if kind is None else edits.make(kind))
        oracle.compare(done)
        if number % 5 == 4:
            oracle.forget_answers()
            oracle.compare([*done, "answers forgotten"])


@pytest.mark.parametrize("chain", [1, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_edits_of_every_kind_change_what_they_change_without_memory(tmp_path, monkeypatch, chain):
    """One of the chains fails where no read, no search, no time of change or no text counts."""
    root = small(tmp_path / "program")
    edits = ProgramEdits(root, chain)
    kinds = [*2 * ProgramEdits.IN_FILES, *ProgramEdits.OF_FILES]
    edits.chance.shuffle(kinds)
    check_edits(Oracle(root, tmp_path / "cache", monkeypatch, ("ALL",)), edits, kinds)


@pytest.mark.slow
@pytest.mark.parametrize("chain", range(CHAINS))
@pytest.mark.parametrize(
    ("made", "select"), [(bookshop, EVERY), (libraries, ("ALL",)), (generated, ASYNC)]
)
def test_random_edits_of_whole_programs(tmp_path, monkeypatch, made, select, chain):
    root = made(tmp_path / "program", **({"domains": 2} if made is generated else {}))
    oracle = Oracle(root, tmp_path / "cache", monkeypatch, select)
    check_edits(oracle, ProgramEdits(root, f"{made.__name__}{chain}"), [None] * EDITS_OF_A_CHAIN)
