"""The versions of SQLAlchemy on which session-to-async writes anything."""

from __future__ import annotations

import pytest
from planned import rewritten

SHOP = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite://")
LocalSession = sessionmaker(engine)


def one():
    with LocalSession() as db:
        return db.execute(text("select 1")).scalar()
"""


@pytest.mark.parametrize(
    ("version", "is_written"),
    # `async_sessionmaker` and `sqlalchemy.URL` came with 2.0.
    [("==1.4.23", False), (">=1.4", False), (">=2.0", True), ("==2.0.45", True)],
)
def test_nothing_is_written_that_a_declared_version_lacks(version, is_written):
    result = rewritten(shop=SHOP, targets={"sqlalchemy": version})

    assert (b"async_sessionmaker" in result.files["shop.py"]) is is_written
    reasons = {one.reason for one in result.findings}
    assert ("engine/needs-other-versions" in reasons) is not is_written
