"""The queries of a set operation are rewritten together, or not at all."""

from __future__ import annotations

import pytest
from fixture_cases import FIXTURES

from awaken.codemods.sqlalchemy.query_to_select import QueryToSelect
from awaken.contract import Constraints
from awaken.project import Project, Snapshot
from awaken.workspace.manifests.targets import Targets
from awaken.workspace.sources import decode

MODELS = (FIXTURES / "sqlalchemy/_programs/library/models.py").read_bytes()
HEAD = "from models import User\nfrom sqlalchemy.orm import Session\ndef use(s: Session):\n    "


def plan_of(text):
    files = {"models.py": MODELS, "case.py": (HEAD + text).encode()}
    snapshot = Snapshot({path: decode(path, raw) for path, raw in files.items()})
    return QueryToSelect().plan(Project(snapshot, Targets()), Constraints())


@pytest.mark.parametrize(
    "text",
    [
        "return s.query(User).union(s.query(User), s.query(User)).all()",
        "return s.query(User).union(s.query(User)).except_(s.query(User))[1]",
        "return s.query(User).union(s.query(User)).order_by(User.id)[:2]",
    ],
)
def test_the_first_query_requires_the_others_and_each_of_them_the_first(text):
    first, *others = plan_of(text).changes

    assert others
    assert set(first.requires) == {one.id for one in others}
    assert {one.requires for one in others} == {(first.id,)}


def test_queries_that_stand_beside_each_other_require_nothing():
    changes = plan_of("return s.query(User).all(), s.query(User).count()").changes

    assert [change.requires for change in changes] == [(), ()]


def test_one_that_is_refused_keeps_the_others_as_they_are():
    plan = plan_of("return s.query(User).union(s.query(User).filter(User.id == 1).all()).count()")

    assert len(plan.changes) == 1
    assert len(plan.findings) == 2
    assert (
        plan_of("return s.query(User).union(s.query(User.id), s.query(User)).all()").changes == ()
    )
