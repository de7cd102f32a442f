"""Methods of sessions that a test replaces for a while: which queries may run meanwhile."""

from __future__ import annotations

import pytest
from example_models import USER

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints, Level
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.project_settings import ProjectSettings
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

MODELS = f'from sqlalchemy import create_engine\n{USER}\n\nengine = create_engine("sqlite://")\n'
SHOP = """\
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import User


def find(s: Session):
    return s.query(User).all()


def counted(s: Session):
    return len(find(s))


def add(s: Session):
    s.execute("insert ...", [{"name": "a"}])
    s.commit()


def each(s: Session, work):
    work(s)


class Users:
    def __init__(self, s: Session):
        self.s = s

    @property
    def found(self):
        return find(self.s)

    def of(self):
        return find(self.s)
"""
TESTS = """\
import pytest
from sqlalchemy.orm import Session
from unittest.mock import patch

from models import User
from shop import Users, add, counted, each, find


"""
BLOCK = """\
def test_adds(s: Session, users: Users, client):
    with patch.object(s, "execute"):
        {0}
    after = s.query(User).all()


def test_other(s: Session):
    assert s.query(User).all() == []
"""
SHOP_SITE, AFTER, OTHER = 0, 1, 2


def levels(tests, shop=SHOP):
    """Return the levels of the queries: of the shop, then of the tests in their order."""
    texts = {"models.py": MODELS, "shop.py": shop, "tests/test_shop.py": TESTS + tests}
    sources = {path: decode(path, text.encode()) for path, text in texts.items()}
    project = Project(Snapshot(sources), Targets(), settings=ProjectSettings(published=False))
    return [one.level for one in QueryToSelect().plan(project, Constraints()).findings]


@pytest.mark.parametrize(
    ("inside", "runs"),
    [
        ("add(s)", False),
        ("find(s)", True),
        ("counted(s)", True),
        ("each(s, find)", True),
        ("each(s, add)", False),
        ("sorted([s], key=find)", True),
        ("[each(one, add) for one in [s]]", False),
        ("users.found", True),
        ("users.of()", True),
        ("Users(s)", False),
        ("Users(s).of()", True),
        ("(lambda: find(s))()", True),
        ("client.get('/users')", True),
        ("unknown(s)", True),
        ("getattr(users, 'of')()", True),
        ("s.commit()", False),
        ("len([s])", False),
    ],
)
def test_only_what_a_block_runs_may_meet_what_it_replaces(inside, runs):
    found = levels(BLOCK.format(inside))

    assert found[SHOP_SITE] is (Level.UNSAFE if runs else Level.SAFE)
    assert found[OTHER] is Level.SAFE


def test_the_statements_of_the_block_meet_it_and_those_behind_do_not():
    inside, after, other = levels(BLOCK.format("s.query(User).all()"))[1:]

    assert (inside, after, other) == (Level.UNSAFE, Level.SAFE, Level.SAFE)


def test_code_that_listens_runs_in_all_blocks():
    listener = """

@event.listens_for(Session, "after_flush")
def flushed(s: Session, context):
    counted(s)
"""

    assert levels(BLOCK.format("add(s)"), SHOP + listener)[SHOP_SITE] is Level.UNSAFE
    assert levels(BLOCK.format("add(s)"), SHOP)[SHOP_SITE] is Level.SAFE


@pytest.mark.parametrize(
    ("replacing", "expected"),
    [
        # from the first statement of the test to the end of its fixtures
        (
            (
                "def test_adds(s: Session, monkeypatch):\n"
                "    monkeypatch.setattr(s, 'execute', print)\n"
                "    add(s)\n    s.query(User).all()\n"
            ),
            [Level.UNSAFE, Level.UNSAFE, Level.SAFE],
        ),
        (
            (
                "@patch('sqlalchemy.orm.Session.execute')\n"
                "def test_adds(fake, s: Session):\n    add(s)\n    s.query(User).all()\n"
            ),
            [Level.SAFE, Level.UNSAFE, Level.SAFE],
        ),
        (
            (
                "@patch('sqlalchemy.orm.Session.execute')\n"
                "def test_adds(fake, s: Session):\n    find(s)\n    s.query(User).all()\n"
            ),
            [Level.UNSAFE, Level.UNSAFE, Level.SAFE],
        ),
        # nothing puts it back
        (
            (
                "def test_adds(s: Session):\n    patch.object(s, 'execute').start()\n"
                "    s.query(User).all()\n"
            ),
            [Level.UNSAFE, Level.UNSAFE, Level.UNSAFE],
        ),
        (
            "def test_adds(s: Session):\n    s.execute = print\n    s.query(User).all()\n",
            [Level.UNSAFE, Level.UNSAFE, Level.UNSAFE],
        ),
        # whoever gets the fixture runs meanwhile
        (
            (
                "@pytest.fixture\ndef spy(s: Session):\n"
                "    with patch.object(s, 'execute') as one:\n"
                "        yield one\n    s.query(User).all()\n"
            ),
            [Level.UNSAFE, Level.UNSAFE, Level.UNSAFE],
        ),
        # a test that another one calls
        (
            (
                "def test_adds(s: Session):\n    with patch.object(s, 'execute'):\n"
                "        test_other(s)\n    s.query(User).all()\n"
            ),
            [Level.SAFE, Level.SAFE, Level.UNSAFE],
        ),
    ],
)
def test_how_long_a_method_is_replaced_depends_on_what_replaces_it(replacing, expected):
    other = "\n\ndef test_other(s: Session):\n    assert s.query(User).all() == []\n"

    assert levels(replacing + other) == expected
