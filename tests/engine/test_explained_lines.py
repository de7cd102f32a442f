"""What is said of lines that a change edits beside its site, from what a run came to."""

from __future__ import annotations

import pytest
from example_models import USER_AND_POSTS

from awaken import api
from awaken.engine.explaining import explainer
from awaken.settings import Settings

APP = """\
from sqlalchemy.orm import Query, Session

from models import Post, User


def _of(session: Session, number: int) -> Query:
    return session.query(User).filter(User.id == number)


def first(session: Session, number: int):
    return _of(session, number).first()


def authors(session: Session):
    return (
        session.query(User)
        .join(User.posts)
        .filter(Post.id > 1)
        .all()
    )


def nothing() -> None:
    print("nothing")
"""


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """Return a function that explains a line of a small program, by number."""
    project = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
    (tmp_path / "pyproject.toml").write_text(f'{project}dependencies = ["sqlalchemy>=2.0"]\n')
    (tmp_path / "models.py").write_text(USER_AND_POSTS)
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    options = api.Options(settings=Settings(published=False))
    api.run([tmp_path], options)

    def run(code):
        (line,) = (n for n, text in enumerate(APP.splitlines(), 1) if code in text)
        return api.explain(tmp_path / "app.py", line, None, options)

    return run


@pytest.mark.parametrize(
    ("code", "matched", "begins_with"),
    [
        ("import Query, Session", "change", "the query that `_of` returns"),
        ("-> Query:", "change", "the query that `_of` returns"),
        ("return session.query", "span", "the query that `_of` returns"),
        (".first()", "change", "the query that `_of` returns"),
        (".join(User.posts)", "span", "`query(...).all()` becomes"),
    ],
)
def test_each_line_that_is_changed_names_its_change(explain, code, matched, begins_with):
    site = explain(code).sites[0]

    assert site.matched == matched
    assert site.finding.message.startswith(begins_with)
    assert site.status == "rewritten"
    assert site.files


def test_pieces_that_are_added_say_why(explain):
    told = dict(explain(".first()").sites[0].pieces)
    also = dict(explain(".join(User.posts)").sites[0].pieces)

    assert "one row" in told[".limit(1)"]
    assert "repeat" in also[".unique()"]
    assert ".limit(1)" not in also


def test_the_files_of_a_change_hold_nothing_of_others(explain):
    (file,) = explain(".first()").sites[0].files

    assert b"select(User).where(User.id == number)" in file.after.text
    assert b"session.query(User)\n        .join(User.posts)" in file.after.text


def test_a_changed_line_is_told_from_what_is_remembered(explain, monkeypatch):
    def fail(*_):
        raise AssertionError("it was planned again")

    monkeypatch.setattr(explainer, "StagedReport", fail)

    assert explain(".first()").sites
    assert explain(".join(User.posts)").sites


def test_a_line_that_stays_is_told_to_stay(explain):
    assert not explain('print("nothing")').sites
