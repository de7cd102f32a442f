"""Fixtures of Playwright keep a loop running in the thread of tests: such files are left to do."""

from __future__ import annotations

import pytest
from example_models import FACTORY_AND_BASE
from planned import rewritten

APPLICATION = """\
from sqlalchemy import text
from sqlalchemy.orm import Session


def count(db: Session) -> int:
    return len(db.execute(text("select 1")).all())
"""
COUNTED = """\
from app import count
from database import LocalSession


def test_count():
    with LocalSession() as db:
        assert count(db) == 1
"""
SEEN = """\
import pytest


@pytest.fixture
def opened(page):
    page.goto("/")
    return page


def test_title(opened):
    assert opened.title() == "Users"
"""
OWN = """\
import pytest


@pytest.fixture
def page():
    return 3


"""


@pytest.mark.parametrize(
    ("plugin", "seen", "lines"),
    [
        ("pytest-playwright", SEEN, [("test_seen.py", 5)]),
        ("pytest-playwright", SEEN.replace("page)", "pages)").replace("page.", "pages."), []),
        ("pytest-playwright", SEEN.replace("import pytest\n\n\n", OWN), []),
        ("pytest-cov", SEEN, []),
    ],
)
def test_files_whose_fixtures_hold_a_loop_are_left_to_do(plugin, seen, lines):
    texts = {"database": FACTORY_AND_BASE, "app": APPLICATION, "test_count": COUNTED}
    result = rewritten(targets={plugin: "0.7.2"}, test_seen=seen, **texts)
    assert "await count(db)" in result.files["test_count.py"].decode()
    left = [(item.path, item.line) for item in result.report.left_to_do]
    assert [place for place in left if place[0].endswith(".py")] == lines
