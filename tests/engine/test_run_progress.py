from __future__ import annotations

import pytest

from awaken import api
from awaken.engine.progress import PLANNING, READING, REWRITING, report_progress
from awaken.settings import Settings

MODULE = """\
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class A{number}(Base):
    __tablename__ = "a{number}"
    id: Mapped[int] = mapped_column(primary_key=True)


def every(session: Session):
    return session.query(A{number}).all()
"""


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "p"\ndependencies = ["sqlalchemy>=2"]')
    for number in range(3):
        (root / f"part{number}.py").write_text(MODULE.format(number=number))
    (root / "other.py").write_text("x = 1\n")
    return root


@pytest.mark.parametrize("function", [api.run, api.run_staged])
def test_every_stage_is_told_from_the_first_item_to_the_last(project, tmp_path, function):
    told = []
    settings = Settings(cache_dir=str(tmp_path / "cache"), select=("query-to-select",))
    options = api.Options(settings=settings, jobs=1)

    function([project], options, progress=lambda *step: told.append(step))

    assert told[:5] == [(READING, done, 4) for done in range(5)]
    assert told[5:9] == [(PLANNING, done, 3) for done in range(4)]
    assert told[9:13] == [(REWRITING, done, 3) for done in range(4)]


def test_the_result_is_the_same_with_and_without(project, tmp_path):
    options = api.Options(settings=Settings(cache_dir=str(tmp_path / "cache")), jobs=1)

    with_it = api.run([project], options, progress=lambda *_: None).roots[0]
    without = api.run([project], options).roots[0]

    assert with_it.findings == without.findings
    assert with_it.files == without.files
    assert len(with_it.files) == 3


def test_an_item_counts_when_it_is_done():
    told = []
    items = report_progress(["a", "b"], "Stage", lambda *step: told.append(step))

    assert next(items) == "a"
    assert told == [("Stage", 0, 2)]
    assert list(items) == ["b"]
    assert told == [("Stage", 0, 2), ("Stage", 1, 2), ("Stage", 2, 2)]
