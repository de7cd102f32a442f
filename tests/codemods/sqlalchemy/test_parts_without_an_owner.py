"""Parts that a collection loses and its cascade deletes: what is refreshed is persistent."""

from __future__ import annotations

import pytest
from compared_applications import differences, migrated, observed
from endpoints_of_objects import ENDPOINT
from random_objects import HEAD

LINES = ["order = db.get(Order, key)", "user = order.user"]
ENDS = ["db.commit()", "return [order.title, order.user is None]"]
REMOVED = {
    "removed": ["user.orders.remove(order)"],
    "popped": ["user.orders.pop(user.orders.index(order))"],
    "deleted": ["del user.orders[user.orders.index(order)]"],
    "sliced": ["user.orders[:] = []"],
    "replaced": ['user.orders[user.orders.index(order)] = Order(title="n", amount=2)'],
    "assigned": ["user.orders = []"],
    "removed_from_a_variable": ["orders = user.orders", "orders.remove(order)"],
    "deleted_from_a_variable": ["orders = user.orders", "del orders[:]"],
    "multiplied": ["orders = user.orders", "orders *= 0"],
}
MODELS = HEAD.format(
    session="", base="DeclarativeBase", new="", default="", cascade=', cascade="all, delete-orphan"'
)


def endpoint(lines):
    body = [*LINES, *lines, *ENDS]
    return ENDPOINT.format(model="") + "".join(f"    {line}\n" for line in body)


TEXTS = {name: MODELS + endpoint(lines) for name, lines in REMOVED.items()}


@pytest.fixture(scope="module")
def result():
    return migrated({f"{name}.py": text for name, text in TEXTS.items()})


@pytest.mark.parametrize("name", REMOVED)
@pytest.mark.slow
def test_a_part_without_an_owner_is_not_refreshed(name, result, tmp_path):
    after = result.files[f"{name}.py"].decode()
    assert "db.refresh(order" in after

    sides = [
        observed(text, f"{side}_{name}", tmp_path / side)
        for side, text in (("before", TEXTS[name]), ("after", after))
    ]
    assert [*differences(*sides, ())] == []


@pytest.mark.parametrize("name", ["popped", "assigned", "sliced"])
def test_the_models_may_be_in_another_file(name):
    imported = "import shop\nfrom shop import Depends, Order, Session, app, get_db\n\n\n"
    files = {"shop.py": MODELS, "api.py": imported + endpoint(REMOVED[name])}

    after = migrated(files).files["api.py"].decode()

    refresh = after.index("db.refresh(order")
    assert ".persistent" in after[:refresh]
